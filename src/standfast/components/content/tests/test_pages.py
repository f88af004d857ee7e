"""Content's pages with Django's client: writing, previews, two writers at once, and who may not."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.db.models import RestrictedError
from django.test.utils import CaptureQueriesContext
from tests.visitors import reader_of, signed_in

from standfast.components.audience.api import Contact, CustomField
from standfast.components.content.models import Content
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
LETTER = (
    "<html><head></head><body><p>Hello {{ contact.first_name }} of {{ contact.city }}</p><p>{{ campaign.address }}</p>"
    '<a href="{{ campaign.unsubscribe_url }}">Unsubscribe</a></body></html>'
)


def make(account, **values) -> Content:
    with account_scope(account.pk):
        return Content.objects.create(
            **{"account": account, "name": "Letter", "subject": "Hi {{ contact.first_name }}", "source": LETTER,
               "source_kind": "html", **values}
        )  # fmt: skip


def add_contact(account, email="ada@readers.example", **values) -> Contact:
    now = dt.datetime.now(dt.UTC)
    with account_scope(account.pk), connection.cursor() as cursor:
        cursor.execute("SELECT nextval('audience_contact_id')")
        number = cursor.fetchone()[0]
        return Contact.objects.create(account_id=account.pk, id=number, email=email, email_key=email, created_at=now,
                                      updated_at=now, **values)  # fmt: skip


def url(account, rest=""):
    return f"/accounts/{account.pk}/content/{rest}"


def stored(content) -> Content:
    with account_scope(content.account_id):
        return Content.objects.get(pk=content.pk)


def form_of(client, page) -> dict[str, str]:
    seen = re.search(r'name="seen" value="([^"]*)"', client.get(page).content.decode())
    assert seen
    return {"seen": seen[1], "name": "Letter", "subject": "New", "preheader": "", "source_kind": "html", "source": LETTER,
            "text_source": "", "inline_css": "on"}  # fmt: skip


def test_a_starter_becomes_a_content_once_however_often_one_clicks(cast):
    bob = signed_in(cast.bob)
    assert "Welcome" in bob.get(url(cast.account, "new/")).content.decode()
    answers = [bob.post(url(cast.account, "new/"), {"starter": "welcome"}) for _ in range(2)]
    assert answers[0].url == answers[1].url
    assert "Welcome" in bob.get(answers[0].url).content.decode()
    assert bob.post(url(cast.account, "new/"), {"starter": "nonsense"}).status_code == 302


def test_the_preview_shows_a_contact_with_own_fields(cast):
    content = make(cast.account)
    add_contact(cast.account, first_name="Ada", fields={"city": "Toronto"})
    body = form_of(signed_in(cast.bob), url(cast.account, f"{content.pk}/")) | {"preview_as": "ADA@readers.example"}
    seen = signed_in(cast.bob).post(url(cast.account, f"{content.pk}/preview/"), body).json()
    assert "Hello Ada of Toronto" in seen["html"]
    assert "Hello Ada of Toronto" in seen["text"]
    assert seen["subject"] == "New"
    assert "/c/" not in seen["html"], "nothing is counted while somebody looks"


def test_the_preview_names_the_line(cast):
    content = make(cast.account)
    body = {"source": "<p>\n{% if contact.email %}\n</p>", "source_kind": "html", "subject": "x"}
    seen = signed_in(cast.bob).post(url(cast.account, f"{content.pk}/preview/"), body).json()
    assert seen["errors"][0]["line"] == 2
    assert "html" not in seen, "what was shown last stays"


def test_the_preview_says_that_nobody_has_the_address(cast):
    content = make(cast.account)
    body = {"source": LETTER, "source_kind": "html", "subject": "x", "preview_as": "nobody@readers.example"}
    seen = signed_in(cast.bob).post(url(cast.account, f"{content.pk}/preview/"), body).json()
    assert "Sam" in seen["html"]
    assert any("nobody@readers.example" in error["message"] for error in seen["errors"])


@pytest.mark.parametrize(("theme", "query"), [("dark", "@media all"), ("light", "@media not all")])
def test_the_theme_is_the_chosen_one_not_the_devices(cast, theme, query):
    styled = LETTER.replace("<head>", "<head><style>@media (prefers-color-scheme: dark) { p { color: #eee } }</style>")
    content = make(cast.account, source=styled)
    body = {"source": styled, "source_kind": "html", "subject": "x", "preview_theme": theme}
    assert query in signed_in(cast.bob).post(url(cast.account, f"{content.pk}/preview/"), body).json()["html"]


def test_a_save_over_somebody_elses_is_noticed_and_nothing_is_lost(cast):
    content = make(cast.account)
    page = url(cast.account, f"{content.pk}/")
    alice, bob = signed_in(cast.alice), signed_in(cast.bob)
    of_alice, of_bob = form_of(alice, page) | {"subject": "Alice's"}, form_of(bob, page) | {"subject": "Bob's"}
    assert alice.post(page, of_alice).status_code == 302
    answer = bob.post(page, of_bob)
    assert answer.status_code == 409
    assert "Bob&#x27;s" in answer.content.decode()
    assert stored(content).subject == "Alice's"
    copied = bob.post(page, of_bob | {"copy": "1"})
    assert copied.status_code == 302
    assert stored(content).subject == "Alice's"
    over = re.search(r'name="over" value="([^"]+)"', answer.content.decode())
    assert over
    assert bob.post(page, of_bob | {"over": over[1]}).status_code == 302
    assert stored(content).subject == "Bob's"
    with account_scope(cast.account.pk):
        assert Content.objects.filter(account_id=cast.account.pk).count() == 2


def test_a_content_that_cannot_be_saved_keeps_what_was_written(cast):
    content = make(cast.account)
    page = url(cast.account, f"{content.pk}/")
    bob = signed_in(cast.bob)
    answer = bob.post(page, form_of(bob, page) | {"name": "", "source": "<p>kept</p>"})
    assert answer.status_code == 200
    assert "kept" in answer.content.decode()
    assert stored(content).source == LETTER


def test_duplicate_and_delete_may_be_pressed_twice(cast):
    content = make(cast.account)
    bob = signed_in(cast.bob)
    first, second = (bob.post(url(cast.account, f"{content.pk}/duplicate/")) for _ in range(2))
    assert first.url == second.url
    for _ in range(2):
        assert bob.post(url(cast.account, f"{content.pk}/delete/")).status_code == 302


def test_it_is_seen_as_any_contact(cast):
    content = make(cast.account)
    add_contact(cast.account, first_name="Ada")
    add_contact(cast.account, email="ben@readers.example", first_name="Ben")
    bob = signed_in(cast.bob)
    assert "Hello Ben" in bob.get(url(cast.account, f"{content.pk}/as/")).content.decode()
    assert (
        "Hello Ada"
        in bob.get(url(cast.account, f"{content.pk}/as/"), {"email": "ada@readers.example"}).content.decode()
    )


def test_own_fields_stand_in_the_menu(cast):
    content = make(cast.account)
    with account_scope(cast.account.pk):
        CustomField.objects.create(account=cast.account, key="shoe_size", label="Shoe size")
    assert "contact.shoe_size" in signed_in(cast.bob).get(url(cast.account, f"{content.pk}/")).content.decode()


def test_charlie_sees_nothing(cast):
    content = make(cast.account, name="Secret letter")
    mine = make(cast.other)
    charlie = signed_in(cast.charlie)
    for rest in ("", "new/", f"{content.pk}/", f"{content.pk}/as/"):
        assert charlie.get(url(cast.account, rest)).status_code == 404
        assert "Secret" not in charlie.get(url(cast.other, rest)).content.decode()
    for rest in ("preview/", "duplicate/", "delete/"):
        assert charlie.post(url(cast.account, f"{content.pk}/{rest}")).status_code == 404
    assert charlie.post(url(cast.other, f"{content.pk}/duplicate/")).status_code == 404
    charlie.post(url(cast.other, f"{content.pk}/delete/"))
    assert stored(content).name == "Secret letter"
    add_contact(cast.account, email="ada@readers.example", first_name="Ada")
    seen = charlie.post(url(cast.other, f"{mine.pk}/preview/"), {"source": LETTER, "preview_as": "ada@readers.example"})
    assert "Ada" not in seen.json()["html"]


def test_a_reader_looks_and_changes_nothing(cast):
    content = make(cast.account)
    reader = signed_in(reader_of(cast.account))
    assert reader.get(url(cast.account)).status_code == 200
    assert reader.get(url(cast.account, f"{content.pk}/")).status_code == 302
    assert reader.get(url(cast.account, f"{content.pk}/as/")).status_code == 200
    for rest in ("new/", f"{content.pk}/", f"{content.pk}/duplicate/", f"{content.pk}/delete/"):
        assert reader.post(url(cast.account, rest)).status_code == 403
    assert stored(content).subject == content.subject


def test_the_list_asks_as_often_for_many_as_for_one(cast):
    bob = signed_in(cast.bob)
    bob.get(url(cast.account))
    make(cast.account)
    with CaptureQueriesContext(connection) as few:
        bob.get(url(cast.account))
    for number in range(20):
        make(cast.account, name=f"Letter {number}")
    with CaptureQueriesContext(connection) as many:
        bob.get(url(cast.account))
    assert len(many) == len(few) <= 15


def test_a_content_that_is_in_use_is_kept_and_says_so(cast, monkeypatch):
    content = make(cast.account)

    def restricted(self):
        raise RestrictedError("transactional mail is made from it", {self})

    monkeypatch.setattr(Content, "delete", restricted)
    shown = signed_in(cast.bob).post(url(cast.account, f"{content.pk}/delete/"), follow=True).content.decode()
    assert "A transactional campaign is made from “Letter”" in shown
    assert stored(content).name == "Letter"
