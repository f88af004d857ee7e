"""A compiled template: what the rest of the product holds in its hands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.exceptions import LiquidError
from liquid.expression import Expression

from .budget import Budget
from .environment import HTML, MESSAGE_TOKEN, TEXT, TRACK_LINK, MailEnvironment, TrackLink, adapt
from .errors import ContentError, Lines, check_balance, plain_error
from .expressions import OBJECTS, NotLoweredError
from .lowering import Render, lower_template
from .quoted import qp_run, qp_slot

SOURCE_CHARS_MAX = 500_000
TAGS_MAX = 10_000

Values = Mapping[str, Any]

# Everything that a filter or a comparison may raise on values nobody thought of; the message is not sent then.
_RENDER_ERRORS = (LiquidError, ArithmeticError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


def _untracked(number: int, url: str) -> tuple[str, None]:
    return url, None


@dataclass(frozen=True)
class Program:
    """A template that can be rendered many times.

    `fields`: the contact's fields that it reads, `{"*"}` when it may read any; `reads`: all it reads, as `campaign.address`.
    `unknown`: objects it reads that mail
    does not have, with their lines. `lowered` is False when python-liquid renders it, for `fallback_reason`.
    """

    template: BoundTemplate
    lines: Lines
    fields: frozenset[str]
    reads: frozenset[str]
    unknown: tuple[tuple[str, int], ...]
    message_urls: dict[str, tuple[str, str]]
    part: str = ""

    @cached_property
    def _quoted(self) -> tuple[Render | None, str]:
        return self._lower(quoted=True)

    @cached_property
    def _plain(self) -> tuple[Render | None, str]:
        return self._lower(quoted=False)

    def _lower(self, *, quoted: bool) -> tuple[Render | None, str]:
        environment: MailEnvironment = self.template.env  # type: ignore[assignment]
        try:
            function = lower_template(self.template.nodes, environment, quoted=quoted, message_urls=self.message_urls)
        except NotLoweredError as error:
            return None, str(error)
        return function, ""

    @property
    def lowered(self) -> bool:
        return self._quoted[0] is not None

    @property
    def fallback_reason(self) -> str:
        return self._quoted[1]

    def pieces(
        self, contact: Values, campaign: Values, tag: Values, *, token: str, token_piece: bytes, track: TrackLink
    ) -> list[bytes]:
        """Render to quoted-printable pieces that can be joined with others. `token_piece` is `qp_slot(token)`.

        Raises ContentError.
        """
        function = self._quoted[0]
        if function is not None:
            try:
                budget = Budget() if function.needs_budget else None  # type: ignore[attr-defined]
                return function(contact, campaign, tag, token_piece, token, track, budget)
            except _RENDER_ERRORS:
                pass  # python-liquid says below what is wrong, and on which line
        return [qp_run(self.render_by_liquid(contact, campaign, tag, token=token, track=track))]

    def render(
        self, contact: Values, campaign: Values, tag: Values, *, token: str = "", track: TrackLink = _untracked
    ) -> str:
        """Render to text, as for a subject or a preview. Raises ContentError."""
        function = self._plain[0]
        if function is not None:
            try:
                budget = Budget() if function.needs_budget else None  # type: ignore[attr-defined]
                return "".join(function(contact, campaign, tag, token, token, track, budget))
            except _RENDER_ERRORS:
                pass
        return self.render_by_liquid(contact, campaign, tag, token=token, track=track)

    def render_by_liquid(
        self, contact: Values, campaign: Values, tag: Values, *, token: str = "", track: TrackLink = _untracked
    ) -> str:
        """Render with python-liquid whether lowered or not: the yardstick of the lowered code. Raises ContentError."""
        urls = {name: before + token + after for name, (before, after) in self.message_urls.items()}
        values = {"contact": contact, "campaign": {**campaign, **urls}, "tag": tag, TRACK_LINK: track}
        try:
            return self.template.render(values).replace(MESSAGE_TOKEN, token)
        except _RENDER_ERRORS as error:
            raise _named(plain_error(error, self.lines), self.part) from error


def _named(error: ContentError, part: str) -> ContentError:
    """An error of another part than the HTML says so, because its line is not one of the HTML."""
    if not part:
        return error
    where = f"in the {part}, line {error.line}" if error.line > 1 else f"in the {part}"
    return ContentError(0, f"{where}: {error.reason}")


def compile_template(
    source: str,
    *,
    html: bool,
    message_urls: dict[str, tuple[str, str]] | None = None,
    anchors: list[tuple[int, int]] | None = None,
    part: str = "",
) -> Program:
    """Compile a template.

    `html`: values are HTML-escaped, as python-liquid does with autoescape. `message_urls`: names under `campaign` that
    hold an address of this very message, as (text before its token, text after). `anchors`: (offset, line) of a
    rewritten source, so that errors name the user's line. `part`: its name in errors, where it is not the HTML.

    Raises ContentError for what can be known in advance: syntax, unknown tags and filters, excessive size.
    """
    try:
        return _compile(source, HTML if html else TEXT, Lines(source, anchors), message_urls or {}, part)
    except ContentError as error:
        raise _named(error, part) from error


def _compile(
    source: str, environment: MailEnvironment, lines: Lines, urls: dict[str, tuple[str, str]], part: str
) -> Program:
    if len(source) > SOURCE_CHARS_MAX:
        raise ContentError(0, f"the content has {len(source):,} characters, {SOURCE_CHARS_MAX:,} are allowed")
    tags = source.count("{{") + source.count("{%")
    if tags > TAGS_MAX:
        raise ContentError(0, f"the content has {tags:,} Liquid tags, {TAGS_MAX:,} are allowed")
    check_balance(source, lines)
    try:
        template = environment.from_string(source)
        survey = _survey(template, environment, lines)
    except RecursionError:
        raise ContentError(0, "the content is nested too deeply") from None
    except (LiquidError, ValueError) as error:
        raise plain_error(error, lines) from error
    return Program(template, lines, *survey, urls, part)


def _survey(
    template: BoundTemplate, environment: MailEnvironment, lines: Lines
) -> tuple[frozenset[str], frozenset[str], tuple[tuple[str, int], ...]]:
    """Walk over everything once: check filters, adapt expressions, and list what is read."""
    fields: set[str] = set()
    reads: set[str] = set()
    roots: dict[str, int] = {}
    own: set[str] = {"forloop", "tablerowloop", "now", "today"}
    for node in _nodes(template.nodes):
        own.update(str(name) for name in (*node.template_scope(), *node.block_scope()))
        for expression in _expressions(node):
            adapt(expression)
            if isinstance(expression, FilteredExpression):
                _check_filters(expression, environment, lines)
            elif isinstance(expression, Path) and isinstance(expression.path[0], str):
                if expression.path[0] not in roots:
                    roots[expression.path[0]] = lines.at(expression.token.start_index)
                reads.add(".".join(str(segment) for segment in expression.path[:2]))
                if expression.path[0] == "contact":
                    name = expression.path[1] if len(expression.path) > 1 else "*"
                    fields.add(name if isinstance(name, str) and name not in ("first", "last", "size") else "*")
    unknown = tuple((root, line) for root, line in roots.items() if root not in own and root not in OBJECTS)
    return frozenset(fields), frozenset(reads), unknown


def _nodes(nodes: Any) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _nodes(node.children(None))


def _expressions(node: Node) -> Iterator[Expression]:
    waiting = list(node.expressions())
    while waiting:
        expression = waiting.pop()
        yield expression
        waiting.extend(expression.children())


def _check_filters(expression: FilteredExpression, environment: MailEnvironment, lines: Lines) -> None:
    for step in expression.filters or ():
        if step.name not in environment.filters:
            raise ContentError(lines.at(step.token.start_index), f"there is no filter `{step.name}`")


__all__ = ["MESSAGE_TOKEN", "Program", "compile_template", "qp_slot"]
