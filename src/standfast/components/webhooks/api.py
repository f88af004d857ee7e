"""The face of webhooks."""

from standfast.components.webhooks.consumers import CONSUMERS
from standfast.components.webhooks.delivering import Deliverer
from standfast.components.webhooks.delivery_log import health
from standfast.components.webhooks.endpoints_of import (
    EndpointInvalid,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    new_secret_of,
    secret_of,
    send_again,
    send_test,
)
from standfast.components.webhooks.kinds import TYPES
from standfast.components.webhooks.models import Attempt, Delivery, Endpoint, EndpointState

__all__ = [
    "CONSUMERS",
    "TYPES",
    "Attempt",
    "Deliverer",
    "Delivery",
    "Endpoint",
    "EndpointInvalid",
    "EndpointState",
    "change_endpoint",
    "create_endpoint",
    "delete_endpoint",
    "health",
    "new_secret_of",
    "secret_of",
    "send_again",
    "send_test",
]
