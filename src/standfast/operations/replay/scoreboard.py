"""What came of a replay beside what happened in 2022, as a table for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

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
    before: str = ""  # 2022, or what the naive variant did

    @property
    def good(self) -> bool:
        return self.value is not None and (self.limit is None or self.value <= self.limit)


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """A replay's outcome. `notes` say what was shortened or left out.

    `naive` holds the same figures of the variant that failed in the real incident; were it to pass, the replay would
    prove nothing, so then the whole is not good.
    """

    replay: str
    title: str
    before_title: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = field(default=())
    naive: tuple[Figure, ...] = field(default=())

    @property
    def good(self) -> bool:
        fails = not self.naive or not all(figure.good for figure in self.naive)
        return fails and all(figure.good for figure in self.figures)

    def figure(self, figure_id: str) -> Figure:
        return next(figure for figure in self.figures if figure.id == figure_id)

    def as_json(self) -> str:
        def rows(figures: Sequence[Figure]) -> list[dict[str, object]]:
            return [{**asdict(figure), "good": figure.good} for figure in figures]

        table = {"replay": self.replay, "title": self.title, "good": self.good, "figures": rows(self.figures)}
        table |= {"naive": rows(self.naive)} if self.naive else {}
        table |= {"notes": self.notes}
        return json.dumps(table, indent=2, ensure_ascii=False)

    def show(self, console: Console) -> None:
        table = Table(title=self.title, title_justify="left")
        table.add_column("", overflow="fold")
        table.add_column("this run", justify="right")
        table.add_column("at most", justify="right")
        if self.before_title:
            table.add_column(self.before_title, overflow="fold")
        table.add_column("", justify="center")
        for figure in self.figures:
            limit = "" if figure.limit is None else shown(figure.limit, figure.unit)
            value = _value(figure)
            mark = "[green]good[/green]" if figure.good else "[red]missed[/red]"
            before = [figure.before] if self.before_title else []
            table.add_row(figure.what, value, limit, *before, mark)
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


def _value(figure: Figure) -> str:
    return "never" if figure.value is None else shown(figure.value, figure.unit)


def duel(replay: str, title: str, *, naive: Sequence[Figure], ours: Sequence[Figure]) -> Scoreboard:
    """A scoreboard of ours beside the naive variant's figures, both measured in this run."""
    by_id = {figure.id: figure for figure in naive}
    figures = tuple(replace(figure, before=_value(by_id[figure.id])) for figure in ours)
    return Scoreboard(replay, title, "the naive variant", figures, naive=tuple(naive))
