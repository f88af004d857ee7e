"""An order as a call gives it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from standfast.components.commerce.amounts import read_amount
from standfast.components.commerce.order_dates import read_date
from standfast.components.commerce.writing import ITEMS_MAX, Item, Wanted
from standfast.platform.rest.answers import EASTERN
from standfast.platform.rest.call import Call, CallError, invalid

ID_MAX = 2**62
TEXTS = ("coupon_code", "source_name", "source_type")


def wanted(body: Call, *, new: bool) -> Wanted:
    """What an order shall be; null leaves what is there. A new one needs a date, a status and items. Raises CallError."""
    blank = [name for name in ("order_date", "order_status", "order_items") if body.value(name) in (None, "", [], {})]
    given = [name for name in blank if body.value(name) is not None]
    if blank and (new or given):
        raise CallError(422, {name: ["can't be blank"] for name in (blank if new else given)})
    texts: dict[str, Any] = {name: body.text(name).strip() for name in TEXTS if body.value(name) is not None}
    return Wanted(
        order_date=None if "order_date" in blank else _date(body),
        status=None if "order_status" in blank else filled(body, "order_status"),
        items=None if "order_items" in blank else _items(body),
        grand_total=_amount(body, "grand_total"),
        campaign_id=body.number("campaign_id", least=1, most=ID_MAX),
        **texts,
    )


def filled(body: Call, name: str) -> str:
    """A text that must not be blank. Raises CallError."""
    text = body.text(name).strip()
    if not text:
        raise invalid(**{name: "can't be blank"})
    return text


def _date(body: Call) -> Any:
    try:
        return read_date(body.text("order_date"), zone=EASTERN)
    except ValueError as error:
        raise invalid(order_date=str(error)) from None


def _amount(body: Call, name: str, default: Decimal | None = None) -> Decimal | None:
    value = body.value(name)
    if value is None or value == "":
        return default
    try:
        return read_amount(value)
    except ValueError as error:
        raise invalid(**{name: str(error)}) from None


def _items(body: Call) -> list[Item]:
    given = body.value("order_items")
    if isinstance(given, dict):  # XML without type="array", and forms that number their items
        given = [given] if "item_id" in given else [one for each in given.values() for one in _several(each)]
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise invalid(order_items="must be a list of items")
    if len(given) > ITEMS_MAX:
        raise invalid(order_items=f"holds more than {ITEMS_MAX} items")
    return [_item(Call(body.method, body.account_id, body.path, {}, one, body.address, body.holder)) for one in given]


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _item(one: Call) -> Item:
    price = _amount(one, "price")
    if price is None:
        raise invalid(price="can't be blank")
    return Item(
        filled(one, "item_id"), price, _amount(one, "quantity", Decimal(1)) or Decimal(0), one.text("description").strip(),
        one.text("adcode").strip(), one.text("category").strip(),
    )  # fmt: skip
