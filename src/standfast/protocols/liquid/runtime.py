"""What lowered code calls: python-liquid's own meanings, with a short way for what is common."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from liquid import Environment, RenderContext
from liquid.builtin.expressions.logical import _contains, _eq, _le, _lt, is_truthy
from liquid.limits import to_int
from liquid.stringify import to_liquid_string
from liquid.undefined import Undefined
from markupsafe import Markup, escape

from .budget import OUTPUT_CHARS_MAX, Budget, BudgetError, check_range
from .environment import TrackLink, link_parts
from .quoted import CACHED_CHARS_MAX, SOFT_BREAK, qp_run, qp_slot

UNDEFINED = Undefined("value")
MISSING = object()  # a variable that no assignment has reached yet

equal, at_most, contains, truthy_slow = _eq, _le, _contains, is_truthy

# What neither HTML nor quoted-printable encode, on one line: most values, recognised by one call.
_plain = re.compile(r"(?!From )[A-Za-z0-9@_+(/-](?:[A-Za-z0-9@_+(/).,:;!?-]| (?! |\Z)){0,70}").fullmatch


def below(token: Any, left: Any, right: Any) -> bool:
    """`<`; nothing is below or above what is not there."""
    if type(left) is int and type(right) is int:
        return left < right
    return False if left is UNDEFINED or right is UNDEFINED else _lt(token, left, right)


def truthy(value: object) -> bool:
    return value is not None and value is not False and type(value) is not Undefined


def item(obj: Any, key: str) -> object:
    """`obj.key`, for keys that have no meaning of their own."""
    try:
        return obj[key]
    except (KeyError, TypeError, IndexError):
        return UNDEFINED


def any_item_getter(environment: Environment) -> Callable[[object, object], object]:
    """`obj[key]` for every other key: numbers, `size`, `first`, `last`, and what is in a variable."""
    get_item = RenderContext(environment.from_string("")).get_item

    def any_item(obj: Any, key: object) -> object:
        if obj is UNDEFINED:
            return obj
        if key == "size" and type(obj) in (list, str):
            return len(obj)
        try:
            return get_item(obj, key)
        except (KeyError, TypeError, IndexError):
            return UNDEFINED

    return any_item


class Remembered(dict[str, bytes]):
    """Short texts and their pieces. Lowered code looks here first, which saves a call for each value."""

    ENTRIES_MAX = 16384

    def __init__(self, encode: Callable[[str], bytes]) -> None:
        super().__init__()
        self.encode = encode

    def __missing__(self, text: str) -> bytes:
        if _plain(text):
            piece = text.encode() + SOFT_BREAK
            if "@" in text:  # an address is one person's
                return piece
        else:
            piece = self.encode(text)
        if len(text) <= CACHED_CHARS_MAX:
            if len(self) >= self.ENTRIES_MAX:
                self.clear()
            self[text] = piece
        return piece


def _encode_html(text: str) -> bytes:
    return _long(escape(text))


def slot_html(value: object) -> bytes:
    """A value as a quoted-printable piece of HTML."""
    kind = type(value)
    if kind is str:
        return REMEMBERED_HTML[value]  # type: ignore[index]
    if kind is Markup:
        return qp_slot(value)  # type: ignore[arg-type]
    if kind is int:
        return qp_slot(str(value))
    return b"" if value is None or value is UNDEFINED else _long(to_liquid_string(value, True))


def slot_text(value: object) -> bytes:
    """A value as a quoted-printable piece of plain text."""
    kind = type(value)
    if kind is str:
        return REMEMBERED_TEXT[value]  # type: ignore[index]
    if kind is int:
        return qp_slot(str(value))
    return b"" if value is None or value is UNDEFINED else _long(to_liquid_string(value, False))


@lru_cache(maxsize=4096)
def _around(track: TrackLink, number: int, written: str, html: bool) -> tuple[bytes, bytes] | bytes:
    before, after = link_parts(track, number, written, html)
    return qp_run(before) if after is None else (qp_run(before), qp_run(after))


def link_slot(track: TrackLink, number: int, written: str, html: bool, token_piece: bytes) -> bytes:
    """A tracked link as a quoted-printable piece. Many recipients have the same destination, so it is remembered."""
    around = _around(track, number, written, html)
    return around if isinstance(around, bytes) else around[0] + token_piece + around[1]


def _long(text: str) -> bytes:
    if len(text) > OUTPUT_CHARS_MAX:
        raise BudgetError("it writes too much")
    return qp_run(text)


REMEMBERED_HTML = Remembered(_encode_html)
REMEMBERED_TEXT = Remembered(_long)


def string_html(value: object) -> str:
    if type(value) is str:
        return str(escape(value))
    return str(to_liquid_string(value, True))


def string_text(value: object) -> str:
    return str(to_liquid_string(value, False))


def captured(pieces: list[str]) -> str:
    """The text of a `capture` or a tracked link."""
    text = "".join(pieces)
    if len(text) > OUTPUT_CHARS_MAX:
        raise BudgetError("it writes too much")
    return text


def written(value: object) -> object:
    """The limit or offset of a loop. Raises TypeError for nothing."""
    if value is None:
        raise TypeError("a loop's limit or offset is nothing")
    return value


def loop_items(value: Any, limit: Any, offset: Any, backwards: bool) -> Sequence[Any]:
    """What a `for` walks through, exactly as python-liquid slices it (`limit` None: no limit)."""
    if type(value) is list:
        items: Sequence[Any] = value
    elif value is UNDEFINED and offset is None and (limit is None or type(limit) is int):
        return ()
    elif isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, str):
        items = [value] if value else []
    elif isinstance(value, range):
        items = check_range(value)
    else:
        items = value if isinstance(value, Sequence) else []
    if limit is None and offset is None:
        return items[::-1] if backwards else items
    if offset is None and type(limit) is int and limit > 0 and not backwards:
        return items[:limit]
    length = len(items)
    start = to_int(offset) if offset is not None else 0
    stop = None if limit is None else to_int(limit) + start
    sliced = list(islice(items, min(max(start, 0), length), min(stop or length, length)))
    return sliced[::-1] if backwards else sliced


def paid_size(budget: Budget, pieces: list[Any], already: int) -> int:
    """Stop a loop that writes without end; called each turn with the number of pieces it has seen before."""
    budget.clock()
    written = sum(map(len, pieces[already:]))
    budget.output_left -= written
    if budget.output_left < 0:
        raise BudgetError("it writes too much")
    return len(pieces)


Filter = Callable[..., Any]


def _fast_default(slow: Filter) -> Filter:
    def default(value: Any, other: object = "", **named: Any) -> Any:
        if type(value) is str and value:
            return value
        return other if value is None or value is UNDEFINED else slow(value, other, **named)

    return default


def _fast_method(method: Callable[[str], Any]) -> Callable[[Filter], Filter]:
    def wrap(slow: Filter) -> Filter:
        remembered = lru_cache(maxsize=256)(slow)  # of the author's own words, which are Markup

        def call(value: Any, *rest: Any, **named: Any) -> Any:
            if rest or named:
                return slow(value, *rest, **named)
            if type(value) is str:
                return method(value)
            return remembered(value) if type(value) is Markup and len(value) <= CACHED_CHARS_MAX else slow(value)

        return call

    return wrap


def _fast_url_encode(slow: Filter) -> Filter:
    return _fast_method(lru_cache(maxsize=4096)(slow))(slow)


def _fast_date(slow: Filter) -> Filter:
    remembered = lru_cache(maxsize=4096, typed=True)(slow)

    def date(value: Any, *form: Any) -> Any:
        if (value is UNDEFINED or value is None) and len(form) <= 1:
            return ""
        plain = type(value) in (str, int) and value not in ("now", "today")
        return remembered(value, *form) if plain and form and isinstance(form[0], str) else slow(value, *form)

    return date


def _fast_truncate(slow: Filter) -> Filter:
    def truncate(value: Any, size: Any = 50, end: Any = "...") -> Any:
        if type(value) is str and type(size) is int and isinstance(end, str):
            return value if len(value) < size else f"{value[: size - len(end)]}{end}"
        return slow(value, size, end)

    return truncate


FAST: dict[str, Callable[[Filter], Filter]] = {
    "default": _fast_default,
    "date": _fast_date,
    "capitalize": _fast_method(str.capitalize),
    "downcase": _fast_method(str.lower),
    "upcase": _fast_method(str.upper),
    "strip": _fast_method(str.strip),
    "truncate": _fast_truncate,
    "url_encode": _fast_url_encode,
}
