"""Types of what programs send: checked while the body is read, refused with the place and the reason."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from standfast.platform.rest.finding import ID_MAX


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character; leave it out")
    return text


def _on_one_line(given: Any) -> Any:
    return " ".join(given.split()) if isinstance(given, str) else given


def _aware(at: dt.datetime) -> dt.datetime:
    """UTC where no offset is given. Raises ValueError at the very ends of the calendar."""
    at = at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)
    try:
        return at.astimezone(dt.UTC)
    except OverflowError as error:
        raise ValueError("is out of the calendar; send another day") from error


# The length stands before what is checked by us: its message is the better one then.
_LINE = (BeforeValidator(_on_one_line), AfterValidator(_without_nul))
Text = Annotated[str, AfterValidator(_without_nul)]
"""Text as the database takes it."""
Line = Annotated[str, Field(max_length=255), *_LINE]
"""Text on one line, its white space made single spaces."""
Name = Annotated[str, Field(min_length=1, max_length=255), *_LINE]
"""The same, and not blank."""
Address = Annotated[str, Field(max_length=320, examples=["alice@example.net"]), AfterValidator(_without_nul)]
Id = Annotated[int, Field(ge=1, lt=ID_MAX)]
Moment = Annotated[dt.datetime, AfterValidator(_aware)]
Number = Annotated[float, Field(allow_inf_nan=False)]
