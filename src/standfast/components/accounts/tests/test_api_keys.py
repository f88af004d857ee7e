"""Keys: shown once, kept as a hash, let in only from where, as far and as long as they were made for."""

import datetime as dt

import pytest

from standfast.components.accounts.api import ApiKey, KeyInvalid, KeyRefused, Refusal, check_key, make_key, revoke_key
from standfast.platform import tenancy

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "192.0.2.7"


@pytest.fixture
def cast(transactional_db, cast):
    return cast


def made(cast, **more) -> tuple[ApiKey, str]:
    with tenancy.account_scope(cast.account.pk):
        return make_key(cast.account, name="shop", scopes=["contacts:write"], by=cast.alice, **more)


def refused(account, text, **more) -> Refusal:
    with pytest.raises(KeyRefused) as caught:
        check_key(account.pk, text, address=HERE, **more)
    return caught.value.refusal


def test_a_key_lets_in_and_only_its_hash_is_kept(cast):
    key, text = made(cast)
    holder = check_key(cast.account.pk, text, address=HERE, scope="contacts:read")
    assert (holder.account_id, holder.key_id) == (cast.account.pk, key.pk)
    with tenancy.account_scope(cast.account.pk):
        row = ApiKey.objects.get(pk=key.pk)
    assert text not in str(vars(row))
    assert text.startswith(row.hint) and len(row.hint) < 16
    assert row.used_from == HERE


def test_another_accounts_key_is_unknown_and_its_rows_unseen(cast):
    _, text = made(cast)
    assert refused(cast.other, text) is Refusal.UNKNOWN
    with tenancy.account_scope(cast.other.pk):
        assert not ApiKey.objects.exists()
        assert not revoke_key(cast.account, 1)


@pytest.mark.parametrize("text", ["", "sf_1_x", "\x00", "\ud800", "x" * 10_000])
def test_what_is_no_key_is_unknown(cast, text):
    assert refused(cast.account, text) is Refusal.UNKNOWN


def test_scope_address_end_and_revocation_each_refuse(cast):
    key, text = made(cast)
    assert refused(cast.account, text, scope="campaigns:read") is Refusal.SCOPE
    with tenancy.account_scope(cast.account.pk):
        assert revoke_key(cast.account, key.pk)
    assert refused(cast.account, text) is Refusal.REVOKED
    _, elsewhere = made(cast, networks=["198.51.100.0/24", "2001:db8::1"])
    assert refused(cast.account, elsewhere) is Refusal.ADDRESS
    assert check_key(cast.account.pk, elsewhere, address="::ffff:198.51.100.9")
    key, short = made(cast, expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    with tenancy.account_scope(cast.account.pk):
        ApiKey.objects.filter(pk=key.pk).update(expires_at=dt.datetime.now(dt.UTC))
    assert refused(cast.account, short) is Refusal.EXPIRED


@pytest.mark.parametrize(
    "bad",
    [
        {"name": " "},
        {"name": "x" * 33},
        {"scopes": []},
        {"scopes": ["contacts:own"]},
        {"networks": ["nowhere"]},
        {"networks": [f"10.0.0.{n}" for n in range(51)]},
        {"expires_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)},
    ],
)
def test_a_key_that_cannot_be_is_refused_with_the_reason(cast, bad):
    with tenancy.account_scope(cast.account.pk), pytest.raises(KeyInvalid):
        make_key(cast.account, **{"name": "shop", "scopes": ["contacts:read"], "by": cast.alice, **bad})
