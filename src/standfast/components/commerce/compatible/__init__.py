"""Orders and products in the reference product's interface; importing it fills the table of routes."""

from standfast.components.commerce.compatible import orders, products
from standfast.components.commerce.compatible.shapes import order_rows, orders_of, product_row

__all__ = ["order_rows", "orders", "orders_of", "product_row", "products"]
