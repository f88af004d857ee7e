"""Which components' endpoints the service mounts: `compatible` fills the table of routes, `endpoints` our own API."""

from __future__ import annotations

from standfast.components.accounts import endpoints as accounts_v1
from standfast.components.audience import compatible as audience  # noqa: F401
from standfast.components.audience import endpoints as audience_v1
from standfast.components.campaigns import compatible as campaigns  # noqa: F401
from standfast.components.campaigns import endpoints as campaigns_v1
from standfast.components.commerce import compatible as commerce  # noqa: F401
from standfast.components.commerce import endpoints as commerce_v1
from standfast.components.content import compatible as content  # noqa: F401
from standfast.components.content import endpoints as content_v1
from standfast.components.delivery import endpoints as delivery_v1
from standfast.components.tables import compatible as tables  # noqa: F401
from standfast.components.tables import endpoints as tables_v1
from standfast.components.tracking import compatible as account_reports  # noqa: F401
from standfast.components.tracking import endpoints as tracking_v1
from standfast.components.transactional import compatible as transactional  # noqa: F401
from standfast.components.transactional import endpoints as transactional_v1
from standfast.components.webhooks import endpoints as webhooks_v1
from standfast.services.rest_api import either_campaign, graphql_calls, whole_person  # noqa: F401 - of several components
from standfast.services.rest_api.own import api

_V1 = (
    accounts_v1,
    audience_v1,
    tables_v1,
    content_v1,
    campaigns_v1,
    commerce_v1,
    tracking_v1,
    delivery_v1,
    transactional_v1,
    webhooks_v1,
)
for part in _V1:
    api.add_router("", part.router)
