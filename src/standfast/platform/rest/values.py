"""Types of what programs send: checked while the body is read, refused with the place and the reason."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, Field

from standfast.platform.rest.operation import ID_MAX


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character; leave it out")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank; send a text")
    return text.strip()


def _aware(at: dt.datetime) -> dt.datetime:
    """UTC where no offset is given. Raises ValueError at the very ends of the calendar."""
    at = at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)
    try:
        return at.astimezone(dt.UTC)
    except OverflowError as error:
        raise ValueError("is out of the calendar") from error


Line = Annotated[str, Field(max_length=255), AfterValidator(_storable)]
Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_storable), AfterValidator(_not_blank)]
Address = Annotated[str, Field(max_length=320, examples=["alice@example.net"]), AfterValidator(_storable)]
Id = Annotated[int, Field(ge=1, lt=ID_MAX)]
Moment = Annotated[dt.datetime, AfterValidator(_aware)]
Number = Annotated[float, Field(allow_inf_nan=False)]
