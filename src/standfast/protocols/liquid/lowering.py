"""Parsed Liquid, lowered to the source of one Python function.

The function takes `(contact, campaign, tag, t, ts, track, budget)`, where `t` is the message's token as a piece of
output and `ts` the same as text, and returns a list of pieces: bytes for a message, strings for a preview. All text and
names of the template are constants of the function, never part of its source.
"""

from collections.abc import Callable
from typing import Any

from liquid import Markup
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.expressions.primitive import IntegerLiteral, StringLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.doc_tag import DocNode
from liquid.builtin.tags.echo_tag import EchoNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.inline_comment_tag import InlineCommentNode
from liquid.builtin.tags.liquid_tag import LiquidNode
from liquid.builtin.tags.unless_tag import UnlessNode

from . import runtime
from .environment import MESSAGE_TOKEN, MailEnvironment, TrackedLinkNode, link_parts
from .expressions import BUILTINS, Loop, Names, NotLoweredError, lower, lower_condition, lower_equal, special_url
from .quoted import qp_run

NODES_MAX = 5_000

Render = Callable[..., list[Any]]


def lower_template(
    nodes: list[Node], environment: MailEnvironment, *, quoted: bool, message_urls: dict[str, tuple[str, str]]
) -> Render:
    """Compile parsed nodes to a function. Raises NotLoweredError with the reason."""
    writer = _Writer(environment, quoted, message_urls)
    for name in sorted({name for node in nodes for name in _assigned(node)}):
        writer.names.assigned[name] = f"v{len(writer.names.assigned)}"
    writer.block(nodes, silent=False)
    return writer.function()


def _assigned(node: Node) -> list[str]:
    found = [str(node.name)] if isinstance(node, AssignNode | CaptureNode) else []
    for child in node.children(None):  # type: ignore[arg-type]
        found += _assigned(child)
    return found


class _Writer:
    def __init__(self, environment: MailEnvironment, quoted: bool, message_urls: dict[str, tuple[str, str]]) -> None:
        self.names = Names(environment, message_urls)
        self.lines: list[str] = []
        self.indent = 1
        self.targets = [("o0", quoted)]  # the list that is written to, and whether its pieces are quoted-printable
        self.pending: list[str] = []
        self.text: list[str] = []
        self.serial = 0
        self.nodes_seen = 0

    def function(self) -> Render:
        self.flush()
        head = ["def render(contact, campaign, tag, t, ts, track, budget):", " o0 = []"]
        if self.names.assigned:
            head.append(f" {' = '.join(self.names.assigned.values())} = MISSING")
        source = "\n".join([*head, *self.lines, " return o0"])
        html, quoted = self.names.environment.autoescape, self.targets[0][1]
        scope: dict[str, Any] = {
            **BUILTINS,
            **self.names.constants,
            "any_item": runtime.any_item_getter(self.names.environment),
            "slot": (runtime.slot_html if html else runtime.slot_text) if quoted else _string_of(html),
            "string": _string_of(html),
            "remembered": runtime.REMEMBERED_HTML if html else runtime.REMEMBERED_TEXT,
            "link_slot": runtime.link_slot,
            "link_parts": link_parts,
            "Markup": Markup,
        }
        try:
            exec(compile(source, "<template>", "exec"), scope)  # noqa: S102 - holds no text of the template
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise NotLoweredError("it is nested too deeply") from error
        render: Render = scope["render"]
        render.needs_budget = self.names.needs_budget  # type: ignore[attr-defined]
        return render

    # What is written

    def line(self, code: str) -> None:
        self.flush()
        self.lines.append(" " * self.indent + code)

    def flush(self) -> None:
        self._end_run()
        if self.pending:
            target = self.targets[-1][0]
            code = f"{target}.append({self.pending[0]})" if len(self.pending) == 1 else (
                f"{target} += ({', '.join(self.pending)})"
            )  # fmt: skip
            self.lines.append(" " * self.indent + code)
            self.pending = []

    def _end_run(self) -> None:
        if text := "".join(self.text):
            self.pending.append(self.names.constant(qp_run(text) if self.targets[-1][1] else text, "r"))
        self.text = []

    def write_text(self, text: str) -> None:
        head, *rest = text.split(MESSAGE_TOKEN)
        self.text.append(head)
        for part in rest:
            self._end_run()
            self.pending.append("t" if self.targets[-1][1] else "ts")
            self.text.append(part)

    def write_value(self, code: str) -> None:
        self._end_run()
        if not self.targets[-1][1]:
            self.pending.append(f"string({code})")
        else:
            self.pending.append(f"(remembered[x] if type(x := {code}) is str else slot(x))")

    def fresh(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}_{self.serial}"

    # Nodes

    def block(self, nodes: list[Node], *, silent: bool) -> None:
        for node in nodes:
            self.nodes_seen += 1
            if self.nodes_seen > NODES_MAX:
                raise NotLoweredError(f"it has more than {NODES_MAX:,} parts")
            if isinstance(node, ContentNode):
                if not silent:
                    self.write_text(node.text)
                continue
            rule = _RULES.get(type(node))
            if rule is None:
                raise NotLoweredError(f"the tag `{node.token.value}`")
            rule(self, node)

    def body(self, block: BlockNode) -> None:
        """A block's nodes, one level deeper. Blocks of nothing but white space write nothing, as in Liquid."""
        self.flush()
        self.indent += 1
        before = len(self.lines)
        if block.blank:
            kept = self.targets
            self.targets = [*kept, (self.fresh("void"), False)]
            self.line(f"{self.targets[-1][0]} = []")
            self.block(block.nodes, silent=True)
            self.flush()
            self.targets = kept
        else:
            self.block(block.nodes, silent=False)
            self.flush()
        if len(self.lines) == before:
            self.line("pass")
        self.indent -= 1


def _string_of(html: bool) -> Callable[[object], str]:
    return runtime.string_html if html else runtime.string_text


def _output(writer: _Writer, node: OutputNode) -> None:
    if (special := special_url(node.expression, writer.names)) is not None:
        escaped = [part.replace("&", "&amp;") if writer.names.environment.autoescape else part for part in special]
        writer.write_text(escaped[0] + MESSAGE_TOKEN + escaped[1])
        return
    writer.write_value(lower(node.expression, writer.names))


def _nothing(writer: _Writer, node: Node) -> None:
    pass


def _if(writer: _Writer, node: IfNode | UnlessNode) -> None:
    condition = lower_condition(node.condition, writer.names)
    writer.line(f"if {condition if isinstance(node, IfNode) else f'not ({condition})'}:")
    writer.body(node.consequence)
    for alternative in node.alternatives:
        writer.line(f"elif {lower_condition(alternative.expression, writer.names)}:")
        writer.body(alternative.block)
    if node.default:
        writer.line("else:")
        writer.body(node.default)


def _case(writer: _Writer, node: CaseNode) -> None:
    """All `when` blocks that match are rendered; an `else` when none before it did."""
    left = lower(node.expression, writer.names)
    unmatched = writer.fresh("n")
    writer.line(f"{unmatched} = True")
    for block in node.blocks:
        if isinstance(block, MultiExpressionBlockNode):
            choices = block.expression.expressions
            _check_distinct(choices)
            tests = [
                lower_equal(node.expression, choice, writer.names) or f"equal({left}, {lower(choice, writer.names)})"
                for choice in choices
            ]
            writer.line(f"if {' or '.join(tests)}:")
            writer.line(f" {unmatched} = False")
            writer.body(block.block)
        else:
            writer.line(f"if {unmatched}:")
            writer.body(block)


def _check_distinct(choices: list[Any]) -> None:
    # python-liquid renders a block once for each choice that matches, so choices must exclude each other.
    kinds = {type(choice) for choice in choices}
    values = {choice.value for choice in choices if isinstance(choice, StringLiteral | IntegerLiteral)}
    if len(choices) > 1 and (len(kinds) > 1 or len(values) < len(choices)):
        raise NotLoweredError("a `when` whose values may be equal")


def _for(writer: _Writer, node: ForNode) -> None:
    expression: LoopExpression = node.expression
    if expression.identifier == "forloop" or (
        isinstance(expression.offset, StringLiteral) and expression.offset.value == "continue"
    ):
        raise NotLoweredError("a `for` that continues where another ended")
    names = writer.names
    items, length, turn, item = (writer.fresh(prefix) for prefix in ("s", "l", "i", "x"))
    # What is written and turns out to be nothing is python-liquid's to refuse; "None" alone stands for "not written".
    limit = f"written({lower(expression.limit, names)})" if expression.limit else "None"
    offset = f"written({lower(expression.offset, names)})" if expression.offset else "None"
    iterable = lower(expression.iterable, names)
    names.needs_budget = True
    writer.line(f"{items} = loop_items({iterable}, {limit}, {offset}, {expression.reversed})")
    writer.line(f"{length} = len({items})")
    writer.line(f"if {length}:")
    writer.indent += 1
    target = writer.targets[-1][0]
    seen = writer.fresh("w")
    writer.line(f"budget.loop({length})")
    writer.line(f"{seen} = len({target})")
    writer.line(f"for {turn}, {item} in enumerate({items}):")
    writer.line(f" if {turn} & 31 == 31: {seen} = paid_size(budget, {target}, {seen})")
    names.loops.append(Loop(str(expression.identifier), item, turn, length))
    writer.body(node.block)
    names.loops.pop()
    writer.indent -= 1
    if node.default:
        writer.line("else:")
        writer.body(node.default)


def _jump(word: str) -> Callable[[_Writer, Node], None]:
    def rule(writer: _Writer, node: Node) -> None:
        if not writer.names.loops:
            raise NotLoweredError(f"`{word}` outside of a loop")
        writer.line(word)

    return rule


def _assign(writer: _Writer, node: AssignNode) -> None:
    writer.names.needs_budget = True
    value = lower(node.expression, writer.names)
    writer.line(f"{writer.names.assigned[str(node.name)]} = budget.made({value})")


def _inner(writer: _Writer, block: BlockNode) -> str:
    """Write a block to a list of strings of its own, and return the list's name."""
    inner = writer.fresh("c")
    writer.line(f"{inner} = []")
    writer.targets.append((inner, False))
    writer.block(block.nodes, silent=block.blank)
    writer.flush()
    writer.targets.pop()
    return inner


def _capture(writer: _Writer, node: CaptureNode) -> None:
    writer.names.needs_budget = True
    text = f"captured({_inner(writer, node.block)})"
    value = f"Markup({text})" if writer.names.environment.autoescape else text
    writer.line(f"{writer.names.assigned[str(node.name)]} = budget.made({value})")


def _tracked_link(writer: _Writer, node: TrackedLinkNode) -> None:
    inner = _inner(writer, node.block)
    html = writer.names.environment.autoescape
    if writer.targets[-1][1]:
        writer.pending.append(f"link_slot(track, {node.number}, captured({inner}), {html}, t)")
    else:
        parts = writer.fresh("p")
        writer.line(f"{parts} = link_parts(track, {node.number}, captured({inner}), {html})")
        writer.pending.append(f"{parts}[0] if {parts}[1] is None else {parts}[0] + ts + {parts}[1]")


_RULES: dict[type, Callable[[_Writer, Any], None]] = {
    OutputNode: _output,
    EchoNode: _output,
    CommentNode: _nothing,
    InlineCommentNode: _nothing,
    DocNode: _nothing,
    IfNode: _if,
    UnlessNode: _if,
    CaseNode: _case,
    ForNode: _for,
    BreakNode: _jump("break"),
    ContinueNode: _jump("continue"),
    AssignNode: _assign,
    CaptureNode: _capture,
    TrackedLinkNode: _tracked_link,
    LiquidNode: lambda writer, node: writer.block(node.block.nodes, silent=node.block.blank),
}
