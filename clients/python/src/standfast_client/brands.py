"""Brands, and addresses that get no mail of one of them."""

from __future__ import annotations

from typing import TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages
from standfast_client.values import Count, Moment, Reading, Writing, parameters


class Brand(TypedDict):
    id: int
    name: str
    created_at: Moment


class StoppedOfBrand(TypedDict):
    email: str
    created_at: Moment


class Brands(Group):
    @operation("GET", "/brands")
    def all(self, **more: Unpack[Reading]) -> list[Brand]:
        return self._calls.get(list[Brand], "/brands", **more)

    @operation("POST", "/brands")
    def make(self, *, name: str, **more: Unpack[Writing]) -> Brand:
        """Make a brand, or find the one with this name."""
        return self._calls.write(Brand, "POST", "/brands", {"name": name}, **more)

    @operation("DELETE", "/brands/{brand_id}")
    def delete(self, brand_id: int, **more: Unpack[Writing]) -> None:
        """Who wanted none of its mail is forgotten with it."""
        self._calls.delete(at("/brands/{}", brand_id), **more)

    @operation("GET", "/brands/{brand_id}/do-not-mail")
    def do_not_mail(self, brand_id: int, *, limit: int = 500, **more: Unpack[Reading]) -> Pages[StoppedOfBrand]:
        def read(cursor: str | None) -> Page[StoppedOfBrand]:
            where = at("/brands/{}/do-not-mail", brand_id)
            return self._calls.get(Page[StoppedOfBrand], where, parameters(cursor=cursor, limit=limit), **more)

        return Pages(read)

    @operation("POST", "/brands/{brand_id}/do-not-mail")
    def stop(self, brand_id: int, *, email: str, **more: Unpack[Writing]) -> int:
        """Keep mail of a brand from an address; returns 1, or 0 where it was kept already."""
        where = at("/brands/{}/do-not-mail", brand_id)
        return self._calls.write(Count, "POST", where, {"email": email}, **more)["changed"]

    @operation("POST", "/brands/{brand_id}/do-not-mail/lift")
    def lift(self, brand_id: int, *, email: str, **more: Unpack[Writing]) -> int:
        where = at("/brands/{}/do-not-mail/lift", brand_id)
        return self._calls.write(Count, "POST", where, {"email": email}, **more)["changed"]
