"""A file is named for what is in it, and is short enough to be one thing."""

from pathlib import Path

from tests.rules.tree import PACKAGE, files, shown

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "services", "managers", "misc"}
SOURCES = {".py", ".sql", ".ts", ".tsx", ".js", ".jsx", ".css", ".html", ".sh"}
LINES_MAX = 500


def test_no_name_says_nothing() -> None:
    found = []
    for path in files():
        for part in (path, *path.parents):
            if part.stem.lower() in EMPTY_NAMES and part != PACKAGE / "services":
                found.append(shown(path))
                break
            if part == PACKAGE:
                break
    assert not found, f"name each for the verb or noun in it: {found}"


def test_no_source_file_is_two() -> None:
    long = {
        shown(path): lines for path in files() if path.suffix in SOURCES and (lines := line_count(path)) > LINES_MAX
    }
    assert not long, f"over {LINES_MAX} lines, so two files: {long}"


def line_count(path: Path) -> int:
    return path.read_bytes().count(b"\n")
