"""`standfast replay NAME`: an outage replayed on this machine, with real name servers, and its scoreboard."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from standfast.operations.replay import incident_2022, measure
from standfast.operations.replay.name_servers import ServerFailed, ToolMissing
from standfast.operations.replay.scenarios import control_plane_loop, memory_loss, stale_plan, status_dependency
from standfast.operations.replay.scoreboard import Scoreboard, printed

WHOLE = "2022-09-30"
OTHERS: dict[str, Callable[..., Scoreboard]] = {
    "stale-plan": stale_plan.replay,
    "status-dependency": status_dependency.replay,
    "control-plane-loop": control_plane_loop.replay,
    "memory-loss": memory_loss.replay,
    "figures": measure.replay,
}


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 when every figure is good, 1 when one is missed, 2 when the replay could not be run."""
    parser = argparse.ArgumentParser(prog="standfast replay", description=__doc__)
    parser.add_argument("name", choices=(WHOLE, *OTHERS), help="which outage")
    parser.add_argument("--json", action="store_true", help="the figures as JSON on standard output")
    parser.add_argument(
        "--quiet-seconds", type=float, default=incident_2022.QUIET_SECONDS, metavar="N",
        help="2022-09-30: how long all must be good before Resolved (300); a shorter time is said on the scoreboard",
    )  # fmt: skip
    given = parser.parse_args(arguments)
    return run(given.name, given.json, quiet_seconds=given.quiet_seconds)


def run(name: str, json: bool, *, quiet_seconds: float = incident_2022.QUIET_SECONDS) -> int:
    """Replay and print the scoreboard; what happens meanwhile goes to standard error."""
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    try:
        if name == WHOLE:
            board = incident_2022.replay(quiet_seconds=quiet_seconds, say=say)
        else:
            board = OTHERS[name](say=say)
    except (ToolMissing, ServerFailed) as error:
        sys.stderr.write(f"The replay cannot be run: {error}\n")
        return 2
    say(f"the replay took {time.monotonic() - began:.0f} s")
    return printed(board, as_json=json)


if __name__ == "__main__":
    sys.exit(main())
