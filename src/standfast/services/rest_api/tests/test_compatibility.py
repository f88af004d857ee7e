"""The page that says what is compatible and the service's routes say the same."""

import re
from pathlib import Path

from standfast.platform.rest.routes import ROUTES
from standfast.services.rest_api import mounted  # noqa: F401 - fills the table of routes

PAGE = Path(__file__).parents[5] / "docs/api/compatibility.md"
ROW = re.compile(r"^\| (api|rdb|stream) \| ([A-Z]+) \| `([^`]+)` \| (\w+) \| (.*?) ?\|$", re.MULTILINE)
MARKS = {"works", "differs", "absent"}


def listed():
    """(host, method, path) to (mark, difference)."""
    rows = ROW.findall(PAGE.read_text())
    assert len(rows) == len({row[:3] for row in rows}), "a route is listed twice"
    return {row[:3]: row[3:] for row in rows}


def served():
    return {(each.host, each.method, re.sub(r"<([a-z_]+)(?::int)?>", r":\1", each.pattern)) for each in ROUTES}


def test_every_route_is_listed() -> None:
    missing = served() - {route for route, (mark, _) in listed().items() if mark != "absent"}
    assert not missing, f"add a row for each to {PAGE.name}: {sorted(missing)}"


def test_what_is_said_to_work_has_a_route() -> None:
    wrong = {route for route, (mark, _) in listed().items() if mark != "absent"} - served()
    assert not wrong, sorted(wrong)


def test_marks_are_known_and_differences_told() -> None:
    rows = listed()
    assert len(rows) == PAGE.read_text().count("\n| ") - 1, "a row is not of the form that is compared"
    assert {mark for mark, _ in rows.values()} <= MARKS
    assert not [route for route, (mark, difference) in rows.items() if bool(difference) != (mark != "works")]
