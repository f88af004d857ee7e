"""Products and orders in our own API; what programs and the person's timeline hear of an order."""

import threading

import pytest
from django.db import connection

from standfast.components.audience.api import contact_timeline
from standfast.components.webhooks.api import CONSUMERS, Delivery, create_endpoint
from standfast.platform import consumers
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


def order(number="A-1", **more):
    items = [{"item_id": "sku-7", "price": "12.50", "quantity": 2}, {"item_id": "sku-9", "price": 3}]
    given = {
        "email": "dana@example.com",
        "original_order_id": number,
        "order_date": "2026-05-25T08:00:00Z",
        "status": "Paid",
    }
    return {**given, "items": items, **more}


def test_an_order_is_placed_once_and_changed(alice, charlie):
    made = alice.v1("POST", "/orders", order(coupon_code="MAY"))
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["grand_total"], row["items"][0]["quantity"], row["order_date"]) == (15.5, 2, "2026-05-25T08:00:00Z")
    assert alice.v1("POST", "/orders", order()).json() == row  # what is left out stays
    changed = alice.v1("POST", "/orders", order(status="Shipped", grand_total=20, campaign_id=5))
    assert (changed.status_code, changed.json()["id"], changed.json()["grand_total"]) == (200, row["id"], 20)
    where = f"/orders/{row['id']}"
    assert alice.v1("GET", where).json() == changed.json()
    for query in ("campaign_id=5", f"contact_id={row['contact_id']}", "original_order_id=A-1"):
        assert alice.v1("GET", f"/orders?{query}").json() == {"data": [changed.json()], "next": None}
    assert alice.v1("GET", "/orders?campaign_id=6").json()["data"] == []
    assert charlie.v1("GET", where).status_code == charlie.v1("DELETE", where).status_code == 404
    assert charlie.v1("GET", "/orders").json()["data"] == []
    theirs = charlie.v1("POST", "/orders", order(email=None, contact_id=row["contact_id"]))
    assert theirs.status_code == 422 and "no such contact" in theirs.json()["errors"][0]["message"]
    assert alice.v1("DELETE", where).status_code == 204
    assert alice.v1("DELETE", where).status_code == alice.v1("GET", where).status_code == 404


def test_many_orders_at_once(alice):
    rows = [order(f"A-{n}", email=f"p{n}@example.com") for n in range(3)]
    rows += [
        order("A-0", email="p0@example.com", status="Shipped"),
        order(email="no"),
        order(email=None),
        order(email=None, contact_id=7),
    ]
    found = alice.v1("POST", "/orders/bulk", {"orders": rows}).json()["results"]
    assert [row["outcome"] for row in found] == ["created"] * 4 + ["refused"] * 3
    assert found[0] == found[3] and found[4]["reason"] and "contact_id or email" in found[5]["reason"]
    again = alice.v1("POST", "/orders/bulk", {"orders": [*rows[1:4], order("A-9", email="p1@example.com")]}).json()[
        "results"
    ]
    assert [row["outcome"] for row in again] == ["unchanged", "unchanged", "unchanged", "created"]
    seen, cursor = [], ""
    while cursor is not None:
        page = alice.v1("GET", f"/orders?limit=3&cursor={cursor}").json()
        seen += [(row["original_order_id"], row["status"]) for row in page["data"]]
        cursor = page["next"]
    assert seen == [("A-0", "Shipped"), ("A-1", "Paid"), ("A-2", "Paid"), ("A-9", "Paid")]
    assert [row["item_id"] for row in alice.v1("GET", "/products").json()["data"]] == ["sku-7", "sku-9"]


def test_the_same_order_many_times_at_once_is_one(alice):
    codes = []

    def go():
        try:
            codes.append(alice.v1("POST", "/orders", order()).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] * 5 + [201]


BAD = [
    {"grand_total": 10**8}, {"grand_total": -1}, {"grand_total": "NaN"}, {"grand_total": "ten"}, {"grand_total": 0.123456},
    {"order_date": "soon"}, {"order_date": "0001-01-01T00:00:00Z"}, {"order_date": 10**30}, {"status": " "}, {"status": "a\0"},
    {"original_order_id": "\0"}, {"items": []}, {"items": [{"item_id": " ", "price": 1}]}, {"items": [{"item_id": "x"}]},
    {"items": [{"item_id": "x", "price": 99999999}] * 2}, {"campaign_id": 2**63}, {"coupon_code": "\0"}, {"contact_id": 0},
]  # fmt: skip


def test_what_cannot_be_is_said(alice):
    for bad in BAD:
        answer = alice.v1("POST", "/orders", order(**bad))
        assert answer.status_code == 422, (bad, answer.content)
        field = answer.json()["errors"][0]["field"]
        assert next(iter(bad)) in field, (bad, answer.json())
    assert alice.v1("GET", "/orders").json()["data"] == alice.v1("GET", "/contacts").json()["data"] == []


def test_products(alice, charlie):
    made = alice.v1("POST", "/products", {"item_id": "sku-7", "description": "A book", "price": "12.50"})
    assert made.status_code == 201 and made.json()["price"] == 12.5
    changed = alice.v1("POST", "/products", {"item_id": "sku-7", "brand": "House"})
    assert (changed.status_code, changed.json()["description"], changed.json()["brand"]) == (200, "A book", "House")
    where = f"/products/{made.json()['id']}"
    assert alice.v1("GET", where).json() == changed.json()
    assert alice.v1("GET", "/products?item_id=sku-7").json()["data"] == [changed.json()]
    assert charlie.v1("GET", where).status_code == charlie.v1("DELETE", where).status_code == 404
    assert charlie.v1("GET", "/products").json()["data"] == []
    assert alice.v1("POST", "/products", {"item_id": "\0"}).status_code == 422
    assert alice.v1("DELETE", where).status_code == 204
    assert alice.v1("GET", where).status_code == 404


def test_an_order_is_told(alice, loader):
    with account_scope(alice.account_id):
        create_endpoint(
            account_id=alice.account_id, url="https://shop.example/hook", kinds=["order.placed", "order.deleted"]
        )
    row = alice.v1("POST", "/orders", order()).json()
    alice.v1("POST", "/orders", order(status="Shipped"))
    alice.v1("DELETE", f"/orders/{row['id']}")
    while consumers.advance(loader, CONSUMERS[0], alice.account_id):
        pass
    with account_scope(alice.account_id):
        told = Delivery.objects.filter(account_id=alice.account_id).order_by("position").values_list("kind", flat=True)
        assert list(told) == ["order_placed", "order_deleted"]
        line = contact_timeline(account_id=alice.account_id, contact_id=row["contact_id"])
    assert [(one.title, one.detail) for one in line][:3] == [
        ("Order deleted", "A-1: 15.50"), ("Changed an order", "A-1: 15.50"), ("Ordered", "A-1: 15.50")
    ]  # fmt: skip
