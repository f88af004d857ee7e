"""Pages of imports: upload, what each column is, the check's result, the run with its bar, the refused rows."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from standfast.components.accounts.api import Role, account_page, may
from standfast.components.audience import starting
from standfast.components.audience.clearing import REJECTS_KEPT, UPLOAD_KEPT
from standfast.components.audience.csv_file import DELIMITERS, FileProblem
from standfast.components.audience.forms import UploadForm
from standfast.components.audience.mapping import CUSTOM, STANDARD, list_name_of, propose_field
from standfast.components.audience.models import CustomField, FieldType, Import, ImportState, List, Tag
from standfast.components.audience.pages import number
from standfast.components.audience.subscribing import create_list
from standfast.components.audience.typed_values import guess_type
from standfast.components.audience.upload_limit import TOO_LARGE
from standfast.platform import config

S = ImportState
SHOWN = 50
NEW_LIST = "new"
_ACTIVE = (S.WAITING, S.CHECKING, S.RUNNING)


@account_page
def imports(request: HttpRequest, account_id: int) -> HttpResponse:
    lists = List.objects.filter(account_id=account_id).order_by("name")[:500]
    form = UploadForm(request.POST or None, request.FILES or None, lists=lists)
    too_large = getattr(request, "upload_too_large", False)
    if too_large:
        form.fields["file"].error_messages["required"] = TOO_LARGE
    if request.method == "POST" and form.is_valid():
        made = _take(request, account_id, form)
        if made is not None:
            return redirect("audience:import_mapping", account_id, made.pk)
    rows = Import.objects.filter(account_id=account_id).defer("sample", "header", "mapping").order_by("-pk")[:SHOWN]
    context = {"form": form, "rows": rows, "may_write": may(request, Role.MEMBER)}
    return render(request, "audience/imports.html", context, status=413 if too_large else 200)


def _take(request: HttpRequest, account_id: int, form: UploadForm) -> Import | None:
    uploaded: UploadedFile = form.cleaned_data["file"]
    path = _store(account_id, uploaded)
    new_list = form.cleaned_data["new_list"].strip()
    list_id = number(form.cleaned_data["target_list"])
    try:
        if new_list:
            list_id = create_list(account_id=account_id, name=new_list).pk
        return starting.start_import(
            account_id=account_id, path=path, file_name=uploaded.name or "file.csv", list_id=list_id,
            created_by_id=request.user.pk,
        )  # fmt: skip
    except FileProblem as error:
        path.unlink(missing_ok=True)
        form.add_error("file", str(error))
        return None


def _store(account_id: int, uploaded: UploadedFile) -> Path:
    """Keep an uploaded file under a name of our own; never whole in memory."""
    directory = config.load().upload_dir / str(account_id)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"import-{secrets.token_hex(8)}"
    try:
        if isinstance(uploaded, TemporaryUploadedFile):
            shutil.copyfile(uploaded.temporary_file_path(), path)
        else:
            with path.open("wb") as file:
                for piece in uploaded.chunks():
                    file.write(piece)
        path.chmod(0o600)
    except OSError:  # a full disk: half a file is nobody's, and takes what room there is
        path.unlink(missing_ok=True)
        raise
    return path


@account_page(role=Role.MEMBER)
def mapping(request: HttpRequest, account_id: int, import_id: int) -> HttpResponse:
    found = get_object_or_404(Import, account_id=account_id, pk=import_id)
    if found.state not in (S.UPLOADED, S.CHECKED):
        return redirect("audience:import", account_id, import_id)
    problem = ""
    if request.method == "POST":
        try:
            _confirm(request, found)
        except ValueError as error:
            problem = str(error)
        else:
            starting.begin_import(account_id=account_id, import_id=import_id, dry="unchecked" not in request.POST)
            return redirect("audience:import", account_id, import_id)
    return render(request, "audience/mapping.html", _mapping_context(request, found, problem))


def _confirm(request: HttpRequest, found: Import) -> None:
    post = request.POST
    chosen = {str(n): post.get(f"column_{n}", "") for n in range(len(found.header))}
    tags = Tag.objects.filter(account_id=found.account_id, pk__in=[number(t) or 0 for t in post.getlist("tags")])
    options: dict[str, Any] = {
        name: name in post for name in ("create_new", "update_known", "resubscribe", "day_first")
    }
    options |= {"subscribe": True, "tag_ids": list(tags.values_list("pk", flat=True))}
    if not options["create_new"] and not options["update_known"]:
        raise ValueError("Choose whether new people, known people or both are imported.")
    with transaction.atomic():  # a list or field is made with the mapping, or not at all
        starting.set_mapping(
            account_id=found.account_id,
            import_id=found.pk,
            mapping=chosen,
            options=options,
            list_id=_chosen_list(request, found),
        )


def _chosen_list(request: HttpRequest, found: Import) -> int | None:
    target = request.POST.get("target_list", "")
    if target != NEW_LIST:
        return number(target)
    name = request.POST.get("new_list", "").strip() or _free_list_name(found)
    return create_list(account_id=found.account_id, name=name).pk


def _free_list_name(found: Import) -> str:
    names = List.objects.filter(account_id=found.account_id).values_list("name", flat=True)
    return list_name_of(found.file_name, names)


def _mapping_context(request: HttpRequest, found: Import, problem: str) -> dict[str, Any]:
    account_id = found.account_id
    customs = [(CUSTOM + f.key, f.label) for f in CustomField.objects.filter(account_id=account_id).order_by("label")]
    fresh = (
        found.state == S.UPLOADED
    )  # nobody has confirmed anything: what is unknown is kept, the person may leave it out
    columns = []
    for n, name in enumerate(found.header):
        values = starting.column_values(found, n)
        guess = f"new:{guess_type(values)}"
        proposed = guess if fresh and propose_field(name, values) else ""
        key = request.POST.get(f"column_{n}", found.mapping.get(str(n), proposed))
        columns.append((n, name, [value for value in values if value][:3], key, guess))
    target = request.POST.get("target_list", str(found.target_list_id or (NEW_LIST if fresh else "")))
    return {
        "target": target, "new_list": request.POST.get("new_list") or _free_list_name(found), "new_choice": NEW_LIST,
        "kept": sum(key.startswith("new:") for *_, key, _ in columns),
        "found": found, "columns": columns, "problem": problem, "standard": list(STANDARD.items()), "customs": customs,
        "types": [(f"new:{value}", label) for value, label in FieldType.choices], "options": found.options,
        "lists": List.objects.filter(account_id=account_id).order_by("name")[:500],
        "tags": Tag.objects.filter(account_id=account_id).order_by("name")[:200],
        "delimiter": DELIMITERS.get(found.delimiter, found.delimiter),
    }  # fmt: skip


def _progress(found: Import) -> dict[str, Any]:
    active = found.state in _ACTIVE
    state = (
        "waiting"
        if found.state == S.WAITING
        else "running"
        if active
        else "done"
        if found.state == S.DONE
        else "failed"
    )
    return {
        "label": found.get_state_display(), "done": min(found.bytes_done, found.size_bytes), "total": found.size_bytes,
        "state": state, "in_bytes": True,
        "detail": f"{_grouped(found.rows_done)} rows read, {_grouped(found.rejected_count)} refused",
    }  # fmt: skip


def _grouped(number: int) -> str:
    """1 234 567, as the pages write it."""
    return f"{number:,}".replace(",", "\u00a0")


def _kept(found: Import) -> str:
    """How long its files stay, for a person."""
    if found.finished_at is None or found.state == S.CHECKED:
        return f"The file is deleted {UPLOAD_KEPT.days} days after the import has ended, refused rows after {REJECTS_KEPT.days}."
    ends = [("The uploaded file", found.path, UPLOAD_KEPT)]
    ends += [("The file of refused rows", found.rejects_path, REJECTS_KEPT)] if found.rejected_count else []
    said = []
    for what, path, kept in ends:
        until = f"{found.finished_at + kept:%-d %B %Y}"
        said.append(f"{what} is deleted on {until}." if Path(path).is_file() else f"{what} is deleted.")
    return " ".join(said)


@account_page
@require_GET
def show_import(request: HttpRequest, account_id: int, import_id: int) -> HttpResponse:
    found = get_object_or_404(Import.objects.select_related("target_list"), account_id=account_id, pk=import_id)
    if found.state == S.UPLOADED and may(request, Role.MEMBER):
        return redirect("audience:import_mapping", account_id, import_id)
    context = {
        "found": found, "active": found.state in _ACTIVE, "progress": _progress(found),
        "kept": _kept(found), "rejects_there": Path(found.rejects_path).is_file(),
        "may_go_on": starting.may_go_on(found) and may(request, Role.MEMBER), "checked": found.state in (S.CHECKED, S.CHECKING),
        "progress_url": reverse("audience:import_progress", args=[account_id, import_id]),
        "reasons": sorted(found.reasons.items(), key=lambda pair: -pair[1])[:50], "may_write": may(request, Role.MEMBER),
    }  # fmt: skip
    return render(request, "audience/import.html", context)


@account_page
@require_GET
def import_progress(request: HttpRequest, account_id: int, import_id: int) -> HttpResponse:
    found = get_object_or_404(Import.objects.defer("sample", "header"), account_id=account_id, pk=import_id)
    if found.state not in _ACTIVE:
        return HttpResponse(headers={"HX-Refresh": "true"})
    url = reverse("audience:import_progress", args=[account_id, import_id])
    return render(
        request, "partials/progress.html", {"id": "import-progress", "url": url, "progress": _progress(found)}
    )


@account_page(role=Role.MEMBER)
@require_POST
def run_import(request: HttpRequest, account_id: int, import_id: int) -> HttpResponse:
    get_object_or_404(Import.objects.only("pk"), account_id=account_id, pk=import_id)
    starting.begin_import(account_id=account_id, import_id=import_id, dry=False)
    return redirect("audience:import", account_id, import_id)


@account_page(role=Role.MEMBER)
@require_POST
def try_again(request: HttpRequest, account_id: int, import_id: int) -> HttpResponse:
    get_object_or_404(Import.objects.only("pk"), account_id=account_id, pk=import_id)
    if not starting.try_again(account_id=account_id, import_id=import_id):
        messages.error(request, "This import cannot go on: its file is gone. Upload it again.")
    return redirect("audience:import", account_id, import_id)


@account_page(role=Role.MEMBER)
@require_POST
def cancel_import(request: HttpRequest, account_id: int, import_id: int) -> HttpResponse:
    get_object_or_404(Import.objects.only("pk"), account_id=account_id, pk=import_id)
    if starting.cancel_import(account_id=account_id, import_id=import_id):
        messages.success(request, "Stopped. What was imported until now stays.")
    return redirect("audience:import", account_id, import_id)


@account_page(role=Role.MEMBER)
@require_GET
def rejects(request: HttpRequest, account_id: int, import_id: int) -> HttpResponseBase:
    found = get_object_or_404(Import, account_id=account_id, pk=import_id)
    path = Path(found.rejects_path)
    if not found.rejected_count or not path.is_file():
        raise Http404
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=f"refused-{import_id}.csv", content_type="text/csv"
    )
