"""Filters: python-liquid's own behind a budget, and those that mail needs to behave differently.

The same callables serve both ways of rendering, so that their results cannot differ.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from dateutil import parser as date_parser
from liquid import Environment, Markup, RenderContext, is_undefined

from .budget import VALUE_CHARS_MAX, Budget, BudgetError, check_range

FORMAT_CHARS_MAX = 200
# These never make more than what they are given, taken together, so only assignments need to be paid for. The others
# multiply (`replace`, `join`, `times`, `base64_encode`), or make lists.
FREE = frozenset(
    [
        "abs",
        "append",
        "at_least",
        "at_most",
        "capitalize",
        "ceil",
        "date",
        "default",
        "divided_by",
        "downcase",
        "escape",
        "first",
        "floor",
        "last",
        "lstrip",
        "md5",
        "minus",
        "modulo",
        "plus",
        "prepend",
        "remove",
        "remove_first",
        "remove_last",
        "round",
        "rstrip",
        "size",
        "slice",
        "strip",
        "strip_html",
        "truncate",
        "truncatewords",
        "upcase",
        "url_decode",
        "url_encode",
    ]
)


def md5(value: object) -> str:
    """The MD5 of a value's text in UTF-8, in hexadecimal, as avatar services want it."""
    text = "" if value is None else str(value)
    return hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def format_date(value: object, form: object = "%Y-%m-%d", *, environment: Environment) -> object:
    """Write a date (date, datetime, unix seconds, or text in a usual form) by a strftime form.

    Unix seconds are UTC. What is no date comes back unchanged rather than as an error.
    """
    if value is None or is_undefined(value):
        return ""
    if is_undefined(form) or form is None:
        return str(value)
    safe = environment.autoescape and isinstance(form, Markup)
    if type(value) in (str, int) and value not in ("now", "today"):
        return _remembered(value, str(form), safe)
    return _as_text(value, _moment(value), str(form), safe)


@lru_cache(maxsize=4096, typed=True)
def _remembered(value: object, form: str, safe: bool) -> object:
    return _as_text(value, _moment(value), form, safe)


def _as_text(value: object, moment: datetime | None, form: str, safe: bool) -> object:
    text = _strftime(moment, form[:FORMAT_CHARS_MAX])
    if text is None:
        return str(value)
    return Markup(text) if safe else text


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        return datetime.now(UTC) if value in ("now", "today") else _parse_date(str(value))
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time.min)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_unix(value)
    return None


def _parse_date(text: str) -> datetime | None:
    if text.isascii() and text.isdigit() and len(text) != 8:
        return _from_unix(int(text[:20]))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return date_parser.parse(text[:100])
    except (ValueError, OverflowError, TypeError):
        return None


def _from_unix(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _strftime(moment: datetime | None, form: str) -> str | None:
    if moment is None:
        return None
    try:
        return moment.strftime(form)
    except (ValueError, UnicodeError, OverflowError):
        return None


def budgeted(name: str, function: Callable[..., Any], environment: Environment) -> Callable[..., Any]:
    """Put a filter behind the budget: the call takes it first, checks what goes in and pays for what comes out."""
    bound = {"environment": environment} if getattr(function, "with_environment", False) else {}

    def call(budget: Budget, value: object, *arguments: Any, **named: Any) -> object:
        if isinstance(value, range):
            check_range(value)
        _check_growth(name, value, arguments)
        return budget.made(function(value, *arguments, **named, **bound))

    return call


def _check_growth(name: str, value: Any, arguments: tuple[Any, ...]) -> None:
    """Refuse in advance what would multiply: the result must not be made to be measured."""
    if name.startswith("replace") and len(arguments) > 1:
        text, old, new = str(value), str(arguments[0]), str(arguments[1])
        turns = text.count(old) if name == "replace" else 1
        if len(text) + turns * len(new) > VALUE_CHARS_MAX:
            raise BudgetError(f"it makes a value of more than {VALUE_CHARS_MAX:,} characters")
    elif name == "join" and arguments and isinstance(value, list | tuple | range | str):
        if len(value) * len(str(arguments[0])) > VALUE_CHARS_MAX:
            raise BudgetError(f"it makes a value of more than {VALUE_CHARS_MAX:,} characters")
    elif name == "uniq" and isinstance(value, list | tuple) and len(value) > 2_000:
        raise BudgetError("it looks for duplicates among more than 2,000 items")


def as_liquid_filter(name: str, function: Callable[..., Any], environment: Environment) -> Callable[..., Any]:
    """The same filter in the shape in which python-liquid calls it."""
    call = budgeted(name, function, environment)

    def filtered(value: object, *arguments: Any, context: RenderContext, **named: Any) -> object:
        return call(context.budget, value, *arguments, **named)  # type: ignore[attr-defined]

    filtered.with_context = True  # type: ignore[attr-defined]
    return filtered
