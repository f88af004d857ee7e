# ruff: noqa: E501
"""Bounces: real replies of the large providers and servers, and the class each belongs to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.protocols.bounces import BounceClass as C
from standfast.protocols.bounces import classify, is_hard, suppresses

REPLIES = [
    # Gmail
    (550, "5.1.1", "The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces. For more information, go to https://support.google.com/mail/?p=NoSuchUser x - gsmtp", C.INVALID_RECIPIENT),
    (550, "5.2.1", "The email account that you tried to reach is inactive. For more information, go to https://support.google.com/mail/?p=DisabledUser x - gsmtp", C.INACTIVE_MAILBOX),
    (550, "5.2.1", "The email account that you tried to reach is disabled. Learn more at https://support.google.com/mail/?p=DisabledUser", C.INACTIVE_MAILBOX),
    (452, "4.2.2", "The recipient's inbox is out of storage space. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaTemp - gsmtp", C.QUOTA_ISSUES),
    (552, "5.2.2", "The email account that you tried to reach is over quota.", C.QUOTA_ISSUES),
    (450, "4.2.1", "The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.", C.TRANSIENT_FAILURE),
    (550, "5.7.26", "This mail has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM.", C.AUTHENTICATION_FAILED),
    (550, "5.7.1", "Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked.", C.POLICY_RELATED),
    (421, "4.7.28", "Our system has detected an unusual rate of unsolicited mail originating from your IP address.", C.POLICY_RELATED),
    (550, "5.7.1", "Email address bob@example.com: Unauthenticated email from example.com is not accepted due to domain's DMARC policy.", C.AUTHENTICATION_FAILED),
    # Yahoo
    (554, None, "delivery error: dd This user doesn't have a yahoo.com account (bob@yahoo.com) [0] - mta1.mail.bf1.yahoo.com", C.INVALID_RECIPIENT),
    (554, None, "delivery error: dd Sorry your message to bob@yahoo.com cannot be delivered. This mailbox is disabled (554.30). - mta1", C.INACTIVE_MAILBOX),
    (421, "4.7.0", "[TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes", C.TRANSIENT_FAILURE),
    (553, "5.7.1", "[BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list", C.POLICY_RELATED),
    (554, "5.7.9", "Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes", C.POLICY_RELATED),
    (552, None, "1 Requested mail action aborted, mailbox not found", C.INVALID_RECIPIENT),
    # Microsoft consumer and Exchange Online
    (550, "5.5.0", "Requested action not taken: mailbox unavailable (S2017062302). [x.prod.protection.outlook.com]", C.INVALID_RECIPIENT),
    (550, "5.7.1", "Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).", C.POLICY_RELATED),
    (550, "5.7.515", "Access denied, sending domain example.com does not meet the required authentication level.", C.AUTHENTICATION_FAILED),
    (550, "5.4.1", "Recipient address rejected: Access denied. AS(201806281) [x.eop-EUR05.prod.protection.outlook.com]", C.INVALID_RECIPIENT),
    (550, "5.1.10", "RESOLVER.ADR.RecipientNotFound; Recipient bob@example.com not found by SMTP address lookup", C.INVALID_RECIPIENT),
    (451, "4.7.500", "Server busy. Please try again later from [192.0.2.1]. (S77719)", C.TRANSIENT_FAILURE),
    (550, "5.7.1", "Client host rejected: cannot find your reverse hostname", C.POLICY_RELATED),
    (554, "5.2.2", "mailbox full; STOREDRV.Deliver; QuotaExceededException.MapiExceptionShutoffQuotaExceeded", C.QUOTA_ISSUES),
    (550, "5.7.606", "Access denied, banned sending IP [192.0.2.1]. To request removal from this list please visit https://sender.office.com/", C.POLICY_RELATED),
    (550, "5.1.1", "RESOLVER.ADR.RecipNotFound; not found", C.INVALID_RECIPIENT),
    (550, "5.7.124", "Sender not in allowed-senders list", C.POLICY_RELATED),
    # Postfix
    (550, "5.1.1", "<bob@example.com>: Recipient address rejected: User unknown in virtual mailbox table", C.INVALID_RECIPIENT),
    (450, "4.1.1", "<bob@example.com>: Recipient address rejected: unverified address: Address lookup failed", C.TRANSIENT_FAILURE),
    (450, "4.2.0", "<bob@example.com>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/", C.TRANSIENT_FAILURE),
    (554, "5.7.1", "<bob@example.com>: Relay access denied", C.ROUTING_ERRORS),
    (554, "5.7.1", "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", C.POLICY_RELATED),
    (550, "5.1.8", "<a@b.example>: Sender address rejected: Domain not found", C.INVALID_SENDER),
    (None, "5.4.4", "Host or domain name not found. Name service error for name=nosuch.example type=A: Host not found", C.BAD_DOMAIN),
    (None, "4.4.3", "Host or domain name not found. Name service error for name=x.example type=MX: Host not found, try again", C.DNS_FAILURE),
    (None, "4.4.1", "connect to mx.example.com[192.0.2.1]:25: Connection timed out", C.NO_ANSWER_FROM_HOST),
    (None, "4.4.2", "lost connection with mx.example.com while sending RCPT TO", C.BAD_CONNECTION),
    (552, "5.3.4", "Message size exceeds fixed limit", C.POLICY_RELATED),
    (452, "4.5.3", "Error: too many recipients", C.TOO_MANY_RECIPIENTS),
    (None, "5.1.0", "Domain example.com does not accept mail (nullMX)", C.BAD_DOMAIN),
    # Exim
    (550, None, "Unrouteable address", C.INVALID_RECIPIENT),
    (550, None, "No Such User Here", C.INVALID_RECIPIENT),
    (550, None, "Sender verify failed", C.INVALID_SENDER),
    (None, None, "retry timeout exceeded", C.MESSAGE_EXPIRED),
    (550, None, "Verification failed for <a@b.example>; No Such User Here; Sender verify failed", C.INVALID_SENDER),
    # qmail
    (550, None, "sorry, no mailbox here by that name. (#5.1.1)", C.INVALID_RECIPIENT),
    (553, None, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", C.POLICY_RELATED),
    (None, None, "Sorry, I couldn't find any host named nosuch.example. (#5.1.2)", C.BAD_DOMAIN),
    (None, None, "192.0.2.1 does not like recipient. Remote host said: 550 5.1.1 unknown user. Giving up on 192.0.2.1.", C.INVALID_RECIPIENT),
    (None, None, "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)", C.BAD_CONNECTION),
    # Easily mistaken for a person who is gone
    (550, "5.2.1", "The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.", C.TRANSIENT_FAILURE),
    (550, None, "mailbox temporarily unavailable", C.TRANSIENT_FAILURE),
    (550, "5.1.1", "Connection from IP address [2001:db8::1] rejected", C.POLICY_RELATED),
    (550, None, "Client host rejected: address not allowed", C.POLICY_RELATED),
    (550, None, "From address is not valid", C.INVALID_SENDER),
    (550, None, "Message for this recipient rejected by content filter", C.POLICY_RELATED),
    (550, "5.4.1", "Recipient address rejected: Access denied", C.POLICY_RELATED),
    (550, "5.1.1", "User unknown; mail from 192.0.2.1 listed at zen.spamhaus.org", C.POLICY_RELATED),
    (554, None, "Sending suspended for this account", C.POLICY_RELATED),
    (550, "5.1.1", "Your account has been disabled", C.POLICY_RELATED),
    # Others, and codes alone
    (550, None, "User nospam.policy@example.com unknown", C.INVALID_RECIPIENT),
    (500, None, "Syntax error, command unrecognized", C.PROTOCOL_ERRORS),
    (550, "5.1.1", "", C.INVALID_RECIPIENT),
    (550, "5.7.1", "", C.POLICY_RELATED),
    (550, "5.2.1", "", C.INACTIVE_MAILBOX),
    (550, None, "no", C.UNCATEGORIZED),
    (451, None, "", C.TRANSIENT_FAILURE),
    (None, "5.4.7", "delivery time expired", C.MESSAGE_EXPIRED),
    (None, None, "", C.UNCATEGORIZED),
]  # fmt: skip


@pytest.mark.parametrize(("code", "enhanced", "text", "expected"), REPLIES)
def test_replies_are_sorted(code, enhanced, text, expected) -> None:
    assert classify(code, enhanced, text) == expected


def test_only_people_who_are_gone_are_suppressed() -> None:
    gone = {C.INVALID_RECIPIENT, C.BAD_DOMAIN, C.INACTIVE_MAILBOX}
    assert {cls for cls in C if suppresses(cls)} == gone == {cls for cls in C if is_hard(cls)}
    assert C.INVALID_RECIPIENT == "InvalidRecipient"


@pytest.mark.parametrize("reply", REPLIES, ids=str)
def test_a_temporary_reply_never_suppresses(reply) -> None:
    assert not suppresses(classify(450, "4.1.1", reply[2]))


@given(
    code=st.none() | st.integers(-10, 9999),
    enhanced=st.none() | st.text(max_size=12) | st.sampled_from(["5.1.1", "4.4.4", "5.999.999"]),
    text=st.text(max_size=300) | st.sampled_from(REPLIES).map(lambda reply: reply[2] * 40),
)
def test_any_reply_has_a_class(code, enhanced, text) -> None:
    assert classify(code, enhanced, text) in C
