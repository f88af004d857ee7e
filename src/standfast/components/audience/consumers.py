"""What audience does on events: keeps a summary row per person, and keeps mail from those who must get none.

An unsubscription by a mail's link leaves the lists of no brand and puts the address on do-not-mail; taking it back on the same
page undoes exactly that. A complaint does the same and cannot be taken back; a hard bounce that proves the address dead only
stops the mail. Where the mail is a brand's, it is the brand's lists and do-not-mail; a dead address is dead for mail of no brand
too.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

from standfast.components.audience.locking import lock_people
from standfast.components.audience.models import DoNotMailReason
from standfast.components.audience.queries import QUERIES
from standfast.platform.consumers import Consumer
from standfast.protocols.bounces import BounceClass, suppresses

_SUPPRESSING = [str(cls) for cls in BounceClass if suppresses(cls)]
_REASONS = {
    "bounced": DoNotMailReason.HARD_BOUNCE,
    "complained": DoNotMailReason.COMPLAINT,
    "unsubscribed": DoNotMailReason.UNSUBSCRIBE,
}


class _Wish(NamedTuple):
    position: int
    at: Any
    kind: str
    contact_id: int
    send_id: int | None
    seq: int | None
    text: str
    brand_id: int | None


def fold_summary(cursor: Any, account_id: int, after: int, upto: int) -> None:
    """Add the events with after < position <= upto to the summaries, in the cursor's transaction."""
    cursor.execute(QUERIES.fold_summary.sql, {"account_id": account_id, "after": after, "upto": upto})


def fold_suppression(cursor: Any, account_id: int, after: int, upto: int) -> None:
    """Apply bounces, complaints and wishes in their order: runs of one kind as a set."""
    span = {"account_id": account_id, "after": after, "upto": upto, "suppressing": _SUPPRESSING}
    cursor.execute(QUERIES.wishes.sql, span)
    wishes = [_Wish(*row) for row in cursor.fetchall()]
    if wishes:
        lock_people(cursor, account_id=account_id)
    for (kind, brand_id), run in groupby(wishes, key=lambda wish: (wish.kind, wish.brand_id)):
        if kind == "resubscribed":
            _take_back(cursor, account_id, run)
        else:
            firsts = {wish.contact_id: wish for wish in reversed(list(run))}
            _suppress(cursor, account_id, kind, brand_id, firsts.values())


def _suppress(cursor: Any, account_id: int, kind: str, brand_id: int | None, wishes: Iterable[_Wish]) -> None:
    wishes = list(wishes)
    people = {
        "account_id": account_id, "reason": _REASONS[kind].value, "contact_ids": [wish.contact_id for wish in wishes],
        "details": [wish.text for wish in wishes], "ats": [wish.at for wish in wishes], "brand_id": brand_id,
    }  # fmt: skip
    if brand_id is not None:
        cursor.execute(QUERIES.suppress_contacts_of_brand.sql, people)
    if brand_id is None or kind == "bounced":
        cursor.execute(QUERIES.suppress_contacts.sql, people)
    if kind != "bounced":
        cursor.execute(QUERIES.leave_lists.sql, people)


def _take_back(cursor: Any, account_id: int, wishes: Iterable[_Wish]) -> None:
    for wish in wishes:
        which = {"account_id": account_id, **wish._asdict()}
        cursor.execute(QUERIES.return_to_lists.sql, which)
        back = QUERIES.return_to_mail if wish.brand_id is None else QUERIES.return_to_mail_of_brand
        cursor.execute(back.sql, which)


SUMMARY = Consumer("summary", fold_summary)
SUPPRESSION = Consumer("suppression", fold_suppression)
CONSUMERS: list[Consumer] = [SUPPRESSION, SUMMARY]
