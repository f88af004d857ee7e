"""The client: one address, one key, and a group of calls for each kind of resource."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from standfast_client.account import Account
from standfast_client.brands import Brands
from standfast_client.calls import Calls, Key
from standfast_client.campaigns import Campaigns
from standfast_client.contacts import Contacts
from standfast_client.contents import Contents
from standfast_client.do_not_mail import DoNotMail
from standfast_client.domains import Domains
from standfast_client.events import Events
from standfast_client.fields import Fields
from standfast_client.images import Images
from standfast_client.imports import Imports
from standfast_client.lists import Lists
from standfast_client.orders import Orders
from standfast_client.products import Products
from standfast_client.reports import Reports
from standfast_client.retrying import Retries
from standfast_client.route import Route
from standfast_client.secure_lists import SecureLists
from standfast_client.tables import Tables
from standfast_client.tags import Tags
from standfast_client.transactional import Transactional
from standfast_client.webhooks import Webhooks


class Client:
    """Calls of one installation's REST API with one key.

        with Client("https://rest.example.com", key) as client:
            for contact in client.contacts.all():
                ...

    Threads may share it; an account has ten calls at a time.
    """

    def __init__(self, base_url: str, key: str, *, timeout: float = 30.0, retries: int | Retries = 4) -> None:
        """base_url: the REST service's address, without /api/v1. timeout: seconds without a sign of the service.
        retries: how often a call is repeated at most, or a Retries with its times."""
        held = Key(key)
        del key  # not in the frame that a traceback with variables would show
        self._calls = Calls(
            base_url, held, timeout=timeout, retries=Retries(retries) if isinstance(retries, int) else retries
        )
        self.account = Account(self._calls)
        self.contacts = Contacts(self._calls)
        self.lists = Lists(self._calls)
        self.tags = Tags(self._calls)
        self.fields = Fields(self._calls)
        self.do_not_mail = DoNotMail(self._calls)
        self.brands = Brands(self._calls)
        self.secure_lists = SecureLists(self._calls)
        self.imports = Imports(self._calls)
        self.events = Events(self._calls)
        self.contents = Contents(self._calls)
        self.images = Images(self._calls)
        self.campaigns = Campaigns(self._calls)
        self.reports = Reports(self._calls)
        self.transactional = Transactional(self._calls)
        self.domains = Domains(self._calls)
        self.route = Route(self._calls)
        self.tables = Tables(self._calls)
        self.products = Products(self._calls)
        self.orders = Orders(self._calls)
        self.webhooks = Webhooks(self._calls)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._calls.close()

    def __repr__(self) -> str:
        return f"<Client of {self._calls.base_url}>"
