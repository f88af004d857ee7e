"""What a refusal means: SMTP replies and DSN diagnostics sorted into the classes that KumoMTA uses.

Providers reuse codes freely, so the words come first, then the enhanced code (RFC 3463), then the plain one. Rules on
policy stand before those on recipients: a reply that names both must never cost a person their subscription.
"""

import re
from enum import StrEnum

TEXT_CHARS_MAX = 2000


class BounceClass(StrEnum):
    """Why a message was not taken. Only the first three say that the person cannot be reached at this address."""

    INVALID_RECIPIENT = "InvalidRecipient"
    BAD_DOMAIN = "BadDomain"
    INACTIVE_MAILBOX = "InactiveMailbox"
    INVALID_SENDER = "InvalidSender"
    QUOTA_ISSUES = "QuotaIssues"
    NO_ANSWER_FROM_HOST = "NoAnswerFromHost"
    BAD_CONNECTION = "BadConnection"
    DNS_FAILURE = "DNSFailure"
    ROUTING_ERRORS = "RoutingErrors"
    TRANSIENT_FAILURE = "TransientFailure"
    MESSAGE_EXPIRED = "MessageExpired"
    PROTOCOL_ERRORS = "ProtocolErrors"
    AUTHENTICATION_FAILED = "AuthenticationFailed"
    POLICY_RELATED = "PolicyRelated"
    TOO_MANY_RECIPIENTS = "TooManyRecipients"
    UNCATEGORIZED = "Uncategorized"


_C = BounceClass
_SUPPRESSING = frozenset({_C.INVALID_RECIPIENT, _C.BAD_DOMAIN, _C.INACTIVE_MAILBOX})
# A temporary answer never proves that somebody is gone: greylisting and broken directories say "unknown user" as well.
_WHILE_TEMPORARY = {
    _C.INVALID_RECIPIENT: _C.TRANSIENT_FAILURE,
    _C.INACTIVE_MAILBOX: _C.TRANSIENT_FAILURE,
    _C.BAD_DOMAIN: _C.DNS_FAILURE,
}

_RULES: tuple[tuple[BounceClass, re.Pattern[str]], ...] = tuple(
    (cls, re.compile(pattern))
    for cls, pattern in [
        # Exchange Online's directory-based edge blocking: "access denied", but it means that there is no such mailbox.
        (_C.INVALID_RECIPIENT, r"recipient address rejected: access denied.*as\(20180"),
        (
            _C.AUTHENTICATION_FAILED,
            r"5\.7\.515|5\.7\.(?:2[0-9]|30)\b|\bdmarc\b|\bdkim\b|\bspf\b|unauthenticated"
            r"|authentication (?:checks?|failed)|required authentication level|authentication required|sender id",
        ),
        (_C.TOO_MANY_RECIPIENTS, r"too many (?:recipients|rcpts)|recipients? limit|maximum recipients"),
        (
            _C.TRANSIENT_FAILURE,
            r"gr[ea]y-?list|try again later"
            r"|temporar(?:il)?y.{0,20}(?:deferred|unavailable|rejected|refused|problem|error)"
            r"|receiving (?:mail|messages) (?:at a rate|too)|too many (?:concurrent|simultaneous)|server busy"
            r"|service (?:temporarily )?unavailable, closing",
        ),
        (
            _C.INVALID_SENDER,
            r"(?:sender|from|return|envelope|reply-to) (?:header )?address (?:\S+ )?(?:is |was )?"
            r"(?:not|rejected|invalid|unknown)"
            r"|sender verif(?:y|ication)|invalid sender|sender (?:address )?(?:does not exist|unknown)"
            r"|domain of sender|sender(?:'s)? domain (?:must|does not)|mail ?from.{0,40}(?:invalid|does not exist)",
        ),
        (
            _C.POLICY_RELATED,
            r"block ?list|black ?list|\b(?:dns)?[rd]?bl\b|spamhaus|spamcop|barracuda|proofpoint|reputation"
            r"|\bs3150\b|s3140|\btss\d\d|banned|blocked|\bspam|unsolicited|rate.?limit"
            r"|unusual(?:ly)? (?:high )?rate|throttl|too many (?:connec|mess)|virus|malware|phish|polic(?:y|ies)"
            r"|prohibited|not authori[sz]ed|reverse dns|\bptr\b|local configuration|permission to send"
            r"|content (?:reject|filter|denied|not accept)|rejected (?:due to|for).{0,20}content"
            r"|message (?:size|too (?:large|big))|message rejected|suspicious|(?<!relay )access denied"
            r"|\bip address|client host|rejected by (?:the )?(?:\S+ )?(?:filter|recipient|anti|content)"
            r"|5\.7\.\d+ .{0,20}service refused|sending (?:is |was )?(?:suspended|paused|disabled)|your account",
        ),
        (
            _C.QUOTA_ISSUES,
            r"quota|mailbox (?:is )?full|full mailbox|mailbox (?:size|storage) (?:limit )?exceeded|out of storage"
            r"|insufficient (?:disk|system) storage|storage (?:space|limit)|mailfolder is full",
        ),
        (
            _C.INACTIVE_MAILBOX,
            r"(?:account|mailbox|user|recipient|address)[^.]{0,60}(?:\bis |\bhas been |\bwas |: )?(?:temporarily )?\b"
            r"(?:disabled|inactive|suspended|deactivated|expired|closed|discontinued|locked|terminated)\b"
            r"|inactive (?:user|account|mailbox)|disabled (?:user|account|mailbox)|not active|not been used for",
        ),
        (_C.ROUTING_ERRORS, r"relay|loops? (?:back|detected)|mail loop|too many hops|hop count"),
        (
            _C.MESSAGE_EXPIRED,
            r"expired|retry time(?:out)? (?:exceeded|not reached)|queue too long|been in the queue too"
            r"|could not be delivered for",
        ),
        (
            _C.BAD_DOMAIN,
            r"host (?:or domain name )?not found(?!,? try)|domain (?:name )?(?:not found|does not exist|unknown)"
            r"|nxdomain|null mx|does not accept (?:e-?)?mail|unrouteable (?:mail )?domain|couldn't find any host"
            r"|no such domain|unknown domain|domain.{0,60}(?:not found|doesn't exist)|no mx (?:record|host)",
        ),
        (
            _C.INVALID_RECIPIENT,
            r"(?:user|recipient|mailbox|account|address|alias)[^.]{0,80}"
            r"(?:unknown|not? (?:found|exist|valid|here)|does ?n.t (?:exist|have)|does not (?:exist|have)|not listed"
            r"|invalid|unavailable|rejected|not local|couldn't be found|wasn't found)"
            r"|(?:unknown|no such|invalid|bad|non-?exist\w*|undeliverable|unrouteable)"
            r" (?:local )?(?:user|recipient|mailbox|account|address|person)"
            r"|no mailbox here|resolver\.adr\.(?:recip|exrecip)notfound|recipnotfound|does not like recipient"
            r"|not our customer|doesn't have an? .{0,30}account|no longer (?:valid|works|with|at)|unknown_?user"
            r"|requested action not taken: mailbox",
        ),
        (_C.DNS_FAILURE, r"dns|name (?:service|server)|host(?:name)? lookup|host not found,? try|servfail"),
        (_C.NO_ANSWER_FROM_HOST, r"timed? ?out|no answer|no route|unreachable|connection refused|couldn't establish"),
        (_C.BAD_CONNECTION, r"connection|conversation with|closed|reset by peer|broken pipe|\btls\b|handshake"),
        (
            _C.PROTOCOL_ERRORS,
            r"syntax|unrecogni[sz]ed|not recogni[sz]ed|not implemented|bad sequence|out of sequence|line too long"
            r"|8-?bit|smtputf8",
        ),
    ]
)

# Subject and detail of RFC 3463 codes as registered with IANA.
_BY_CODE = {
    "1.1": _C.INVALID_RECIPIENT,
    "1.2": _C.BAD_DOMAIN,
    "1.3": _C.INVALID_RECIPIENT,
    "1.4": _C.INVALID_RECIPIENT,
    "1.6": _C.INVALID_RECIPIENT,
    "1.7": _C.INVALID_SENDER,
    "1.8": _C.INVALID_SENDER,
    "1.10": _C.BAD_DOMAIN,
    "2.0": _C.TRANSIENT_FAILURE,
    "2.1": _C.INACTIVE_MAILBOX,
    "2.2": _C.QUOTA_ISSUES,
    "2.3": _C.POLICY_RELATED,
    "3.1": _C.QUOTA_ISSUES,
    "3.4": _C.POLICY_RELATED,
    "4.1": _C.NO_ANSWER_FROM_HOST,
    "4.2": _C.BAD_CONNECTION,
    "4.3": _C.DNS_FAILURE,
    "4.4": _C.ROUTING_ERRORS,
    "4.6": _C.ROUTING_ERRORS,
    "4.7": _C.MESSAGE_EXPIRED,
    "5.3": _C.TOO_MANY_RECIPIENTS,
}
_BY_SUBJECT = {"4": _C.ROUTING_ERRORS, "5": _C.PROTOCOL_ERRORS, "6": _C.POLICY_RELATED, "7": _C.POLICY_RELATED}

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -])")
# Addresses and links carry words of their own: a mailbox named "spam.policy" is no policy.
_QUOTED = re.compile(r"https?://\S+|[^\s<>:;,]+@[^\s<>:;,]+")


def classify(code: int | None, enhanced: str | None, text: str) -> BounceClass:
    """Sort one refusal. code: the SMTP reply's or None; enhanced: such as "5.1.1" or None; text: the rest.

    Codes missing are looked for in the text. Never raises.
    """
    text = " ".join(text[:TEXT_CHARS_MAX].split())
    found = _ENHANCED.fullmatch(enhanced.strip()) if enhanced else None
    found = found or _ENHANCED.search(text)
    if code is None and (plain := _CODE.search(text)):
        code = int(plain[1])
    cls = _class_of(code, found, _QUOTED.sub(" ", text).lower())
    temporary = code // 100 == 4 if code is not None else bool(found and found[1] == "4")
    return _WHILE_TEMPORARY.get(cls, cls) if temporary else cls


def _class_of(code: int | None, found: re.Match[str] | None, text: str) -> BounceClass:
    subject, detail = (found[2], found[3]) if found else ("", "")
    if found and found[0] not in text:
        text = f"{found[0]} {text}"
    for cls, pattern in _RULES:
        # "Rejected" alone, under a code for policy, is about us and not about the recipient.
        if pattern.search(text) and not (cls is _C.INVALID_RECIPIENT and subject == "7" and "as(20180" not in text):
            return cls
    if found and (by_code := _BY_CODE.get(f"{subject}.{detail}") or _BY_SUBJECT.get(subject)):
        return by_code
    if code is None:
        return _C.UNCATEGORIZED
    if code // 100 == 4:
        return _C.QUOTA_ISSUES if code == 452 else _C.TRANSIENT_FAILURE
    return _C.PROTOCOL_ERRORS if 500 <= code <= 504 else _C.QUOTA_ISSUES if code == 552 else _C.UNCATEGORIZED


def suppresses(cls: BounceClass) -> bool:
    """Whether the address is not to be written to again: the person is gone. Never for policy, content or quota."""
    return cls in _SUPPRESSING


def is_hard(cls: BounceClass) -> bool:
    """Whether reports count it as a hard bounce: the address does not work and waiting will not change that."""
    return cls in _SUPPRESSING
