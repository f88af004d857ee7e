"""What is wrong in a request is told with what to send instead, whoever found it."""

from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from standfast.platform.rest.validation import faults_of
from standfast.platform.rest.values import Id, Line, Moment, Name, Number


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Sample(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name = "x"
    line: Line = "x"
    id: Id = 1
    at: Moment | None = None
    number: Number = 1.5
    flag: bool = False
    colour: Colour = Colour.RED
    kind: Literal["html", "mjml"] = "html"
    some: list[int] = Field([1], min_length=1, max_length=2)
    more: dict[str, Any] = {}
    code: str = Field("a", pattern="^[a-z]{1,9}$")


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"name": ""}, "at least 1 "), ({"name": "x" * 256}, "at most 255 "), ({"line": 7}, "a text"),
        ({"line": "a\0b"}, "leave it"),
        ({"id": "x"}, "whole number"), ({"id": 1.5}, "whole number"), ({"id": 0}, "1 or more"), ({"id": 2**62}, "less than"),
        ({"at": "yesterday"}, "ISO 8601"), ({"at": "0001-01-01T00:00:00+14:00"}, "another day"), ({"number": "x"}, "a number"),
        ({"number": float("inf")}, "finite"), ({"flag": "perhaps"}, "true or false"), ({"colour": "green"}, "'red' or 'blue'"),
        ({"kind": "pdf"}, "'html' or 'mjml'"), ({"some": 1}, "a list"), ({"some": []}, "at least 1"),
        ({"some": [1, 2, 3]}, "at most 2"),
        ({"more": 1}, "an object"), ({"code": "A"}, "^[a-z]{1,9}$"), ({"line": "\ud800"}, "a text"), ({"sauce": 1}, "leave it out"),
    ],
)  # fmt: skip
def test_every_kind_of_fault_has_its_remedy(given, remedy):
    with pytest.raises(ValidationError) as raised:
        Sample.model_validate(given)
    [fault] = faults_of(raised.value.errors(), lambda loc: f"body.{loc[0]}")
    assert fault.field == f"body.{next(iter(given))}"
    assert remedy in fault.remedy and "Value error" not in fault.message


def test_what_is_missing_is_asked_for_and_the_list_ends():
    class Many(BaseModel):
        rows: list[Id]

    with pytest.raises(ValidationError) as raised:
        Many.model_validate({"rows": ["x"] * 70})
    assert len(faults_of(raised.value.errors(), str)) == 50
    with pytest.raises(ValidationError) as raised:
        Many.model_validate({})
    assert faults_of(raised.value.errors(), str)[0].remedy == "send it"
