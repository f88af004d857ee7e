"""Composers by send, kept while they are used: compiling costs milliseconds, and every lease of a send needs the same program."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import psycopg

from standfast.components.delivery import leases
from standfast.components.delivery.domains import signers_for
from standfast.components.delivery.message import Composer
from standfast.components.delivery.models import SendKind
from standfast.components.delivery.stream_composer import StreamComposer
from standfast.platform import tenancy
from standfast.platform.sealing import SealError
from standfast.protocols.dkim import DkimError
from standfast.protocols.liquid import ContentError
from standfast.protocols.mime import HeaderError

KEPT_MAX = 64
STREAM_MESSAGES = 200
RANGE_SECONDS = 2.0


class SendGone(Exception):
    """The send cannot be worked on: it was deleted, or its sources do not compile (then it is paused with the reason)."""


class Composers:
    """A small cache. `prepare` runs in a database thread, `get` in the event loop."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._kept: OrderedDict[int, tuple[Composer | StreamComposer, int]] = OrderedDict()

    def prepare(self, connection: psycopg.Connection, account_id: int, send_id: int) -> int:
        """Make the send's composer if it is not there; returns how many messages to lease at once. Raises SendGone."""
        kept = self._kept.get(send_id)
        if kept is None:
            kept = self._make(connection, account_id, send_id)
            self._kept[send_id] = kept
            while len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        return kept[1]

    def get(self, send_id: int) -> Composer | StreamComposer:
        self._kept.move_to_end(send_id)
        return self._kept[send_id][0]

    def _make(
        self, connection: psycopg.Connection, account_id: int, send_id: int
    ) -> tuple[Composer | StreamComposer, int]:
        with connection.transaction():
            tenancy.enter(connection, account_id)
            row = connection.execute(
                "SELECT nonce, sources, total, rate_per_minute, kind FROM delivery_send WHERE account_id = %s AND id = %s",
                [account_id, send_id],
            ).fetchone()
            if row is None:
                raise SendGone("the send was deleted")
            sources: dict[str, Any] = row[1]
            composer: Composer | StreamComposer | None = None
            try:
                if row[4] == SendKind.STREAM:
                    stream = StreamComposer(
                        account_id=account_id, send_id=send_id, nonce=row[0], sources=sources, key=self.key
                    )
                    return stream, STREAM_MESSAGES
                signers = signers_for(connection, account_id=account_id, from_email=sources["from_email"])
                if signers:
                    composer = Composer(
                        account_id=account_id, send_id=send_id, nonce=row[0], sources=sources, key=self.key,
                        signers=signers,
                    )  # fmt: skip
                else:  # deleted since the freeze; large providers refuse bulk mail without a signature
                    problem = f"{sources['from_email']} is of no sending domain any more. Add the domain again."
            except (ContentError, HeaderError, SealError, DkimError) as error:
                problem = str(error)
            except KeyError as error:
                problem = f"The send's frozen sources lack {error}; cancel it and send the campaign again."
            if composer is None:
                connection.execute(
                    "UPDATE delivery_send SET state = 'paused', problem = %s "
                    "WHERE account_id = %s AND id = %s AND state = 'ready'",
                    [problem[:1000], account_id, send_id],
                )
        if composer is None:
            raise SendGone(problem)
        return composer, _range_size(row[2], row[3])


def _range_size(total: int, rate_per_minute: int | None) -> int:
    """Small sends in small ranges, so that several workers share them; limited ones in what two seconds may send."""
    size = min(leases.LEASE_MESSAGES, max(50, total // 8))
    return size if rate_per_minute is None else max(1, min(size, int(rate_per_minute / 60 * RANGE_SECONDS)))
