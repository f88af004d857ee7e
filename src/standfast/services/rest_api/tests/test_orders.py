"""Orders through the reference product's interface: the documented requests, the recorded messages, bad input, who may see what."""

import threading

import pytest
from django.db import connection

from standfast.components.audience.api import Contact, Subscription, Tag, create_list, delete_contact, new_field
from standfast.components.commerce.api import CONSUMERS, Order, OrderItem, Product
from standfast.platform import consumers, tenancy
from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)
MISS = {"message": "Order ID not found"}
ITEMS = [
    {"item_id": "7", "price": "1300", "quantity": "2", "description": "book", "adcode": "adc1", "category": "paper"},
    {"item_id": "9", "price": "13.50", "quantity": "1", "description": "film", "adcode": "adc1", "category": "screen"},
]


def scope(caller):
    return tenancy.account_scope(caller.account_id)


def body(**more):
    """The order of the documentation."""
    person = {"email": "dana@example.com", "first_name": "Dana", "last_name": "Doe"}
    order = {"contact": person, "order_date": "2017-10-13T18:05:24-04:00", "order_status": "Processed",
             "original_order_id": "A-1", "order_items": ITEMS, "uid": None, "campaign_id": None, "coupon_code": None,
             "grand_total": None}  # fmt: skip
    return {"order": {**order, **more}}


def placed(caller, query="", **more):
    answer = caller.post("orders", body(**more), query=query)
    assert answer.status_code == 201, answer.content
    return answer.json()


def log(caller):
    """(kind, data) of the events of orders."""
    with scope(caller), connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, data->>'total', data->>'was_total', data->>'original_order_id' FROM event "
            "WHERE account_id = %s AND kind LIKE 'order%%' ORDER BY position",
            [caller.account_id],
        )
        return cursor.fetchall()


def test_an_order_is_placed_and_found_by_both_numbers(alice):
    row = placed(alice, "unique=true")
    assert row["original_order_id"] == "A-1" and row["order_status"] == "Processed"
    assert row["order_date"] == "2017-10-13T18:05:24.000-04:00"
    assert row["grand_total"] == 1313.5 and row["campaign_id"] is None and row["coupon_code"] is None
    assert row["products"] == row["order_items"]
    assert row["products"][0] == {
        "item_id": "7", "price": 1300, "quantity": 2, "description": "book", "adcode": "adc1", "category": "paper"
    }  # fmt: skip
    assert row["created_at"] == row["updated_at"]
    assert alice.get("orders/A-1").json() == row
    assert alice.get("orders/find", query=f"where[id]={row['id']}").json() == row
    assert alice.get("orders/find", query=f"where%5Bid%5D={row['id']}", suffix="").json() == row
    assert log(alice) == [("order_placed", "1313.5", None, "A-1")]
    xml = alice.get("orders/A-1", suffix=".xml").content.decode()
    assert '<order-items type="array"><order-item><item-id>7</item-id>' in xml


def test_the_person_is_made_with_fields_tags_and_lists(alice):
    with scope(alice):
        new_field(account_id=alice.account_id, label="Size", field_type="number")
        news = create_list(account_id=alice.account_id, name="News").pk
        tag = Tag.objects.create(account_id=alice.account_id, name="buyer").pk
    more = {
        "uid": "u-1",
        "custom_field": {"size": "42"},
        "add_tags": ["buyer", "no such tag"],
        "list_ids": f"{news},999",
    }
    row = placed(alice, campaign_id="12", coupon_code="MAY", grand_total="99.90", **more)
    with scope(alice):
        person = Contact.objects.get(account_id=alice.account_id, email="dana@example.com")
        assert (person.id, person.uid, person.fields, person.tag_ids) == (row["contact_id"], "u-1", {"size": 42}, [tag])
        assert Subscription.objects.get(account_id=alice.account_id).list_id == news
    assert (row["campaign_id"], row["coupon_code"], row["grand_total"]) == (12, "MAY", 99.9)
    other = body(original_order_id="A-2", contact={}, uid="u-1", remove_tags=["buyer"])
    assert alice.post("orders", other).json()["contact_id"] == row["contact_id"]
    with scope(alice):
        assert Contact.objects.get(account_id=alice.account_id, id=row["contact_id"]).tag_ids == []


def test_an_order_as_xml(alice):
    xml = b"""<order><contact><email>dana@example.com</email></contact><order-date>2019-08-20 09:30:17</order-date>
    <order-status>Paid</order-status><original-order-id>X-1</original-order-id>
    <order-items type="array"><order-item><item-id>7</item-id><price>5.5</price></order-item></order-items></order>"""
    answer = alice.post("orders", xml, suffix=".xml", content_type="application/xml")
    assert answer.status_code == 201 and b"<original-order-id>X-1</original-order-id>" in answer.content
    untyped = xml.replace(b' type="array"', b"").replace(b"X-1", b"X-2")
    assert alice.post("orders", untyped, suffix=".xml", content_type="application/xml").status_code == 201
    assert alice.get("orders/X-2").json()["order_date"] == "2019-08-20T09:30:17.000-04:00"


def test_unique_is_for_the_contact(alice):
    first = placed(alice, "unique=true")
    again = alice.post("orders", body(contact={"email": "dana@example.com", "first_name": "Eve"}), query="unique=true")
    assert again.status_code == 422 and again.json() == {"original_order_id": ["has already been taken"]}
    with scope(alice):
        assert (
            Contact.objects.get(account_id=alice.account_id).first_name == "Dana"
        )  # nothing of the refused call stays
    other = placed(alice, "unique=true", contact={"email": "fay@example.com"})
    assert other["contact_id"] != first["contact_id"]
    twice = placed(alice)
    assert twice["contact_id"] == first["contact_id"] and twice["id"] > other["id"]
    assert alice.get("orders/A-1").json()["id"] == twice["id"]  # of several the newest


def test_of_many_at_once_one_is_unique(alice):
    placed(alice, original_order_id="before")
    codes = []

    def go():
        try:
            codes.append(alice.post("orders", body(), query="unique=true").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201] + [422] * 7
    with scope(alice):
        assert Order.objects.filter(account_id=alice.account_id, original_order_id="A-1").count() == 1


@pytest.mark.parametrize("find", ["orders/A-1", "orders/find"])
def test_an_order_is_changed(alice, find):
    row = placed(alice, grand_total="1320", coupon_code="MAY")
    query = f"where[id]={row['id']}" if find.endswith("find") else ""
    change = {"order_date": "2018-01-01T15:00:00-07:00", "order_status": "Shipped", "campaign_id": None, "coupon_code": None,
              "order_items": [{**ITEMS[0], "price": "5", "quantity": "7"}, ITEMS[1]]}  # fmt: skip
    answer = alice.put(find, {"order": change}, query=query)
    assert (answer.status_code, answer.json()) == (200, {"message": "Order was successfully updated"})
    now = alice.get(find, query=query).json()
    assert (now["order_status"], now["order_date"]) == ("Shipped", "2018-01-01T17:00:00.000-05:00")
    assert (now["order_items"][0]["price"], now["order_items"][0]["quantity"]) == (5, 7)
    assert (now["grand_total"], now["coupon_code"]) == (25, "MAY")  # postage stays
    assert log(alice)[-1] == ("order_updated", "25", "1320", "A-1")
    alice.put(find, {"order": change}, query=query)
    assert len(log(alice)) == 2  # nothing new is no event
    assert alice.put(find, {"order": {"order_items": []}}, query=query).json() == {"order_items": ["can't be blank"]}
    assert alice.put(find, {"order": {"order_status": "Back"}}, query=query).status_code == 200
    assert alice.get(find, query=query).json()["order_items"] == now["order_items"]


@pytest.mark.parametrize("find", ["orders/A-1", "orders/find"])
def test_items_go_and_then_the_order(alice, find):
    row = placed(alice)
    query = f"where[id]={row['id']}" if find.endswith("find") else ""
    gone = alice.delete(find, query=f"{query}&product_ids=9,77")
    assert (gone.status_code, gone.json()) == (200, {"message": "Order Item was successfully deleted."})
    now = alice.get(find, query=query).json()
    assert [one["item_id"] for one in now["products"]] == ["7"] and now["grand_total"] == 1300
    assert alice.delete(find, query=f"{query}&product_ids=9").status_code == 404
    assert alice.delete(find, query=f"{query}&product_ids=").status_code == 422
    assert alice.delete(find, {"product_ids": [7]}, query=query).status_code == 200
    assert alice.get(find, query=query).json()["products"] == []
    done = alice.delete(find, query=query)
    assert (done.status_code, done.json()) == (200, {"message": "Order was successfully deleted"})
    for answer in (alice.get(find, query=query), alice.delete(find, query=query), alice.put(find, body(), query=query)):
        assert (answer.status_code, answer.json()) == (404, MISS)
    assert log(alice)[-1] == ("order_deleted", "0", None, "A-1")
    with scope(alice):
        assert not OrderItem.objects.filter(account_id=alice.account_id).exists()
        assert Product.objects.filter(account_id=alice.account_id).count() == 2  # the catalogue met them


BAD = [
    ("grand_total", "123456789", "more than 8 digits"),
    ("grand_total", 10**400, "more than 8 digits"),
    ("grand_total", -(10**400), "negative"),
    ("grand_total", "99999999.99999", "more than 8 digits"),
    ("grand_total", "-1", "negative"),
    ("grand_total", "ten", "not a number"),
    ("grand_total", "NaN", "not a number"),
    ("grand_total", "Infinity", "not a number"),
    ("grand_total", "1_0", "not a number"),
    ("grand_total", "١٢", "not a number"),
    ("grand_total", True, "not a number"),
    ("grand_total", {"a": 1}, "not a number"),
    ("order_date", "yesterday", "no date"),
    ("order_date", "2019-02-30", "no date"),
    ("order_date", "0001-01-01", "is not between"),
    ("order_date", "9999-12-31T23:59:59-12:00", "is not between"),
    ("order_date", 1507932324, "no date"),
    ("order_date", "2019-01-01" + "0" * 300, "too long"),
    ("order_date", {"y": 1}, "must be text"),
    ("order_date", None, "can't be blank"),
    ("order_status", "  ", "can't be blank"),
    ("order_status", "x" * 256, "too long"),
    ("order_status", "a\0b", "cannot be stored"),
    ("original_order_id", "", "can't be blank"),
    ("original_order_id", ["a"], "must be text"),
    ("campaign_id", "x", "not a number"),
    ("campaign_id", 2**70, "out of range"),
    ("order_items", [], "can't be blank"),
    ("order_items", "7", "must be a list"),
    ("order_items", [7], "must be a list"),
    ("order_items", [ITEMS[0]] * 501, "more than 500"),
]
BAD_ITEMS = [
    ({"price": "5"}, "item_id"),
    ({"item_id": "7"}, "price"),
    ({"item_id": "7", "price": "-5"}, "price"),
    ({"item_id": "7", "price": "1", "quantity": "many"}, "quantity"),
    ({"item_id": "7", "price": "1", "adcode": [1]}, "adcode"),
]
BYTES = [
    b'{"order":{"grand_total":NaN}}',
    b'{"order":{"grand_total":1e999}}',
    b'{"order":' + b"[" * 100,
    b'{"order":"\\ud800"}',
]


def test_what_cannot_be_is_said(alice):
    for name, value, said in BAD:
        answer = alice.post("orders", body(**{name: value}))
        assert answer.status_code == 422, (name, value, answer.content)
        assert said in str(answer.json()[name]), (name, value, answer.json())
    for item, field in BAD_ITEMS:
        answer = alice.post("orders", body(order_items=[item]))
        assert answer.status_code == 422 and list(answer.json()) == [field]
    for raw in BYTES:
        assert alice.post("orders", raw).status_code in (400, 422), raw
    with scope(alice):
        assert not Contact.objects.filter(account_id=alice.account_id).exists()


def test_everything_missing_is_said_at_once(alice):
    answer = alice.post("orders", {"order": {"original_order_id": "A-1"}})
    assert set(answer.json()) == {"order_date", "order_status", "order_items"}
    assert alice.post("orders", body(contact={"email": "no"})).status_code == 422
    assert alice.post("orders", body(contact=None)).json() == {"email": ["can't be blank"]}
    huge = [{"item_id": "7", "price": "99999999"}] * 2
    assert "more than 8 digits" in str(alice.post("orders", body(order_items=huge)).json()["order_items"])
    assert alice.get("orders/find").json() == {"id": ["can't be blank"]}
    assert alice.get("orders/find", query=f"where[id]={2**80}").status_code == 422
    assert alice.get("orders/a%00b").status_code == 404


DATES = [
    ("2017-10-13T18:05:24Z", "2017-10-13T14:05:24.000-04:00"),
    ("2017-10-13 18:05:24 -0400", "2017-10-13T18:05:24.000-04:00"),
    ("2017-10-13 18:05:24 UTC", "2017-10-13T14:05:24.000-04:00"),
    ("2017-01-13", "2017-01-13T00:00:00.000-05:00"),
    ("1/13/2017", "2017-01-13T00:00:00.000-05:00"),
    ("01/13/2017 6:05 PM", "2017-01-13T18:05:00.000-05:00"),
    ("2017-03-12 02:30:00", "2017-03-12T03:30:00.000-04:00"),  # an hour that New York does not have
]


def test_dates_of_all_kinds(alice):
    for number, (given, shown) in enumerate(DATES):
        assert placed(alice, order_date=given, original_order_id=f"D-{number}")["order_date"] == shown


def test_a_person_comes_with_their_orders(alice, people):
    row = placed(alice)
    seen = alice.get("contacts/email", query="contact[email]=dana@example.com").json()
    assert seen["orders"] == [row] and seen["first_name"] == "Dana"
    assert alice.get(f"contacts/{row['contact_id']}").json()["orders"] == [row]
    narrow = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["contacts:read"]))
    assert narrow.get(f"contacts/{row['contact_id']}").json()["orders"] == []
    assert narrow.get("orders/A-1").status_code == 403


def test_charlie_sees_and_changes_nothing(alice, charlie):
    row = placed(alice)
    by_id = f"where[id]={row['id']}"
    for answer in (
        charlie.get("orders/A-1"), charlie.get("orders/find", query=by_id), charlie.put("orders/find", body(), query=by_id),
        charlie.put("orders/A-1", body()), charlie.delete("orders/find", query=by_id), charlie.delete("orders/A-1"),
        charlie.delete("orders/A-1", query="product_ids=7"),
    ):  # fmt: skip
        assert (answer.status_code, answer.json()) == (404, MISS)
    assert alice.get("orders/A-1").json() == row
    theirs = placed(charlie, "unique=true")
    assert theirs["id"] != row["id"] and charlie.get("orders/A-1").json() == theirs


def test_of_an_erased_person_the_figures_stay(alice, loader):
    row = placed(alice, coupon_code="FOR-DANA")
    kept = placed(alice, original_order_id="B-1", contact={"email": "fay@example.com"})
    with scope(alice):
        delete_contact(account_id=alice.account_id, contact_id=row["contact_id"])
    while consumers.advance(loader, CONSUMERS[0], alice.account_id):
        pass
    assert alice.get("orders/A-1").status_code == 404
    now = alice.get("orders/find", query=f"where[id]={row['id']}").json()
    assert (now["original_order_id"], now["coupon_code"], now["grand_total"]) == ("", None, 1313.5)
    assert alice.get("orders/B-1").json() == kept
    assert log(alice) == [("order_placed", "1313.5", None, None), ("order_placed", "1313.5", None, "B-1")]
