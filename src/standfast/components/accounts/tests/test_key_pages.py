"""The page of API keys: made by an administrator, shown this once, ended at once."""

import pytest
from django.urls import reverse

from standfast.components.accounts.api import ApiKey, KeyRefused, check_key
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(transactional_db, cast):
    return reverse("accounts:keys", args=[cast.account.pk])


def test_a_key_is_made_shown_once_and_ended(client, cast, page):
    client.force_login(cast.alice)
    assert "No keys yet" in client.get(page).content.decode()
    given = {"name": "Shop", "right_contacts": "write", "networks": "192.0.2.0/24, 127.0.0.1", "life": "30"}
    shown = client.post(page, given, follow=True).content.decode()
    text = shown.partition('id="api-key"')[2].partition(">")[2].partition("<")[0].strip()
    assert check_key(cast.account.pk, text, address="127.0.0.1", scope="contacts:write").name == "Shop"
    assert text not in client.get(page).content.decode()
    with account_scope(cast.account.pk):
        key = ApiKey.objects.get(account=cast.account)
    assert key.expires_at is not None and key.networks == ["192.0.2.0/24", "127.0.0.1"]
    client.post(reverse("accounts:end_key", args=[cast.account.pk, key.pk]))
    with pytest.raises(KeyRefused):
        check_key(cast.account.pk, text, address="127.0.0.1")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "Shop", "right_contacts": ""}, "Choose at least one"),
        ({"name": "Shop", "right_contacts": "read", "networks": "nowhere"}, "is not an IP address"),
        ({"name": "", "right_contacts": "read"}, "required"),
    ],
)
def test_what_is_wrong_is_said_beside_the_form(client, cast, page, given, said):
    client.force_login(cast.alice)
    assert said in client.post(page, given).content.decode()
    with account_scope(cast.account.pk):
        assert not ApiKey.objects.exists()


def test_bob_looks_and_charlie_does_not(client, cast, page):
    client.force_login(cast.bob)
    assert client.get(page).status_code == 200
    assert client.post(page, {"name": "x", "right_contacts": "read"}).status_code == 403
    client.force_login(cast.charlie)
    assert client.get(page).status_code == 404
