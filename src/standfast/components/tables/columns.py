"""What columns a table has: types, keys and limits. A structure is checked here before anything stands on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

COLUMNS_MAX = 100
KEYS_MAX = 20
NAME_MAX = 64
E = TypeVar("E", bound=StrEnum)
_NAME = re.compile(rf"[A-Za-z0-9_]{{1,{NAME_MAX}}}")


class DataType(StrEnum):
    STRING = "String"
    TEXT = "Text"
    FLOAT = "Float"
    INTEGER = "Integer"
    BIGINT = "Bigint"
    BOOLEAN = "Boolean"
    DATETIME = "DateTime"
    EMAIL = "Email"
    UID = "UID"


class Key(StrEnum):
    """Whether rows are found by a column's values, and whether each may stand in one row only."""

    NONE = "None"
    INDEX = "Index"
    UNIQUE = "Unique"


LENGTHS = {DataType.STRING: 255, DataType.TEXT: 65_535, DataType.EMAIL: 254, DataType.UID: 255}
"""Characters at most; of Text bytes."""
_SHORTENED = frozenset({DataType.STRING, DataType.TEXT})
_COUNTED = frozenset({DataType.INTEGER, DataType.BIGINT})
_KEYLESS = frozenset({DataType.TEXT, DataType.FLOAT})  # too long for an index, and never exactly equal
_NOT_PRIMARY = frozenset({*_KEYLESS, DataType.BOOLEAN})
_SENDABLE = frozenset({DataType.EMAIL, DataType.UID})


class TableInvalid(ValueError):
    """A structure that cannot be; `field` is where ("name", "columns", "columns.2"), the text says why."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field, self.text = field, text


@dataclass(frozen=True, slots=True)
class Column:
    """`id` is given once in a table and never again: rows keep values under it, so that a name can be free again."""

    id: int
    name: str
    data_type: DataType
    key: Key
    primary_key: bool
    length: int | None
    auto_increment: bool
    allow_null: bool
    sendable: bool

    @property
    def is_unique(self) -> bool:
        return self.primary_key or self.key is Key.UNIQUE

    @property
    def is_found_by(self) -> bool:
        return self.primary_key or self.key is not Key.NONE


class ColumnDraft(NamedTuple):
    """A column to add, or what changes in the one of this name; None leaves what is there, or takes the default."""

    name: str
    data_type: str | None = None
    key: str | None = None
    primary_key: bool | None = None
    length: int | None = None
    auto_increment: bool | None = None
    allow_null: bool | None = None
    sendable: bool | None = None


class Structure(tuple[Column, ...]):
    """A table's columns in order. Exactly one is the primary key."""

    __slots__ = ()

    @property
    def primary(self) -> Column:
        return next(column for column in self if column.primary_key)

    @property
    def auto(self) -> Column | None:
        return next((column for column in self if column.auto_increment), None)

    def named(self, name: str) -> Column | None:
        """Names are found in upper or lower case."""
        low = name.lower()
        return next((column for column in self if column.name.lower() == low), None)

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(column) for column in self]

    @classmethod
    def from_json(cls, rows: Iterable[dict[str, Any]]) -> Structure:
        return cls(
            Column(**{**row, "data_type": DataType(row["data_type"]), "key": Key(row["key"])})  # type: ignore[arg-type]
            for row in rows
        )


def restructured(
    known: Sequence[Column], drafts: Sequence[ColumnDraft], *, drop: Sequence[str], next_id: int, has_rows: bool
) -> Structure:
    """The columns with the drafts added or changed and some dropped; what is not named stays. Raises TableInvalid."""
    columns = {column.name.lower(): column for column in known}
    for name in drop:
        gone = columns.pop(name.lower(), None)
        if gone is None or gone.primary_key:
            why = "there is no such column" if gone is None else "the primary key cannot be dropped"
            raise TableInvalid("columns", f"{name[:NAME_MAX]!r}: {why}")
    seen = set()
    for n, draft in enumerate(drafts):
        low = draft.name.lower()
        try:
            if low in seen:
                raise ValueError("is given twice")
            old = columns.get(low)
            columns[low] = _column(draft, old, next_id if old is None else old.id)
            if has_rows:
                _fits_rows(columns[low], old)
        except ValueError as error:
            raise TableInvalid(f"columns.{n}", f"{draft.name[:NAME_MAX]!r}: {error}") from None
        seen.add(low)
        next_id += old is None
    return _checked(Structure(columns.values()))


def _column(draft: ColumnDraft, old: Column | None, column_id: int) -> Column:
    if not _NAME.fullmatch(draft.name):
        raise ValueError(f"a name is 1 to {NAME_MAX} letters, figures and underscores")
    data_type = _one_of(DataType, draft.data_type, old.data_type if old else None, "a data type")
    key = _one_of(Key, draft.key, old.key if old else Key.NONE, "a key")
    primary = _given(draft.primary_key, old.primary_key if old else False)
    auto = _given(draft.auto_increment, old.auto_increment if old else False)
    allow_null = _given(draft.allow_null, old.allow_null if old else True)
    sendable = _given(draft.sendable, old.sendable if old else False)
    same_type = old is not None and old.data_type is data_type
    if key is not Key.NONE and data_type in _KEYLESS:
        raise ValueError(f"{data_type} can have no key; use String for what rows are found by")
    if primary and data_type in _NOT_PRIMARY:
        raise ValueError(f"{data_type} cannot be the primary key")
    if auto and data_type not in _COUNTED:
        raise ValueError("only Integer and Bigint can count by themselves")
    if auto and not primary and key is not Key.UNIQUE:
        raise ValueError("a column that counts by itself must be the primary key or unique")
    if sendable and data_type not in _SENDABLE:
        raise ValueError("only Email and UID can be sendable")
    length = _length(draft.length, data_type, old.length if old and same_type else None)
    return Column(column_id, draft.name, data_type, key, primary, length, auto, allow_null and not primary, sendable)


def _length(given: int | None, data_type: DataType, old: int | None) -> int | None:
    most = LENGTHS.get(data_type)
    if most is None or data_type not in _SHORTENED:
        return most
    length = given if given is not None else old or most
    if not 1 <= length <= most:
        raise ValueError(f"the length of {data_type} is 1 to {most}")
    return length


def _fits_rows(column: Column, old: Column | None) -> None:
    """What may change while there are rows: the key, whether it may be null (checked against them), sendable, more length."""
    if old is None:
        if not column.allow_null:
            raise ValueError("the table has rows, which have no value for it: allow null")
        return
    for name in ("data_type", "primary_key", "auto_increment"):
        if getattr(column, name) != getattr(old, name):
            raise ValueError(f"{name} cannot change while the table has rows")
    if (column.length or 0) < (old.length or 0):
        raise ValueError("the length cannot shrink while the table has rows")


def _checked(columns: Structure) -> Structure:
    if len(columns) > COLUMNS_MAX:
        raise TableInvalid("columns", f"a table has at most {COLUMNS_MAX} columns")
    if (primaries := sum(column.primary_key for column in columns)) != 1:
        raise TableInvalid("columns", f"exactly one column must be the primary key; {primaries} are")
    if sum(column.auto_increment for column in columns) > 1:
        raise TableInvalid("columns", "one column at most can count by itself")
    if sum(column.is_found_by for column in columns) > KEYS_MAX:
        raise TableInvalid("columns", f"a table has at most {KEYS_MAX} columns with a key")
    return columns


def _one_of(kind: type[E], given: str | None, default: E | None, what: str) -> E:
    if given is None:
        if default is None:
            raise ValueError(f"{what} is missing; it is one of {', '.join(kind)}")
        return default
    found = next((one for one in kind if one.lower() == given.strip().lower()), None)
    if found is None:
        raise ValueError(f"{given[:NAME_MAX]!r} is not {what}; it is one of {', '.join(kind)}")
    return found


def _given(given: bool | None, default: bool) -> bool:
    return default if given is None else given
