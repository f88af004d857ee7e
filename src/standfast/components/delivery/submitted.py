"""What was handed in for a message of a stream, for whoever looks it up later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db.models.functions import Length

from standfast.components.delivery.models import StreamSource, Submission


class Submitted(NamedTuple):
    """One message as it was taken. `size` is in bytes, of a finished message, None of one that is rendered from a source."""

    at: dt.datetime
    values: Mapping[str, Any]
    subject: str
    size: int | None
    ignores_do_not_mail: bool
    is_named: bool  # by a key of the program's


def submitted(*, account_id: int, send_id: int, seq: int) -> Submitted | None:
    """What was taken under this number; None where nothing was. In the account's scope."""
    found = Submission.objects.filter(account_id=account_id, send_id=send_id, seq=seq).defer("raw")
    row = found.annotate(size=Length("raw")).first()
    if row is None:
        return None
    return Submitted(row.created_at, row.given, _subject(row), row.size, row.ignores_do_not_mail, row.key is not None)


def _subject(row: Submission) -> str:
    """The template of the subject; of a finished message nothing."""
    if row.source_id is None:
        return ""
    sources = StreamSource.objects.filter(account_id=row.account_id, send_id=row.send_id, pk=row.source_id)
    return str(sources.values_list("sources__subject", flat=True).first() or "")


def submitted_at(*, account_id: int, send_id: int, seqs: Iterable[int]) -> dict[int, dt.datetime]:
    """When each of these messages was taken. In the account's scope."""
    found = Submission.objects.filter(account_id=account_id, send_id=send_id, seq__in=list(seqs))
    return dict(found.values_list("seq", "created_at"))
