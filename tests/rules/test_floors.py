"""Who may import whom: the contracts in pyproject.toml hold, and cover every room of the house."""

import subprocess
import sys
from pathlib import Path

from tests.rules.tree import HEIGHT, PACKAGE, ROOT


def test_the_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_every_component_stands_on_a_floor() -> None:
    contracts = (ROOT / "pyproject.toml").read_text()
    for room in (PACKAGE / "components").iterdir():
        if (room / "__init__.py").exists():
            assert room.name in HEIGHT, (
                f"components/{room.name} has no floor: add it to the layers and to tests/rules/tree.py"
            )
            assert f"standfast.components.{room.name}" in contracts


def test_nothing_else_stands_in_the_package() -> None:
    known = {"components", "operations", "platform", "protocols", "services"}
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert rooms <= known, f"not part of the house: {sorted(rooms - known)}"
