"""Tables, products and orders, imports and webhooks, against the REST service."""

import datetime as dt
import io
from decimal import Decimal

import pytest

from standfast_client import Conflict, Invalid, JobFailed, NotFound, StillRunning

pytestmark = pytest.mark.django_db(transaction=True)
CSV = b"Mail,First name\nann@example.net,Ann\nben@example.net,Ben\n"


def test_rows_of_a_table(alice, charlie):
    columns = [{"name": "number", "data_type": "Integer", "primary_key": True}, {"name": "town", "data_type": "String"}]
    table = alice.tables.make(name="visits", columns=columns)
    saved = alice.tables.save_rows(table["id"], ({"number": n, "town": "Oslo"} for n in range(1200)))
    assert len(saved) == 1200 and {row["outcome"] for row in saved} == {"created"}
    assert [row["values"]["number"] for row in alice.tables.rows(table["id"])] == list(range(1200))
    [one] = alice.tables.rows(table["id"], column="number", value="7")
    assert one["values"] == {"number": 7, "town": "Oslo"}
    assert alice.tables.delete_rows(table["id"], keys=range(3)) == 3
    assert alice.tables.change(table["id"], name="calls")["name"] == alice.tables.all()[0]["name"] == "calls"
    with pytest.raises(NotFound):
        list(charlie.tables.rows(table["id"]))
    assert alice.tables.empty(table["id"])["row_count"] == 0
    alice.tables.delete(table["id"])
    with pytest.raises(NotFound):
        alice.tables.get(table["id"])


def test_products_and_orders(alice, charlie):
    product = alice.products.save(item_id="sku-7", price=Decimal("12.50"))
    assert alice.products.save(item_id="sku-7", brand="Ours")["price"] == 12.5
    assert [one["id"] for one in alice.products.all(item_id="sku-7")] == [product["id"]]
    order = {
        "email": "ann@example.net", "original_order_id": "A-1", "order_date": dt.datetime(2026, 5, 1, tzinfo=dt.UTC),
        "status": "Processed", "items": [{"item_id": "sku-7", "price": Decimal("25.10"), "quantity": 2}],
    }  # fmt: skip
    placed = alice.orders.save(**order)
    assert (placed["grand_total"], placed["items"][0]["quantity"]) == (25.1, 2)
    saved = alice.orders.save_many([order, {**order, "original_order_id": "A-2", "email": "no"}])
    assert [row["outcome"] for row in saved] == ["unchanged", "refused"]
    assert [one["id"] for one in alice.orders.all(contact_id=placed["contact_id"])] == [placed["id"]]
    for call in (charlie.orders.get, charlie.orders.delete):
        with pytest.raises(NotFound):
            call(placed["id"])
    with pytest.raises(NotFound):
        charlie.products.get(product["id"])
    alice.orders.delete(placed["id"])
    alice.products.delete(product["id"])
    assert list(alice.orders.all()) == [] and list(alice.products.all()) == []


def test_an_import_is_started_waited_for_and_cancelled(alice, charlie, tmp_path, monkeypatch):
    path = tmp_path / "people.csv"
    path.write_bytes(CSV)
    taken = alice.imports.start(path, mapping={"Mail": "email"}, dry_run=True)
    assert (taken["file_name"], taken["mapping"], taken["job"]["state"]) == ("people.csv", {"Mail": "email"}, "waiting")
    with pytest.raises(StillRunning):
        alice.imports.wait(taken["id"], seconds_max=0)
    with pytest.raises(Conflict):
        alice.imports.retry(taken["id"])
    with pytest.raises(NotFound):
        alice.imports.rejected(taken["id"], io.BytesIO())
    with pytest.raises(NotFound):
        charlie.imports.cancel(taken["id"])
    assert alice.imports.cancel(taken["id"])["job"]["state"] == "cancelled"
    with pytest.raises(JobFailed, match="cancelled"):
        alice.imports.wait(taken["id"])
    again = alice.imports.start(io.BytesIO(CSV), idempotency_key="friday")
    assert alice.imports.start(CSV, idempotency_key="friday")["id"] == again["id"]
    assert [one["id"] for one in alice.imports.all()] == [taken["id"], again["id"]] and not list(charlie.imports.all())
    with pytest.raises(Invalid):
        alice.imports.start(b"PK\x03\x04" + b"x" * 100)


def test_webhooks_are_made_tested_and_ended(alice, charlie):
    made = alice.webhooks.make(url="https://hooks.example/standfast", types=["message.bounced"])
    assert made["secret"].startswith("whsec_") and "message.bounced" in alice.webhooks.types()
    assert alice.webhooks.change(made["id"], state="paused")["state"] == alice.webhooks.all()[0]["state"] == "paused"
    assert alice.webhooks.new_secret(made["id"]) != made["secret"]
    position = alice.webhooks.test(made["id"])
    assert [one["position"] for one in alice.webhooks.deliveries(made["id"])] == [position]
    assert alice.webhooks.delivery(made["id"], position)["tries"] == []
    alice.webhooks.change(made["id"], types=["contact.created"])
    alice.contacts.save(email="ann@example.net")
    [created] = [one["position"] for one in alice.events.all() if one["kind"] == "contact_created"]
    assert alice.webhooks.deliver_again(made["id"], created) == 1
    assert alice.webhooks.tell_again(made["id"], first=created, last=created + 10) == 1
    for call in (charlie.webhooks.get, charlie.webhooks.new_secret, charlie.webhooks.delete):
        with pytest.raises(NotFound):
            call(made["id"])
    alice.webhooks.delete(made["id"])
    assert alice.webhooks.all() == []
