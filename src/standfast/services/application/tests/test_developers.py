"""The page where a programmer begins: addresses and a first call of this account, and how many of each thing there are."""

import pytest
from django.urls import reverse

from standfast.components.accounts.api import make_key, revoke_key
from standfast.components.transactional.api import create_campaign
from standfast.components.webhooks.api import create_endpoint
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


def test_bob_sees_addresses_a_call_and_counts_and_charlie_does_not(client, cast, config):
    with account_scope(cast.account.pk):
        make_key(cast.account, name="Shop", scopes=["account:read"], by=cast.alice)
        ended, _ = make_key(cast.account, name="Old", scopes=["account:read"], by=cast.alice)
        revoke_key(cast.account, ended.pk)
        create_campaign(account_id=cast.account.pk, name="Receipts")
        endpoint, _ = create_endpoint(account_id=cast.account.pk, url="https://hooks.example/")
    page = reverse("developers", args=[cast.account.pk])
    client.force_login(cast.bob)
    answer = client.get(page)
    shown = answer.content.decode()
    for each in (
        f"{config.rest_url}/api/v1/docs",
        f"{config.rest_url}/accounts/{cast.account.pk}/lists.json",
        f"sf_{cast.account.pk}_",
        f"{config.submission_host}:{config.submission_port}",
    ):
        assert each in shown, each
    assert [answer.context[name] for name in ("keys", "campaigns", "endpoints", "troubled")] == [1, 1, 1, 0]
    with account_scope(cast.account.pk):
        type(endpoint).objects.filter(pk=endpoint.pk).update(state="disabled")
    assert "Needs a look" in client.get(page).content.decode()
    client.force_login(cast.charlie)
    assert client.get(page).status_code == 404
