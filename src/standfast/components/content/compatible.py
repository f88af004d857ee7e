"""Contents of the reference product's interface (marketing-cloud.md section 2.14)."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal

from standfast.components.content.compile import compile_message
from standfast.components.content.images import BYTES_MAX, ImageRefused, address_of, fetch_image, keep_image
from standfast.components.content.links import LinkSigner
from standfast.components.content.models import Content, SourceKind
from standfast.components.content.writing import ContentInUse, delete_content
from standfast.platform.rest.answers import Answer, moment
from standfast.platform.rest.call import Call, CallError, invalid
from standfast.platform.rest.finding import numbered_page
from standfast.platform.rest.routes import route
from standfast.protocols.liquid import ContentError

SECTION = "2.14"
PART_CHARS_MAX = 2_000_000


def row(content: Content, *, parts: bool) -> dict[str, Any]:
    """A content as a row; with its parts where one is asked for."""
    made: dict[str, Any] = {
        "id": content.pk,
        "account_id": content.account_id,
        "name": content.name,
        "subject": content.subject,
        "preheader": content.preheader,
        "content_type": content.source_kind,
        "created_at": moment(content.created_at),
        "updated_at": moment(content.updated_at),
    }
    return made | {"html_part": content.source, "text_part": content.text_source} if parts else made


@route("GET", "contents", scope="content:read", section=SECTION)
def listed(call: Call) -> Answer:
    """Contents without their parts, newest first; `name` is any part of one."""
    found = Content.objects.filter(account_id=call.account_id)
    if name := call.text("name"):
        found = found.filter(name__icontains=name)
    found = found.defer("source", "text_source").order_by("-pk")
    return numbered_page(call, found, lambda each: row(each, parts=False), root="contents")


@route("GET", "contents/<content_id:int>", scope="content:read", section=SECTION)
def shown(call: Call) -> Answer:
    return Answer(row(_content(call), parts=True), root="content")


@route("POST", "contents", scope="content:write", section=SECTION)
def created(call: Call) -> Answer:
    call = call.wrapped("content")
    values = _values(call)
    if not values.get("name"):
        raise invalid(name="can't be blank")
    content = Content(account_id=call.account_id, **{"source_kind": SourceKind.HTML, **values})
    _compile(content)
    content.save()
    return Answer(row(content, parts=True), status=201, root="content")


@route("PUT", "contents/<content_id:int>", scope="content:write", section=SECTION)
def changed(call: Call) -> Answer:
    """What the call names is changed, the rest stays; a send that has begun has its own copy."""
    content = _content(call, lock=True)
    for name, value in _values(call.wrapped("content")).items():
        setattr(content, name, value)
    if not content.name:
        raise invalid(name="can't be blank")
    _compile(content)
    content.save()
    return Answer(row(content, parts=True), root="content")


@route("DELETE", "contents/<content_id:int>", scope="content:write", section=SECTION)
def deleted(call: Call) -> Answer:
    """422 while a transactional campaign uses it."""
    try:
        delete_content(_content(call, lock=True))
    except ContentInUse as error:
        raise invalid(base=str(error)) from None
    return Answer(None)


@route("POST", "content_images", scope="content:write", section=SECTION)
def image_kept(call: Call) -> Answer:
    """An image by its address, or its bytes in base64 as `image_data`; answers where it is served from now on."""
    call = call.wrapped("content_image")
    url = call.text("image_url", call.text("url"), most=2000)
    given = call.text("image_data", most=2 * BYTES_MAX)
    if not url and not given:
        raise invalid(image_url="can't be blank")
    try:
        data = base64.b64decode(given, validate=True) if given else fetch_image(url)
        kept = keep_image(account_id=call.account_id, data=data)
        return Answer({"image_url": address_of(kept)}, status=201, root="content_image")
    except binascii.Error:
        raise invalid(image_data="is not base64") from None
    except ImageRefused as refused:
        raise invalid(**{"image_data" if given else "image_url": str(refused)}) from None


def _content(call: Call, *, lock: bool = False) -> Content:
    mine = Content.objects.filter(account_id=call.account_id, pk=int(call.path["content_id"]))
    found = (mine.select_for_update(of=("self",)) if lock else mine).first()
    if found is None:
        raise CallError(404, {"error": "There is no such content."})
    return found


def _values(call: Call) -> dict[str, Any]:
    """What the call names, by the names of the model."""
    values: dict[str, Any] = {}
    for name in ("name", "subject", "preheader"):
        if call.value(name) is not None:
            values[name] = " ".join(call.text(name).split())
    for name, column in (("html_part", "source"), ("text_part", "text_source")):
        if call.value(name) is not None:
            values[column] = call.text(name, most=PART_CHARS_MAX)
    if kind := call.text("content_type").lower():
        if kind not in SourceKind.values:
            raise invalid(content_type=f"is none of {', '.join(SourceKind.values)}")
        values["source_kind"] = kind
    return values


def _compile(content: Content) -> None:
    """An error in a template is told now, with its line. Raises CallError."""
    kind: Literal["html", "mjml"] = "mjml" if content.source_kind == SourceKind.MJML else "html"
    try:
        compile_message(
            subject=content.subject, preheader=content.preheader, html_source=content.source, source_kind=kind,
            text_source=content.text_source, inline_css=content.inline_css,
            links=LinkSigner("http://localhost", b"\0" * 32, content.account_id, 0),
        )  # fmt: skip
    except ContentError as error:
        raise invalid(base=str(error)) from None
