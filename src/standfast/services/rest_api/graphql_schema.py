"""The read-only GraphQL schema (marketing-cloud.md section 2.9): campaigns, contacts, products and orders, by page."""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLInt,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from standfast.components.audience.api import Contact
from standfast.components.campaigns.api import Campaign
from standfast.components.campaigns.compatible import rows as campaign_rows
from standfast.components.commerce.api import Order, Product
from standfast.components.commerce.compatible import order_rows, product_row
from standfast.platform.rest.answers import moment
from standfast.platform.rest.call import PAGE_MAX

PER_DEFAULT = 3
PER_MAX = 200
SCOPES = {
    "campaigns": "campaigns:read", "contacts": "contacts:read", "products": "commerce:read", "orders": "commerce:read",
}  # fmt: skip
CONTACT_TEXTS = ("email", "first_name", "last_name", "phone", "fax", "uid", "created_at", "updated_at")
CAMPAIGN_TEXTS = (
    "name", "subject", "preheader", "from_name", "from_email", "reply_to", "address", "language", "status", "send_at",
    "sent_at", "created_at", "updated_at",
)  # fmt: skip
CAMPAIGN_NUMBERS = (
    "sent", "delivered", "opened", "clicked", "bounced", "hard_bounced", "soft_bounced", "unsubscribed", "complained",
)  # fmt: skip
PRODUCT_TEXTS = ("item_id", "description", "category", "brand", "adcode", "created_at", "updated_at")
ORDER_TEXTS = (
    "contact_id", "original_order_id", "order_date", "order_status", "campaign_id", "coupon_code", "source_name",
    "source_type", "created_at", "updated_at",
)  # fmt: skip
ITEM_TEXTS = ("item_id", "description", "adcode", "category")


def _row_type(name: str, texts: tuple[str, ...], numbers: tuple[str, ...], **more: Any) -> GraphQLObjectType:
    """Ids are text: they may be larger than GraphQL's Int. more: the type of each other field."""
    fields = {each: GraphQLField(GraphQLString) for each in ("id", "account_id", *texts)}
    fields |= {each: GraphQLField(GraphQLInt) for each in (*numbers, "total_pages")}
    return GraphQLObjectType(name, fields | {each: GraphQLField(type) for each, type in more.items()})


def _bounds(page: int, per: int) -> tuple[int, int]:
    if not 1 <= page <= PAGE_MAX or not 1 <= per <= PER_MAX:
        raise GraphQLError(f"page is from 1 to {PAGE_MAX:,}, per from 1 to {PER_MAX}.")
    return (page - 1) * per, page * per


def _may(info: Any, root: str) -> int:
    """The account's id. Raises GraphQLError where the key lacks the right."""
    call = info.context
    if not call.holder.may(SCOPES[root]):
        raise GraphQLError(f"This API key lacks the right “{SCOPES[root]}”.")
    return int(call.account_id)


def _paged(rows: list[dict[str, Any]], total: int, per: int) -> list[dict[str, Any]]:
    return [{**row, "total_pages": max(-(-total // per), 1)} for row in rows]


def _campaigns(_: Any, info: Any, *, page: int, per: int, type: str = "", id: str = "") -> list[dict[str, Any]]:
    """type: a campaign's status."""
    mine = Campaign.objects.filter(account_id=_may(info, "campaigns")).order_by("-pk")
    mine = mine.filter(state=type) if type else mine
    mine = mine.filter(pk=_id(id)) if id else mine
    first, end = _bounds(page, per)
    return _paged(campaign_rows(list(mine[first:end])), mine.count(), per)


def _contacts(_: Any, info: Any, *, page: int, per: int, email: str = "", id: str = "") -> list[dict[str, Any]]:
    mine = Contact.objects.filter(account_id=_may(info, "contacts")).order_by("id")
    mine = mine.filter(email_key=email.strip().lower()) if email else mine
    mine = mine.filter(id=_id(id)) if id else mine
    first, end = _bounds(page, per)
    rows = []
    for contact in mine[first:end]:
        row = {name: getattr(contact, name) for name in CONTACT_TEXTS}
        times = {name: moment(row[name]) for name in ("created_at", "updated_at")}
        rows.append(row | times | {"id": contact.id, "account_id": contact.account_id})
    return _paged(rows, mine.count(), per)


def _products(_: Any, info: Any, *, page: int, per: int, item_id: str = "", id: str = "") -> list[dict[str, Any]]:
    mine = Product.objects.filter(account_id=_may(info, "products")).order_by("id")
    mine = mine.filter(item_id=_text(item_id)) if item_id else mine
    mine = mine.filter(id=_id(id)) if id else mine
    first, end = _bounds(page, per)
    return _paged([product_row(one) for one in mine[first:end]], mine.count(), per)


def _orders(_: Any, info: Any, *, page: int, per: int, **which: str) -> list[dict[str, Any]]:
    """Newest first. which: filters that have an index."""
    account_id = _may(info, "orders")
    mine = Order.objects.filter(account_id=account_id).order_by("-id")
    for name in ("id", "contact_id", "campaign_id"):
        mine = mine.filter(**{name: _id(which[name])}) if which.get(name) else mine
    if number := which.get("original_order_id"):
        mine = mine.filter(original_order_id=_text(number))
    first, end = _bounds(page, per)
    return _paged(order_rows(account_id, list(mine[first:end])), mine.count(), per)


def _text(text: str) -> str:
    if "\0" in text:
        raise GraphQLError("A text holds a character that cannot be stored.")
    return text


def _id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise GraphQLError("id is a number.")
    return int(text)


def _root(row: GraphQLObjectType, resolve: Any, *filters: str) -> GraphQLField:
    arguments = {"page": GraphQLArgument(GraphQLInt, 1), "per": GraphQLArgument(GraphQLInt, PER_DEFAULT)}
    arguments |= {name: GraphQLArgument(GraphQLString, "") for name in filters}
    return GraphQLField(GraphQLList(row), arguments, resolve)


_CAMPAIGN = _root(_row_type("Campaign", CAMPAIGN_TEXTS, CAMPAIGN_NUMBERS), _campaigns, "type", "id")
_CONTACT = _root(_row_type("Contact", CONTACT_TEXTS, ()), _contacts, "email", "id")
_ITEM_TYPE = GraphQLObjectType(
    "OrderItem",
    {name: GraphQLField(GraphQLString) for name in ITEM_TEXTS}
    | {name: GraphQLField(GraphQLFloat) for name in ("price", "quantity")},
)
_ORDER_TYPE = _row_type("Order", ORDER_TEXTS, (), grand_total=GraphQLFloat, products=GraphQLList(_ITEM_TYPE))
_PRODUCT = _root(_row_type("Product", PRODUCT_TEXTS, (), price=GraphQLFloat), _products, "item_id", "id")
_ORDER = _root(_ORDER_TYPE, _orders, "contact_id", "campaign_id", "original_order_id", "id")
SCHEMA = GraphQLSchema(
    GraphQLObjectType("Query", {"campaigns": _CAMPAIGN, "contacts": _CONTACT, "products": _PRODUCT, "orders": _ORDER})
)
