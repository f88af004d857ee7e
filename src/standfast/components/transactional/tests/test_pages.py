"""The pages of transactional campaigns: made and changed, how to submit, the messages newest first, the course of one."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from standfast.components.accounts.api import Membership, Role
from standfast.components.content.api import Content
from standfast.components.delivery.api import Recipient as Row
from standfast.components.delivery.api import add_domain
from standfast.components.transactional.api import Finished, Recipient, Templated, create_campaign, deliver
from standfast.components.transactional.models import TransactionalCampaign
from standfast.platform import events
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime.now(dt.UTC)
RAW = b"From: a@shop.example\r\nTo: x@people.example\r\nSubject: Hi\r\n\r\nHello\r\n"


@pytest.fixture
def alice(client, cast):
    client.force_login(cast.alice)
    return client


@pytest.fixture
def campaign(cast):
    with account_scope(cast.account.pk):
        add_domain(account_id=cast.account.pk, domain="shop.example")
        content = Content.objects.create(
            account_id=cast.account.pk, name="Receipt", source_kind="html", source="<p>{{ tag.order }}</p>"
        )
        return create_campaign(
            account_id=cast.account.pk, name="Receipts", subject="Your order", from_name="Shop",
            from_email="service@shop.example", content_id=content.pk,
        )  # fmt: skip


def to(name, cast, *numbers):
    return reverse(f"transactional:{name}", args=[cast.account.pk, *numbers])


def text(response):
    return re.sub(r"\s+", " ", response.content.decode())


def hand_in(campaign, *messages):
    with account_scope(campaign.account_id):
        return [one.seq for one in deliver(campaign, messages)]


def templated(email, **more):
    return Templated(Recipient(email), tags={"order": "A-1"}, **more)


def test_a_campaign_is_made_and_changed(alice, cast):
    assert "No transactional campaign yet" in text(alice.get(to("list", cast)))
    with account_scope(cast.account.pk):
        add_domain(account_id=cast.account.pk, domain="shop.example")
    given = {"name": " Resets ", "from_email": "a@mail.shop.example", "language": "en"}
    assert "ready" in text(alice.post(to("new", cast), given, follow=True))
    with account_scope(cast.account.pk):
        made = TransactionalCampaign.objects.get(account=cast.account)
    assert (made.name, made.content_id) == ("Resets", None)
    alice.post(to("change", cast, made.pk), {**given, "name": "Passwords", "subject": "Choose a new one"})
    assert "Passwords" in text(alice.get(reverse("reports:show", args=[cast.account.pk, made.send_id])))
    assert "Choose a new one" in text(alice.get(to("list", cast), {"q": "passw"}))
    assert "None here" in text(alice.get(to("list", cast), {"q": "nothing"}))


WRONG = [
    ({"name": "Receipts"}, "already"),
    ({"name": "   "}, "required"),
    ({"name": "x\0"}, "Null characters"),
    ({"name": "x" * 300}, "at most 255"),
    ({"name": "x", "from_email": "nowhere"}, "is no address"),
    ({"name": "x", "from_email": "a@elsewhere.example"}, "none of the account&#x27;s sending domains"),
    ({"name": "x", "reply_to": "@"}, "cannot be used"),
    ({"name": "x", "content": "999999999999999999999"}, "valid choice"),
    ({"name": "x", "language": "x" * 50}, "at most 16"),
]


def test_what_is_wrong_is_said_and_nothing_is_made(alice, cast, campaign):
    for given, said in WRONG:
        assert said in text(alice.post(to("new", cast), {"language": "en", **given}))
        with account_scope(cast.account.pk):
            assert TransactionalCampaign.objects.filter(account=cast.account).count() == 1


def test_another_accounts_content_cannot_be_chosen(alice, cast):
    with account_scope(cast.other.pk):
        content = Content.objects.create(account_id=cast.other.pk, name="Charlie's", source="x")
    answer = alice.post(to("new", cast), {"name": "x", "language": "en", "content": content.pk})
    assert "valid choice" in text(answer) and "Charlie" not in text(answer)


def test_a_changed_name_must_be_free_and_the_page_keeps_the_old_one(alice, cast, campaign):
    with account_scope(cast.account.pk):
        create_campaign(account_id=cast.account.pk, name="Other")
    answer = alice.post(to("change", cast, campaign.pk), {"name": "Other", "language": "en"})
    assert "already" in text(answer) and "Edit Receipts" in text(answer)


def test_commands_have_the_campaigns_own_values(alice, cast, campaign, config):
    page = alice.get(to("submit", cast, campaign.pk)).content.decode()
    for shown in (
        f"sf_{cast.account.pk}_…",
        f"{config.rest_url}/accounts/{cast.account.pk}/emails/deliver.json",
        f"&quot;campaign_id&quot;: {campaign.pk}",
        "X-CampaignName: Receipts",
        f"smtp://{config.submission_host}:{config.submission_port}",
        "--mail-from service@shop.example",
    ):
        assert shown in page, shown


def test_messages_are_newest_first_by_status_and_by_address(alice, cast, campaign):
    hand_in(campaign, *(templated(f"p{n}@people.example") for n in range(60)))
    hand_in(campaign, templated("later@people.example", due_at=NOW + dt.timedelta(hours=2)))
    page, rows = to("show", cast, campaign.pk), r"messages/(\d+)/"
    assert [int(n) for n in re.findall(rows, text(alice.get(page)))] == list(range(61, 11, -1))
    assert [int(n) for n in re.findall(rows, text(alice.get(page, {"before": 12})))] == list(range(11, 0, -1))
    assert [int(n) for n in re.findall(rows, text(alice.get(page, {"after": 58})))] == [61, 60, 59]
    assert re.findall(rows, text(alice.get(page, {"show": "deferred"}))) == ["61"]
    assert re.findall(rows, text(alice.get(page, {"q": "P7@people.example"}))) == ["8"]
    assert re.findall(rows, text(alice.get(page, {"q": "p7@", "show": "waiting"}))) == ["8"]
    assert "No message fits" in text(alice.get(page, {"q": "zzz"}))
    assert alice.get(page, {"after": "9" * 5000, "before": "-1", "show": "odd", "q": "\0"}).status_code == 200


def test_a_page_asks_as_often_for_few_as_for_many(alice, cast, campaign):
    def queries(path):
        alice.get(path)  # the first page of a session is noted in it
        with CaptureQueriesContext(connection) as asked:
            alice.get(path)
        return len(asked)

    hand_in(campaign, templated("a@people.example"))
    show, listed = to("show", cast, campaign.pk), to("list", cast)
    few = queries(show), queries(listed)
    hand_in(campaign, *(templated(f"p{n}@people.example") for n in range(10)))
    with account_scope(cast.account.pk):
        create_campaign(account_id=cast.account.pk, name="Another")
    assert (queries(show), queries(listed)) == few


def test_one_message_tells_its_course(alice, cast, campaign):
    [number] = hand_in(campaign, templated("anna@people.example", key="order-1"))
    with account_scope(cast.account.pk), connection.cursor() as cursor:
        row = Row.objects.get(account_id=cast.account.pk, send_id=campaign.send_id, seq=number)
        happened = [("deferred", {"text": "451 later"}), ("delivered", {}), ("opened", {"verdict": "human"}),
                    ("clicked", {"verdict": "human", "url": "https://shop.example/o"})]  # fmt: skip
        events.append(cursor, account_id=cast.account.pk, events=[
            events.Event(NOW, kind, row.contact_id, campaign.send_id, number, data) for kind, data in happened
        ])  # fmt: skip
    page = text(alice.get(to("message", cast, campaign.pk, number)))
    course = ("Accepted", "Put off by the other side", "451 later", "Delivered", "Opened", "Clicked", "shop.example/o")
    places = [page.index(each) for each in course]
    assert places == sorted(places)
    assert "&quot;order&quot;: &quot;A-1&quot;" in page
    for missing in (number + 1, 2**31, 10**40):
        assert alice.get(to("message", cast, campaign.pk, missing)).status_code == 404


def test_a_finished_and_a_scheduled_message_say_so(alice, cast, campaign):
    finished = Finished(Recipient("x@people.example"), raw=RAW, from_email="a@shop.example", metadata={"order": "17"})
    first, second = hand_in(campaign, finished, templated("y@people.example", due_at=NOW + dt.timedelta(hours=2)))
    page = text(alice.get(to("message", cast, campaign.pk, first)))
    assert "A finished message" in page and "&quot;order&quot;: &quot;17&quot;" in page
    page = text(alice.get(to("message", cast, campaign.pk, second)))
    assert "Scheduled" in page and "Leaves" in page


def test_bob_reads_and_charlie_finds_nothing(client, cast, campaign):
    [number] = hand_in(campaign, templated("anna@people.example"))
    with account_scope(cast.account.pk):
        Membership.objects.filter(user=cast.bob).update(role=Role.READER)
    client.force_login(cast.bob)
    assert "anna@people.example" in text(client.get(to("show", cast, campaign.pk)))
    assert "New campaign" not in text(client.get(to("list", cast)))
    assert client.get(to("change", cast, campaign.pk)).status_code == 403
    client.force_login(cast.charlie)
    for account_id in (cast.account.pk, cast.other.pk):
        for name, numbers in (("show", []), ("submit", []), ("message", [number])):
            path = reverse(f"transactional:{name}", args=[account_id, campaign.pk, *numbers])
            assert client.get(path).status_code == 404, path
