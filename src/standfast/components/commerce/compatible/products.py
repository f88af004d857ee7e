"""The catalogue."""

from __future__ import annotations

from typing import Any

from standfast.components.commerce.amounts import read_amount
from standfast.components.commerce.catalogue import TEXTS, ItemTaken, add_product, change_product, delete_product
from standfast.components.commerce.compatible.order_body import filled
from standfast.components.commerce.compatible.orders import READ, SECTION, WRITE
from standfast.components.commerce.compatible.shapes import product_row
from standfast.components.commerce.models import Product
from standfast.platform.rest.answers import Answer
from standfast.platform.rest.call import Call, invalid, missing
from standfast.platform.rest.finding import numbered_page
from standfast.platform.rest.routes import route

NONE = "Product is not present!"
TAKEN = {"item_id": "has already been taken"}


@route("GET", "products", scope=READ, section=SECTION)
def products(call: Call) -> Answer:
    every = Product.objects.filter(account_id=call.account_id)
    return numbered_page(call, every.order_by("id"), product_row, root="products")


@route("POST", "products", scope=WRITE, section=SECTION)
def create(call: Call) -> Answer:
    body = call.wrapped("product")
    one = add_product(account_id=call.account_id, item_id=filled(body, "item_id"), values=_values(body))
    if one is None:
        raise invalid(**TAKEN)
    return Answer(product_row(one), 201, root="product")


@route("GET", "products/<product_id:int>", scope=READ, section=SECTION)
def show(call: Call) -> Answer:
    one = Product.objects.filter(account_id=call.account_id, id=int(call.path["product_id"])).first()
    return _answer(one)


@route("PUT", "products/<product_id:int>", scope=WRITE, section=SECTION)
def update(call: Call) -> Answer:
    body = call.wrapped("product")
    values = _values(body)
    if body.value("item_id") is not None:
        values["item_id"] = filled(body, "item_id")
    try:
        one = change_product(account_id=call.account_id, product_id=int(call.path["product_id"]), values=values)
    except ItemTaken:
        raise invalid(**TAKEN) from None
    return _answer(one)


@route("DELETE", "products/<product_id:int>", scope=WRITE, section=SECTION)
def delete(call: Call) -> Answer:
    if not delete_product(account_id=call.account_id, product_id=int(call.path["product_id"])):
        raise missing(NONE)
    return Answer(None)


def _answer(one: Product | None) -> Answer:
    if one is None:
        raise missing(NONE)
    return Answer(product_row(one), root="product")


def _values(body: Call) -> dict[str, Any]:
    values: dict[str, Any] = {name: body.text(name).strip() for name in TEXTS if body.value(name) is not None}
    if (price := body.value("price")) not in (None, ""):
        try:
            values["price"] = read_amount(price)
        except ValueError as error:
            raise invalid(price=str(error)) from None
    return values
