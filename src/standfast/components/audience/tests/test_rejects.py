"""The file of refused rows: nothing in it runs, and imported again it is what it was."""

import csv
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.components.audience import api
from standfast.components.audience.importing import run_import
from standfast.components.audience.models import Contact, CustomField, Import
from standfast.components.audience.rejects import as_written, harmless
from standfast.platform import postgres
from standfast.platform.tenancy import account_scope

RUNS = ("=", "+", "-", "@", "\t", "\r")


@given(st.text(alphabet="'=+-@\t\r1aé ", max_size=8))
def test_an_apostrophe_is_put_on_and_taken_off(cell):
    assert as_written(harmless(cell)) == cell


@pytest.mark.parametrize("cell", ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3*A1", "@SUM(1)", "\t=1", "\r=1"])
def test_no_cell_begins_like_a_formula(cell):
    assert not harmless(cell).startswith(RUNS)


def test_telephone_numbers_stay_readable():
    assert harmless("+49 30 1234-5") == "+49 30 1234-5"


@pytest.mark.django_db(transaction=True)
def test_mended_refused_rows_come_in_as_they_were(cast, database, tmp_path):
    first = imported(cast, database, tmp_path, b"email,first name,=Note\nbad,=cmd|x,'=quoted\n")
    kept = Path(first.rejects_path).read_text("utf-8-sig")
    rows = list(csv.reader(kept.splitlines()))
    assert rows[1] == ["2", "no @ in it", "bad", "'=cmd|x", "''=quoted"]
    second = imported(cast, database, tmp_path, kept.replace(",bad,", ",good@example.com,").encode())
    assert (second.state, second.created_count, second.mapping["2"]) == ("done", 1, "email")
    with account_scope(cast.account.pk):
        one = Contact.objects.get(account_id=cast.account.pk)
        assert (one.first_name, list(one.fields.values())) == ("=cmd|x", ["'=quoted"])
        assert [field.label for field in CustomField.objects.filter(account_id=cast.account.pk)] == ["=Note"]


def imported(cast, database, directory, data: bytes) -> Import:
    path = directory / "people.csv"
    path.write_bytes(data)
    with account_scope(cast.account.pk):
        found = api.import_file(account_id=cast.account.pk, path=path, file_name="people.csv")
    with psycopg.connect(postgres.dsn(database, "loader"), autocommit=True) as connection:
        run_import(connection, account_id=cast.account.pk, import_id=found.pk)
    with account_scope(cast.account.pk):
        return Import.objects.get(pk=found.pk)
