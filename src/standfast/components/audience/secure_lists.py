"""Suppression lists by hashes: a partner's addresses that must not be mailed, without our knowing them.

A digest is compared by the database with those of the account's people (see delivery's judgement of an audience), which can make
MD5 and SHA-256 and nothing else: a list by another hash is refused, as nobody on it would be left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from django.db import connection, transaction

from standfast.components.audience.models import SecureList, SecureListEntry
from standfast.components.audience.queries import QUERIES
from standfast.protocols.address import AddressError, parse_address

LISTS_MAX = 500
ENTRIES_AT_ONCE = 10_000
LINES_MAX = 500_000
LINE_BYTES_MAX = 1000
_DIGEST = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")  # MD5, SHA-256
_FOREIGN = re.compile(r"[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{96}|[0-9a-f]{128}")  # SHA-1, and the others of SHA-2
_HASHES = (hashlib.md5, hashlib.sha256)


class Added(NamedTuple):
    """`added` digests are new on the list; `refused` of the entries are neither digests nor addresses, `foreign` of these are
    digests of a hash that cannot be compared."""

    added: int
    refused: int
    foreign: int = 0


class TooLong(ValueError):
    """The file has more lines than are taken at once."""


def secure_lists_of(*, account_id: int) -> list[tuple[int, str, int]]:
    """(id, name, entries) of the account's secure lists by name. In the account's scope."""
    found = SecureList.objects.filter(account_id=account_id).order_by("name")
    return list(found.values_list("pk", "name", "size")[:LISTS_MAX])


def add_entries(*, account_id: int, secure_list_id: int, entries: Iterable[str]) -> Added:
    """Put digests in hexadecimal, or addresses (kept as SHA-256 alone), on a list. In the account's scope.

    The list is locked until the commit. Raises SecureList.DoesNotExist.
    """
    added = refused = foreign = 0
    rest = iter(entries)
    with transaction.atomic(), connection.cursor() as cursor:
        one = SecureList.objects.select_for_update().get(account_id=account_id, pk=secure_list_id)
        while batch := list(islice(rest, ENTRIES_AT_ONCE)):
            digests = set()
            for entry in batch:
                digest = _digest(entry)
                if digest:
                    digests.add(digest)
                else:
                    refused += 1
                    foreign += digest is None
            cursor.execute(
                QUERIES.add_digests.sql,
                {"account_id": account_id, "secure_list_id": secure_list_id, "digests": sorted(digests)},
            )
            added += cursor.rowcount
        one.size += added
        one.save(update_fields=["size", "updated_at"])
    return Added(added, refused, foreign)


def _digest(entry: str) -> str | None:
    """In hexadecimal; "" for what is neither digest nor address, None for a digest of a hash that cannot be compared."""
    text = entry.strip().lower()
    if _DIGEST.fullmatch(text):
        return text
    if _FOREIGN.fullmatch(text):
        return None
    try:
        return hashlib.sha256(parse_address(entry).key.encode()).hexdigest()
    except (AddressError, UnicodeEncodeError):
        return ""


def is_foreign(entry: str) -> bool:
    """Whether it is a digest of a hash that cannot be compared."""
    return _digest(entry) is None


def entries_of_file(lines: Iterable[bytes]) -> Iterator[str]:
    """The first column of a text file's lines, without quotes and empty ones. Raises TooLong after LINES_MAX lines."""
    for number, line in enumerate(lines, start=1):
        if number > LINES_MAX:
            raise TooLong(f"The file has more than {LINES_MAX:,} lines. Split it, and upload one part after the other.")
        text = line[:LINE_BYTES_MAX].decode("utf-8-sig", "replace").replace("\0", "\ufffd")
        first = re.split(r"[,;\t]", text, maxsplit=1)[0].strip().strip("\"'").strip()
        if first:
            yield first


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
