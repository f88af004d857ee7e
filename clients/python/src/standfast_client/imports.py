"""Imports of people from CSV files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import BinaryIO, TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages
from standfast_client.problems import JobFailed
from standfast_client.streaming import written_to
from standfast_client.uploads import name_of, sending_of
from standfast_client.values import Moment, Reading, Writing, parameters
from standfast_client.waiting import wait_until


class Job(TypedDict):
    """state: waiting, running, done, failed or cancelled. problem: why it failed, and what to do."""

    state: str
    done: int
    total: int
    unit: str
    problem: str
    finished_at: Moment | None


class ImportCounts(TypedDict):
    created: int
    updated: int
    unchanged: int
    subscribed: int
    duplicate: int
    rejected: int
    left_out: int
    kept_unsubscribed: int
    do_not_mail: int


class Import(TypedDict):
    """reasons: refused rows by reason. mapping: what each column is, by its name."""

    id: int
    state: str
    dry_run: bool
    job: Job
    rows: int
    counts: ImportCounts
    reasons: dict[str, int]
    file_name: str
    list_id: int | None
    mapping: dict[str, str]
    created_at: Moment
    started_at: Moment | None


class Imports(Group):
    @operation("GET", "/imports")
    def all(self, *, limit: int = 500, **more: Unpack[Reading]) -> Pages[Import]:
        def read(cursor: str | None) -> Page[Import]:
            return self._calls.get(Page[Import], "/imports", parameters(cursor=cursor, limit=limit), **more)

        return Pages(read)

    @operation("POST", "/imports")
    def start(
        self,
        file: str | PathLike[str] | BinaryIO | bytes,
        *,
        file_name: str = "",
        list_id: int | None = None,
        dry_run: bool = False,
        mapping: Mapping[str, str] | None = None,
        new_fields: bool = True,
        create_new: bool = True,
        update_known: bool = True,
        resubscribe: bool = False,
        day_first: bool | None = None,
        tag_ids: Sequence[int] = (),
        **more: Unpack[Writing],
    ) -> Import:
        """Import people from a CSV file, also packed with gzip: a path, an open file that can be read again, or the bytes.

        mapping: a column's name or number to email, first_name ..., field:<key> or new:<type>; guessed without.
        dry_run: only count what would happen; `run` then brings it in.
        """
        asked = parameters(
            file_name=file_name or name_of(file), list_id=list_id, dry_run=dry_run, new_fields=new_fields,
            create_new=create_new, update_known=update_known, resubscribe=resubscribe, day_first=day_first,
            mapping=json.dumps(dict(mapping)) if mapping else None,
            tag_ids=",".join(map(str, tag_ids)) if tag_ids else None,
        )  # fmt: skip
        return self._calls.answer("POST", "/imports", query=asked, sending=sending_of(file), **more).json(Import)

    @operation("GET", "/imports/{import_id}")
    def get(self, import_id: int, **more: Unpack[Reading]) -> Import:
        return self._calls.get(Import, at("/imports/{}", import_id), **more)

    @operation("GET", "/imports/{import_id}/rejected")
    def rejected(self, import_id: int, to: str | PathLike[str] | BinaryIO, *, timeout: float | None = None) -> int:
        """Write the refused rows as CSV, each with its line and reason, to a path or an open file; returns the bytes."""
        with self._calls.stream(at("/imports/{}/rejected", import_id), timeout=timeout) as pieces:
            return written_to(to, pieces)

    @operation("POST", "/imports/{import_id}/run")
    def run(self, import_id: int, **more: Unpack[Writing]) -> Import:
        """Bring in what was only checked."""
        return self._calls.write(Import, "POST", at("/imports/{}/run", import_id), **more)

    @operation("POST", "/imports/{import_id}/retry")
    def retry(self, import_id: int, **more: Unpack[Writing]) -> Import:
        """Go on with a failed import."""
        return self._calls.write(Import, "POST", at("/imports/{}/retry", import_id), **more)

    @operation("POST", "/imports/{import_id}/cancel")
    def cancel(self, import_id: int, **more: Unpack[Writing]) -> Import:
        """Stop it; what it has brought in stays."""
        return self._calls.write(Import, "POST", at("/imports/{}/cancel", import_id), **more)

    def wait(self, import_id: int, *, seconds_max: float = 3600.0) -> Import:
        """Wait for its end. Raises JobFailed where it failed or was cancelled, StillRunning after seconds_max."""
        found = wait_until(
            lambda: self.get(import_id),
            lambda now: now["job"]["state"] not in ("waiting", "running"),
            what=f"Import {import_id}",
            seconds_max=seconds_max,
            first_wait_seconds=0.25,
        )
        if found["job"]["state"] != "done":
            raise JobFailed(f"Import {import_id}", found["job"]["state"], found["job"]["problem"])
        return found
