"""What came of a replay beside what happened in 2022, as a table for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. `value` is None when it never came about; `limit` is the most it may be, None where it has none."""

    id: str
    what: str
    value: float | None
    unit: str
    limit: float | None
    before: str  # 2022, or what the naive variant did

    @property
    def good(self) -> bool:
        return self.value is not None and (self.limit is None or self.value <= self.limit)


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """A replay's outcome. `notes` say what was shortened or left out."""

    replay: str
    title: str
    before_title: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def good(self) -> bool:
        return all(figure.good for figure in self.figures)

    def figure(self, figure_id: str) -> Figure:
        return next(figure for figure in self.figures if figure.id == figure_id)

    def as_json(self) -> str:
        figures = [{**asdict(figure), "good": figure.good} for figure in self.figures]
        table = {"replay": self.replay, "title": self.title, "good": self.good, "figures": figures, "notes": self.notes}
        return json.dumps(table, indent=2, ensure_ascii=False)

    def show(self, console: Console) -> None:
        table = Table(title=self.title, title_justify="left")
        table.add_column("", overflow="fold")
        table.add_column("this run", justify="right")
        table.add_column("at most", justify="right")
        table.add_column(self.before_title, overflow="fold")
        table.add_column("", justify="center")
        for figure in self.figures:
            limit = "" if figure.limit is None else shown(figure.limit, figure.unit)
            value = "never" if figure.value is None else shown(figure.value, figure.unit)
            mark = "[green]good[/green]" if figure.good else "[red]missed[/red]"
            table.add_row(figure.what, value, limit, figure.before, mark)
        console.print(table)
        for note in self.notes:
            console.print(f"  {note}", style="dim")


def shown(value: float, unit: str) -> str:
    """A figure with its unit; long spans in minutes."""
    if unit != "s":
        return f"{value:g} {unit}".rstrip()
    if value >= 120:
        return f"{value / 60:.1f} min"
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def printed(board: Scoreboard, *, as_json: bool) -> int:
    """Print it; 0 when every figure is good, 1 otherwise."""
    if as_json:
        print(board.as_json())
    else:
        board.show(Console())
    return 0 if board.good else 1


def joined(parts: Sequence[str]) -> str:
    return ", ".join(parts) or "none"
