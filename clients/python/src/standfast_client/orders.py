"""Orders: placed, changed, found, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NotRequired, TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages, in_batches
from standfast_client.values import UNSET, Amount, Moment, Reading, Unset, When, Writing, given, parameters

ORDERS_AT_ONCE = 1000


class ItemIn(TypedDict):
    """price: of the whole quantity."""

    item_id: str
    price: Amount
    quantity: NotRequired[Amount]
    description: NotRequired[str]
    adcode: NotRequired[str]
    category: NotRequired[str]


class OrderIn(TypedDict):
    """An order to place or change, found by the person (`contact_id` or `email`) and `original_order_id`."""

    contact_id: NotRequired[int]
    email: NotRequired[str]
    original_order_id: str
    order_date: When
    status: str
    items: Sequence[ItemIn]
    grand_total: NotRequired[Amount]
    campaign_id: NotRequired[int]
    coupon_code: NotRequired[str]
    source_name: NotRequired[str]
    source_type: NotRequired[str]


class Item(TypedDict):
    item_id: str
    price: float
    quantity: float
    description: str
    adcode: str
    category: str


class Order(TypedDict):
    id: int
    contact_id: int
    original_order_id: str
    order_date: Moment
    status: str
    grand_total: float
    campaign_id: int | None
    coupon_code: str
    source_name: str
    source_type: str
    items: list[Item]
    created_at: Moment
    updated_at: Moment


class OrderSaved(TypedDict):
    """outcome: created, updated, unchanged or refused."""

    outcome: str
    id: int | None
    reason: str | None


class OrdersSaved(TypedDict):
    results: list[OrderSaved]


class Orders(Group):
    @operation("GET", "/orders")
    def all(
        self,
        *,
        contact_id: int | None = None,
        campaign_id: int | None = None,
        original_order_id: str | None = None,
        limit: int = 100,
        **more: Unpack[Reading],
    ) -> Pages[Order]:
        def read(cursor: str | None) -> Page[Order]:
            asked = parameters(
                contact_id=contact_id, campaign_id=campaign_id, original_order_id=original_order_id, cursor=cursor,
                limit=limit,
            )  # fmt: skip
            return self._calls.get(Page[Order], "/orders", asked, **more)

        return Pages(read)

    @operation("POST", "/orders")
    def save(
        self,
        *,
        original_order_id: str,
        order_date: When,
        status: str,
        items: Sequence[ItemIn],
        contact_id: int | Unset = UNSET,
        email: str | Unset = UNSET,
        grand_total: Amount | Unset = UNSET,
        campaign_id: int | Unset = UNSET,
        coupon_code: str | Unset = UNSET,
        source_name: str | Unset = UNSET,
        source_type: str | Unset = UNSET,
        **more: Unpack[Writing],
    ) -> Order:
        """Place an order, or change the person's with this number. Name the person by contact_id or by email."""
        body = given(
            original_order_id=original_order_id, order_date=order_date, status=status, items=list(items),
            contact_id=contact_id, email=email, grand_total=grand_total, campaign_id=campaign_id,
            coupon_code=coupon_code, source_name=source_name, source_type=source_type,
        )  # fmt: skip
        return self._calls.write(Order, "POST", "/orders", body, **more)

    @operation("POST", "/orders/bulk")
    def save_many(self, orders: Iterable[OrderIn], **more: Unpack[Writing]) -> list[OrderSaved]:
        """Place or change any number of orders, 1,000 a call; one result each, in order."""

        def send(batch: list[OrderIn], **more: Unpack[Writing]) -> list[OrderSaved]:
            return self._calls.write(OrdersSaved, "POST", "/orders/bulk", {"orders": batch}, **more)["results"]

        return in_batches(orders, send, most=ORDERS_AT_ONCE, **more)

    @operation("GET", "/orders/{order_id}")
    def get(self, order_id: int, **more: Unpack[Reading]) -> Order:
        return self._calls.get(Order, at("/orders/{}", order_id), **more)

    @operation("DELETE", "/orders/{order_id}")
    def delete(self, order_id: int, **more: Unpack[Writing]) -> None:
        self._calls.delete(at("/orders/{}", order_id), **more)
