"""What stands in the sidebar. An item shows as soon as its page exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True)
class Item:
    """A line of the sidebar: what it says, its icon, the name of its page."""

    label: str
    icon: str
    url_name: str


@dataclass(frozen=True)
class Link:
    """An item whose page exists."""

    label: str
    icon: str
    url: str
    current: bool


@dataclass(frozen=True)
class Section:
    """Lines under one heading (or none)."""

    title: str
    links: tuple[Link, ...]


SIDEBAR: tuple[tuple[str, tuple[Item, ...]], ...] = (
    (
        "",
        (
            Item("Dashboard", "layout-dashboard", "dashboard"),
            Item("Campaigns", "send", "campaigns:list"),
            Item("Content", "template", "content:list"),
            Item("Reports", "chart-bar", "reports:list"),
            Item("Inbox", "inbox", "inbox:list"),
        ),
    ),
    (
        "People",
        (
            Item("Contacts", "users", "audience:contacts"),
            Item("Lists", "list-details", "audience:lists"),
            Item("Imports", "file-import", "audience:imports"),
            Item("Do not mail", "mail-off", "audience:do_not_mail"),
            Item("Secure lists", "shield-lock", "audience:secure_lists"),
            Item("Brands", "star", "audience:brands"),
            Item("Fields and tags", "forms", "audience:fields"),
        ),
    ),
    (
        "For developers",
        (
            Item("Connect", "plug", "developers"),
            Item("Transactional", "mail-bolt", "transactional:list"),
            Item("Webhooks", "webhook", "webhooks:list"),
            Item("API keys", "key", "accounts:keys"),
        ),
    ),
    (
        "Settings",
        (
            Item("Sending domains", "world", "delivery:domains"),
            Item("Relay", "route", "delivery:relay"),
            Item("Team", "users-group", "accounts:team"),
            Item("Account", "building", "accounts:settings"),
        ),
    ),
)


def sections(*, path: str, account_id: int | None) -> list[Section]:
    """The sidebar for somebody who looks at `path`; of all links that lead here, the closest is current."""
    found = [(title, list(_existing(items, account_id))) for title, items in SIDEBAR]
    urls = [url for _, items in found for _, url in items]
    leading = [url for url in urls if path == url or (url.endswith("/") and path.startswith(url))]
    closest = max(leading, key=len, default="")
    return [
        Section(title=title, links=tuple(Link(i.label, i.icon, url, url == closest) for i, url in items))
        for title, items in found
        if items
    ]


def _existing(items: tuple[Item, ...], account_id: int | None) -> Iterator[tuple[Item, str]]:
    for item in items:
        url = page_url(item.url_name, account_id=account_id)
        if url:
            yield item, url


def page_url(name: str, *, account_id: int | None) -> str:
    """Where a page of this name is, within the account where it is an account's page; empty where there is none."""
    for arguments in ({"account_id": account_id}, {}):
        try:
            return reverse(name, kwargs=arguments)
        except NoReverseMatch:
            continue
    return ""
