"""The face of commerce."""

from standfast.components.commerce.catalogue import ItemTaken, add_product, change_product, delete_product, save_product
from standfast.components.commerce.changing import change_order, delete_order, remove_items
from standfast.components.commerce.consumers import CONSUMERS
from standfast.components.commerce.models import Order, OrderItem, Product
from standfast.components.commerce.placing import NotUnique, OrderRow, Saved, place_order, save_orders
from standfast.components.commerce.writing import Item, TotalTooLarge, Wanted

__all__ = [
    "CONSUMERS",
    "Item",
    "ItemTaken",
    "NotUnique",
    "Order",
    "OrderItem",
    "OrderRow",
    "Product",
    "Saved",
    "TotalTooLarge",
    "Wanted",
    "add_product",
    "change_order",
    "change_product",
    "delete_order",
    "delete_product",
    "place_order",
    "remove_items",
    "save_orders",
    "save_product",
]
