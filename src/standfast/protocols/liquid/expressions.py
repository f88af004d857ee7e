"""Liquid expressions, lowered to Python expressions."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from liquid import Markup
from liquid.builtin.expressions import (
    BooleanExpression,
    FilteredExpression,
    Path,
    PositionalArgument,
)
from liquid.builtin.expressions import logical as op
from liquid.builtin.expressions.primitive import (
    Blank,
    Empty,
    FalseLiteral,
    FloatLiteral,
    IntegerLiteral,
    Nil,
    RangeLiteral,
    StringLiteral,
    TrueLiteral,
)
from liquid.context import builtin
from liquid.expression import Expression

from . import runtime
from .environment import BlankEq, BlankNe, CappedRange, MailEnvironment, is_blank
from .filters import FREE, budgeted

OBJECTS = ("contact", "campaign", "tag")
_OWN_MEANING = frozenset(["size", "first", "last"])
_LOOP_NAMES = frozenset(["name", "length", "index", "index0", "rindex", "rindex0", "first", "last"])


class NotLoweredError(Exception):
    """The template uses something that is left to python-liquid; the text says what."""


@dataclass
class Loop:
    """A `for` around the code that is being lowered: Python variables of its item, turn (from 0) and length."""

    identifier: str
    item: str
    turn: str
    length: str


@dataclass
class Names:
    """What Python names mean in lowered code: constants, and Liquid's variables."""

    environment: MailEnvironment
    message_urls: dict[str, tuple[str, str]]
    assigned: dict[str, str] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    needs_budget: bool = False
    _by_id: dict[int, str] = field(default_factory=dict)

    def constant(self, value: Any, prefix: str = "k") -> str:
        """The Python name of a constant."""
        name = self._by_id.get(id(value))
        if name is None:
            name = f"{prefix}{len(self.constants)}"
            self.constants[name] = value
            self._by_id[id(value)] = name
        return name


def lower(node: Expression, names: Names) -> str:
    """Python code that evaluates to exactly what python-liquid evaluates this expression to.

    Raises NotLoweredError.
    """
    rule = _RULES.get(type(node))
    if rule is None:
        raise NotLoweredError(f"an expression of the kind {type(node).__name__}")
    return rule(node, names)


def lower_condition(node: Expression, names: Names) -> str:
    """Python code that is true where Liquid takes the expression for true."""
    if isinstance(node, BooleanExpression):
        node = node.expression
    code = lower(node, names)
    return code if isinstance(node, _YES_OR_NO) else f"truthy({code})"


def special_url(node: Expression, names: Names) -> tuple[str, str] | None:
    """The text before and after the message's token, where the expression is such an address and nothing else."""
    if isinstance(node, FilteredExpression):
        node = node if node.filters else node.left
    if not isinstance(node, Path) or len(node.path) != 2 or node.path[0] != "campaign" or _shadowed("campaign", names):
        return None
    return names.message_urls.get(node.path[1]) if isinstance(node.path[1], str) else None


def _shadowed(root: str, names: Names) -> bool:
    return root in names.assigned or any(root in (loop.identifier, "forloop") for loop in names.loops)


def _path(node: Path, names: Names) -> str:
    root, rest = node.path[0], list(node.path[1:])
    if not isinstance(root, str):
        raise NotLoweredError("a variable named by another variable")
    for depth, loop in enumerate(reversed(names.loops)):
        if root == "forloop":
            return _forloop(rest, list(reversed(names.loops))[depth:])
        if root == loop.identifier:
            return _items(loop.item, rest, names)
    if root in names.assigned:
        variable = names.assigned[root]
        return _items(f"({variable} if {variable} is not MISSING else {_global(root, names)})", rest, names)
    if (special := special_url(node, names)) is not None:
        return f"({special[0]!r} + ts + {special[1]!r})"
    if root == "campaign" and (not rest or not isinstance(rest[0], str) or rest[0] in _OWN_MEANING):
        raise NotLoweredError("`campaign` as a whole")
    if root in OBJECTS and rest and isinstance(rest[0], str) and rest[0] not in _OWN_MEANING:
        return _items(f"{root}.get({rest[0]!r}, UNDEFINED)", rest[1:], names)
    return _items(_global(root, names), rest, names)


def _global(root: str, names: Names) -> str:
    if root in OBJECTS:
        if root == "campaign":
            raise NotLoweredError("`campaign` as a whole")
        return root
    return f"builtin[{root!r}]" if root in builtin else "UNDEFINED"


def _items(code: str, segments: list[Any], names: Names) -> str:
    for segment in segments:
        if isinstance(segment, str) and segment not in _OWN_MEANING:
            code = f"item({code}, {segment!r})"
        elif isinstance(segment, str | int):
            code = f"any_item({code}, {segment!r})"
        else:
            code = f"any_item({code}, {lower(segment, names)})"
    return code


def _forloop(rest: list[Any], loops: list[Loop]) -> str:
    while rest and rest[0] == "parentloop" and len(rest) > 1:
        rest, loops = rest[1:], loops[1:]
        if not loops:
            return "UNDEFINED"
    if len(rest) != 1 or rest[0] not in _LOOP_NAMES or rest[0] == "name":
        raise NotLoweredError("`forloop` as a whole")
    turn, length = loops[0].turn, loops[0].length
    return {
        "length": length,
        "index": f"({turn} + 1)",
        "index0": turn,
        "rindex": f"({length} - {turn})",
        "rindex0": f"({length} - {turn} - 1)",
        "first": f"({turn} == 0)",
        "last": f"({turn} == {length} - 1)",
    }[rest[0]]


def _filtered(node: FilteredExpression, names: Names) -> str:
    code = lower(node.left, names)
    for step in node.filters or ():
        arguments = [
            lower(part.value, names)
            if isinstance(part, PositionalArgument)
            else f"**{{{part.name!r}: {lower(part.value, names)}}}"
            for part in step.args
        ]
        # Positional arguments may follow named ones in Liquid, not in Python.
        arguments.sort(key=lambda argument: argument.startswith("**"))
        code = f"{_filter(step.name, names)}({', '.join([*_budget(step.name, names), code, *arguments])})"
    return code


def _budget(name: str, names: Names) -> list[str]:
    if name in FREE:
        return []
    names.needs_budget = True
    return ["budget"]


def _filter(name: str, names: Names) -> str:
    python_name = f"f_{name}"
    if python_name not in names.constants:
        function = names.environment.plain_filters[name]
        if name not in FREE:
            names.constants[python_name] = budgeted(name, function, names.environment)
        else:
            if getattr(function, "with_environment", False):
                function = partial(function, environment=names.environment)
            names.constants[python_name] = runtime.FAST[name](function) if name in runtime.FAST else function
    return python_name


def _string(node: StringLiteral, names: Names) -> str:
    # Literals are the author's own HTML: markupsafe must know, or it would escape them.
    return names.constant(Markup(node.value)) if names.environment.autoescape else repr(node.value)


def _range(node: RangeLiteral, names: Names) -> str:
    return f"{names.constant(node)}._make_range({lower(node.start, names)}, {lower(node.stop, names)})"


def _comparison(template: str) -> Callable[[Any, Names], str]:
    def rule(node: Any, names: Names) -> str:
        values = {"a": lower(node.left, names), "b": lower(node.right, names)}
        return template.format(**values, t=names.constant(node.token) if "{t}" in template else "")

    return rule


def _equality(sign: str, slow: str) -> Callable[[Any, Names], str]:
    rule = _comparison(slow)

    def either(node: Any, names: Names) -> str:
        return lower_equal(node.left, node.right, names, sign=sign) or rule(node, names)

    return either


def lower_equal(left: Expression, right: Expression, names: Names, *, sign: str = "==") -> str:
    """A comparison with a text literal, for which Python's equality is Liquid's; empty for others."""
    if isinstance(right, StringLiteral):
        return f"({lower(left, names)} {sign} {right.value!r})"
    return ""


def _logical(word: str) -> Callable[[Any, Names], str]:
    def rule(node: Any, names: Names) -> str:
        return f"({lower_condition(node.left, names)} {word} {lower_condition(node.right, names)})"

    return rule


def _blank(template: str) -> Callable[[Any, Names], str]:
    def rule(node: Any, names: Names) -> str:
        value = node.left if isinstance(node.right, Blank) else node.right
        return template.format(lower(value, names))

    return rule


def _constant(node: Expression, names: Names) -> str:
    return names.constant(node)


_YES_OR_NO = (
    op.LogicalAndExpression, op.LogicalOrExpression, op.EqExpression, op.NeExpression, op.LtExpression,
    op.GtExpression, op.LeExpression, op.GeExpression, op.ContainsExpression,
)  # fmt: skip

_RULES: dict[type, Callable[[Any, Names], str]] = {
    Path: _path,
    FilteredExpression: _filtered,
    BooleanExpression: lower_condition,
    StringLiteral: _string,
    IntegerLiteral: lambda node, names: f"({node.value!r})",
    FloatLiteral: lambda node, names: names.constant(node.value),
    TrueLiteral: lambda node, names: "True",
    FalseLiteral: lambda node, names: "False",
    Nil: lambda node, names: "None",
    Empty: _constant,
    Blank: _constant,
    CappedRange: _range,
    op.LogicalAndExpression: _logical("and"),
    op.LogicalOrExpression: _logical("or"),
    op.EqExpression: _equality("==", "equal({a}, {b})"),
    op.NeExpression: _equality("!=", "(not equal({a}, {b}))"),
    op.LtExpression: _comparison("below({t}, {a}, {b})"),
    op.GtExpression: _comparison("below({t}, {b}, {a})"),
    op.LeExpression: _comparison("at_most({a}, {b})"),
    op.GeExpression: _comparison("at_most({b}, {a})"),
    op.ContainsExpression: _comparison("contains({t}, {a}, {b})"),
    BlankEq: _blank("is_blank({0})"),
    BlankNe: _blank("(not is_blank({0}))"),
}

BUILTINS: dict[str, Any] = {
    name: getattr(runtime, name)
    for name in [
        "UNDEFINED",
        "MISSING",
        "truthy",
        "item",
        "equal",
        "at_most",
        "below",
        "contains",
        "captured",
        "loop_items",
        "written",
        "paid_size",
    ]
} | {"builtin": builtin, "is_blank": is_blank}
