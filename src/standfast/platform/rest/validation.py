"""What pydantic finds wrong in a request, as faults: its words, or ours where a validator of ours refused, and what to send."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from standfast.platform.rest.problems import FieldFault

FAULTS_MAX = 50
# By the beginning of pydantic's type of the error; what it names in braces is in the error's context.
_REMEDIES = {
    "missing": "send it",
    "extra_forbidden": "leave it out, or mend how it is written",
    "string_too_long": "send at most {max_length} characters",
    "too_long": "send at most {max_length}",
    "string_too_short": "send at least {min_length} characters",
    "too_short": "send at least {min_length}",
    "string_pattern": "send what fits {pattern}",
    "string": "send a text, in quotes",
    "greater_than_equal": "send {ge} or more",
    "greater_than": "send more than {gt}",
    "less_than_equal": "send {le} or less",
    "less_than": "send less than {lt}",
    "int": "send a whole number",
    "float": "send a number",
    "finite_number": "send a finite number",
    "decimal": "send a number, with as many digits as it may have",
    "bool": "send true or false",
    "date": "send it as ISO 8601 has it, such as 2026-05-25T08:00:00Z",
    "enum": "send {expected}",
    "literal_error": "send {expected}",
    "list": "send a list, in square brackets",
    "dict": "send an object, in braces",
    "model": "send an object, in braces",
}
_REMEDY = "see in the documentation at /api/v1/docs what it takes"


def faults_of(errors: Iterable[Mapping[str, Any]], place: Callable[[Sequence[Any]], str]) -> list[FieldFault]:
    """place: where an error stands, from its `loc`. A validator of ours says in a ValueError "what is wrong; what to send"."""
    return [_fault(error, place(error["loc"])) for error, _ in zip(errors, range(FAULTS_MAX), strict=False)]


def _fault(error: Mapping[str, Any], field: str) -> FieldFault:
    context = error.get("ctx") or {}
    if error["type"] == "value_error":
        message, _, remedy = str(context.get("error", error["msg"])).partition("; ")
        return FieldFault(field, message, remedy or _REMEDY)
    found = next((text for kind, text in _REMEDIES.items() if error["type"].startswith(kind)), _REMEDY)
    return FieldFault(field, str(error["msg"]), found.format_map(context))
