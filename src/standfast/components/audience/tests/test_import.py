"""Imports against the real database: counts, hostile files, options, going on after a kill, and Charlie."""

from __future__ import annotations

import csv
import gzip
import io
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from standfast.components.audience import api, importing
from standfast.components.audience.csv_file import FileProblem
from standfast.components.audience.importing import run_import
from standfast.components.audience.models import Contact, DoNotMail, Import, List, Subscription, Tag
from standfast.platform import postgres
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
Cell = str


@pytest.fixture
def run(cast, database, tmp_path):
    """Import bytes for Alice and return the import after its end."""

    def run(
        data: bytes, *, dry=False, list_name="News", mapping=None, account=None, new_fields=True, **options
    ) -> Import:
        account = account or cast.account
        path = tmp_path / f"{secrets.token_hex(4)}.csv"
        path.write_bytes(data)
        with account_scope(account.pk):
            made = api.create_list(account_id=account.pk, name=list_name) if list_name else None
            found = api.import_file(
                account_id=account.pk, path=path, file_name="people.csv", list_id=made and made.pk, new_fields=new_fields,
                options=options,
            )  # fmt: skip
            if mapping is not None:
                Import.objects.filter(pk=found.pk).update(mapping=mapping)
        with psycopg.connect(postgres.dsn(database, "loader"), autocommit=True) as connection:
            run_import(connection, account_id=account.pk, import_id=found.pk, dry=dry)
        with account_scope(account.pk):
            return Import.objects.get(pk=found.pk)

    return run


def rejected(found: Import) -> list[list[str]]:
    with Path(found.rejects_path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))[1:]


def people(account) -> dict[str, Contact]:
    with account_scope(account.pk):
        return {one.email_key: one for one in Contact.objects.filter(account_id=account.pk)}


def test_people_arrive_with_typed_fields_tags_and_subscriptions(cast, run):
    found = run(
        "E-Mail;Prénom;Nachname;Points;Since;Tags\n"
        "Ana@Example.com;Ana;Núñez;12;31.12.2024;vip, early\n"
        "bo@example.com;Bo;;3.5;2024-01-02;\n".encode()
    )
    assert (found.state, found.problem) == ("done", "")
    assert (found.created_count, found.subscribed_count, found.rejected_count) == (2, 2, 0)
    ana = people(cast.account)["ana@example.com"]
    assert (ana.email, ana.first_name, ana.last_name) == ("Ana@example.com", "Ana", "Núñez")
    assert ana.fields == {"points": 12, "since": "2024-12-31"}
    with account_scope(cast.account.pk):
        assert sorted(Tag.objects.filter(pk__in=ana.tag_ids).values_list("name", flat=True)) == ["early", "vip"]
        items = api.contact_timeline(account_id=cast.account.pk, contact_id=ana.id)
    assert [(item.kind, item.data["change"]) for item in items] == [("contact_imported", "created")]
    assert people(cast.other) == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_encodings_and_delimiters_are_found(cast, run, encoding, delimiter):
    text = "".join(
        delimiter.join(row) + "\r\n"
        for row in [("email", "first name"), ("a@example.com", "Jürgen"), ("b@example.com", "Zoë")]
    )
    found = run(text.encode(encoding))
    assert (found.state, found.created_count) == ("done", 2), found.problem
    assert people(cast.account)["a@example.com"].first_name == "Jürgen"


def test_gzip_is_unpacked_and_bombs_are_refused(cast, run):
    assert run(gzip.compress(b"email\na@example.com\n")).created_count == 1
    bomb = gzip.compress(b"email\na@example.com\n" + (b" " * 50_000 + b"\n") * 1_600)
    found = run(bomb)
    assert found.state == "failed" and "two hundredfold" in found.problem
    whole = gzip.compress(
        b"email\n" + b"".join(b"%s@example.com\n" % secrets.token_hex(8).encode() for _ in range(50_000))
    )
    with pytest.raises(FileProblem, match="ends in its middle"):
        run(whole[:-200_000])


def test_each_bad_row_is_refused_with_line_and_reason_and_nothing_is_lost(cast, run):
    rows = [
        b"email,first name,points\n",  # 1
        b"a@example.com,A,1\n",  # 2
        b"no address,B,1\n",  # 3
        b'c@example.com,"two\nlines",1\n',  # 4, 5
        b"d@example.com,D\n",  # 6
        b"e@example.com,E,many\n",  # 7
        b"f@example.com,F\xff,1\n",  # 8
        b"g@example.com,G\x00,1\n",  # 9
        b"\n",  # 10
        b"h@example.com,H,1,,\n",  # 11
        b"a@example.com,A2,2\n",  # 12
        b"\xc3\xa9@example.com,I,1\n",  # 13
        b'j@example.com,"never closed,1\n',  # 14
        b"k@example.com,K,1\n",  # 15
    ]
    found = run(
        b"".join(rows) + b"l@example.com,\xc3\xa9\xc3\xa9\xc3\xa9,1\n",
        mapping={"0": "email", "1": "first_name", "2": "field:points"},
    )
    with account_scope(cast.account.pk):
        assert api.CustomField.objects.get(account_id=cast.account.pk, key="points").field_type == "text"
    assert found.state == "done"
    lines = {int(row[0]): row[1] for row in rejected(found)}
    assert sorted(lines) == [3, 6, 8, 9, 13, 14]
    assert lines[3] == "no @ in it" and "cells" in lines[6] and "encoding" in lines[8] and "NUL" in lines[9]
    assert "SMTPUTF8" in lines[13] and "never closed" in lines[14]
    assert sorted(people(cast.account)) == [f"{x}@example.com" for x in "acehkl"]
    assert found.rows_done == found.created_count + found.rejected_count + found.duplicate_count == 13
    assert people(cast.account)["a@example.com"].first_name == "A2"
    assert sum(found.reasons.values()) == found.rejected_count == 6


def test_types_are_checked(cast, run):
    with account_scope(cast.account.pk):
        for key, kind in [("n", "number"), ("d", "date"), ("m", "datetime"), ("b", "boolean")]:
            api.CustomField.objects.create(account_id=cast.account.pk, key=key, label=key.upper(), field_type=kind)
    found = run(
        b"email,n,d,m,b\n"
        b'a@x.example,"1,234.5",12/31/2024,2024-12-31 18:30,yes\n'
        b"b@x.example,x,,,\nc@x.example,,2024-02-30,,\nd@x.example,,,nope,\ne@x.example,,,,perhaps\nf@x.example,nan,,,\n"
    )
    assert people(cast.account)["a@x.example"].fields == {
        "n": 1234.5, "d": "2024-12-31", "m": "2024-12-31T18:30:00+00:00", "b": True,
    }  # fmt: skip
    assert [row[1].split(":")[0] for row in rejected(found)] == ["N", "D", "M", "B", "N"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "empty"), (b"\xef\xbb\xbf", "no rows"), (b"a@example.com,Ana\nb@example.com,Bo\n", "names of the columns"),
     (b"PK\x03\x04xxxxxx", "Excel"), (b"%PDF-1.7 xxx", "PDF"), (os.urandom(64) + bytes(4000), "not a text"),
     (b"first,last\nAna,B\n", "e-mail address")],
)  # fmt: skip
def test_unreadable_files_are_refused_with_a_sentence(run, data, sentence):
    with pytest.raises((FileProblem, ValueError), match=sentence):
        run(data)


def test_wide_files_and_header_only(cast, run):
    header = ["email", *(f"c{n}" for n in range(199))]
    found = run((",".join(header) + "\n" + ",".join(["a@example.com", *map(str, range(199))]) + "\n").encode())
    assert (found.state, found.created_count) == ("done", 1)
    assert people(cast.account)["a@example.com"].fields["c198"] == 198
    alone = run(b"email,first name\n")
    assert (alone.state, alone.rows_done) == ("done", 0)


def test_a_line_without_end_is_one_refusal(cast, run):
    found = run(b"email,first name\na@example.com,A\n" + b"x" * 5_000_000 + b"\nb@example.com,B\n")
    assert (found.created_count, found.rejected_count) == (2, 1)
    assert rejected(found)[0][0] == "3" and "longer than" in rejected(found)[0][1]


def test_earlier_unsubscribes_and_do_not_mail_are_respected(cast, run):
    account = cast.account.pk
    run(b"email\na@example.com\nb@example.com\n")
    with account_scope(account):
        place = List.objects.get(account_id=account)
        a = Contact.objects.get(account_id=account, email_key="a@example.com")
        api.unsubscribe(account_id=account, list_id=place.pk, contact_ids=[a.id])
        api.add_do_not_mail(account_id=account, entries=["B@example.com"])
    again = run(b"email\na@example.com\nb@example.com\nc@example.com\n")
    assert (again.subscribed_count, again.kept_unsubscribed_count, again.do_not_mail_count, again.unchanged_count) == (
        1,
        1,
        1,
        2,
    )
    with account_scope(account):
        assert Subscription.objects.get(account_id=account, contact_id=a.id).status == "unsubscribed"
    forced = run(b"email\na@example.com\n", resubscribe=True)
    assert (forced.subscribed_count, forced.kept_unsubscribed_count) == (1, 0)
    with account_scope(account):
        assert Subscription.objects.get(account_id=account, contact_id=a.id).status == "subscribed"
        assert DoNotMail.objects.filter(account_id=account).count() == 1


def test_options_leave_out_new_or_known_people(cast, run):
    run(b"email,first name\na@example.com,A\n")
    only_new = run(b"email,first name\na@example.com,Z\nb@example.com,B\n", update_known=False)
    assert (only_new.created_count, only_new.updated_count, only_new.left_out_count) == (1, 0, 1)
    only_known = run(b"email,first name\na@example.com,Y\nc@example.com,C\n", create_new=False)
    assert (only_known.created_count, only_known.updated_count, only_known.left_out_count) == (0, 1, 1)
    found = people(cast.account)
    assert (found["a@example.com"].first_name, sorted(found)) == ("Y", ["a@example.com", "b@example.com"])


COUNTS = ("rows_done", "created_count", "updated_count", "unchanged_count", "subscribed_count", "duplicate_count", "rejected_count",
          "left_out_count", "kept_unsubscribed_count", "do_not_mail_count", "reasons")  # fmt: skip


def many(count: int) -> bytes:
    rows = [f"p{n % (count - 50)}@example.com,First {n},{n}" if n % 97 else f"bad {n},x,1" for n in range(count)]
    return ("email,first name,points\n" + "\n".join(rows) + "\n").encode()


def test_a_check_gives_the_same_counts_and_writes_nothing(cast, run):
    data = many(25_000)
    check = run(data, dry=True)
    assert (check.state, people(cast.account)) == ("checked", {})
    with account_scope(cast.account.pk):
        assert not Subscription.objects.filter(account_id=cast.account.pk).exists()
    real = run(data)
    assert {name: getattr(check, name) for name in COUNTS} == {name: getattr(real, name) for name in COUNTS}
    assert rejected(check) == rejected(real)
    assert real.duplicate_count > 0
    again = run(data, dry=True)
    assert (again.created_count, again.subscribed_count) == (0, 0)


RUNNER = """
import django, psycopg, sys
django.setup()
from standfast.components.audience import importing
from standfast.platform import config, postgres
importing.BATCH_ROWS = 1000
with psycopg.connect(postgres.dsn(config.load(), "loader"), autocommit=True) as connection:
    importing.run_import(connection, account_id=int(sys.argv[1]), import_id=int(sys.argv[2]))
"""


def test_a_killed_import_goes_on_without_a_double_count(cast, run, tmp_path, loader):
    data, account = many(30_000), cast.account.pk
    want = run(data, account=cast.other)
    path = tmp_path / "killed.csv"
    path.write_bytes(data)
    with account_scope(account):
        place = api.create_list(account_id=account, name="News")
        found = api.import_file(account_id=account, path=path, file_name="killed.csv", list_id=place.pk)
    command = [sys.executable, "-c", RUNNER, str(account), str(found.pk)]
    for _ in range(3):
        before = _rows_done(loader, found.pk)
        process = subprocess.Popen(command)
        until = time.monotonic() + 60
        while _rows_done(loader, found.pk) < before + 2000 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 0 < _rows_done(loader, found.pk) < 30_000
    subprocess.run(command, check=True)
    with account_scope(account):
        got = Import.objects.get(pk=found.pk)
    assert got.state == "done"
    assert {name: getattr(got, name) for name in COUNTS} == {name: getattr(want, name) for name in COUNTS}
    assert rejected(got) == rejected(want)
    told = loader.execute(
        "SELECT count(*), count(DISTINCT position) FROM event WHERE account_id = %s AND data->>'change' = 'created'",
        [account],
    ).fetchone()
    assert told == (got.created_count, got.created_count)


def _rows_done(connection, pk) -> int:
    row = connection.execute("SELECT rows_done FROM audience_import WHERE id = %s", [pk]).fetchone()
    connection.commit()
    return row[0]


def test_a_cancelled_import_stops_and_keeps_what_it_committed(cast, run, tmp_path, database):
    account = cast.account.pk
    path = tmp_path / "c.csv"
    path.write_bytes(b"email\na@example.com\n")
    with account_scope(account):
        found = api.import_file(account_id=account, path=path, file_name="c.csv")
        assert api.cancel_import(account_id=account, import_id=found.pk)
    with psycopg.connect(postgres.dsn(database, "loader"), autocommit=True) as connection:
        run_import(connection, account_id=account, import_id=found.pk)
    assert people(cast.account) == {}


def test_charlie_cannot_use_alices_import_or_list(cast, run, tmp_path, database):
    path = tmp_path / "a.csv"
    path.write_bytes(b"email\na@example.com\n")
    with account_scope(cast.account.pk):
        place = api.create_list(account_id=cast.account.pk, name="News")
        found = api.import_file(account_id=cast.account.pk, path=path, file_name="a.csv", list_id=place.pk)
    with account_scope(cast.other.pk), pytest.raises(List.DoesNotExist):
        api.import_file(account_id=cast.other.pk, path=path, file_name="a.csv", list_id=place.pk)
    with account_scope(cast.other.pk):
        assert not api.cancel_import(account_id=cast.other.pk, import_id=found.pk)
        with pytest.raises(Import.DoesNotExist):
            api.begin_import(account_id=cast.other.pk, import_id=found.pk, dry=False)
    with psycopg.connect(postgres.dsn(database, "loader"), autocommit=True) as connection:
        run_import(connection, account_id=cast.other.pk, import_id=found.pk)
    assert people(cast.account) == people(cast.other) == {}


def test_a_number_of_somebody_else_is_refused_with_its_row(cast, run):
    run(b"email,uid\na@example.com,1\n")
    found = run(b"email,uid,first name\nb@example.com,1,B\nc@example.com,2,C\nd@example.com,2,D\na@example.com,3,A\n")
    assert [(row[0], row[2]) for row in rejected(found)] == [("2", "b@example.com"), ("3", "c@example.com")]
    assert found.reasons == {importing.TAKEN_UID: 2}
    assert {key: one.uid for key, one in people(cast.account).items()} == {"a@example.com": "3", "d@example.com": "2"}


def test_tags_beyond_the_limit_are_refused_and_everybody_gets_the_chosen_ones(cast, run, monkeypatch):
    monkeypatch.setattr(importing, "TAGS_MAX", 2)
    with account_scope(cast.account.pk):
        always = Tag.objects.create(account_id=cast.account.pk, name="fair")
    data = b"email,tags\na@example.com,x\nb@example.com,\nc@example.com,y; x\n"
    check, found = run(data, dry=True, tag_ids=[always.pk]), run(data, tag_ids=[always.pk])
    assert check.reasons == found.reasons == {importing.TOO_MANY_TAGS: 1}
    assert rejected(found)[0][:3] == ["4", importing.TOO_MANY_TAGS, "c@example.com"]
    with account_scope(cast.account.pk):
        names = dict(Tag.objects.filter(account_id=cast.account.pk).values_list("pk", "name"))
    tags = {key: sorted(names[tag] for tag in one.tag_ids) for key, one in people(cast.account).items()}
    assert tags == {"a@example.com": ["fair", "x"], "b@example.com": ["fair"]}


def test_what_copy_would_read_otherwise_arrives_as_it_was(cast, run):
    odd = ["\\N", "a\\tb", "tab\there", "two\nlines", 'a "quote"', "back\\"]
    text = io.StringIO()
    csv.writer(text).writerows(
        [["email", "first name", "note"], *([f"p{n}@example.com", one, one] for n, one in enumerate(odd))]
    )
    assert run(text.getvalue().encode(), mapping=None).created_count == len(odd)
    found = people(cast.account)
    for n, one in enumerate(odd):
        assert (found[f"p{n}@example.com"].first_name, found[f"p{n}@example.com"].fields["note"]) == (one, one)


def test_the_planner_knows_what_was_imported(cast, run, loader):
    run(b"email\n" + b"".join(b"%d@%s.example.com\n" % (n, secrets.token_hex(4).encode()) for n in range(3000)))
    for table in ("audience_contact", "audience_subscription"):
        plan = loader.execute(
            f"EXPLAIN (FORMAT JSON) SELECT FROM {table} WHERE account_id = {cast.account.pk}"
        ).fetchone()
        assert plan[0][0]["Plan"]["Plan Rows"] > 300
