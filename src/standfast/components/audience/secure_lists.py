"""Suppression lists by hashes: a partner's addresses that must not be mailed, without our knowing them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection, transaction

from standfast.components.audience.models import SecureList, SecureListEntry
from standfast.components.audience.queries import QUERIES
from standfast.protocols.address import AddressError, parse_address

_DIGEST = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")  # MD5, SHA-1, SHA-256
_HASHES = (hashlib.md5, hashlib.sha1, hashlib.sha256)


class Added(NamedTuple):
    """`added` digests are new on the list; `refused` of the entries are neither digests nor addresses."""

    added: int
    refused: int


def add_entries(*, account_id: int, secure_list_id: int, entries: Iterable[str]) -> Added:
    """Put digests in hexadecimal, or addresses (kept as SHA-256 alone), on a list. In the account's scope."""
    digests, refused = set(), 0
    for entry in entries:
        text = entry.strip().lower()
        if _DIGEST.fullmatch(text):
            digests.add(text)
            continue
        try:
            digests.add(hashlib.sha256(parse_address(entry).key.encode()).hexdigest())
        except AddressError:
            refused += 1
    with transaction.atomic(), connection.cursor() as cursor:
        one = SecureList.objects.select_for_update().get(account_id=account_id, pk=secure_list_id)
        cursor.execute(
            QUERIES.add_digests.sql,
            {"account_id": account_id, "secure_list_id": secure_list_id, "digests": sorted(digests)},
        )
        added = cursor.rowcount
        one.size += added
        one.save(update_fields=["size", "updated_at"])
    return Added(added, refused)


def on_secure_lists(*, account_id: int, secure_list_ids: Sequence[int], keys: Iterable[str]) -> set[str]:
    """Those of some normalised addresses that stand on one of the lists, by whichever hash. In the account's scope."""
    of = {make(key.encode()).hexdigest(): key for key in keys for make in _HASHES}
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES.known_digests.sql,
            {"account_id": account_id, "secure_list_ids": list(secure_list_ids), "digests": list(of)},
        )
        return {of[row[0]] for row in cursor.fetchall()}


def delete_secure_list(*, account_id: int, secure_list_id: int) -> None:
    """Delete a list with its digests. In the account's scope. Raises SecureList.DoesNotExist."""
    with transaction.atomic():
        one = SecureList.objects.select_for_update().get(account_id=account_id, pk=secure_list_id)
        SecureListEntry.objects.filter(account_id=account_id, secure_list_id=secure_list_id).delete()
        one.delete()
