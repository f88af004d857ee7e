"""Messages as the documentation of four vendors writes them, read into our order and into each recipient's own message."""

import contextlib
import datetime as dt
import email
import email.policy
import json
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.protocols.mime_rewrite import LetterError, read_letter
from standfast.services.smtp_api.dialects import DIALECTS
from standfast.services.smtp_api.order import OrderRefused, read_order
from standfast.services.smtp_api.personal import messages_of

ENVELOPE = ["bob@people.example", "alice@people.example"]


def taken(*headers: str, body: str = "Hi", subject: str = "x", recipients=ENVELOPE, content="text/html"):
    lines = [*headers, "From: Shop <a@shop.example>", "To: all@shop.example", f"Subject: {subject}",
             f"Content-Type: {content}; charset=utf-8"]  # fmt: skip
    raw = ("\r\n".join(lines) + "\r\n\r\n" + body + "\r\n").encode()
    order, letter = read_order(read_letter(raw), dialects=DIALECTS, authenticated=True)
    found = messages_of(order, letter, recipients, sender="a@shop.example", name="Shop")
    for one in found:
        assert b"X-SMTPAPI" not in one.raw and b"X-MC-" not in one.raw
        assert b"X-PM-" not in one.raw and b"X-Mailgun-" not in one.raw
    return order, found


def read(message):
    parsed = email.message_from_bytes(message.raw, policy=email.policy.SMTP)
    return parsed["To"], parsed["Subject"], parsed.get_content().strip()


def test_sendgrid_substitutions_and_sections_for_each_of_to():
    smtpapi = {
        "to": ["Alice <alice@people.example>", "bob@people.example"],
        "sub": {"-name-": ["Alice", "Bob"], "-where-": ["-day-", "-night-"]},
        "section": {"-day-": "come by day, -name-", "-night-": "come by night"},
        "category": ["Orders", "spring"],
        "unique_args": {"order": 7, "shop": "north"},
        "filters": {
            "opentrack": {"settings": {"enable": 0}},
            "clicktrack": {"settings": {"enable": "1"}},
            "bypass_list_management": {"settings": {"enable": 1}},
            "bcc": {"settings": {"enable": 1, "email": "archive@shop.example"}},
        },
        "send_each_at": [1900000000, 1900000060],
    }
    folded = "X-SMTPAPI: " + json.dumps(smtpapi, indent=1).replace("\n", "\r\n ")
    order, [alice, bob] = taken(folded, body="<p>-name-, -where-</p>", subject="For -name-")
    assert (order.campaign, order.tags) == ("Orders", ["Orders", "spring"])
    assert order.metadata == {"order": "7", "shop": "north"}
    assert read(alice) == ("alice@people.example", "For Alice", "<p>Alice, come by day, Alice</p>")
    assert read(bob) == ("bob@people.example", "For Bob", "<p>Bob, come by night</p>")
    assert (alice.opens, alice.clicks, alice.ignore_do_not_mail, alice.bcc) == (
        False,
        True,
        True,
        "archive@shop.example",
    )
    assert bob.due_at == dt.datetime.fromtimestamp(1900000060, dt.UTC)
    assert alice.metadata == {"order": "7", "shop": "north"}


def test_sendgrid_without_to_goes_to_the_envelope_at_send_at():
    order, [bob, alice] = taken(
        'X-SMTPAPI: {"category":"newuser","send_at":1409348513,"sub":{"%n%":["B","A"]}}', body="%n%"
    )
    assert order.campaign == "newuser" and order.send_at == dt.datetime.fromtimestamp(1409348513, dt.UTC)
    assert [read(bob)[2], read(alice)[2]] == ["B", "A"]


def test_mandrill():
    order, [bob, alice] = taken(
        "X-MC-Tags: welcome,first", "X-MC-Track: opens", 'X-MC-Metadata: {"user_id": "45829"}',
        "X-MC-BccAddress: archive@shop.example", "X-MC-SendAt: 2030-01-31 14:00:00", "X-MC-Autotext: true",
        'X-MC-MergeVars: {"name": "friend"}', 'X-MC-MergeVars: {"_rcpt": "alice@people.example", "Name": "Alice"}',
        body="Hi *|NAME|* *|OTHER|*", content="text/plain",
    )  # fmt: skip
    assert (order.campaign, order.tags, order.metadata) == ("welcome", ["welcome", "first"], {"user_id": "45829"})
    assert (order.opens, order.clicks, order.bcc) == (True, False, "archive@shop.example")
    assert order.send_at == dt.datetime(2030, 1, 31, 14, tzinfo=dt.UTC)
    assert [read(bob)[2], read(alice)[2]] == ["Hi friend *|OTHER|*", "Hi Alice *|OTHER|*"]


def test_mandrill_handlebars_escapes_in_html():
    _, [one] = taken(
        'X-MC-MergeVars: {"n": "<b>"}',
        "X-MC-MergeLanguage: handlebars",
        body="{{n}} {{{ n }}}",
        recipients=["a@b.example"],
    )
    assert read(one)[2] == "&lt;b&gt; <b>"


def test_postmark():
    order, found = taken(
        "X-PM-Tag: welcome-email", "X-PM-Metadata-color: blue", "X-PM-Metadata-client-id: 12345",
        "X-PM-TrackOpens: true", "X-PM-TrackLinks: None", "X-PM-Message-Stream: outbound", "X-PM-KeepID: true",
    )  # fmt: skip
    assert (order.campaign, order.tags) == ("welcome-email", ["welcome-email"])
    assert order.metadata == {"color": "blue", "client-id": "12345"}
    assert (order.opens, order.clicks) == (True, False)
    assert len(found) == 2 and found[0].raw == found[1].raw


def test_mailgun():
    order, [bob, alice] = taken(
        "X-Mailgun-Tag: newsletter", "X-Mailgun-Tag: may", "X-Mailgun-Track-Clicks: htmlonly", "X-Mailgun-Track-Opens: no",
        "X-Mailgun-Deliver-By: Fri, 25 Oct 2030 23:10:10 -0100", 'X-Mailgun-Variables: {"my_message_id": 123}',
        'X-Mailgun-Recipient-Variables: {"bob@people.example": {"first":"Bob", "id":1},'
        ' "Alice@people.example": {"first":"Alice", "id":2}}',
        "X-Mailgun-Dkim: yes", subject="Hey, %recipient.first%", body="Your id is %recipient.id%",
    )  # fmt: skip
    assert (order.campaign, order.tags, order.metadata) == (
        "newsletter",
        ["newsletter", "may"],
        {"my_message_id": "123"},
    )
    assert (order.opens, order.clicks, order.drop) == (False, True, False)
    assert order.send_at == dt.datetime(2030, 10, 26, 0, 10, 10, tzinfo=dt.UTC)
    assert read(bob) == ("bob@people.example", "Hey, Bob", "Your id is 1")
    assert read(alice) == ("alice@people.example", "Hey, Alice", "Your id is 2")
    assert taken("X-Mailgun-Drop-Message: yes")[0].drop


def test_a_campaign_name_goes_before_a_tag_and_a_vendor_before_nothing():
    assert taken("X-CampaignName: Ours", "X-PM-Tag: theirs")[0].campaign == "Ours"
    assert taken("X-PM-TrackOpens: false")[0].campaign == "Postmark"
    with pytest.raises(OrderRefused, match="X-CampaignName"):
        taken()


def test_a_value_cannot_add_a_header():
    _, [one] = taken(
        'X-SMTPAPI: {"sub":{"-n-":["x\\r\\nBcc: evil@example.org"]}}', subject="-n-", recipients=["a@b.example"]
    )
    parsed = email.message_from_bytes(one.raw)
    assert parsed["Bcc"] is None and "evil" in parsed["Subject"]


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("X-SMTPAPI: {", "no JSON"),
        ("X-SMTPAPI: []", "object"),
        ('X-SMTPAPI: {"unique_args":{"a":"\\ud800"}}', "cannot be stored"),
        ('X-SMTPAPI: {"category":"a\\u0000"}', "cannot be stored"),
        ('X-SMTPAPI: {"to":["nobody"]}', "no address"),
        ('X-SMTPAPI: {"to":{"a":1}}', "list"),
        ('X-SMTPAPI: {"sub":{"a":"b"}}', "list of values"),
        ('X-SMTPAPI: {"send_at":"soon"}', "no time"),
        ('X-SMTPAPI: {"to":["a@b.example"],"send_each_at":[1,2]}', "one time"),
        ('X-SMTPAPI: {"filters":{"templates":{"settings":{"enable":1,"template_id":"x"}}}}', "not supported"),
        ("X-MC-Template: welcome", "not supported"),
        ("X-MC-SendAt: tomorrow", "UTC time"),
        ("X-MC-Metadata: " + '{"a":"' + "x" * 250 + '"}', "200 bytes"),
        ("X-Mailgun-Require-TLS: yes", "not supported"),
        ("X-Mailgun-Deliver-By: later", "RFC 2822"),
        ('X-Mailgun-Recipient-Variables: {"a@b.example": 1}', "object for each"),
        ("X-PM-Tag: a\0b", "NUL"),
    ],
)
def test_what_is_refused_says_why(header, why):
    with pytest.raises(OrderRefused, match=why):
        taken(header)


NAMES = ["X-SMTPAPI", "X-MC-MergeVars", "X-MC-Track", "X-MC-SendAt", "X-MC-Metadata", "X-PM-Tag", "X-PM-Metadata-a",
         "X-Mailgun-Variables", "X-Mailgun-Recipient-Variables", "X-Mailgun-Deliver-By", "To", "Subject",
         "X-AccountID"]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["to", "sub", "section", "category", "unique_args", "filters", "send_at", "send_each_at", "bcc",
                         "settings", "enable", "email", "opentrack", "_rcpt", "-a-", "Hi", ""]), inner, max_size=5,
    ),
    max_leaves=15,
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(NAMES), JSON.map(json.dumps) | st.text(max_size=40)), max_size=4))
def test_whatever_stands_in_the_headers_is_taken_or_refused(headers):
    with contextlib.suppress(OrderRefused, LetterError):
        taken(*(f"{name}: {value}" for name, value in headers))


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("X-SMTPAPI: " + json.dumps({"sub": {"a": ["b" * 900]}}), "a"),
        ("X-MC-MergeVars: " + json.dumps({"A": "b" * 900}), "*|A|*"),
        ("X-Mailgun-Recipient-Variables: " + json.dumps({"bob@people.example": {"a": "b" * 900}}), "%recipient.a%"),
    ],
)
def test_tags_that_would_fill_the_memory_are_refused_before_they_do(header, tag):
    tracemalloc.start()
    with pytest.raises(OrderRefused, match="the substitutions make the message too large"):
        taken(header, "X-CampaignName: x", body=tag * 40_000, recipients=["bob@people.example"])
    assert tracemalloc.get_traced_memory()[1] < 60_000_000
    tracemalloc.stop()


def test_many_tags_for_many_people_have_an_end(monkeypatch):
    monkeypatch.setattr(sys.modules["standfast.services.smtp_api.dialects.sendgrid"], "WORK_MAX", 10_000)
    smtpapi = {"to": [f"p{n}@people.example" for n in range(9)], "sub": {f"-{n}-": ["x"] for n in range(100)}}
    with pytest.raises(OrderRefused, match="too many substitutions"):
        taken("X-SMTPAPI: " + json.dumps(smtpapi), body="Hello " * 10)
