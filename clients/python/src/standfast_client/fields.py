"""Custom fields of people."""

from __future__ import annotations

from typing import Literal, TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.values import UNSET, Moment, Reading, Unset, Writing, given


class CustomField(TypedDict):
    id: int
    key: str
    label: str
    field_type: str
    default_value: str
    created_at: Moment
    updated_at: Moment


class Fields(Group):
    @operation("GET", "/fields")
    def all(self, **more: Unpack[Reading]) -> list[CustomField]:
        return self._calls.get(list[CustomField], "/fields", **more)

    @operation("POST", "/fields")
    def make(
        self,
        *,
        label: str,
        field_type: Literal["text", "number", "date", "datetime", "boolean"] = "text",
        default_value: str = "",
        **more: Unpack[Writing],
    ) -> CustomField:
        body = {"label": label, "field_type": field_type, "default_value": default_value}
        return self._calls.write(CustomField, "POST", "/fields", body, **more)

    @operation("PATCH", "/fields/{field_id}")
    def change(
        self,
        field_id: int,
        *,
        label: str | Unset = UNSET,
        default_value: str | Unset = UNSET,
        **more: Unpack[Writing],
    ) -> CustomField:
        body = given(label=label, default_value=default_value)
        return self._calls.write(CustomField, "PATCH", at("/fields/{}", field_id), body, **more)

    @operation("DELETE", "/fields/{field_id}")
    def delete(self, field_id: int, **more: Unpack[Writing]) -> None:
        self._calls.delete(at("/fields/{}", field_id), **more)
