"""Files of imports go when their time is over, and not before."""

import datetime as dt
from pathlib import Path

import psycopg
import pytest

from standfast.components.audience import clearing
from standfast.components.audience.models import Import
from standfast.platform import postgres
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
ENDED = dt.datetime(2024, 5, 1, tzinfo=dt.UTC)


@pytest.fixture
def found(cast, tmp_path) -> Import:
    """An import of Alice's that ended with refused rows."""
    for name in ("upload", "rejects"):
        (tmp_path / name).write_text("x")
    return made(cast.account, tmp_path, state="done", finished_at=ENDED)


def made(account, directory: Path, **values) -> Import:
    with account_scope(account.pk):
        return Import.objects.create(
            account_id=account.pk, file_name="x.csv", size_bytes=1, path=str(directory / "upload"),
            rejects_path=str(directory / "rejects"), **values,
        )  # fmt: skip


def clear(database, at: dt.datetime) -> tuple[int, int]:
    with psycopg.connect(postgres.dsn(database, "loader"), autocommit=True) as connection:
        return clearing.cancel_forgotten(connection, at=at), clearing.clear_files(connection, at=at)


def test_uploads_stay_seven_days_and_refused_rows_thirty(found, database, tmp_path):
    days = dt.timedelta(days=1)
    clear(database, ENDED + 6 * days)
    assert (tmp_path / "upload").exists()
    clear(database, ENDED + 8 * days)
    assert not (tmp_path / "upload").exists() and (tmp_path / "rejects").exists()
    clear(database, ENDED + 29 * days)
    assert (tmp_path / "rejects").exists()
    clear(database, ENDED + 31 * days)
    assert not (tmp_path / "rejects").exists()
    with account_scope(found.account_id):
        now = Import.objects.get(pk=found.pk)
    assert (now.path, now.rejects_path) == ("", "")


@pytest.mark.parametrize("state", ["waiting", "running", "checking"])
def test_what_has_not_ended_keeps_its_files(cast, database, tmp_path, state):
    (tmp_path / "upload").write_text("x")
    made(cast.account, tmp_path, state=state)
    clear(database, dt.datetime.now(dt.UTC) + dt.timedelta(days=400))
    assert (tmp_path / "upload").exists()


def test_what_nobody_begins_is_cancelled_and_then_cleared(cast, database, tmp_path):
    (tmp_path / "upload").write_text("x")
    found = made(cast.account, tmp_path, state="checked", finished_at=ENDED)
    clear(database, dt.datetime.now(dt.UTC))
    assert (tmp_path / "upload").exists()
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=31)
    clear(database, later)
    with account_scope(cast.account.pk):
        now = Import.objects.get(pk=found.pk)
    assert (now.state, now.problem) == ("cancelled", clearing.NEVER_BEGUN)
    assert (tmp_path / "upload").exists()
    clear(database, later + dt.timedelta(days=8))
    assert not (tmp_path / "upload").exists()
