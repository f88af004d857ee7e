"""Orders: look up, place, change, take items out, delete."""

from __future__ import annotations

from standfast.components.audience.api import person_of_call
from standfast.components.commerce.changing import change_order, delete_order, remove_items
from standfast.components.commerce.compatible.order_body import ID_MAX, filled, wanted
from standfast.components.commerce.compatible.shapes import order_rows
from standfast.components.commerce.models import Order
from standfast.components.commerce.placing import NotUnique, OrderRow, place_order
from standfast.components.commerce.writing import TotalTooLarge
from standfast.platform.rest.answers import Answer
from standfast.platform.rest.call import Call, invalid, missing
from standfast.platform.rest.routes import route

READ, WRITE, SECTION = "commerce:read", "commerce:write", "2.12"
BY_ID, BY_NUMBER = "orders/find", "orders/<original_order_id>"
# Of two decorators the lower one registers first: `find` is no number.
NONE = "Order ID not found"


@route("POST", "orders", scope=WRITE, section=SECTION)
def create(call: Call) -> Answer:
    """The person is made or changed as `POST contacts` does it; where the order is refused, nothing of that stays."""
    body = call.wrapped("order")
    number = filled(body, "original_order_id")
    order = wanted(body, new=True)
    row = OrderRow(person_of_call(body), number, order)
    try:
        order_id = place_order(account_id=call.account_id, row=row, unique=body.flag("unique"))
    except NotUnique:
        raise invalid(original_order_id="has already been taken") from None
    except TotalTooLarge as error:
        raise invalid(order_items=f"cost a total that {error}") from None
    return Answer(_shown(Order.objects.get(account_id=call.account_id, id=order_id)), 201, root="order")


@route("GET", BY_NUMBER, scope=READ, section=SECTION)
@route("GET", BY_ID, scope=READ, section=SECTION)
def show(call: Call) -> Answer:
    return Answer(_shown(_found(call)), root="order")


@route("PUT", BY_NUMBER, scope=WRITE, section=SECTION)
@route("PUT", BY_ID, scope=WRITE, section=SECTION)
def update(call: Call) -> Answer:
    """What is left out or null stays; items that are given are all of them."""
    one = _found(call)
    try:
        change_order(account_id=call.account_id, order_id=one.id, wanted=wanted(call.wrapped("order"), new=False))
    except TotalTooLarge as error:
        raise invalid(order_items=f"cost a total that {error}") from None
    return Answer({"message": "Order was successfully updated"})


@route("DELETE", BY_NUMBER, scope=WRITE, section=SECTION)
@route("DELETE", BY_ID, scope=WRITE, section=SECTION)
def delete(call: Call) -> Answer:
    """The whole order; with `product_ids` the items of these numbers (`item_id`), whose order stays."""
    one = _found(call)
    if call.value("product_ids") is None:
        delete_order(account_id=call.account_id, order_id=one.id)
        return Answer({"message": "Order was successfully deleted"})
    items = set(call.texts("product_ids"))
    if not items:
        raise invalid(product_ids="can't be blank")
    if not remove_items(account_id=call.account_id, order_id=one.id, item_ids=items):
        raise missing("Order Item not found")
    return Answer({"message": "Order Item was successfully deleted."})


def _found(call: Call) -> Order:
    """The order of where[id], or the newest under the shop's number. Raises CallError."""
    mine = Order.objects.filter(account_id=call.account_id)
    if "original_order_id" in call.path:
        number = call.path["original_order_id"].strip()
        one = mine.filter(original_order_id=number).order_by("-id").first() if "\0" not in number else None
    else:
        order_id = call.number("where[id]", least=1, most=ID_MAX)
        if order_id is None:
            raise invalid(id="can't be blank")
        one = mine.filter(id=order_id).first()
    if one is None:
        raise missing(NONE)
    return one


def _shown(one: Order) -> dict[str, object]:
    return order_rows(one.account_id, [one])[0]
