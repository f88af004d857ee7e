"""The pages of people, lists, fields, do-not-mail and imports, with Django's client, and Charlie at every door."""

from __future__ import annotations

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.test import Client
from django.urls import reverse
from tests.visitors import signed_in

from standfast.components.audience import api, upload_limit
from standfast.components.audience.importing import run_import
from standfast.components.audience.models import Contact, DoNotMail, Import, List
from standfast.components.audience.urls import urlpatterns
from standfast.platform import postgres
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


def go(cast, name, *args):
    return reverse(f"audience:{name}", args=[cast.account.pk, *args])


def ask(client, url, data=None) -> str:
    answer = client.get(url) if data is None else client.post(url, data, follow=True)
    assert answer.status_code == 200, (url, answer.status_code)
    return answer.content.decode()


@pytest.fixture
def person(cast) -> Contact:
    page = ask(signed_in(cast.alice), go(cast, "new_contact"), {"email": " Ana@Example.com", "first_name": "Ana"})
    assert "Added." in page
    with account_scope(cast.account.pk):
        return Contact.objects.get(account_id=cast.account.pk)


def test_a_person_is_made_found_changed_and_erased(cast, person):
    alice = signed_in(cast.alice)
    ask(alice, go(cast, "fields"), {"label": "Points", "field_type": "number"})
    assert "ana@example.com" in ask(alice, go(cast, "contacts")).lower()
    assert "Ana@example.com" in ask(alice, go(cast, "contacts") + "?q=an")
    assert "Nobody found" in ask(alice, go(cast, "contacts") + "?q=%25")
    change = {"email": "ana@example.org", "first_name": "Anna", "field_points": "many"}
    assert "is no number" in ask(alice, go(cast, "edit_contact", person.id), change)
    shown = ask(alice, go(cast, "edit_contact", person.id), {**change, "field_points": "7"})
    assert "ana@example.org" in shown and "Points" in shown and "Changed" in shown
    ask(alice, go(cast, "new_contact"), {"email": "bo@example.com"})
    taken = ask(alice, go(cast, "edit_contact", person.id), {"email": "bo@example.com"})
    assert "has this address" in taken
    ask(alice, go(cast, "delete_contact", person.id), {})
    assert alice.get(go(cast, "contact", person.id)).status_code == 404


def test_lists_and_do_not_mail(cast, person):
    alice, bob = signed_in(cast.alice), signed_in(cast.bob)
    ask(alice, go(cast, "new_list"), {"name": "News"})
    assert "There is a list of this name" in ask(alice, go(cast, "new_list"), {"name": "News"})
    with account_scope(cast.account.pk):
        place = List.objects.get(account_id=cast.account.pk)
    ask(bob, go(cast, "move_contact", person.id), {"list": place.pk})
    assert "Ana@example.com" in ask(bob, go(cast, "list", place.pk))
    assert "News" in ask(bob, go(cast, "lists"))
    lines = b"".join(bob.get(go(cast, "export_list", place.pk)).streaming_content).decode("utf-8-sig").splitlines()
    assert lines[1].startswith("Ana@example.com,Ana,") and lines[1].endswith("subscribed")
    assert "Unsubscribed from" in ask(bob, go(cast, "move_contact", person.id), {"list": place.pk, "leave": "1"})
    page = ask(bob, go(cast, "do_not_mail"), {"addresses": "ANA@example.com\nnot one\n", "detail": "asked"})
    assert "1 added" in page and "was left out" in page
    assert "On do-not-mail" in ask(bob, go(cast, "contact", person.id))
    assert bob.post(go(cast, "lift_contact", person.id)).status_code == 403  # only an administrator
    assert "Taken off" in ask(alice, go(cast, "lift_contact", person.id), {})
    with account_scope(cast.account.pk):
        assert not DoNotMail.objects.filter(account_id=cast.account.pk).exists()
    ask(alice, go(cast, "delete_list", place.pk), {})


def test_an_import_from_upload_to_refused_rows(cast, database):
    alice = signed_in(cast.alice)
    assert "names of the columns" in ask(
        alice, go(cast, "imports"), {"file": SimpleUploadedFile("x.csv", b"a@b.example,1\n")}
    )
    data = "Adresse e-mail;Prénom;Points\nana@example.com;Ana;3\nbad;Bo;4\n".encode("latin-1")
    page = ask(alice, go(cast, "imports"), {"file": SimpleUploadedFile("p.csv", data), "new_list": "News"})
    assert "What is in the columns?" in page and "Prénom" in page and "CP1252" in page
    with account_scope(cast.account.pk):
        found = Import.objects.get(account_id=cast.account.pk)
    assert found.mapping == {"0": "email", "1": "first_name"}
    columns = {
        "column_0": "email",
        "column_1": "first_name",
        "column_2": "new:number",
        "create_new": "on",
        "target_list": found.target_list_id,
    }
    assert "Choose which column" in ask(alice, go(cast, "import_mapping", found.pk), {**columns, "column_0": ""})
    assert "import-progress" in ask(alice, go(cast, "import_mapping", found.pk), columns)
    work(database, cast, found.pk, dry=True)
    assert "This would happen" in ask(alice, go(cast, "import", found.pk))
    assert "import-progress" in ask(alice, go(cast, "run_import", found.pk), {})
    work(database, cast, found.pk, dry=False)
    done = ask(alice, go(cast, "import", found.pk))
    assert "This happened" in done and "No @ in it" in done
    refused = b"".join(alice.get(go(cast, "import_rejects", found.pk)).streaming_content).decode("utf-8-sig")
    assert refused.splitlines()[1] == "3,no @ in it,bad,Bo,4"
    with account_scope(cast.account.pk):
        assert Contact.objects.get(account_id=cast.account.pk).fields == {"points": 3}
        assert api.Subscription.objects.filter(account_id=cast.account.pk).count() == 1
    assert alice.get(go(cast, "import_progress", found.pk)).headers["HX-Refresh"] == "true"


def test_what_is_unknown_is_kept_and_people_get_a_list_unless_told_otherwise(cast, database):
    alice = signed_in(cast.alice)
    data = b"email,Shoe size,Shoe size,\nana@example.com,38,39,\n"
    page = ask(alice, go(cast, "imports"), {"file": SimpleUploadedFile("spring_fair.csv", data)})
    assert page.count('<option value="new:number" selected>') == 2 and "2 columns become new fields" in page
    assert '<option value="new" selected>' in page and 'value="spring fair"' in page
    with account_scope(cast.account.pk):
        found = Import.objects.get(account_id=cast.account.pk)
        assert not List.objects.filter(account_id=cast.account.pk).exists()
    columns = {
        "column_0": "email",
        "column_1": "new:number",
        "column_2": "new:number",
        "column_3": "",
        "create_new": "on",
    }
    ask(
        alice,
        go(cast, "import_mapping", found.pk),
        {**columns, "target_list": "new", "new_list": "spring fair", "unchecked": "1"},
    )
    work(database, cast, found.pk, dry=False)
    with account_scope(cast.account.pk):
        assert Contact.objects.get(account_id=cast.account.pk).fields == {"shoe_size": 38, "shoe_size_2": 39}
        assert List.objects.get(account_id=cast.account.pk).name == "spring fair"
        assert api.Subscription.objects.filter(account_id=cast.account.pk).count() == 1
    again = ask(alice, go(cast, "imports"), {"file": SimpleUploadedFile("spring_fair.csv", data)})
    assert 'value="spring fair 2"' in again and 'value="field:shoe_size" selected' in again


@pytest.mark.parametrize("says_length", [True, False])
def test_too_large_an_upload_stops_at_the_limit_and_is_told(cast, monkeypatch, says_length):
    monkeypatch.setattr(upload_limit, "UPLOAD_BYTES_MAX", 100_000)
    monkeypatch.setattr(upload_limit, "_FORM_BYTES", 0 if says_length else 10**9)
    alice = signed_in(cast.alice)
    large = SimpleUploadedFile("large.csv", b"email\n" + b"ana@example.com\n" * 50_000)
    answer = alice.post(go(cast, "imports"), {"new_list": "News", "file": large})
    assert answer.status_code == 413 and "larger than 1 GB" in answer.content.decode()
    with account_scope(cast.account.pk):
        assert not Import.objects.filter(account_id=cast.account.pk).exists()
    assert "What is in the columns?" in ask(
        alice, go(cast, "imports"), {"file": SimpleUploadedFile("small.csv", b"email\na@example.com\n")}
    )


def test_who_is_not_signed_in_leaves_no_file_on_the_disk(cast, monkeypatch):
    written: list[bytes] = []
    monkeypatch.setattr(
        MemoryFileUploadHandler, "receive_data_chunk", lambda handler, data, start: written.append(data)
    )
    file = {"file": SimpleUploadedFile("large.csv", b"email\n" + b"ana@example.com\n" * 50_000)}
    for path in ("/login/", go(cast, "imports")):
        assert Client().post(path, file).status_code in (200, 302), path
    assert not written
    signed_in(cast.alice).post(go(cast, "imports"), {"file": SimpleUploadedFile("s.csv", b"email\na@example.com\n")})
    assert written


def work(database, cast, import_id, *, dry):
    with psycopg.connect(postgres.dsn(database, "loader"), autocommit=True) as connection:
        run_import(connection, account_id=cast.account.pk, import_id=import_id, dry=dry)


def test_charlie_finds_no_door(cast, person):
    charlie, kwargs = (
        signed_in(cast.charlie),
        {
            "contact_id": person.id,
            "list_id": 1,
            "import_id": 1,
            "field_id": 1,
            "tag_id": 1,
            "brand_id": 1,
            "secure_list_id": 1,
        },
    )
    for pattern in urlpatterns:
        names = pattern.pattern.converters
        args = {name: kwargs[name] for name in names if name != "account_id"}
        url = reverse(f"audience:{pattern.name}", kwargs={"account_id": cast.account.pk, **args})
        assert charlie.get(url).status_code == charlie.post(url).status_code == 404, url
    own = reverse("audience:contact", args=[cast.other.pk, person.id])
    assert charlie.get(own).status_code == 404
    assert "Ana" not in ask(charlie, reverse("audience:contacts", args=[cast.other.pk]) + "?q=ana@")
