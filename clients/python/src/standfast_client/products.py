"""Products of the catalogue."""

from __future__ import annotations

from typing import TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages
from standfast_client.values import UNSET, Amount, Moment, Reading, Unset, Writing, given, parameters


class Product(TypedDict):
    id: int
    item_id: str
    description: str
    category: str
    brand: str
    adcode: str
    price: float | None
    created_at: Moment
    updated_at: Moment


class Products(Group):
    @operation("GET", "/products")
    def all(self, *, item_id: str | None = None, limit: int = 500, **more: Unpack[Reading]) -> Pages[Product]:
        """item_id: exactly this one."""

        def read(cursor: str | None) -> Page[Product]:
            asked = parameters(item_id=item_id, cursor=cursor, limit=limit)
            return self._calls.get(Page[Product], "/products", asked, **more)

        return Pages(read)

    @operation("POST", "/products")
    def save(
        self,
        *,
        item_id: str,
        description: str | Unset = UNSET,
        category: str | Unset = UNSET,
        brand: str | Unset = UNSET,
        adcode: str | Unset = UNSET,
        price: Amount | Unset = UNSET,
        **more: Unpack[Writing],
    ) -> Product:
        """Make a product, or change the one with this item_id. price: of one."""
        body = given(
            item_id=item_id, description=description, category=category, brand=brand, adcode=adcode, price=price
        )
        return self._calls.write(Product, "POST", "/products", body, **more)

    @operation("GET", "/products/{product_id}")
    def get(self, product_id: int, **more: Unpack[Reading]) -> Product:
        return self._calls.get(Product, at("/products/{}", product_id), **more)

    @operation("DELETE", "/products/{product_id}")
    def delete(self, product_id: int, **more: Unpack[Writing]) -> None:
        """Orders keep what they say of it."""
        self._calls.delete(at("/products/{}", product_id), **more)
