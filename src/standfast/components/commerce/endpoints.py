"""Products and orders, for programs: the part of /api/v1 that belongs to commerce."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

from django.db import connection
from django.http import HttpResponse
from ninja import Field, Query, Router, Status

from standfast.components.audience.api import ContactRow, upsert_contacts
from standfast.components.commerce.amounts import TOO_LARGE, plain
from standfast.components.commerce.catalogue import TEXTS, delete_product, save_product
from standfast.components.commerce.changing import delete_order
from standfast.components.commerce.models import Order, Product
from standfast.components.commerce.order_dates import placed
from standfast.components.commerce.placing import ORDERS_MAX, OrderRow, save_orders
from standfast.components.commerce.writing import ITEMS_MAX, Item, TotalTooLarge, Wanted, items_of
from standfast.platform.rest.finding import ID_MAX, PAGE_DEFAULT, Paging, one_of, page_of, page_shape
from standfast.platform.rest.operation import Request, Schema, operation, storable
from standfast.platform.rest.problems import FieldFault, not_found, unprocessable
from standfast.platform.rest.values import Id

router = Router()
ORDERS_PAGE_MAX = 100  # each may have hundreds of items
_PRODUCTS: dict[str, Any] = {"tags": ["Products"]}
_ORDERS: dict[str, Any] = {"tags": ["Orders"]}
_READ, _WRITE = "commerce:read", "commerce:write"
Amount = Annotated[Decimal, Field(ge=0, lt=int(TOO_LARGE), decimal_places=4)]


class ProductIn(Schema):
    """A product to make or change, found by `item_id`. What is left out stays as it is."""

    item_id: str = Field(min_length=1, max_length=255, examples=["sku-7"])
    description: str | None = Field(None, max_length=255)
    category: str | None = Field(None, max_length=255)
    brand: str | None = Field(None, max_length=255)
    adcode: str | None = Field(None, max_length=255)
    price: Amount | None = Field(None, description="Of one.")


class ProductOut(Schema):
    id: int
    item_id: str
    description: str
    category: str
    brand: str
    adcode: str
    price: float | None
    created_at: dt.datetime
    updated_at: dt.datetime


class ItemIn(Schema):
    item_id: str = Field(min_length=1, max_length=255, examples=["sku-7"])
    price: Amount = Field(description="The extended price: of the whole quantity.")
    quantity: Amount = Decimal(1)
    description: str = Field("", max_length=255)
    adcode: str = Field("", max_length=255)
    category: str = Field("", max_length=255)


class ItemOut(Schema):
    item_id: str
    price: float
    quantity: float
    description: str
    adcode: str
    category: str


class OrderIn(Schema):
    """An order to place or change, found by the person and `original_order_id`. What is left out stays as it is.

    The person is named by `contact_id` or by `email`, which makes them where they are not known.
    """

    contact_id: Id | None = None
    email: str | None = Field(None, max_length=320, examples=["alice@example.net"])
    original_order_id: str = Field(min_length=1, max_length=255, examples=["A-1001"])
    order_date: dt.datetime = Field(description="Without an offset it is UTC.", examples=["2026-05-25T08:00:00Z"])
    status: str = Field(min_length=1, max_length=255, examples=["Processed"])
    items: list[ItemIn] = Field(min_length=1, max_length=ITEMS_MAX)
    grand_total: Amount | None = Field(
        None, description="Without it, what the items cost; of a known order, moved by as much as they are."
    )
    campaign_id: Id | None = None
    coupon_code: str | None = Field(None, max_length=255)
    source_name: str | None = Field(None, max_length=255)
    source_type: str | None = Field(None, max_length=255)


class OrderOut(Schema):
    id: int
    contact_id: int
    original_order_id: str
    order_date: dt.datetime
    status: str
    grand_total: float
    campaign_id: int | None
    coupon_code: str
    source_name: str
    source_type: str
    items: list[ItemOut]
    created_at: dt.datetime
    updated_at: dt.datetime


class OrderPaging(Paging):
    limit: int = Field(PAGE_DEFAULT, ge=1, le=ORDERS_PAGE_MAX)


class OrderFilter(Schema):
    contact_id: Id | None = None
    campaign_id: Id | None = None
    original_order_id: str | None = Field(None, max_length=255, description="Exactly this one.")


class OrderBulk(Schema):
    orders: list[OrderIn] = Field(min_length=1, max_length=ORDERS_MAX)


class OrderBulkRow(Schema):
    outcome: str = Field(description="created, updated, unchanged or refused")
    id: int | None
    reason: str | None


class OrderBulkOut(Schema):
    results: list[OrderBulkRow] = Field(description="One for each order, in order.")


@operation(
    router, "GET", "/products", scope=_READ, response=page_shape(ProductOut), summary="List products", **_PRODUCTS
)
def products(
    request: Request,
    paging: Query[Paging],
    item_id: str | None = Query(None, max_length=255, description="Exactly this one."),
) -> dict[str, Any]:
    found = Product.objects.filter(account_id=request.account_id)
    if item_id is not None:
        found = found.filter(item_id=storable(item_id, "query.item_id"))
    return page_of(found, paging)


@operation(
    router,
    "POST",
    "/products",
    scope=_WRITE,
    response={200: ProductOut, 201: ProductOut},
    summary="Make or change a product",
    **_PRODUCTS,
)
def keep_product(request: Request, body: ProductIn) -> Status[Product]:
    given = {name: getattr(body, name) for name in TEXTS if getattr(body, name) is not None}
    values: dict[str, Any] = {name: storable(text, f"body.{name}") for name, text in given.items()}
    if body.price is not None:
        values["price"] = body.price
    item_id = _filled(body.item_id, "body.item_id")
    one, made = save_product(account_id=request.account_id, item_id=item_id, values=values)
    return Status(201 if made else 200, one)


@operation(
    router, "GET", "/products/{product_id}", scope=_READ, response=ProductOut, summary="One product", **_PRODUCTS
)
def product(request: Request, product_id: int) -> Product:
    mine = Product.objects.filter(account_id=request.account_id)
    return one_of(mine, product_id, "product")


@operation(
    router,
    "DELETE",
    "/products/{product_id}",
    scope=_WRITE,
    response={204: None},
    summary="Delete a product; orders keep what they say of it",
    **_PRODUCTS,
)
def end_product(request: Request, product_id: int) -> HttpResponse:
    account_id = request.account_id
    if not 0 < product_id < ID_MAX or not delete_product(account_id=account_id, product_id=product_id):
        raise not_found("product")
    return HttpResponse(status=204)


@operation(router, "GET", "/orders", scope=_READ, response=page_shape(OrderOut), summary="List orders", **_ORDERS)
def orders(request: Request, paging: Query[OrderPaging], which: Query[OrderFilter]) -> dict[str, Any]:
    found = Order.objects.filter(account_id=request.account_id, **which.model_dump(exclude_none=True))
    storable(which.original_order_id or "", "query.original_order_id")
    found_page = page_of(found, paging)
    return {**found_page, "data": _shown(request.account_id, found_page["data"])}


@operation(
    router,
    "POST",
    "/orders",
    scope=_WRITE,
    response={200: OrderOut, 201: OrderOut},
    summary="Place or change an order",
    **_ORDERS,
)
def keep_order(request: Request, body: OrderIn) -> Status[dict[str, Any]]:
    account_id = request.account_id
    [saved] = _save(account_id, [body], "body")
    if saved.id is None:
        field = "email" if body.contact_id is None else "contact_id"
        raise unprocessable(FieldFault(f"body.{field}", saved.reason or "", "name a person by one of the two"))
    return Status(201 if saved.outcome == "created" else 200, _order(account_id, saved.id))


@operation(
    router,
    "POST",
    "/orders/bulk",
    scope=_WRITE,
    response=OrderBulkOut,
    summary="Place or change many orders",
    **_ORDERS,
)
def keep_orders(request: Request, body: OrderBulk) -> dict[str, Any]:
    """Of several rows for one order the last wins."""
    return {"results": _save(request.account_id, body.orders, "body.orders")}


@operation(router, "GET", "/orders/{order_id}", scope=_READ, response=OrderOut, summary="One order", **_ORDERS)
def order(request: Request, order_id: int) -> dict[str, Any]:
    return _order(request.account_id, order_id)


@operation(
    router, "DELETE", "/orders/{order_id}", scope=_WRITE, response={204: None}, summary="Delete an order", **_ORDERS
)
def end_order(request: Request, order_id: int) -> HttpResponse:
    account_id = request.account_id
    if not 0 < order_id < ID_MAX or not delete_order(account_id=account_id, order_id=order_id):
        raise not_found("order")
    return HttpResponse(status=204)


def _save(account_id: int, given: list[OrderIn], where: str) -> list[OrderBulkRow]:
    """In order. Raises Problem for a field that cannot be; a person who cannot be is that row's refusal alone."""
    several = where != "body"
    wanted = [_wanted(one, f"{where}.{n}" if several else where) for n, one in enumerate(given)]
    people, refusals = _people(account_id, given)
    rows = [
        (n, OrderRow(people[n], _filled(one.original_order_id, f"{where}.original_order_id"), wanted[n]))
        for n, one in enumerate(given)
        if n in people
    ]
    try:
        saved = save_orders(account_id=account_id, rows=[row for _, row in rows])
    except TotalTooLarge as error:
        raise unprocessable(FieldFault(f"{where}.items", f"cost a total that {error}", "split the order")) from None
    results = {n: OrderBulkRow(outcome="refused", id=None, reason=reason) for n, reason in refusals.items()}
    for (n, _), one in zip(rows, saved, strict=True):
        results[n] = OrderBulkRow(outcome=one.outcome, id=one.order_id, reason=one.reason or None)
    return [results[n] for n in range(len(given))]


def _people(account_id: int, given: list[OrderIn]) -> tuple[dict[int, int], dict[int, str]]:
    """(contact by row, reason by row where there is none); people named by an address that is new are made."""
    people = {n: one.contact_id for n, one in enumerate(given) if one.contact_id is not None}
    named = [(n, one.email) for n, one in enumerate(given) if one.contact_id is None and one.email is not None]
    refusals = dict.fromkeys(set(range(len(given))) - set(people) - {n for n, _ in named}, "send contact_id or email")
    if named:
        with connection.cursor() as cursor:
            landed = upsert_contacts(cursor, account_id=account_id, rows=[ContactRow(email) for _, email in named])
        for (n, _), one in zip(named, landed, strict=True):
            if one.contact_id is None:
                refusals[n] = one.reason
            else:
                people[n] = one.contact_id
    return people, refusals


def _wanted(one: OrderIn, where: str) -> Wanted:
    names = ("coupon_code", "source_name", "source_type")
    texts: dict[str, Any] = {
        name: storable(text, f"{where}.{name}") for name in names if (text := getattr(one, name)) is not None
    }
    try:
        at = placed(one.order_date, zone=dt.UTC)
    except ValueError as error:
        raise unprocessable(FieldFault(f"{where}.order_date", str(error), "send another day")) from None
    items = [_item(each, f"{where}.items.{n}") for n, each in enumerate(one.items)]
    return Wanted(at, _filled(one.status, f"{where}.status"), items, one.grand_total, one.campaign_id, **texts)


def _item(one: ItemIn, where: str) -> Item:
    texts = {name: storable(getattr(one, name), f"{where}.{name}") for name in ("description", "adcode", "category")}
    return Item(_filled(one.item_id, f"{where}.item_id"), one.price, one.quantity, **texts)


def _filled(text: str, field: str) -> str:
    """Text that is not blank, without blanks around it. Raises Problem."""
    stripped = storable(text, field).strip()
    if not stripped:
        raise unprocessable(FieldFault(field, "is blank", "send some text"))
    return stripped


def _order(account_id: int, order_id: int) -> dict[str, Any]:
    return _shown(account_id, [one_of(Order.objects.filter(account_id=account_id), order_id, "order")])[0]


def _shown(account_id: int, found: list[Order]) -> list[dict[str, Any]]:
    items = items_of(account_id, [one.id for one in found])
    names = [name for name in OrderOut.model_fields if name not in ("items", "grand_total")]
    return [
        {name: getattr(one, name) for name in names}
        | {"grand_total": plain(one.grand_total), "items": [each._asdict() for each in items[one.id]]}
        for one in found
    ]
