"""Whether a start finds everything as the last one left it: then migrations and static files need no look, which takes seconds.

The mark is a hash of what the step works from (migrations, libraries with tables of their own, static files, the database's
name) and how many migrations the database had after it. It is taken anew once a month, for the event log's partitions.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import psycopg

from standfast.platform import postgres
from standfast.platform.config import Config

SOURCE = Path(__file__).resolve().parent
LIBRARIES = ("django", "django-allauth", "procrastinate", "django-ninja")


def fingerprint(config: Config) -> str:
    """What the step would work from now."""
    found = [f"{name} {version(name)}" for name in LIBRARIES]
    found += [f"{path} {path.stat().st_mtime_ns}" for path in sorted(SOURCE.glob("**/migrations/[0-9]*.py"))]
    found += [f"{path} {path.stat().st_mtime_ns}" for path in sorted(SOURCE.glob("**/static/**/*")) if path.is_file()]
    found += [postgres.dsn(config, "owner"), f"{dt.datetime.now(dt.UTC):%Y-%m}"]
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


def is_current(config: Config) -> bool:
    """Whether the step would change nothing."""
    try:
        mark = json.loads(_file(config).read_text())
        same = mark["of"] == fingerprint(config) and (config.var / "static").is_dir()
        return same and _migrations(config) == mark["migrations"]
    except (OSError, ValueError, KeyError, TypeError, psycopg.Error):
        return False


def has_user(config: Config) -> bool:
    """Whether somebody can sign in, so that no first link is wanted any more."""
    return bool(json.loads(_file(config).read_text())["user"])


def write(config: Config, of: str, *, user: bool) -> None:
    """After the step: `of` is the fingerprint from before it. Where it cannot be written, the next start takes its seconds."""
    try:
        _file(config).write_text(json.dumps({"of": of, "migrations": _migrations(config), "user": user}))
    except (OSError, psycopg.Error):
        _file(config).unlink(missing_ok=True)


def _file(config: Config) -> Path:
    return config.var / "prepared.json"


def _migrations(config: Config) -> int:
    """How many the database has seen."""
    with psycopg.connect(postgres.dsn(config, "owner"), connect_timeout=postgres.CONNECT_SECONDS) as connection:
        row = connection.execute("SELECT count(*) FROM django_migrations").fetchone()
    return int(row[0]) if row else 0
