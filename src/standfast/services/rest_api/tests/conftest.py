"""The service with Alice's and Charlie's keys."""

import pytest
from tests.receiver import receiver  # noqa: F401

from standfast.services.rest_api.tests.caller import Caller, key_of, service


@pytest.fixture
def people(transactional_db, cast):
    return cast


@pytest.fixture
def alice(people):
    with service() as client:
        yield Caller(client, people.account.pk, key_of(people.account, people.alice))


@pytest.fixture
def charlie(people, alice):
    return Caller(alice.client, people.other.pk, key_of(people.other, people.charlie))
