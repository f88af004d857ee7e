"""An import ends, whatever happens to it, and goes on from where it stopped."""

import psycopg
import pytest

from standfast.components.audience import api, importing, reading_ahead, starting
from standfast.components.audience.models import Contact, Import, Subscription
from standfast.components.audience.reading_ahead import ReaderDied
from standfast.platform import postgres
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 2_500


@pytest.fixture
def found(cast, database, tmp_path, monkeypatch) -> Import:
    """An import of 2,500 people onto a list, in batches of 1,000, not begun."""
    monkeypatch.setattr(importing, "BATCH_ROWS", 1_000)
    path = tmp_path / "people.csv"
    path.write_text("email\n" + "".join(f"p{n % 2_400}@example.com\n" for n in range(ROWS)))
    with account_scope(cast.account.pk):
        place = api.create_list(account_id=cast.account.pk, name="News")
        return api.import_file(account_id=cast.account.pk, path=path, file_name="people.csv", list_id=place.pk)


@pytest.fixture
def go(database, found):
    def go(dry: bool = False) -> Import:
        with psycopg.connect(postgres.dsn(database, "loader"), autocommit=True) as connection:
            importing.run_import(connection, account_id=found.account_id, import_id=found.pk, dry=dry)
        return now(found)

    return go


def now(found: Import) -> Import:
    with account_scope(found.account_id):
        return Import.objects.get(pk=found.pk)


def after_first_batch(monkeypatch, act) -> None:
    """Call `act` before the second batch, once."""
    real, batches = importing._still_ours, []

    def meddled(cursor, job, done):
        batches.append(done)
        if len(batches) == 2:
            act()
        real(cursor, job, done)

    monkeypatch.setattr(importing, "_still_ours", meddled)


def fails(error: Exception):
    def fail() -> None:
        raise error

    return fail


def again(found: Import) -> bool:
    with account_scope(found.account_id):
        return starting.try_again(account_id=found.account_id, import_id=found.pk)


def test_an_error_of_ours_ends_it_and_it_goes_on_from_there(found, go, monkeypatch):
    after_first_batch(monkeypatch, fails(KeyError("surprise")))
    with pytest.raises(KeyError):
        go()
    failed = now(found)
    assert (failed.state, failed.rows_done, failed.created_count) == ("failed", 1_000, 1_000)
    assert "surprise" in failed.problem
    assert again(found)
    done = go()
    assert (done.state, done.problem, done.rows_done, done.created_count, done.duplicate_count) == (
        "done",
        "",
        ROWS,
        2_400,
        100,
    )
    assert done.subscribed_count == 2_400
    assert not again(found)


def test_a_reader_that_dies_again_and_again_ends_it(found, go, monkeypatch, database):
    after_first_batch(monkeypatch, fails(ReaderDied("no memory")))
    with pytest.raises(ReaderDied):
        go()
    assert now(found).state == "running"
    with psycopg.connect(postgres.dsn(database, "loader"), autocommit=True) as connection:
        importing.give_up(connection, account_id=found.account_id, import_id=found.pk, problem="no memory")
    assert (now(found).state, now(found).problem) == ("failed", "no memory")
    assert again(found)
    assert go().created_count == 2_400


def test_a_killed_reader_is_noticed(found, go, monkeypatch):
    monkeypatch.setattr(reading_ahead.row_batches, "__name__", "standfast.no_such_module")
    with pytest.raises(ReaderDied, match="status 1"):
        go()


def test_a_failed_check_begins_anew(found, go, monkeypatch):
    with account_scope(found.account_id):
        Import.objects.filter(pk=found.pk).update(state="uploaded")
        starting.begin_import(account_id=found.account_id, import_id=found.pk, dry=True)
    after_first_batch(monkeypatch, fails(KeyError("surprise")))
    with pytest.raises(KeyError):
        go(dry=True)
    assert now(found).state == "failed"
    assert again(found)
    checked = go(dry=True)
    assert (checked.state, checked.rows_done, checked.created_count) == ("checked", ROWS, 2_400)
    with account_scope(found.account_id):
        assert not Contact.objects.filter(account_id=found.account_id).exists()


def test_a_list_deleted_meanwhile_keeps_nobody(found, go, monkeypatch, database, cast):
    def delete() -> None:
        with account_scope(found.account_id):
            api.delete_list(account_id=found.account_id, list_id=found.target_list_id)

    real, batches = importing._commit, []

    def meddled(*args, **kwargs):
        if len(batches) == 1:
            delete()
        batches.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(importing, "_commit", meddled)
    failed = go()
    assert (failed.state, failed.problem, failed.created_count) == ("failed", importing.LIST_GONE, 1_000)
    with account_scope(found.account_id):
        assert not Subscription.objects.filter(account_id=found.account_id).exists()
    assert again(found)
    done = go()
    assert (done.state, done.created_count, done.target_list_id) == ("done", 2_400, None)
    with account_scope(found.account_id):
        assert not Subscription.objects.filter(account_id=found.account_id).exists()


def test_charlie_cannot_try_it_again(found, go, monkeypatch, cast):
    after_first_batch(monkeypatch, fails(KeyError("surprise")))
    with pytest.raises(KeyError):
        go()
    with account_scope(cast.other.pk), pytest.raises(Import.DoesNotExist):
        starting.try_again(account_id=cast.other.pk, import_id=found.pk)
