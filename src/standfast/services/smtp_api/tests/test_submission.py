"""Messages submitted over real sockets: let in by AUTH or header, written before the 250, refused with the exact words."""

import asyncio
import smtplib

import pytest
from django.db import connection

from standfast.components.accounts.api import make_key
from standfast.components.audience.api import brand_named
from standfast.components.delivery.api import add_domain
from standfast.components.transactional.api import TransactionalCampaign
from standfast.platform.tenancy import account_scope
from standfast.protocols.smtp_server import Limits, serve
from standfast.protocols.smtp_submission import SubmissionSession
from standfast.services.smtp_api import session
from standfast.services.smtp_api.acceptance import Acceptance
from standfast.services.smtp_api.session import Submission

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(transactional_db, cast):
    with account_scope(cast.account.pk):
        add_domain(account_id=cast.account.pk, domain="shop.example")
        scopes = ["transactional:write"]
        cast.bound = make_key(cast.account, name="bound", scopes=scopes, by=cast.alice, networks=["127.0.0.1"])[1]
        cast.free = make_key(cast.account, name="free", scopes=scopes, by=cast.alice)[1]
        cast.elsewhere = make_key(cast.account, name="far", scopes=scopes, by=cast.alice, networks=["192.0.2.1"])[1]
        cast.reader = make_key(cast.account, name="reader", scopes=["transactional:read"], by=cast.alice)[1]
    with account_scope(cast.other.pk):
        cast.charlies = make_key(cast.other, name="c", scopes=scopes, by=cast.charlie, networks=["127.0.0.1"])[1]
    return cast


@pytest.fixture
async def port(account, monkeypatch):
    monkeypatch.setattr(session, "WRONG_KEY_SECONDS", 0.01)
    acceptance = Acceptance()
    server = await serve(
        host="127.0.0.1", port=0, hooks=lambda: Submission(acceptance), session=SubmissionSession,
        limits=Limits(message_bytes=100_000),
    )  # fmt: skip
    yield server.port
    await server.close()
    await asyncio.to_thread(acceptance.close)


def message(account, **headers: str | None) -> bytes:
    given = {
        "X-ApiKey": account.bound, "X-AccountID": str(account.account.pk), "X-CampaignName": "Receipts",
        "From": "Shop <receipts@shop.example>", "To": "alice@people.example", "Subject": "x",
        "Message-ID": "<1@shop.example>", "X-Custom-Order": "7",
    }  # fmt: skip
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in given.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\nHello\r\n").encode()


async def submit(
    port: int, raw: bytes, *, login: str = "", to: tuple[str, ...] = ("alice@people.example",)
) -> tuple[int, str]:
    def go() -> tuple[int, str]:
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.ehlo()
            if login:
                client.login("anything", login)
            client.mail("bounce@shop.example")
            for each in to:
                client.rcpt(each)
            code, text = client.data(raw)
            return code, text.decode()

    return await asyncio.to_thread(go)


def rows(account_id: int) -> list[tuple[str, bytes]]:
    with account_scope(account_id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.email, s.raw FROM delivery_submission s JOIN delivery_recipient r USING (account_id, send_id, seq)"
            " WHERE account_id = %s ORDER BY seq",
            [account_id],
        )
        return [(email, bytes(raw)) for email, raw in cursor.fetchall()]


async def stored(account) -> list[tuple[str, bytes]]:
    return await asyncio.to_thread(rows, account.account.pk)


async def test_the_header_way(account, port):
    code, text = await submit(port, message(account))
    assert (code, text) == (250, "2.0.0 taken")
    [(email, raw)] = await stored(account)
    assert email == "alice@people.example"
    assert account.bound.encode() not in raw and b"X-ApiKey" not in raw and b"X-CampaignName" not in raw
    assert b"X-Custom-Order: 7" in raw and raw.endswith(b"\r\n\r\nHello\r\n")


async def test_by_auth_with_several_recipients_and_the_campaign_reused(account, port):
    plain = message(account, X_ApiKey=None, X_AccountID=None)
    for _ in range(2):  # the client did not hear the first answer
        assert (await submit(port, plain, login=account.free, to=("a@people.example", "b@people.example")))[0] == 250
    assert [email for email, _ in await stored(account)] == ["a@people.example", "b@people.example"]

    def campaigns() -> list[str]:
        with account_scope(account.account.pk):
            return [one.name for one in TransactionalCampaign.objects.all()]

    assert await asyncio.to_thread(campaigns) == ["Receipts"]


async def test_a_message_bears_the_brand_that_it_names(account, port):
    def brand(account_id: int) -> int:
        with account_scope(account_id):
            return brand_named(account_id=account_id, name="Toys & more").pk

    toys = await asyncio.to_thread(brand, account.account.pk)
    await asyncio.to_thread(brand, account.other.pk)
    assert (await submit(port, message(account, X_BrandName=" Toys  & more ")))[0] == 250
    code, text = await submit(port, message(account, X_BrandName="Charlie's", Message_ID="<2@shop.example>"))
    assert code == 554 and "There is no brand Charlie's in this account" in text
    [(_, raw)] = await stored(account)
    assert b"X-BrandName" not in raw

    def borne() -> list[int]:
        with account_scope(account.account.pk), connection.cursor() as cursor:
            cursor.execute("SELECT brand_id FROM audience_brandedmail WHERE account_id = %s", [account.account.pk])
            return [row[0] for row in cursor.fetchall()]

    assert await asyncio.to_thread(borne) == [toys]


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"X_ApiKey": None}, "Missing Header X-ApiKey"),
        ({"X_CampaignName": None}, "Missing Header X-CampaignName"),
        ({"X_AccountID": None}, "Missing Header X-AccountID"),
        ({"X_AccountID": "abc"}, "Invalid Header X-AccountID"),
        ({"X_CampaignID": "abc"}, "Invalid X-CampaignID"),
        ({"X_CampaignID": "999999999"}, "Invalid X-CampaignID"),
        ({"From": None}, "Missing Required Headers From or To[see RFC2822 section 3.6]"),
        ({"To": None}, "Missing Required Headers From or To[see RFC2822 section 3.6]"),
        ({"Cc": "x@people.example"}, "Cc recipients are not supported by this server"),
        ({"From": "x@foreign.example"}, "foreign.example is none of the account's sending domains."),
    ],
)
async def test_what_is_refused_in_the_words_of_the_product(account, port, headers, text):
    code, answer = await submit(port, message(account, **headers))
    assert code == 554
    assert f"Transaction failed[{text}]" in answer
    assert await stored(account) == []


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("elsewhere", "may not be used from 127.0.0.1"),
        ("reader", "lacks the scope"),
        ("free", "Name the addresses"),
        ("charlies", "Invalid Header X-AccountID"),
    ],
)
async def test_a_key_that_may_not(account, port, key, why):
    code, text = await submit(port, message(account, X_ApiKey=getattr(account, key)))
    assert code == 554 and why in text
    assert await stored(account) == []


async def test_charlies_login_cannot_name_alices_account(account, port):
    code, text = await submit(port, message(account, X_ApiKey=None), login=account.charlies)
    assert code == 554 and "X-AccountID" in text
    assert await stored(account) == []


async def test_smuggling_and_size(account, port):
    async def raw_dialogue(body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = b"EHLO x\r\nMAIL FROM:<a@shop.example>\r\nRCPT TO:<alice@people.example>\r\nDATA\r\n"
        writer.write(head)
        await asyncio.sleep(0.2)
        writer.write(body + b"\r\n.\r\nQUIT\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer

    smuggled = message(account) + b"\n.\nMAIL FROM:<evil@x>\r\nRCPT TO:<victim@x>\r\nDATA\r\nx"
    assert b"550 5.6.11" in await raw_dialogue(smuggled)
    assert b"552 5.3.4" in await raw_dialogue(message(account) + b"x" * 200_000)
    assert await stored(account) == []


async def test_many_at_once_are_all_written(account, port):
    async def one(number: int) -> int:
        raw = message(account, Message_ID=f"<{number}@shop.example>")
        return (await submit(port, raw, to=(f"p{number}@people.example",)))[0]

    assert set(await asyncio.gather(*(one(number) for number in range(30)))) == {250}
    assert len(await stored(account)) == 30
