"""Contents, for programs: written, checked, seen as a contact."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Field, Query, Router, Status

from standfast.components.accounts.api import Account
from standfast.components.audience.api import Contact
from standfast.components.content import previews
from standfast.components.content.models import Content
from standfast.components.content.problems import Severity
from standfast.components.content.writing import (
    SOURCE_CHARS_MAX,
    ContentInUse,
    copy_of,
    delete_content,
    locked,
    version_of,
)
from standfast.platform.rest.finding import ID_MAX, Paging, one_of, page_of, page_shape
from standfast.platform.rest.operation import Given, Request, Schema, operation, require, storable, unless_said
from standfast.platform.rest.preconditions import GUARDED, IF_MATCH, require_match, show_version
from standfast.platform.rest.problems import FieldFault, conflict, not_found, unprocessable
from standfast.platform.rest.values import Id, Line, Name, Text

router = Router(tags=["Contents"])
_READ, _WRITE = "content:read", "content:write"
Source = Annotated[Text, Field(max_length=SOURCE_CHARS_MAX)]
Kind = Literal["html", "mjml"]
Theme = Literal["light", "dark"]


class ContentIn(Given):
    """What a campaign is made from. Liquid reads `contact`, `campaign` and `tag`."""

    name: Name = Field(examples=["Spring letter"])
    subject: Line = ""
    preheader: Line = Field("", description="Shown behind the subject in many inboxes.")
    source_kind: Kind = "html"
    source: Source = Field("", description="HTML or MJML.")
    text_source: Source = Field("", description="The text part; left empty it is made from the HTML.")
    inline_css: bool = Field(
        True, description="Write styles into the elements: some mail programs ignore style sheets."
    )


class ContentChange(Given):
    """What is left out stays as it is."""

    name: Name = unless_said()
    subject: Line = unless_said()
    preheader: Line = unless_said()
    source_kind: Kind = unless_said()
    source: Source = unless_said()
    text_source: Source = unless_said()
    inline_css: bool = unless_said()


class ContentRow(Schema):
    id: int
    name: str
    subject: str
    preheader: str
    source_kind: str
    created_at: dt.datetime
    updated_at: dt.datetime


class ContentOut(ContentRow):
    source: str
    text_source: str
    inline_css: bool


class ContentProblem(Schema):
    severity: str = Field(description="error (nothing is sent with it), warning or note")
    line: int | None = Field(description="In the source, from 1; null where it belongs to no line.")
    what: str
    remedy: str


class Checks(Schema):
    may_send: bool = Field(description="No problem is an error.")
    problems: list[ContentProblem]


class DraftIn(ContentIn):
    """A content that is not saved, and whom to show it to."""

    name: Name = "Draft"
    contact_id: Id | None = Field(None, description="Needs contacts:read. Left out: a made-up Sam Sample.")
    theme: Theme = "light"
    tag: dict[str, Any] = Field({}, description="What Liquid reads as `tag`: the values of a transactional message.")


class PreviewOut(Checks):
    contact_id: int | None
    subject: str
    preheader: str
    html: str
    text: str
    size_bytes: int = Field(description="Of the HTML; Gmail shows the first 102 KB.")
    fields: list[str] = Field(description="The contact's fields that it reads; `*` is all of them.")


@operation(
    router, "GET", "/contents", scope=_READ, response=page_shape(ContentRow), summary="List contents, without source"
)
def contents(
    request: Request,
    paging: Query[Paging],
    name: str | None = Query(None, max_length=255, description="Any part of the name."),
) -> dict[str, Any]:
    found = Content.objects.filter(account_id=request.account_id)
    if name:
        found = found.filter(name__icontains=storable(name, "query.name"))
    return page_of(found.defer("source", "text_source"), paging)


@operation(router, "POST", "/contents", scope=_WRITE, response={201: ContentOut}, summary="Write a content")
def create_content(request: Request, response: HttpResponse, body: ContentIn) -> Status[Content]:
    """It is saved as it is, mistakes too: ask for its checks, or see it as a contact."""
    content = Content.objects.create(account_id=request.account_id, **body.model_dump())
    return Status(201, _shown(response, content))


@operation(router, "GET", "/contents/{content_id}", scope=_READ, response=ContentOut, summary="One content")
def content(request: Request, response: HttpResponse, content_id: int) -> Content:
    return _shown(response, _content(request, content_id))


@operation(
    router,
    "PATCH",
    "/contents/{content_id}",
    scope=_WRITE,
    response={200: ContentOut, **GUARDED},
    summary="Change a content",
)
def change_content(
    request: Request, response: HttpResponse, content_id: int, body: ContentChange, if_match: str | None = IF_MATCH
) -> Content:
    """A send that has begun has its own copy and stays as it is."""
    found = _locked(request, content_id)
    require_match(if_match, version_of(found))
    for name, value in body.model_dump(exclude_unset=True).items():
        setattr(found, name, value)
    found.save()
    return _shown(response, found)


@operation(
    router,
    "DELETE",
    "/contents/{content_id}",
    scope=_WRITE,
    response={204: None, **GUARDED},
    summary="Delete a content",
)
def end_content(request: Request, content_id: int, if_match: str | None = IF_MATCH) -> HttpResponse:
    """A campaign that was to be made from it waits for another one; 409 where transactional mail is made from it."""
    found = _locked(request, content_id)
    require_match(if_match, version_of(found))
    try:
        delete_content(found)
    except ContentInUse as error:
        raise conflict(str(error)) from None
    return HttpResponse(status=204)


@operation(
    router,
    "POST",
    "/contents/{content_id}/duplicate",
    scope=_WRITE,
    response={201: ContentOut},
    summary="A new content with the same parts",
)
def duplicate_content(request: Request, response: HttpResponse, content_id: int) -> Status[Content]:
    old = _content(request, content_id)
    return Status(201, _shown(response, copy_of(old, name=f"Copy of {old.name}")))


@operation(
    router,
    "GET",
    "/contents/{content_id}/checks",
    scope=_READ,
    response=Checks,
    summary="What is wrong or doubtful in a content",
)
def check_content(request: Request, content_id: int) -> dict[str, Any]:
    """What a campaign's pre-flight would find in it, with the line of its source."""
    return _checked(previews.show_to(_content(request, content_id), None))


@operation(
    router,
    "GET",
    "/contents/{content_id}/preview",
    scope=_READ,
    response=PreviewOut,
    summary="A content as a contact gets it",
)
def preview_content(
    request: Request,
    content_id: int,
    contact_id: Id | None = Query(  # noqa: B008
        None, description="Needs contacts:read. Left out: a made-up Sam Sample."
    ),
    theme: Theme = "light",
) -> dict[str, Any]:
    """No link in it is tracked. Where there is an error, subject and parts are empty."""
    return _previewed(_content(request, content_id), _someone(request, "query", contact_id), theme=theme, tag={})


@operation(
    router,
    "POST",
    "/content-previews",
    scope=_READ,
    response=PreviewOut,
    summary="Check and see a content that is not saved",
)
def preview_draft(request: Request, body: DraftIn) -> dict[str, Any]:
    values = body.model_dump(exclude={"contact_id", "theme", "tag"})
    draft = Content(account=Account.objects.get(pk=request.account_id), **values)
    return _previewed(draft, _someone(request, "body", body.contact_id), theme=body.theme, tag=body.tag)


def _previewed(content: Content, contact: Contact | None, *, theme: Theme, tag: dict[str, Any]) -> dict[str, Any]:
    shown = previews.show_to(content, contact, dark=theme == "dark", tag=tag)
    return _checked(shown) | {
        "contact_id": contact.id if contact else None, "subject": shown.subject, "preheader": shown.preheader,
        "html": shown.html, "text": shown.text, "size_bytes": shown.size_bytes, "fields": sorted(shown.fields),
    }  # fmt: skip


def _checked(shown: previews.Shown) -> dict[str, Any]:
    ordered = sorted(shown.problems, key=lambda problem: list(Severity).index(problem.severity))
    problems = [{"severity": p.severity, "line": p.line or None, "what": p.what, "remedy": p.remedy} for p in ordered]
    return {"may_send": not shown.errors, "problems": problems}


def _shown(response: HttpResponse, content: Content) -> Content:
    show_version(response, version_of(content))
    return content


def _content(request: Request, content_id: int) -> Content:
    mine = Content.objects.filter(account_id=request.account_id).select_related("account")
    return one_of(mine, content_id, "content")


def _locked(request: Request, content_id: int) -> Content:
    try:
        return locked(account_id=request.account_id, content_id=content_id if content_id < ID_MAX else 0)
    except Content.DoesNotExist:
        raise not_found("content") from None


def _someone(request: Request, where: str, contact_id: int | None) -> Contact | None:
    if contact_id is None:
        return None
    require(request.auth, "contacts:read")  # a content shows all that is known of a person
    found = Contact.objects.filter(account_id=request.account_id, id=contact_id).first()
    if found is None:
        fault = FieldFault(
            f"{where}.contact_id", f"there is no contact {contact_id}", "send the id of one, or leave it out"
        )
        raise unprocessable(fault)
    return found
