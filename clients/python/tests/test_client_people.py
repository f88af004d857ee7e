"""People, lists, tags, fields and who gets no mail, against the REST service; nothing of it is Charlie's."""

import datetime as dt

import pytest

from standfast_client import Client, Forbidden, Invalid, NotFound, Unauthorized

pytestmark = pytest.mark.django_db(transaction=True)


def test_people_are_saved_found_changed_and_erased(alice, charlie):
    ann = alice.contacts.save(email="Ann@Example.net", first_name="Ann")
    assert alice.contacts.save(email="ann@example.net", last_name="Archer")["first_name"] == "Ann"
    assert alice.contacts.change(ann["id"], phone="1", uid="u1")["last_name"] == "Archer"
    assert alice.contacts.get(ann["id"], fields=["id", "phone"]) == {"id": ann["id"], "phone": "1"}
    assert alice.contacts.find("ann@example.net")["uid"] == "u1" and alice.contacts.find("no@example.net") is None
    for call in (charlie.contacts.get, charlie.contacts.erase, charlie.contacts.lists):
        with pytest.raises(NotFound):
            call(ann["id"])
    assert list(charlie.contacts.all()) == []
    alice.contacts.erase(ann["id"])
    with pytest.raises(NotFound) as raised:
        alice.contacts.get(ann["id"])
    assert raised.value.request_id and raised.value.request_id in str(raised.value)


def test_many_people_onto_a_list_and_through_pages(alice):
    news = alice.lists.make(name="News")
    saved = alice.contacts.save_many(({"email": f"p{n}@example.net"} for n in range(25)), list_ids=[news["id"]])
    assert {row["outcome"] for row in saved} == {"created"} and len(saved) == 25
    pages = alice.lists.contacts(news["id"], limit=10)
    assert [len(page["data"]) for page in pages.pages()] == [10, 10, 5]
    ids = [one["id"] for one in pages]
    assert ids == [row["id"] for row in saved]
    first = pages.page()
    assert pages.page(first["next"])["data"][0]["id"] == ids[10]
    assert alice.lists.unsubscribe(news["id"], contact_ids=ids[:2]) == 2
    assert alice.lists.subscribe(news["id"], contact_ids=ids[:1]) == 1
    assert alice.lists.change(news["id"], name="Letters")["name"] == alice.lists.get(news["id"])["name"] == "Letters"
    [place] = alice.contacts.lists(ids[1])
    assert place["status"] == "unsubscribed"
    alice.lists.delete(news["id"])
    assert alice.lists.all() == []


def test_tags_and_fields(alice):
    vip, late = alice.tags.make(name="vip"), alice.tags.make(name="late")
    town = alice.fields.make(label="Town")
    assert alice.fields.change(town["id"], label="City")["key"] == town["key"] == "town"
    ann = alice.contacts.save(email="ann@example.net", fields={"town": "Oslo"})
    assert ann["fields"] == {"town": "Oslo"}
    assert alice.tags.apply(contact_ids=[ann["id"]], add=[vip["id"]]) == 1
    assert [one["name"] for one in alice.contacts.set_tags(ann["id"], tag_ids=[late["id"]])] == ["late"]
    assert alice.tags.rename(late["id"], name="later")["name"] == alice.contacts.tags(ann["id"])[0]["name"]
    alice.tags.delete(vip["id"])
    alice.fields.delete(town["id"])
    assert ([one["name"] for one in alice.tags.all()], alice.fields.all()) == (["later"], [])


def test_do_not_mail_brands_and_secure_lists(alice, charlie):
    ann = alice.contacts.save(email="ann@example.net")
    assert alice.do_not_mail.add(emails=["ann@example.net", "ben@example.net"]) == 2
    assert [one["email"] for one in alice.do_not_mail.all(limit=1)] == ["ann@example.net", "ben@example.net"]
    assert alice.contacts.do_not_mail(ann["id"])["stopped"] is True
    assert alice.do_not_mail.lift(emails=["ann@example.net"]) == 1
    shop = alice.brands.make(name="Shop")
    assert (alice.brands.stop(shop["id"], email="ann@example.net"), alice.brands.all()[0]["id"]) == (1, shop["id"])
    assert [one["email"] for one in alice.brands.do_not_mail(shop["id"])] == ["ann@example.net"]
    assert alice.brands.lift(shop["id"], email="ann@example.net") == 1
    alice.brands.delete(shop["id"])
    kept = alice.secure_lists.make(name="Partners")
    assert alice.secure_lists.add(kept["id"], entries=["ann@example.net"]) == {"added": 1, "refused": 0}
    with pytest.raises(NotFound):
        charlie.secure_lists.get(kept["id"])
    assert alice.secure_lists.all()[0]["size"] == 1
    alice.secure_lists.delete(kept["id"])


def test_what_happened_is_told_and_read(alice, charlie):
    when = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
    told = [{"name": "signed_up", "email": "ann@example.net", "occurred_at": when, "id": "e1", "properties": {"n": 1}}]
    [first] = alice.events.tell(told, create_contacts=True)
    assert (first["outcome"], alice.events.tell(told)[0]["outcome"]) == ("taken", "again")
    found = [one for one in alice.events.all(after=first["position"] - 1, limit=1) if one["kind"] == "custom_signed_up"]
    assert [dt.datetime.fromisoformat(one["at"]) for one in found] == [when]
    assert "custom_signed_up" in [one["kind"] for one in alice.contacts.events(first["contact_id"])]
    assert not [one for one in charlie.events.all() if one["kind"] == "custom_signed_up"]


def test_what_cannot_be_taken_says_what_to_send(alice, rest_url, people):
    with pytest.raises(Invalid) as raised:
        alice.contacts.save(email="no address")
    assert raised.value.faults[0].field == "body.email" and "body.email" in str(raised.value)
    with pytest.raises(ValueError, match="no offset"):
        alice.events.tell([{"name": "a", "email": "a@example.net", "occurred_at": dt.datetime(2026, 1, 1)}])
    with Client(rest_url, "sf_1_" + "x" * 40) as stranger, pytest.raises(Unauthorized):
        stranger.account.get()
    assert alice.account.get()["name"] == people.account.name


def test_a_key_without_the_scope_is_told_which(rest_url, people):
    from standfast.components.accounts.api import make_key
    from standfast.platform import tenancy

    with tenancy.account_scope(people.account.pk):
        key = make_key(people.account, name="reads", scopes=["contacts:read"], by=people.alice)[1]
    with Client(rest_url, key) as reader, pytest.raises(Forbidden, match="contacts:write"):
        reader.lists.make(name="News")


def test_an_idempotency_key_of_the_programs_is_one_effect(alice):
    first = alice.fields.make(label="Town", idempotency_key="town-1")
    assert alice.fields.make(label="Town", idempotency_key="town-1") == first
    assert len(alice.fields.all()) == 1
