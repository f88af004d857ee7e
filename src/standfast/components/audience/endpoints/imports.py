"""Imports: a file is taken, checked or brought in by the worker, and its state, counts and refused rows can be read."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.http import FileResponse, HttpResponse, HttpResponseBase
from ninja import Field, Query, Router, Status
from pydantic import ValidationError

from standfast.components.audience import starting
from standfast.components.audience.endpoints.shapes import READ, TAGS_AT_ONCE, WRITE, known_tags, list_of
from standfast.components.audience.models import Import, ImportState
from standfast.components.audience.upload_limit import UPLOAD_BYTES_MAX
from standfast.platform.rest import long_work
from standfast.platform.rest.finding import Paging, one_of, page_of, page_shape
from standfast.platform.rest.operation import Fault, Request, Schema, operation
from standfast.platform.rest.problems import FieldFault, conflict, not_found, unprocessable
from standfast.platform.rest.uploads import FORM, upload_of
from standfast.platform.rest.validation import faults_of
from standfast.platform.rest.values import Id, Line

router = Router(tags=["Imports"])
S = ImportState
COLUMNS_MAX = 1000
_JOB = {
    S.UPLOADED: long_work.WAITING, S.WAITING: long_work.WAITING, S.CHECKING: long_work.RUNNING, S.RUNNING: long_work.RUNNING,
    S.CHECKED: long_work.DONE, S.DONE: long_work.DONE, S.FAILED: long_work.FAILED, S.CANCELLED: long_work.CANCELLED,
}  # fmt: skip
_COUNTS = (
    "created", "updated", "unchanged", "subscribed", "duplicate", "rejected", "left_out", "kept_unsubscribed", "do_not_mail",
)  # fmt: skip
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/gzip": {"schema": {"type": "string", "format": "binary"}},
            FORM: {"schema": {
                "type": "object", "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
                "description": "The options of the query may stand in the form as well.",
            }},
        },
    }
}  # fmt: skip


class Options(Schema):
    file_name: Line = Field("", description="How the file is called in the application.")
    list_id: Id | None = Field(None, description="The list onto which people come.")
    dry_run: bool = Field(False, description="Only check: count what would happen, write nothing.")
    mapping: str = Field(
        "", max_length=100_000, examples=['{"Mail": "email", "Town": "field:town", "Age": "new:number"}'],
        description="A JSON object: a column's name or number to email, first_name, last_name, phone, fax, uid, time_zone, tags, "
        "field:<key>, or new:<type> for a custom field that is made; without it the columns are guessed.",
    )  # fmt: skip
    new_fields: bool = Field(True, description="Without a mapping: unknown columns become custom fields.")
    create_new: bool = True
    update_known: bool = True
    resubscribe: bool = Field(False, description="Also people who unsubscribed from the list earlier.")
    day_first: bool | None = Field(None, description="Of 03/04/2026: whether the day stands first. Guessed without.")
    tag_ids: str = Field("", max_length=1000, description="Tags that everybody gets: ids, with commas.")


class Counts(Schema):
    created: int
    updated: int
    unchanged: int
    subscribed: int
    duplicate: int
    rejected: int
    left_out: int
    kept_unsubscribed: int
    do_not_mail: int


class ImportOut(Schema):
    id: int
    state: str = Field(description=", ".join(ImportState.values))
    dry_run: bool
    job: long_work.Job
    rows: int = Field(description="Rows read so far.")
    counts: Counts
    reasons: dict[str, int] = Field(description="Refused rows by reason.")
    file_name: str
    list_id: int | None
    mapping: dict[str, str] = Field(description="What each column is, by its name.")
    created_at: dt.datetime
    started_at: dt.datetime | None


_TAKEN: dict[int, Any] = {202: ImportOut}


@operation(
    router,
    "POST",
    "/imports",
    scope=WRITE,
    upload_bytes_max=UPLOAD_BYTES_MAX,
    response={**_TAKEN, 415: Fault},
    summary="Import people from a CSV file",
    openapi_extra=_FILE,
)
def begin(request: Request, response: HttpResponse, options: Query[Options]) -> Status[dict[str, Any]]:
    """The file is the body (also packed with gzip), or `file` of a form. `Location` says where to follow it."""
    account_id = request.account_id
    upload = upload_of(request)
    options = _with_form(options, request, upload.form)
    if not options.create_new and not options.update_known:
        raise unprocessable(FieldFault("query.create_new", "is false, as update_known is", "let one of them be true"))
    if options.list_id is not None:
        list_of(account_id, options.list_id)
    chosen = {name: getattr(options, name) for name in ("create_new", "update_known", "resubscribe")}
    chosen |= {"tag_ids": _tag_ids(account_id, options.tag_ids)}
    if options.day_first is not None:
        chosen["day_first"] = options.day_first
    name = options.file_name.strip() or upload.name
    try:
        made = starting.import_file(
            account_id=account_id, path=upload.path, file_name=name, list_id=options.list_id,
            columns=_columns(options.mapping), new_fields=options.new_fields, options=chosen, dry=options.dry_run,
        )  # fmt: skip
    except ValueError as error:  # FileProblem is one
        raise unprocessable(
            FieldFault("body", str(error)[:500], "send another file, or say in `mapping` what its columns are")
        ) from error
    upload.kept = True
    return _told(response, made)


@operation(router, "GET", "/imports", scope=READ, response=page_shape(ImportOut), summary="List imports")
def imports(request: Request, paging: Query[Paging]) -> dict[str, Any]:
    found = Import.objects.filter(account_id=request.account_id).defer("sample")
    return page_of(found, paging, show=_row)


@operation(
    router,
    "GET",
    "/imports/{import_id}",
    scope=READ,
    response=ImportOut,
    summary="How far an import is, and what came of it",
)
def one_import(request: Request, import_id: int) -> dict[str, Any]:
    return _row(_found(request.account_id, import_id))


@operation(
    router,
    "GET",
    "/imports/{import_id}/rejected",
    scope=READ,
    response={200: None},
    summary="The refused rows as CSV, each with its line and reason",
    openapi_extra={"responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}},
)
def rejected(request: Request, import_id: int) -> HttpResponseBase:
    found = _found(request.account_id, import_id)
    path = Path(found.rejects_path)
    if not found.rejected_count or not path.is_file():
        raise not_found("file: no row was refused, or it has been deleted since")
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=f"refused-{found.pk}.csv", content_type="text/csv"
    )


@operation(
    router, "POST", "/imports/{import_id}/run", scope=WRITE, response=_TAKEN, summary="Bring in what was only checked"
)
def run(request: Request, response: HttpResponse, import_id: int) -> Status[dict[str, Any]]:
    found = _found(request.account_id, import_id)
    if found.state not in (S.UPLOADED, S.CHECKED):
        raise conflict(
            f"The import is {found.get_state_display().lower()}: only one that is checked can be brought in."
        )
    return _told(response, starting.begin_import(account_id=found.account_id, import_id=found.pk, dry=False))


@operation(
    router, "POST", "/imports/{import_id}/retry", scope=WRITE, response=_TAKEN, summary="Go on with a failed import"
)
def retry(request: Request, response: HttpResponse, import_id: int) -> Status[dict[str, Any]]:
    """It goes on after the last batch that it committed."""
    found = _found(request.account_id, import_id)
    if not starting.try_again(account_id=found.account_id, import_id=found.pk):
        raise conflict("The import has not failed, or its file is gone: then send the file again.")
    found.refresh_from_db()
    return _told(response, found)


@operation(
    router,
    "POST",
    "/imports/{import_id}/cancel",
    scope=WRITE,
    response=ImportOut,
    summary="Stop an import; what it has brought in stays",
)
def cancel(request: Request, import_id: int) -> dict[str, Any]:
    found = _found(request.account_id, import_id)
    if not starting.cancel_import(account_id=found.account_id, import_id=found.pk):
        raise conflict(f"The import has ended: it is {found.get_state_display().lower()}.")
    found.refresh_from_db()
    return _row(found)


def _found(account_id: int, import_id: int) -> Import:
    return one_of(Import.objects.filter(account_id=account_id), import_id, "import")


def _told(response: HttpResponse, made: Import) -> Status[dict[str, Any]]:
    long_work.told(response, f"/imports/{made.pk}")
    return Status(202, _row(made))


def _row(one: Import) -> dict[str, Any]:
    state = ImportState(one.state)
    job = {
        "state": _JOB[state], "done": min(one.bytes_done, one.size_bytes), "total": one.size_bytes, "unit": "bytes",
        "problem": one.problem, "finished_at": one.finished_at,
    }  # fmt: skip
    columns = {one.header[int(number)]: key for number, key in one.mapping.items() if int(number) < len(one.header)}
    return {
        "id": one.pk, "state": state.value, "dry_run": bool(one.options.get("dry")), "job": job, "rows": one.rows_done,
        "counts": {name: getattr(one, f"{name}_count") for name in _COUNTS}, "reasons": one.reasons,
        "file_name": one.file_name, "list_id": one.target_list_id, "mapping": columns, "created_at": one.created_at,
        "started_at": one.started_at,
    }  # fmt: skip


def _with_form(options: Options, request: Request, form: Any) -> Options:
    """Options may stand in the form, over those of the query."""
    if not form:
        return options
    try:
        return Options.model_validate({**request.GET.dict(), **form})
    except ValidationError as error:
        faults = faults_of(error.errors(), lambda found: ".".join(map(str, ("form", *found))))
        raise unprocessable(*faults) from error


def _columns(text: str) -> dict[str, str] | None:
    if not text.strip():
        return None
    remedy = 'send a JSON object such as {"Mail": "email"}'
    try:
        columns = json.loads(text)
    except (ValueError, RecursionError):
        raise unprocessable(FieldFault("query.mapping", "is not JSON", remedy)) from None
    fits = isinstance(columns, dict) and 0 < len(columns) <= COLUMNS_MAX
    if not fits or not all(isinstance(key, str) and "\x00" not in key for key in columns.values()):
        raise unprocessable(FieldFault("query.mapping", "is no object from columns to fields", remedy))
    return columns


def _tag_ids(account_id: int, text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > TAGS_AT_ONCE or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise unprocessable(FieldFault("query.tag_ids", "are no ids", f"send up to {TAGS_AT_ONCE}, with commas"))
    return known_tags(account_id, [int(part) for part in parts], "query.tag_ids")
