"""The package's SQL as the walls see it: the named queries of .sql files, and the SQL that stands in Python."""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from pathlib import Path

from tests.rules.tree import PACKAGE, component_of, files, python_files, shown

NAME = re.compile(r"^--\s*name:\s*([\w-]+)(\S*)", re.MULTILINE)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
LITERAL = re.compile(r"'(?:[^']|'')*'")
PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)|%\((\w+)\)s|%s")
STATEMENT = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|COPY|MERGE|TRUNCATE|CREATE|ALTER|DROP|LOCK|SET)\s")
# A query that runs over all accounts says so and why, above itself.
OVER_ACCOUNTS = re.compile(r"^\s*(?:--|#)\s*over accounts:\s*\w+", re.MULTILINE)


@dataclass(frozen=True)
class Query:
    """`body` is the SQL without comments; `remarks` are its comments."""

    path: Path
    name: str
    body: str
    remarks: str = ""

    @property
    def where(self) -> str:
        return f"{shown(self.path)}:{self.name}"

    @property
    def component(self) -> str | None:
        return component_of(self.path)

    @functools.cached_property
    def words(self) -> str:
        """The body without string literals: a word in a text is no table."""
        return LITERAL.sub("''", self.body)

    @property
    def over_accounts(self) -> bool:
        return bool(OVER_ACCOUNTS.search(self.remarks))


def named(path: Path) -> list[Query]:
    """The queries of an aiosql file, in its order; what stands above a `-- name:` line belongs to the query below."""
    text = path.read_text()
    found = list(NAME.finditer(text))
    queries = []
    for place, match in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(text)
        remarks_from = text.rfind(";", 0, match.start()) + 1
        body = text[match.end() : end]
        remarks = text[remarks_from : match.start()] + "\n".join(COMMENT.findall(body[: body.rfind(";") + 1]))
        queries.append(Query(path, match.group(1), COMMENT.sub("", body).strip(), remarks))
    return queries


def sql_files() -> list[Path]:
    return [path for path in files() if path.suffix == ".sql" and path.is_relative_to(PACKAGE)]


@functools.cache
def in_files() -> tuple[Query, ...]:
    return tuple(query for path in sql_files() for query in named(path))


@functools.cache
def in_python() -> tuple[Query, ...]:
    """Texts in modules that begin like a statement, without tests and migrations; holes of f-strings are `?`."""
    queries = []
    for path in python_files():
        if {"tests", "migrations"} & set(path.parts):
            continue
        source = path.read_text()
        lines = source.splitlines()
        for line, text in texts(ast.parse(source)):
            if STATEMENT.match(text):
                above = "\n".join(lines[max(0, line - 4) : line])
                queries.append(Query(path, f"line {line}", COMMENT.sub("", text), above))
    return tuple(queries)


def texts(tree: ast.AST) -> list[tuple[int, str]]:
    """(line, text) of every string outside docstrings."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)} - {
        id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
    }
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for node in ast.walk(tree):
        if id(node) in inside or id(node) in bare:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append((node.lineno, node.value))
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "?" for part in node.values)
            found.append((node.lineno, "".join(map(str, parts))))
    return found


def numbered(body: str) -> str:
    """The body with its parameters as $1, $2 ...; the same name gets the same number."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(2) or f"unnamed {match.start()}"
        return f"${numbers.setdefault(name, len(numbers) + 1)}"

    # Literals are set aside, as a colon or per cent sign within one is no parameter.
    literals = LITERAL.findall(body)
    replaced = PARAMETER.sub(number, LITERAL.sub("\0", body))
    for literal in literals:
        replaced = replaced.replace("\0", literal, 1)
    return replaced
