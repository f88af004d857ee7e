"""Standfast's REST API from Python.

Answers are dictionaries with types: each group's module has them (`standfast_client.contacts.Contact`).
"""

from standfast_client.client import Client
from standfast_client.paging import Page, Pages, batches
from standfast_client.problems import (
    ApiError,
    BadRequest,
    Changed,
    Conflict,
    FieldFault,
    Forbidden,
    Interrupted,
    Invalid,
    JobFailed,
    NotFound,
    ServerError,
    StandfastError,
    StillRunning,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from standfast_client.retrying import Retries
from standfast_client.signatures import SignatureInvalid, WebhookEvent, verify_webhook
from standfast_client.values import UNSET, Unset

__all__ = [
    "UNSET",
    "ApiError",
    "BadRequest",
    "Changed",
    "Client",
    "Conflict",
    "FieldFault",
    "Forbidden",
    "Interrupted",
    "Invalid",
    "JobFailed",
    "NotFound",
    "Page",
    "Pages",
    "Retries",
    "ServerError",
    "SignatureInvalid",
    "StandfastError",
    "StillRunning",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "Unreachable",
    "Unset",
    "WebhookEvent",
    "batches",
    "verify_webhook",
]
