"""Orders and products in the reference product's interface; importing it fills the table of routes."""

from standfast.components.commerce.compatible import orders, products
from standfast.components.commerce.compatible.shapes import orders_of

__all__ = ["orders", "orders_of", "products"]
