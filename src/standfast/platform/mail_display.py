"""One kept message as a person wants to see it (rendered, text), and as an expert does (headers, source, verdicts)."""

from __future__ import annotations

import email
import email.errors
import email.policy
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import nh3

from standfast.protocols.charsets import known_charset
from standfast.protocols.dkim_verify import DkimResult, DkimVerdict, verify

KeyLookup = Callable[[str], str | None]

_TAGS = nh3.ALLOWED_TAGS | {
    "body",
    "center",
    "font",
    "html",
    "head",
    "style",
    "table",
    "tbody",
    "td",
    "tfoot",
    "tr",
    "u",
}
_ATTRIBUTES = {
    "*": {"align", "bgcolor", "border", "cellpadding", "cellspacing", "class", "color", "dir", "face", "height", "id"}
    | {"lang", "role", "size", "style", "title", "valign", "width", "colspan", "rowspan", "background"},
    "a": {"href", "name"},
    "img": {"src", "alt"},
}
_POLICY = "default-src 'none'; img-src {images}; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"


class _Policy(email.policy.EmailPolicy):
    """Header values are read as far as anybody would: Python's parser takes time with the square of their length, and recurses."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        try:
            return super().header_fetch_parse(name, value[:HEADER_CHARS_MAX])
        except (RecursionError, IndexError, ValueError, email.errors.MessageError):
            return self.header_factory(name, "")


HEADER_CHARS_MAX = 2000
_PARSING = _Policy()


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a receiver would say about this message.

    spf is a sentence: it needs the connecting address of a real delivery, which a local inbox has not.
    one_click: List-Unsubscribe and List-Unsubscribe-Post are there (RFC 8058); one_click_signed: and a passing
    signature covers both, which mailbox providers ask for.
    """

    dkim: tuple[DkimVerdict, ...]
    aligned: bool
    spf: str
    one_click: bool
    one_click_signed: bool


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is neither shown nor text. size in bytes."""

    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Display:
    """A parsed message. html is a whole document for the srcdoc of an iframe with
    sandbox="allow-popups allow-popups-to-escape-sandbox"; "" if none."""

    html: str
    text: str
    headers: tuple[tuple[str, str], ...]
    source: str
    attachments: tuple[Attachment, ...]
    verdicts: Verdicts


def parse_for_display(raw: bytes, *, key_lookup: KeyLookup | None = None, remote_images: bool = True) -> Display:
    """Parse a message; never raises for a broken one, it shows what there is.

    key_lookup finds DKIM keys (name to TXT value), by default in the DNS. remote_images=False shows none of them, so
    that looking at a message does not count as an open.
    """
    message = email.message_from_bytes(raw, policy=_PARSING)
    assert isinstance(message, EmailMessage)
    html = _part_text(message, "html")
    return Display(
        html=_safe_document(html, remote_images=remote_images) if html else "",
        text=_part_text(message, "plain"),
        headers=tuple(_headers(message)),
        source=raw.decode("utf-8", "replace"),
        attachments=tuple(_attachments(message)),
        verdicts=_verdicts(message, raw, key_lookup or look_up_key),
    )


def look_up_key(name: str) -> str | None:
    """The TXT record at a name, by DNS. Raises OSError when the DNS does not answer."""
    import dns.exception
    import dns.resolver

    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=3)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    except dns.exception.DNSException as error:
        raise OSError(f"no answer from the DNS ({type(error).__name__})") from error
    return b"".join(answer[0].strings).decode("ascii", "replace")


def _part_text(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    if part is None:
        return ""
    try:
        known_charset(part.get_content_charset("utf-8"))
        return str(part.get_content()).replace("\r\n", "\n")
    except (LookupError, ValueError, AttributeError):  # unknown charset, broken transfer encoding
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(payload)


def _headers(message: EmailMessage) -> list[tuple[str, str]]:
    shown: list[tuple[str, str]] = []
    for name in message:
        if not any(name == known for known, _ in shown):
            shown += [(name, _one_line(value)) for value in message.get_all(name, [])]
    return shown


def _one_line(value: object) -> str:
    return re.sub(r"\s+", " ", str(value)).strip()


def _attachments(message: EmailMessage) -> list[Attachment]:
    found = []
    for part in message.iter_attachments() if message.is_multipart() else ():
        payload = part.get_payload(decode=True)
        size = len(payload) if isinstance(payload, bytes) else 0
        found.append(Attachment(part.get_filename() or "", part.get_content_type(), size))
    return found


def _safe_document(html: str, *, remote_images: bool) -> str:
    """Scripts, forms, frames and handlers go; what styles there are stays. The policy in it holds even without a sandbox."""
    clean = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "title"},
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel", "data"},
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    policy = _POLICY.format(images="data: http: https:" if remote_images else "data:")
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"></head><body style="margin:0">{clean}</body></html>'
    )


def _verdicts(message: EmailMessage, raw: bytes, lookup: KeyLookup) -> Verdicts:
    signatures = tuple(verify(raw, lookup=lookup))
    passing = [signature for signature in signatures if signature.result is DkimResult.PASS]
    sender = re.search(r"@([\w.-]+)", str(message.get("From", "")))
    domain = sender.group(1).lower() if sender else ""
    post = _one_line(message.get("List-Unsubscribe-Post", ""))
    has_url = re.search(r"<https?://", _one_line(message.get("List-Unsubscribe", ""))) is not None
    one_click = has_url and post.replace(" ", "").lower() == "list-unsubscribe=one-click"
    both = {"list-unsubscribe", "list-unsubscribe-post"}
    return Verdicts(
        dkim=signatures,
        aligned=any(_relaxed_aligned(signature.domain.lower(), domain) for signature in passing),
        spf="not applicable: the message came from this machine, not from a sending address in the DNS",
        one_click=one_click,
        one_click_signed=one_click and any(both <= set(signature.signed_headers) for signature in passing),
    )


def _relaxed_aligned(signer: str, author: str) -> bool:
    """DMARC's relaxed alignment, without the public suffix list: one is the other or a parent of it."""
    return bool(signer) and (author == signer or author.endswith(f".{signer}") or signer.endswith(f".{author}"))
