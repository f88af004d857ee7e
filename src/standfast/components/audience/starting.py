"""The way of an import from an uploaded file to a queued job: look at it, confirm the mapping, check, run, cancel."""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import transaction

from standfast.components.audience import jobs
from standfast.components.audience.csv_file import detect, sniff_delimiter
from standfast.components.audience.csv_rows import read_header
from standfast.components.audience.import_rows import make_convert
from standfast.components.audience.mapping import CUSTOM, STANDARD, guess_mapping, key_of, propose_field
from standfast.components.audience.models import CustomField, FieldType, Import, ImportState, List
from standfast.components.audience.rejects import as_written, is_ours
from standfast.components.audience.typed_values import guess_day_first, guess_type
from standfast.platform import config

SAMPLE_ROWS = 20
S = ImportState
_STARTABLE = (S.UPLOADED, S.CHECKED)
_STOPPABLE = (S.UPLOADED, S.WAITING, S.CHECKING, S.CHECKED, S.RUNNING)
DEFAULTS = {"create_new": True, "update_known": True, "subscribe": True, "resubscribe": False, "tag_ids": []}


def start_import(
    *, account_id: int, path: Path, file_name: str, list_id: int | None = None, created_by_id: int | None = None
) -> Import:
    """Look at a file and make its import with a guessed mapping, waiting for a person. In the account's scope.

    Raises FileProblem with a sentence where the file cannot be read, List.DoesNotExist for a list of another account.
    """
    if list_id is not None:
        List.objects.only("pk").get(account_id=account_id, pk=list_id)
    packing = detect(path)
    raw, _ = read_header(path, packing, "\0" if packing.encoding == "" else "\x1f", sample_rows=0)
    delimiter = sniff_delimiter(raw[0])
    header, sample = read_header(path, packing, delimiter, sample_rows=SAMPLE_ROWS)
    ours = is_ours(header)
    if ours:
        header, sample = [as_written(name) for name in header], [[as_written(cell) for cell in row] for row in sample]
    fields = dict(CustomField.objects.filter(account_id=account_id).values_list("key", "label"))
    cells = [cell for row in sample for cell in row]
    return Import.objects.create(
        account_id=account_id, target_list_id=list_id, created_by_id=created_by_id, file_name=file_name[-255:],
        path=str(path), size_bytes=path.stat().st_size, encoding=packing.encoding, delimiter=delimiter, header=header,
        sample=sample, mapping=guess_mapping(header, sample, fields),
        options={**DEFAULTS, "day_first": guess_day_first(cells), "ours": ours},
        rejects_path=str(config.load().upload_dir / str(account_id) / f"rejects-{secrets.token_hex(8)}.csv"),
    )  # fmt: skip


def new_field(*, account_id: int, label: str, field_type: str) -> CustomField:
    """A custom field with a free key made from its label; the one that has this label already, where there is one."""
    fields = CustomField.objects.filter(account_id=account_id)
    same = fields.filter(label__iexact=label).first()
    if same is not None:
        return same
    key = key_of(label, list(fields.values_list("key", flat=True)))
    return CustomField.objects.create(account_id=account_id, key=key, label=label[:255], field_type=field_type)


def column_values(found: Import, number: int) -> list[str]:
    """The sample of one column."""
    return [row[number] for row in found.sample if number < len(row)]


def set_mapping(
    *, account_id: int, import_id: int, mapping: Mapping[str, str], options: Mapping[str, Any], list_id: int | None
) -> Import:
    """Confirm what each column is. A value of "new:<type>" makes a custom field. Raises ValueError with a sentence."""
    found = Import.objects.select_for_update().get(account_id=account_id, pk=import_id)
    if found.state not in _STARTABLE:
        raise ValueError("This import has begun; its mapping is settled.")
    if list_id is not None and not List.objects.filter(account_id=account_id, pk=list_id).exists():
        raise ValueError("This list does not exist any more. Choose another.")
    chosen = _settle(found, mapping)
    found.mapping, found.target_list_id, found.state = chosen, list_id, S.UPLOADED
    found.options = {**found.options, **options}
    found.save()
    return found


def _settle(found: Import, mapping: Mapping[str, str]) -> dict[str, str]:
    account_id = found.account_id
    chosen: dict[str, str] = {}
    wanted = {number: key for number, key in mapping.items() if key and int(number) < len(found.header)}
    for number, key in wanted.items():
        if key.startswith("new:"):
            if key[4:] not in FieldType.values:
                raise ValueError("A new field's type is unknown. Choose again.")
            key = _new_key(account_id, found.header[int(number)], key[4:], chosen)
        if key in chosen.values():
            name = STANDARD.get(key, key.removeprefix(CUSTOM))
            raise ValueError(f"Two columns are mapped to “{name}”. Choose one of them.")
        chosen[number] = key
    types = {f.key: (f.field_type, f.label) for f in CustomField.objects.filter(account_id=account_id)}
    unknown = [key for key in chosen.values() if key not in STANDARD and key.removeprefix(CUSTOM) not in types]
    if unknown:
        raise ValueError("A field of the mapping does not exist any more. Choose again.")
    make_convert(mapping=chosen, width=len(found.header), types=types, day_first=False)
    return chosen


def _new_key(account_id: int, label: str, field_type: str, chosen: Mapping[str, str]) -> str:
    """A field for a column; of two columns with one name the second gets a number."""
    names = itertools.chain([label], (f"{label} {number}" for number in itertools.count(2)))
    for name in names:
        key = CUSTOM + new_field(account_id=account_id, label=name, field_type=field_type).key
        if key not in chosen.values():
            return key
    raise AssertionError("count() ends never")


def begin_import(*, account_id: int, import_id: int, dry: bool) -> Import:
    """Queue the check (`dry`) or the run; in the account's scope. Harmless when pressed twice."""
    found = Import.objects.select_for_update().get(account_id=account_id, pk=import_id)
    if found.state not in _STARTABLE:
        return found
    with transaction.atomic():
        Import.objects.filter(account_id=account_id, pk=import_id).update(
            state=S.WAITING, problem="", rows_done=0, bytes_done=0, created_count=0, updated_count=0, subscribed_count=0,
            duplicate_count=0, rejected_count=0, unchanged_count=0, left_out_count=0, kept_unsubscribed_count=0,
            do_not_mail_count=0, rejects_bytes=0, reasons={}, started_at=None, finished_at=None,
            options={**found.options, "dry": dry},
        )  # fmt: skip
        jobs.import_contacts.defer(account_id=account_id, import_id=import_id, dry=dry)
    found.refresh_from_db()
    return found


def may_go_on(found: Import) -> bool:
    """Whether an import that failed can be tried again: its file is still there."""
    return found.state == S.FAILED and Path(found.path).is_file()


def try_again(*, account_id: int, import_id: int) -> bool:
    """Queue a failed import again: it goes on after the last batch it committed, a failed check begins anew.

    In the account's scope. False where it has not failed, or its file is gone.
    """
    found = Import.objects.select_for_update().get(account_id=account_id, pk=import_id)
    if not may_go_on(found):
        return False
    with transaction.atomic():
        Import.objects.filter(account_id=account_id, pk=import_id).update(state=S.WAITING, problem="", finished_at=None)
        dry = bool(found.options.get("dry"))
        jobs.import_contacts.defer(account_id=account_id, import_id=import_id, dry=dry)
    return True


def cancel_import(*, account_id: int, import_id: int) -> bool:
    """Stop an import; what it has committed stays. False where it had ended."""
    stopped = Import.objects.filter(account_id=account_id, pk=import_id, state__in=_STOPPABLE)
    return bool(stopped.update(state=S.CANCELLED, finished_at=dt.datetime.now(dt.UTC)))


def import_file(
    *,
    account_id: int,
    path: Path,
    file_name: str,
    list_id: int | None = None,
    columns: Mapping[str, str] | None = None,
    new_fields: bool = True,
    options: Mapping[str, Any] | None = None,
    dry: bool = False,
) -> Import:
    """Look at a file, settle what each column is, and queue the check (`dry`) or the run; nobody is asked.

    columns: keys by a column's name or number from 0, instead of the guess; "" leaves a column out. `new_fields`: other columns
    become custom fields. Raises FileProblem, List.DoesNotExist, and ValueError where no column holds addresses or one is not there.
    """
    found = start_import(account_id=account_id, path=path, file_name=file_name, list_id=list_id)
    given = _by_number(found.header, columns or {})
    mapping = given if columns else dict(found.mapping)
    if new_fields and not columns:
        for number, name in enumerate(found.header):
            if propose_field(name, values := column_values(found, number)):
                mapping.setdefault(str(number), f"new:{guess_type(values)}")
    set_mapping(account_id=account_id, import_id=found.pk, mapping=mapping, options=options or {}, list_id=list_id)
    return begin_import(account_id=account_id, import_id=found.pk, dry=dry)


def _by_number(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Raises ValueError naming a column that the file has not."""
    numbers = {name: str(number) for number, name in reversed(list(enumerate(header)))}
    numbers |= {str(number): str(number) for number in range(len(header)) if str(number) not in numbers}
    unknown = [name for name in columns if name not in numbers]
    if unknown:
        raise ValueError(f"The file has no column {unknown[0][:80]!r}. It has {', '.join(header[:20])[:500]}.")
    return {numbers[name]: key for name, key in columns.items()}
