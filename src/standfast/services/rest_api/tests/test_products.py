"""The catalogue through the reference product's interface."""

import pytest

from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)
MISS = {"message": "Product is not present!"}


def made(caller, item_id="sku-7", **more):
    answer = caller.post("products", {"product": {"item_id": item_id, **more}})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_product_is_made_read_changed_and_deleted(alice):
    row = made(alice, description="A book", category="paper", brand="House", price="12.50")
    assert (row["item_id"], row["description"], row["price"], row["adcode"]) == ("sku-7", "A book", 12.5, None)
    assert row["account_id"] == alice.account_id and row["created_at"]
    where = f"products/{row['id']}"
    assert alice.get(where).json() == row
    changed = alice.put(where, {"product": {"description": "Another", "price": None}})
    assert changed.status_code == 200
    assert (changed.json()["description"], changed.json()["category"], changed.json()["price"]) == (
        "Another",
        "paper",
        12.5,
    )
    assert alice.delete(where).status_code == 204
    assert (alice.get(where).status_code, alice.get(where).json()) == (404, MISS)
    assert alice.put(where, {"description": "x"}).json() == alice.delete(where).json() == MISS


def test_products_come_by_page(alice):
    for number in range(3):
        made(alice, f"sku-{number}")
    rows = alice.get("products", query="per=2&page=2").json()
    assert [(row["item_id"], row["total_pages"]) for row in rows] == [("sku-2", 2)]
    assert alice.get("products", query="page=9").json() == []
    assert b'<products type="array"><product>' in alice.get("products", suffix=".xml").content


def test_a_number_is_one_products(alice):
    row, other = made(alice), made(alice, "sku-8")
    taken = {"item_id": ["has already been taken"]}
    again = alice.post("products", {"product": {"item_id": "sku-7"}})
    assert (again.status_code, again.json()) == (422, taken)
    moved = alice.put(f"products/{other['id']}", {"product": {"item_id": "sku-7"}})
    assert (moved.status_code, moved.json()) == (422, taken)
    assert alice.put(f"products/{row['id']}", {"product": {"item_id": "sku-9"}}).json()["item_id"] == "sku-9"


BAD = [("item_id", ""), ("item_id", {"a": 1}), ("item_id", "x" * 256), ("description", "a\0"), ("price", "free"), ("price", -1),
     ("price", 10**8), ("price", [1]), ("category", ["x"])]  # fmt: skip


def test_what_cannot_be_is_said(alice):
    for field, value in BAD:
        answer = alice.post("products", {"product": {"item_id": "sku-7", field: value}})
        assert answer.status_code == 422 and list(answer.json()) == [field]


def test_charlie_and_narrow_keys_see_nothing(alice, charlie, people):
    row = made(alice)
    where = f"products/{row['id']}"
    assert charlie.get("products").json() == []
    for answer in (charlie.get(where), charlie.put(where, {"description": "x"}), charlie.delete(where)):
        assert (answer.status_code, answer.json()) == (404, MISS)
    assert made(charlie)["id"] != row["id"]
    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["commerce:read"]))
    assert reader.get(where).json() == row
    assert reader.post("products", {"item_id": "x"}).status_code == reader.delete(where).status_code == 403
