"""Contents: what campaigns and transactional mail are made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages
from standfast_client.values import UNSET, Guarded, Moment, Reading, Unset, Writing, given, parameters

SourceKind: TypeAlias = Literal["html", "mjml"]
Theme: TypeAlias = Literal["light", "dark"]


class ContentRow(TypedDict):
    id: int
    name: str
    subject: str
    preheader: str
    source_kind: str
    created_at: Moment
    updated_at: Moment


class Content(ContentRow):
    """etag: the version that was read, for `if_match`."""

    source: str
    text_source: str
    inline_css: bool
    etag: str


class ContentProblem(TypedDict):
    severity: str
    line: int | None
    what: str
    remedy: str


class ContentChecks(TypedDict):
    may_send: bool
    problems: list[ContentProblem]


class Preview(TypedDict):
    """A content as a person gets it; contact_id is null for Sam Sample."""

    may_send: bool
    problems: list[ContentProblem]
    contact_id: int | None
    subject: str
    preheader: str
    html: str
    text: str
    size_bytes: int
    fields: list[str]


class Contents(Group):
    @operation("GET", "/contents")
    def all(self, *, name: str | None = None, limit: int = 500, **more: Unpack[Reading]) -> Pages[ContentRow]:
        """name: any part of the name."""

        def read(cursor: str | None) -> Page[ContentRow]:
            asked = parameters(name=name, cursor=cursor, limit=limit)
            return self._calls.get(Page[ContentRow], "/contents", asked, **more)

        return Pages(read)

    @operation("POST", "/contents")
    def make(
        self,
        *,
        name: str,
        subject: str = "",
        preheader: str = "",
        source_kind: SourceKind = "html",
        source: str = "",
        text_source: str = "",
        inline_css: bool = True,
        **more: Unpack[Writing],
    ) -> Content:
        body = given(
            name=name, subject=subject, preheader=preheader, source_kind=source_kind, source=source,
            text_source=text_source, inline_css=inline_css,
        )  # fmt: skip
        return self._calls.write_versioned(Content, "POST", "/contents", body, **more)

    @operation("GET", "/contents/{content_id}")
    def get(self, content_id: int, **more: Unpack[Reading]) -> Content:
        return self._calls.get_versioned(Content, at("/contents/{}", content_id), **more)

    @operation("PATCH", "/contents/{content_id}")
    def change(
        self,
        content_id: int,
        *,
        name: str | Unset = UNSET,
        subject: str | Unset = UNSET,
        preheader: str | Unset = UNSET,
        source_kind: SourceKind | Unset = UNSET,
        source: str | Unset = UNSET,
        text_source: str | Unset = UNSET,
        inline_css: bool | Unset = UNSET,
        **more: Unpack[Guarded],
    ) -> Content:
        body = given(
            name=name, subject=subject, preheader=preheader, source_kind=source_kind, source=source,
            text_source=text_source, inline_css=inline_css,
        )  # fmt: skip
        return self._calls.write_versioned(Content, "PATCH", at("/contents/{}", content_id), body, **more)

    @operation("DELETE", "/contents/{content_id}")
    def delete(self, content_id: int, **more: Unpack[Guarded]) -> None:
        self._calls.delete(at("/contents/{}", content_id), **more)

    @operation("POST", "/contents/{content_id}/duplicate")
    def duplicate(self, content_id: int, **more: Unpack[Writing]) -> Content:
        return self._calls.write_versioned(Content, "POST", at("/contents/{}/duplicate", content_id), **more)

    @operation("GET", "/contents/{content_id}/checks")
    def checks(self, content_id: int, **more: Unpack[Reading]) -> ContentChecks:
        """What is wrong with it, each problem with its line."""
        return self._calls.get(ContentChecks, at("/contents/{}/checks", content_id), **more)

    @operation("GET", "/contents/{content_id}/preview")
    def preview(
        self, content_id: int, *, contact_id: int | None = None, theme: Theme = "light", **more: Unpack[Reading]
    ) -> Preview:
        asked = parameters(contact_id=contact_id, theme=theme)
        return self._calls.get(Preview, at("/contents/{}/preview", content_id), asked, **more)

    @operation("POST", "/content-previews")
    def preview_of(
        self,
        *,
        source: str,
        name: str | Unset = UNSET,
        subject: str = "",
        preheader: str = "",
        source_kind: SourceKind = "html",
        text_source: str = "",
        inline_css: bool = True,
        contact_id: int | None = None,
        theme: Theme = "light",
        tag: Mapping[str, Any] | Unset = UNSET,
        **more: Unpack[Writing],
    ) -> Preview:
        """The same for a content that is not saved."""
        body = given(
            name=name, subject=subject, preheader=preheader, source_kind=source_kind, source=source,
            text_source=text_source, inline_css=inline_css, contact_id=contact_id, theme=theme, tag=tag,
        )  # fmt: skip
        return self._calls.write(Preview, "POST", "/content-previews", body, **more)
