"""Which components' endpoints the service mounts: `compatible` fills the table of routes, `endpoints` our own API."""

from __future__ import annotations

from standfast.components.accounts import endpoints as accounts_v1
from standfast.components.audience import compatible as audience  # noqa: F401
from standfast.components.audience import endpoints as audience_v1
from standfast.components.campaigns import compatible as campaigns  # noqa: F401
from standfast.components.commerce import compatible as commerce  # noqa: F401
from standfast.components.commerce import endpoints as commerce_v1
from standfast.components.content import compatible as content  # noqa: F401
from standfast.components.tracking import compatible as account_reports  # noqa: F401
from standfast.components.transactional import compatible as transactional  # noqa: F401
from standfast.components.transactional import endpoints as transactional_v1
from standfast.services.rest_api import either_campaign, graphql_calls, whole_person  # noqa: F401 - of several components
from standfast.services.rest_api.own import api

for router in (accounts_v1.router, audience_v1.router, commerce_v1.router, transactional_v1.router):
    api.add_router("", router)
