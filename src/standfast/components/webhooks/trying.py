"""A test of an endpoint while somebody looks: one signed request that is no event, and what came of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json

from standfast.components.webhooks.delivering import Outcome, open_session, post
from standfast.components.webhooks.kinds import TEST
from standfast.components.webhooks.models import Endpoint

TEST_SECONDS = 10.0  # a page waits for it
_under_way: set[int] = set()  # accounts, so that no account holds more than one of the application's threads


def try_endpoint(endpoint: Endpoint) -> Outcome:
    """Post a test and return its outcome; nothing is kept of it. One at a time for an account in each process."""
    if endpoint.account_id in _under_way:
        return Outcome(None, 0, "another test of this account is running; wait for its end")
    _under_way.add(endpoint.account_id)
    try:
        return asyncio.run(_try(endpoint))
    finally:
        _under_way.discard(endpoint.account_id)


async def _try(endpoint: Endpoint) -> Outcome:
    now = dt.datetime.now(dt.UTC)
    event = {"type": TEST, "timestamp": now.isoformat(), "data": {"account_id": endpoint.account_id}}
    name = f"test_{endpoint.account_id}_{endpoint.pk}_{int(now.timestamp() * 1000)}"
    async with open_session(answer_seconds=TEST_SECONDS) as session:
        return await post(
            session,
            url=endpoint.url,
            secrets_sealed=endpoint.secrets_sealed,
            name=name,
            body=json.dumps(event).encode(),
        )
