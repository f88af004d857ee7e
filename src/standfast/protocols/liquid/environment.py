"""python-liquid set up for mail: autoescaping for HTML, none for text, budgets on both, no way to other files.

It parses every template, and renders those that are not lowered.
"""

from collections.abc import Callable
from html import unescape
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, Mode, RenderContext, escape
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions.logical import EqExpression, NeExpression
from liquid.builtin.expressions.primitive import Blank, RangeLiteral
from liquid.expression import Expression
from liquid.parser import get_parser
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG, Token
from liquid.undefined import Undefined, is_undefined

from .budget import LOOP_TURNS_MAX, OUTPUT_CHARS_MAX, Budget, check_range
from .filters import FREE, as_liquid_filter, format_date, md5

TRACK_LINK = "__track_link"  # the render variable that holds the TrackLink

# Given a link's number and destination: the address to write as what stands before and after the message's token, or
# the whole address and None. Hashable, and the same for the same arguments: answers are remembered.
TrackLink = Callable[[int, str], tuple[str, str | None]]

# A placeholder in the source for the message's token, in characters that nobody writes (private use, Unicode plane 16).
MESSAGE_TOKEN = "\U00100001T\U00100002"  # noqa: S105 - no password


class BudgetedContext(RenderContext):
    """A render context that pays for loops and assignments."""

    __slots__ = ("budget",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.budget = Budget()

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self.budget.loop(length)

    def assign(self, key: str, val: Any) -> None:
        self.budget.clock()
        self.locals[key] = self.budget.made(val)


class BudgetedTemplate(BoundTemplate):
    context_class = BudgetedContext


class MailEnvironment(Environment):
    template_class = BudgetedTemplate
    loop_iteration_limit = LOOP_TURNS_MAX
    output_stream_limit = OUTPUT_CHARS_MAX

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        del self.tags["include"], self.tags["render"]
        self.add_tag(TrackedLinkTag)
        self.add_filter("md5", md5)
        self.add_filter("date", format_date)
        format_date.with_environment = True  # type: ignore[attr-defined]
        self.plain_filters: dict[str, Callable[..., Any]] = dict(self.filters)
        for name, function in self.plain_filters.items():
            if name not in FREE:
                self.add_filter(name, as_liquid_filter(name, function, self))


class TrackedLinkNode(Node):
    """A link whose destination differs by recipient, rewritten when that is known.

    `{% tracked_link 3 %}https://shop.example/{{ item.path }}{% endtracked_link %}`
    """

    __slots__ = ("block", "number")

    def __init__(self, token: Token, number: int, block: BlockNode) -> None:
        super().__init__(token)
        self.number = number
        self.block = block
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        inner = context.get_buffer(buffer)
        self.block.render(context, inner)
        track: TrackLink = context.resolve(TRACK_LINK)
        before, after = link_parts(track, self.number, inner.getvalue(), context.autoescape)
        # The token is put in with all others when the rendering is done.
        return buffer.write(before if after is None else before + MESSAGE_TOKEN + after)

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> list[Node]:
        return [self.block]


class TrackedLinkTag(Tag):
    name = "tracked_link"
    end = "endtracked_link"

    def parse(self, stream: Any) -> Node:
        token = stream.eat(TOKEN_TAG)
        number = int(stream.eat(TOKEN_EXPRESSION).value)
        block = get_parser(self.env).parse_block(stream, frozenset([self.end]))
        stream.expect(TOKEN_TAG, value=self.end)
        return TrackedLinkNode(token, number, block)


def link_parts(track: TrackLink, number: int, written: str, autoescape: bool) -> tuple[str, str | None]:
    """Give a rendered `href` (HTML-escaped where autoescape is on) to the tracker's rewriting, and escape the answer."""
    before, after = track(number, (unescape(written) if autoescape else written).strip())
    if not autoescape:
        return before, after
    return str(escape(before)), None if after is None else str(escape(after))


class CappedRange(RangeLiteral):
    """`(1..1000000000)` is refused when it is made: sorting, searching or skipping would walk all of it."""

    __slots__ = ()

    def _make_range(self, start: Any, stop: Any) -> range:
        return check_range(super()._make_range(start, stop))


class BlankEq(EqExpression):
    """`== blank` is also true of what is not there, as marketers and Shopify's Liquid have it."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        left, right = self.left.evaluate(context), self.right.evaluate(context)
        return is_blank(left if isinstance(right, Blank) else right)


class BlankNe(NeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        left, right = self.left.evaluate(context), self.right.evaluate(context)
        return not is_blank(left if isinstance(right, Blank) else right)


def is_blank(value: object) -> bool:
    """Whether a value is nothing to show: absent, null, false, empty, or white space."""
    if type(value) is Undefined:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    if value is None or value is False or isinstance(value, Blank) or is_undefined(value):
        return True
    return isinstance(value, list | tuple | dict) and not value


def adapt(expression: Expression) -> None:
    """Give one parsed expression our meaning of ranges and `blank`, in place."""
    if type(expression) is RangeLiteral:
        expression.__class__ = CappedRange
    elif type(expression) is EqExpression and _has_blank(expression):
        expression.__class__ = BlankEq
    elif type(expression) is NeExpression and _has_blank(expression):
        expression.__class__ = BlankNe


def _has_blank(expression: EqExpression | NeExpression) -> bool:
    return isinstance(expression.left, Blank) or isinstance(expression.right, Blank)


HTML = MailEnvironment(autoescape=True, tolerance=Mode.STRICT, strict_filters=True)
TEXT = MailEnvironment(autoescape=False, tolerance=Mode.STRICT, strict_filters=True)
