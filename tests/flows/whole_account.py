"""An account with something of everything, written in words of the test's choice: hostile ones, long ones, foreign ones."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from standfast.components.accounts.api import Account, Membership, Role, User
from standfast.components.accounts.members import invite
from standfast.components.audience.api import (
    Contact,
    CustomField,
    Import,
    ImportState,
    List,
    SecureList,
    Tag,
    brand_named,
)
from standfast.components.campaigns.api import Campaign, CampaignState, Hold
from standfast.components.content.api import Content
from standfast.components.delivery.api import Route, Send, SendState, add_domain
from standfast.components.transactional.api import Recipient, Templated, create_campaign, deliver
from standfast.components.webhooks.api import Attempt, Delivery, create_endpoint
from standfast.platform import config, events
from standfast.platform.mail_store import INDEX_NAME, StoredMessage, format_line, hash_prefix, segment_path
from standfast.platform.tenancy import account_scope
from standfast.protocols.keys import derive
from standfast.protocols.tokens import RecipientRef, seal_recipient

Words = Callable[[str], str]
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
OUTCOMES = (1, 1, 1, 2, 3, 4, 5, 6, 7, 0)  # RecipientStatus, one recipient each
SEND_OF = {
    CampaignState.SENDING: SendState.READY, CampaignState.PAUSED: SendState.PAUSED, CampaignState.SENT: SendState.FINISHED,
    CampaignState.CANCELLED: SendState.CANCELLED, CampaignState.HELD: SendState.PAUSED,
}  # fmt: skip
COUNTERS = {
    "delivered": 0.97, "bounced": 0.02, "bounced_hard": 0.015, "bounced_soft": 0.005, "bounced_later": 0.001, "failed": 0.001,
    "uncertain": 0.001, "skipped": 0.001, "deferred": 0.02, "opens": 0.7, "opens_unique": 0.4, "all_opens_unique": 0.6,
    "machine_opens": 0.3, "machine_opens_unique": 0.25, "clicks": 0.1, "clicks_unique": 0.06, "all_clicks_unique": 0.08,
    "machine_clicks": 0.02, "machine_clicks_unique": 0.02, "unsubscribed": 0.004, "complained": 0.0005,
}  # fmt: skip


@dataclass
class Filled:
    """Numbers of what was made, by the names that addresses use for them."""

    account_id: int
    of: dict[str, list[int]] = field(default_factory=dict)
    invitation_path: str = ""

    def add(self, name: str, number: int) -> int:
        self.of.setdefault(name, []).append(number)
        return number


def fill(account: Any, user: Any, *, words: Words, total: int = 10, mail_html: str = "<p>Hello</p>") -> Filled:
    """Fill an account. `words(what)` is asked for every text that a person or another machine may write; `total` is how many
    people every send went to, as its totals say."""
    made = Filled(account.pk)
    with account_scope(account.pk):
        _people_who_work_here(made, account, user, words)
        _audience(made, words)
        _imports(made, words)
        _contents(made, words, mail_html)
        _campaigns(made, words, total, user)
        _settings(made, words)
        _log(made, words)
        _programs(made, words)
    _inbox(made, words, mail_html)
    return made


def _people_who_work_here(made: Filled, account: Any, user: Any, words: Words) -> None:
    Account.objects.filter(pk=account.pk).update(name=words("account")[:255], address=words("address")[:255])
    User.objects.filter(pk=user.pk).update(name=words("user")[:255])
    other = User.objects.create_user(
        f"{time.time_ns()}@team.example", "correct horse battery", name=words("colleague")[:255]
    )
    made.add("user_id", Membership.objects.create(account_id=made.account_id, user=other, role=Role.READER).user_id)
    invitation, token = invite(account=account, email=f"i{time.time_ns()}@team.example", role=Role.MEMBER, by=user)
    made.add("invitation_id", invitation.pk)
    made.invitation_path = f"/join/{made.account_id}/{token}"


def _audience(made: Filled, words: Words) -> None:
    for number in range(3):
        key, label = f"field_{number}", words(f"field {number}")[:255]
        made.add("field_id", CustomField.objects.create(account_id=made.account_id, key=key, label=label).pk)
        made.add("tag_id", Tag.objects.create(account_id=made.account_id, name=f"{number} {words('tag')}"[:255]).pk)
        text = words("description")[:255]
        made.add(
            "list_id",
            List.objects.create(
                account_id=made.account_id, name=f"{number} {words('list')}"[:255], description=text
            ).pk,
        )
        made.add("brand_id", brand_named(account_id=made.account_id, name=f"{number} {words('brand')}"[:255]).pk)
        secure = {"account_id": made.account_id, "name": f"{number} {words('secure list')}"[:255], "description": text}
        made.add("secure_list_id", SecureList.objects.create(**secure).pk)
    with connection.cursor() as cursor:
        for number in range(len(OUTCOMES)):
            email = f"{words('mailbox').replace('@', '')}{number}@{number}.example"[-320:]
            fields = {"field_0": words("value"), "field_1": 1234567, words("key")[:63]: words("value"), "field_2": True}
            cursor.execute(
                "INSERT INTO audience_contact (account_id, email, email_key, uid, first_name, last_name, phone, fax, time_zone, "
                "fields, tag_ids, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
                [made.account_id, email, email.lower(), f"{number}{words('uid')}"[:255], words("first name")[:255],
                 words("last name")[:255], words("phone")[:255], words("fax")[:255], words("time zone")[:64], json.dumps(fields),
                 made.of["tag_id"], NOW - dt.timedelta(days=number), NOW],
            )  # fmt: skip
            made.add("contact_id", cursor.fetchone()[0])
            cursor.execute(
                "INSERT INTO audience_subscription VALUES (%s, %s, %s, %s, %s)",
                [made.account_id, made.of["list_id"][0], made.of["contact_id"][-1],
                 "unsubscribed" if number == 1 else "subscribed", NOW],
            )  # fmt: skip
        blocked = Contact.objects.get(account_id=made.account_id, id=made.of["contact_id"][0])
        for email, reason in (
            (blocked.email_key, "manual"),
            (words("mailbox")[:300] + "@blocked.example", "complaint"),
        ):
            cursor.execute(
                "INSERT INTO audience_donotmail (account_id, email_key, email, reason, detail, created_at) "
                "VALUES (%s, %s, %s, %s, %s, %s)",
                [made.account_id, email.lower(), email, reason, words("detail")[:255], NOW],
            )


def _imports(made: Filled, words: Words) -> None:
    for state in ImportState:
        one = Import.objects.create(
            account_id=made.account_id, target_list_id=made.of["list_id"][0], file_name=f"{state} {words('file')}.csv"[:255],
            path="/nowhere", size_bytes=123456, encoding="utf-8", delimiter=",", state=state, rows_done=61728, bytes_done=61728,
            header=["email", words("column"), words("column")], sample=[["a@b.example", words("cell"), words("cell")]] * 3,
            mapping={"0": "email", "1": "", "2": "field:field_0"}, options={"create_new": True, "update_known": True},
            problem=words("problem") if state == ImportState.FAILED else "", created_count=1_000_000, updated_count=1,
            rejected_count=2, reasons={words("reason"): 1, "no e-mail address": 1},
        )  # fmt: skip
        made.add("import_id", one.pk)


def _contents(made: Filled, words: Words, html: str) -> None:
    for kind, source in (
        ("html", html),
        ("mjml", f"<mjml><mj-body><mj-oops>{words('source')}</mj-oops></mj-body></mjml>"),
    ):
        one = Content.objects.create(
            account_id=made.account_id, name=f"{kind} {words('content')}"[:255], subject=words("subject")[:255],
            preheader=words("preheader")[:255], source_kind=kind, source=source, text_source=words("text"),
        )  # fmt: skip
        made.add("content_id", one.pk)


def _campaigns(made: Filled, words: Words, total: int, user: Any) -> None:
    for state in CampaignState:
        campaign = Campaign.objects.create(
            account_id=made.account_id, name=f"{words('campaign')} {state.label}"[-255:], state=state,
            subject=words("subject")[:255], preheader=words("preheader")[:255], from_name=words("sender")[:255],
            from_email="hello@shop.example", address=words("address")[:255], content_id=made.of["content_id"][0],
            list_ids=made.of["list_id"][:2], created_by_id=user.pk, state_since_at=NOW, rate_per_minute=1_000_000,
            send_at=NOW + dt.timedelta(days=1) if state == CampaignState.SCHEDULED else None, skipped={"do_not_mail:manual": 1},
            started_at=NOW if state in SEND_OF else None, finished_at=NOW if state == CampaignState.SENT else None,
        )  # fmt: skip
        made.add("campaign_id", campaign.pk)
        if state in SEND_OF:
            campaign.send = _send(made, campaign, words, total)
            campaign.save()
        if state == CampaignState.HELD:
            Hold.objects.create(account_id=made.account_id, campaign=campaign, reason="route", detail=words("hold"))
    for reason in ("pre-flight", "deadline"):
        held = Campaign.objects.create(
            account_id=made.account_id, name=f"{words('campaign')} {reason}"[-255:], state=CampaignState.HELD,
            state_since_at=NOW, from_email="hello@shop.example", content_id=made.of["content_id"][1],
        )  # fmt: skip
        Hold.objects.create(account_id=made.account_id, campaign=held, reason=reason, detail=words("hold"))
        made.add("campaign_id", held.pk)


def _send(made: Filled, campaign: Any, words: Words, total: int) -> Any:
    sources = {"campaign": {"name": campaign.name}, "subject": campaign.subject}
    state = SEND_OF[campaign.state]
    send = Send.objects.create(
        account_id=made.account_id, campaign_id=campaign.pk, state=state, sources=sources, total=total, nonce="abcdef",
        problem=words("problem"), finished_at=NOW if state == SendState.FINISHED else None,
    )  # fmt: skip
    made.add("send_id", send.pk)
    account_id = made.account_id
    with connection.cursor() as cursor:
        for seq, (status, contact_id) in enumerate(zip(OUTCOMES, made.of["contact_id"], strict=True), 1):
            cursor.execute(
                "INSERT INTO delivery_recipient (account_id, send_id, seq, contact_id, email, status, attempts, updated_at, code, "
                "reply, next_attempt_at) VALUES (%s, %s, %s, %s, %s, %s, 3, %s, 550, %s, %s)",
                [account_id, send.pk, seq, contact_id, f"{words('mailbox')}@{seq}.example"[-320:], status, NOW,
                 words("reply")[:255], NOW if status == 2 else None],
            )  # fmt: skip
            cursor.execute(
                "INSERT INTO tracking_response (account_id, send_id, seq, contact_id, opened_at, clicked_at, unsubscribed_at, "
                "complained_at, bounced_at, uncertain_at, machine_opened_at, opens, clicks) VALUES "
                "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 3, 2)",
                [account_id, send.pk, seq, contact_id, NOW, NOW, NOW, NOW, NOW if status == 3 else None,
                 NOW if status == 4 else None, NOW],
            )  # fmt: skip
        values = {name: int(total * share) for name, share in COUNTERS.items()}
        values |= {
            f"bounce:{words('class')}"[:32]: 2,
            "bounce:InvalidRecipient": 3,
            f"deferral:{words('code')}"[:32]: 1,
        }
        for name, value in values.items():
            cursor.execute(
                "INSERT INTO tracking_sendcounter VALUES (%s, %s, %s, %s)", [account_id, send.pk, name, value]
            )
        hour = NOW.replace(minute=0, second=0)
        for name in ("opens", "clicks"):
            row = [account_id, send.pk, name, hour, int(total * COUNTERS[name])]
            cursor.execute("INSERT INTO tracking_sendhour VALUES (%s, %s, %s, %s, %s)", row)
        for link in range(3):
            row = [account_id, send.pk, link + 1, words("url"), int(total * 0.1), int(total * 0.06), link]
            cursor.execute("INSERT INTO tracking_linkcounter VALUES (%s, %s, %s, %s, %s, %s, %s)", row)
    return send


def _settings(made: Filled, words: Words) -> None:
    made.add("domain_id", add_domain(account_id=made.account_id, domain="shop.example").pk)
    Route.objects.update_or_create(
        account_id=made.account_id,
        defaults={"to_inbox": False, "host": words("host")[:255], "username": words("user")[:255]},
    )


def _log(made: Filled, words: Words) -> None:
    send_id = made.of["send_id"][0]
    told = [
        events.Event(NOW, kind, made.of["contact_id"][0], send_id, 1,
                     {"url": words("url"), "text": words("reply"), "reason": words("reason"), "ua": words("agent"),
                      "class": words("class"), "verdict": verdict, "ip": words("ip")})
        for kind in ("delivered", "bounced", "clicked", "opened", "unsubscribed", "failed", "do_not_mail_added", words("kind"))
        for verdict in ("human", "machine")
    ]  # fmt: skip
    told += [
        events.Event(NOW, "campaign_moved", None, None, None,
                     {"campaign_id": campaign_id, "from": "scheduled", "to": to, "why": words("why")})
        for campaign_id in made.of["campaign_id"] for to in ("sending", "held", words("state"))
    ]  # fmt: skip
    events.append(connection.cursor(), account_id=made.account_id, events=told)


def _programs(made: Filled, words: Words) -> None:
    """A transactional campaign with a message, and an endpoint with a delivery."""
    campaign = create_campaign(
        account_id=made.account_id, name=words("campaign")[:255], subject=words("subject")[:255],
        from_name=words("sender")[:255], from_email="hello@shop.example",
    )  # fmt: skip
    message = Templated(
        Recipient("reader@0.example"), tags={words("key"): words("value")}, html="<p>Hello</p>", subject="Hi"
    )
    [taken] = deliver(campaign, [message])
    made.add("transactional_id", campaign.pk)
    made.add("number", taken.seq)
    endpoint, _ = create_endpoint(
        account_id=made.account_id,
        url="https://hooks.example/?" + "'\"><img/src=data:>",
        description=words("description")[:255],
    )
    made.add("endpoint_id", endpoint.pk)
    with connection.cursor() as cursor:
        position = made.add("position", events.head(cursor, account_id=made.account_id))
    common = {"account_id": made.account_id, "endpoint_id": endpoint.pk, "position": position}
    Delivery.objects.create(
        **common, kind=words("kind")[:60], state="failed", attempts=1, next_at=NOW, detail=words("reply")[:255]
    )
    Attempt.objects.create(**common, n=1, at=NOW, status=500, milliseconds=3, detail=words("reply")[:255])


def _inbox(made: Filled, words: Words, html: str) -> None:
    """Mail as the bundled inbox keeps it, with words in every header and in the name of a file."""
    directory = config.load().inbox_dir
    bodies = segment_path(directory, 1)
    bodies.parent.mkdir(parents=True, exist_ok=True)
    ref = RecipientRef(made.account_id, made.of["send_id"][0], 1, made.of["contact_id"][0], int(time.time()))
    sender = (
        f"b-{seal_recipient(derive(config.load().secret(), 'tokens'), ref, purpose='bounce')}@bounces.standfast.test"
    )
    for raw in _letters(words, html):
        with bodies.open("ab") as segment, (directory / INDEX_NAME).open("ab") as index:
            message = StoredMessage(
                id=index.tell(), at=NOW, sender=sender, recipients=(f"{words('mailbox')}@0.example",), message_id="<a@b>",
                subject=words("subject"), from_header=f'"{words("sender")}" <hello@shop.example>', size=len(raw),
                sha256=hash_prefix(raw), segment=1, offset=segment.tell(),
            )  # fmt: skip
            segment.write(raw)
            index.write(format_line(message))
        made.add("message_id", message.id)


def _letters(words: Words, html: str) -> Iterator[bytes]:
    head = f'From: "{words("sender")}" <hello@shop.example>\r\nTo: {words("mailbox")}@0.example\r\nSubject: {words("subject")}\r\n'
    head += f"X-Odd: {words('header')}\r\nList-Unsubscribe: <{words('url')}>\r\nMIME-Version: 1.0\r\n"
    yield f"{head}Content-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n".encode()
    name = words("file").replace('"', "").replace("\\", "")
    yield (
        f"{head}Content-Type: multipart/mixed; boundary=xx\r\n\r\n--xx\r\nContent-Type: text/plain\r\n\r\n{words('text')}\r\n"
        f'--xx\r\nContent-Type: text/html; name="{name}"\r\nContent-Disposition: attachment; filename="{name}"\r\n\r\n'
        f"{html}\r\n--xx--\r\n"
    ).encode()
