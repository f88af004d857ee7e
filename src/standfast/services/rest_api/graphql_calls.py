"""`POST graphql`: one bounded, read-only query (marketing-cloud.md section 2.9).

A query is measured before it is carried out: its length, tokens, depth, aliases and fields. Introspection is off, as are
mutations and subscriptions, of which the schema has none.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    Visitor,
    execute_sync,
    parse,
    specified_rules,
    validate,
    visit,
)

from standfast.platform.rest.answers import Answer
from standfast.platform.rest.call import Call, CallError
from standfast.platform.rest.routes import route
from standfast.services.rest_api.graphql_schema import SCHEMA

CHARS_MAX = 10_000
TOKENS_MAX = 1000
DEPTH_MAX = 6
ALIASES_MAX = 10
ROOTS_MAX = 10
FIELDS_MAX = 300
ERRORS_MAX = 10


@route("POST", "graphql", scope="reports:read", section="2.9")
def queried(call: Call) -> Answer:
    """{"data": ...} with 200; {"errors": [...]} with 400 where the query is none or too large."""
    document = _parsed(call)
    _measure(document)
    rules = [*specified_rules, NoSchemaIntrospectionCustomRule]
    if errors := validate(SCHEMA, document, rules, max_errors=ERRORS_MAX):
        raise _refused(*errors)
    operation = call.text("operationName") or None
    result = execute_sync(
        SCHEMA, document, context_value=call, variable_values=call.table("variables"), operation_name=operation
    )
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        known = [error for error in result.errors if error.original_error is None or _is_ours(error.original_error)]
        if len(known) < len(result.errors):  # a fault of ours: told to the log, nothing of it to the caller
            raise next(error.original_error for error in result.errors if error not in known and error.original_error)
        body["errors"] = [error.formatted for error in known]
    return Answer(body)


def _is_ours(error: Exception) -> bool:
    return isinstance(error, GraphQLError | TypeError) and not isinstance(error, CallError)


def _parsed(call: Call) -> DocumentNode:
    text = call.value("query")
    if not isinstance(text, str) or not text.strip():
        raise _refused(GraphQLError('Send the query as {"query": "..."}.'))
    if len(text) > CHARS_MAX:
        raise _refused(GraphQLError(f"The query is longer than {CHARS_MAX:,} characters."))
    try:
        return parse(text, max_tokens=TOKENS_MAX, no_location=True)
    except GraphQLSyntaxError as error:
        raise _refused(error) from None
    except RecursionError:
        raise _refused(GraphQLError("The query is nested too deeply.")) from None


class _Measured(Visitor):
    """Counts as written; fragments are refused, so that what is written is what is carried out."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = self.deepest = self.fields = self.aliases = self.roots = self.spreads = 0

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        self.fields += 1
        self.aliases += node.alias is not None
        self.roots += self.depth == 1

    def leave_field(self, *_: Any) -> None:
        self.depth -= 1

    def enter_fragment_spread(self, _node: FragmentSpreadNode, *_: Any) -> None:
        self.spreads += 1


def _measure(document: DocumentNode) -> None:
    """Raises CallError (400) for what would be too much work."""
    found = _Measured()
    try:
        visit(document, found)
    except RecursionError:
        raise _refused(GraphQLError("The query is nested too deeply.")) from None
    if sum(isinstance(each, OperationDefinitionNode) for each in document.definitions) != 1:
        raise _refused(GraphQLError("Send one query at a time."))
    limits = (
        (found.spreads, 0, "fragments by name"),
        (found.deepest, DEPTH_MAX, "levels"),
        (found.aliases, ALIASES_MAX, "aliases"),
        (found.roots, ROOTS_MAX, "roots"),
        (found.fields, FIELDS_MAX, "fields"),
    )
    for count, most, name in limits:
        if count > most:
            raise _refused(GraphQLError(f"The query has {count} {name}; at most {most} are taken."))


def _refused(*errors: GraphQLError) -> CallError:
    return CallError(400, {"errors": [error.formatted for error in errors]})
