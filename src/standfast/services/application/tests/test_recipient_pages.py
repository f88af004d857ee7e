"""The pages of those who get the mail: the letter in a sandbox, preferences by token, and words when the database is away."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client

from standfast.components.audience.api import (
    Contact,
    ContactRow,
    Subscription,
    add_do_not_mail,
    contact_timeline,
    create_list,
    subscribe,
    unsubscribe,
    upsert_contacts,
)
from standfast.components.delivery.api import Send
from standfast.platform import config
from standfast.platform.tenancy import account_scope
from standfast.protocols.keys import derive
from standfast.protocols.tokens import RecipientRef, seal_recipient
from standfast.services.application import recipient_pages

pytestmark = pytest.mark.django_db(transaction=True)

HTML = """<html><body><script>alert(1)</script><p>Dear {{ contact.first_name }}</p><a href="https://shop.example.com/x">Shop</a>
<a href="{{ campaign.click_to_view }}">View</a><a href="{{ campaign.edit_profile }}">Profile</a>
<a href="{{ campaign.report_spam }}">Spam</a><a href="{{ campaign.unsubscribe_url }}">Stop</a></body></html>"""


@dataclass
class Letter:
    account_id: int
    contact_id: int
    send_id: int
    token: str


@pytest.fixture
def letter(cast) -> Letter:
    cache.clear()
    account_id = cast.account.pk
    sources = {
        "subject": "Hi", "preheader": "", "html": HTML, "source_kind": "html", "text": "", "inline_css": False,
        "from_name": "Alice & Co", "from_email": "alice@shop.example.com", "reply_to": "",
        "tracker_url": "https://t.example.com", "bounce_domain": "b.example.com",
        "campaign": {"id": 1, "address": "1 High Street"}, "test_contact": {"first_name": "Tess"},
    }  # fmt: skip
    with account_scope(account_id):
        with connection.cursor() as cursor:
            row = ContactRow(email="dora@example.com", first_name="<Dora>")
            upsert_contacts(cursor, account_id=account_id, rows=[row])
        contact = Contact.objects.get(account_id=account_id, email_key="dora@example.com")
        send = Send.objects.create(account_id=account_id, sources=sources, nonce="abc", total=1)
    return Letter(account_id, contact.id, send.pk, token(account_id, send.pk, contact.id))


def token(account_id: int, send_id: int, contact_id: int) -> str:
    key = derive(config.load().secret(), "tokens")
    return seal_recipient(key, RecipientRef(account_id, send_id, 1, contact_id, 1_790_000_000))


def test_the_letter_is_shown_as_it_was_sent_and_in_a_sandbox(letter: Letter) -> None:
    answer = Client().get(f"/view/{letter.token}")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Dear &lt;Dora&gt;" in html
    assert f"https://t.example.com/c/{letter.token}/1?u=https%3A%2F%2Fshop.example.com%2Fx&" in html.replace(
        "&amp;", "&"
    )
    for door in "vpru":
        assert f"https://t.example.com/{door}/{letter.token}" in html
    assert "n=Alice%20%26%20Co&amp;s=" in html
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert answer["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies


def test_a_test_letter_is_shown_and_has_no_preferences(letter: Letter) -> None:
    test = token(letter.account_id, letter.send_id, 0)
    assert "Dear Tess" in Client().get(f"/view/{test}").content.decode()
    assert Client().get(f"/preferences/{test}").status_code == 404


def test_what_is_gone_or_forged_is_not_there(cast, letter: Letter) -> None:
    for page in ("view", "preferences"):
        assert Client().get(f"/{page}/{letter.token}x").status_code == 404
        assert Client().get(f"/{page}/{token(letter.account_id, letter.send_id, 10**15)}").status_code == 404
        # A token is of one account: Charlie's cannot reach Alice's people and sends.
        assert Client().get(f"/{page}/{token(cast.other.pk, letter.send_id, letter.contact_id)}").status_code == 404
    assert Client().get(f"/view/{token(letter.account_id, 10**15, letter.contact_id)}").status_code == 404
    assert Client().post(f"/view/{letter.token}").status_code == 405


def lists_of(letter: Letter) -> dict[int, str]:
    with account_scope(letter.account_id):
        found = Subscription.objects.filter(account_id=letter.account_id, contact_id=letter.contact_id)
        return dict(found.values_list("list_id", "status"))


def test_a_person_changes_her_names_and_lists(cast, letter: Letter) -> None:
    account_id = letter.account_id
    with account_scope(account_id):
        on, off, never = (create_list(account_id=account_id, name=name).pk for name in ("News", "Offers", "Secret"))
        for each in (on, off):
            subscribe(account_id=account_id, list_id=each, contact_ids=[letter.contact_id])
        unsubscribe(account_id=account_id, list_id=off, contact_ids=[letter.contact_id])
    path = f"/preferences/{letter.token}"
    page = Client(enforce_csrf_checks=True).get(path).content.decode()
    assert cast.account.name.partition("'")[2] in page
    assert "News" in page and "Offers" in page and "Secret" not in page
    assert "d•••@example.com" in page and "dora@" not in page
    assert f"/u/{letter.token}?n=" in page
    before = lists_of(letter)

    wish = {"first_name": "Dora", "last_name": "D.", "time_zone": "Europe/Paris", "lists": [off]}
    answer = Client(enforce_csrf_checks=True).post(path, wish)
    assert answer.status_code == 200
    assert "Saved" in answer.content.decode()
    assert before == {on: "subscribed", off: "unsubscribed"}
    assert lists_of(letter) == {on: "unsubscribed", off: "subscribed"}
    with account_scope(account_id):
        contact = Contact.objects.get(account_id=account_id, id=letter.contact_id)
        told = contact_timeline(account_id=account_id, contact_id=letter.contact_id)[:3]
    assert (contact.first_name, contact.last_name, contact.time_zone) == ("Dora", "D.", "Europe/Paris")
    assert contact.email == "dora@example.com"
    assert sorted(item.kind for item in told) == ["contact_updated", "subscribed", "unsubscribed"]
    assert {item.detail for item in told} == {"by the person, on the preferences page"}

    # The same again changes nothing, and a list she was never on cannot be joined.
    Client().post(path, wish)
    assert Client().post(path, {**wish, "lists": [never]}).status_code == 422
    assert Client().post(path, {**wish, "time_zone": "Mars/Base"}).status_code == 422
    assert lists_of(letter) == {on: "unsubscribed", off: "subscribed"}
    with account_scope(account_id):
        assert [item.kind for item in contact_timeline(account_id=account_id, contact_id=letter.contact_id)].count(
            "contact_updated"
        ) == 1


def test_looking_changes_nothing(letter: Letter) -> None:
    with account_scope(letter.account_id):
        before = contact_timeline(account_id=letter.account_id, contact_id=letter.contact_id)
    for page in ("view", "preferences"):
        assert Client().get(f"/{page}/{letter.token}").status_code == 200
        assert Client().head(f"/{page}/{letter.token}").status_code == 200
    with account_scope(letter.account_id):
        assert contact_timeline(account_id=letter.account_id, contact_id=letter.contact_id) == before


def test_who_gets_no_mail_is_told(letter: Letter) -> None:
    with account_scope(letter.account_id):
        add_do_not_mail(account_id=letter.account_id, entries=["dora@example.com"])
    assert "You get no e-mails" in Client().get(f"/preferences/{letter.token}").content.decode()


def test_without_the_database_they_say_so_and_where_to_unsubscribe(letter: Letter, monkeypatch) -> None:
    def away(account_id: int) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(recipient_pages, "account_scope", away)
    client = Client()
    for page in ("view", "preferences"):
        for answer in (client.get(f"/{page}/{letter.token}"), client.head(f"/{page}/{letter.token}")):
            assert answer.status_code == 503
            assert "Retry-After" in answer
        assert f"/u/{letter.token}" in client.get(f"/{page}/{letter.token}").content.decode()
    assert client.post(f"/preferences/{letter.token}", {"first_name": "x"}).status_code == 503


def test_asking_too_often_is_answered_with_a_pause(letter: Letter) -> None:
    client = Client()
    statuses = [client.get(f"/preferences/{letter.token}").status_code for _ in range(recipient_pages.REQUESTS_MAX + 2)]
    assert (statuses[0], statuses[-1]) == (200, 429)
