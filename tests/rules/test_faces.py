"""Only a component's `api` crosses its walls, and a service's own part of a component: its door."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.rules.tree import PACKAGE, component_of, python_files, service_of, shown

PREFIX = "standfast.components."

# What a component brings along for a process, and the one service that mounts it.
DOORS = {
    "application": {"forms", "pages", "urls"},
    "rest_api": {"compatible", "endpoints"},
    "worker": {"consumers", "jobs"},
}


def imported(tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    """(line, full name) of each import, those inside functions too; `module` resolves relative ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], *([node.module] if node.module else [])])
            for name in node.names:
                yield node.lineno, f"{base}.{name.name}"


def trespasses(source: str, *, module: str, component: str | None, service: str | None) -> list[str]:
    """The imports of a component's inside from outside of it."""
    found = []
    for line, name in imported(ast.parse(source), module):
        if not name.startswith(PREFIX):
            continue
        other, *rest = name.removeprefix(PREFIX).split(".")
        if other == component or (rest and rest[0] == "api"):
            continue
        if service and rest and rest[0] in DOORS.get(service, ()):
            continue
        found.append(f"line {line}: {name}")
    return found


def module_name(path: Path) -> str:
    return ".".join(("standfast", *path.relative_to(PACKAGE).with_suffix("").parts))


def test_only_the_face_is_imported_from_outside() -> None:
    found = []
    for path in python_files():
        wrong = trespasses(
            path.read_text(), module=module_name(path), component=component_of(path), service=service_of(path)
        )
        found += [f"{shown(path)} {each}" for each in wrong]
    assert not found, "import the function from the component's api instead:\n" + "\n".join(found)


def test_a_trespass_is_seen_wherever_it_hides() -> None:
    def seen(source: str, service: str | None = None) -> bool:
        return bool(
            trespasses(source, module="standfast.components.content.lint", component="content", service=service)
        )

    assert seen("from standfast.components.audience.models import Contact")
    assert seen("def f():\n    import standfast.components.audience.freeze")
    assert seen("from ..audience import models")
    assert seen("from standfast.components.audience import jobs", service="application")
    assert not seen("from standfast.components.audience import jobs", service="worker")
    assert not seen("from standfast.components.audience.api import Contact")
    assert not seen("from standfast.components.audience import api")
    assert not seen("from .models import Content")


def test_migrations_import_no_live_code() -> None:
    found = []
    for path in python_files():
        if path.parent.name == "migrations":
            names = imported(ast.parse(path.read_text()), module_name(path))
            found += [f"{shown(path)} line {line}: {name}" for line, name in names if name.startswith(PREFIX)]
    assert not found, "a migration must give the same result in five years:\n" + "\n".join(found)
