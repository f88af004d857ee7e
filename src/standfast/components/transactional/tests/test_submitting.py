"""Messages handed in for a transactional campaign: taken once, with people, senders and contents checked before."""

import pytest
from django.db import connection

from standfast.components.audience.api import Contact
from standfast.components.content.api import Content
from standfast.components.delivery.api import Recipient as Row
from standfast.components.delivery.api import add_domain
from standfast.components.transactional.api import (
    Finished,
    NameTaken,
    Recipient,
    Refused,
    Templated,
    campaign_named,
    create_campaign,
    deliver,
)
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def campaign(transactional_db, cast):
    with account_scope(cast.account.pk):
        add_domain(account_id=cast.account.pk, domain="shop.example")
        content = Content.objects.create(
            account=cast.account, name="Receipt", subject="Order {{ tag.order }}", source_kind="html",
            source="<p>Order {{ tag.order }}</p>",
        )  # fmt: skip
        return create_campaign(
            account_id=cast.account.pk, name="Receipts", from_email="receipts@shop.example", content_id=content.pk
        )


def hand_in(campaign, *messages):
    with account_scope(campaign.account_id):
        return deliver(campaign, messages)


def test_a_new_person_becomes_a_contact_and_the_source_is_kept_once(campaign):
    first = hand_in(campaign, Templated(Recipient("New@People.example", first_name="New"), tags={"order": 1}))
    second = hand_in(campaign, Templated(Recipient("new@people.example"), tags={"order": 2}, bcc="boss@shop.example"))
    assert [one.seq for one in first + second] == [1, 2]
    with account_scope(campaign.account_id):
        [contact] = Contact.objects.filter(email_key="new@people.example")
        assert contact.first_name == "New"
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM delivery_streamsource WHERE send_id = %s", [campaign.send_id])
            assert cursor.fetchone() == (1,)
        rows = Row.objects.filter(send_id=campaign.send_id).order_by("seq")
        assert [row.email for row in rows][2] == "boss@shop.example"


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (Templated(Recipient("nobody"), tags={}), "email"),
        (Templated(Recipient("a@b.example"), from_email="x@foreign.example"), "from_email"),
        (Templated(Recipient("a@b.example"), content_id=999_999_999), "content_id"),
        (Templated(Recipient("a@b.example"), html="{% if %}"), "content"),
        (Templated(Recipient("a@b.example"), bcc="nobody"), "bcc"),
        (Finished(Recipient("a@b.example"), raw=b"", from_email="x@foreign.example"), "from_email"),
    ],
)
def test_what_cannot_be_taken_is_refused_before_anything_is_written(campaign, message, field):
    with pytest.raises(Refused) as caught, account_scope(campaign.account_id):
        deliver(campaign, [message])
    assert caught.value.field == field
    with account_scope(campaign.account_id):
        assert not Row.objects.filter(send_id=campaign.send_id).exists()


def test_a_name_is_one_campaign(campaign, cast):
    with account_scope(cast.account.pk):
        assert campaign_named(account_id=cast.account.pk, name=" Receipts ").pk == campaign.pk
        assert campaign_named(account_id=cast.account.pk, name="New").pk != campaign.pk
    with pytest.raises(NameTaken), account_scope(cast.account.pk):
        create_campaign(account_id=cast.account.pk, name="Receipts")
    with account_scope(cast.other.pk):
        assert campaign_named(account_id=cast.other.pk, name="Receipts").pk != campaign.pk


def test_the_same_message_handed_in_again_is_taken_once(campaign):
    message = Finished(
        Recipient("a@b.example"), raw=b"Subject: x\r\n\r\nx", from_email="r@shop.example", key="<1@shop.example>"
    )
    assert [hand_in(campaign, message)[0].again for _ in range(3)] == [False, True, True]
