"""E-mail addresses as people write them: normalised, checked (RFC 5321 section 4.1.2), or refused with a reason.

The same mailbox must give the same key however it was typed, as the key is what suppression is looked up by.
Domains are compared in punycode; local parts are lower-cased for the key, for no provider in use tells them apart.
"""

import re
from typing import NamedTuple

import idna

ADDRESS_CHARS_MAX = 254  # RFC 5321 section 4.5.3.1.3: a path is 256 octets with its angle brackets
LOCAL_CHARS_MAX = 64
DOMAIN_CHARS_MAX = 253
_INPUT_CHARS_MAX = 1000

_TLD = r"(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{1,58}[A-Za-z0-9])"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# What nearly every row of an import looks like.
_PLAIN = re.compile(r"([a-z0-9_+-]{1,64}(?:\.[a-z0-9_+-]{1,64})*)@((?:[a-z0-9]{1,63}\.)+[a-z]{2,63})")
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED = re.compile(r'"(?:[ !#-\[\]-~]|\\[ -~])*"')
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_TLD}")
_LABELS = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_INVISIBLE = " \t\r\n\x0b\x0c\xa0\ufeff\u200b\u200c\u200d\u2060\u3000\u202a\u202b\u202c\u202d\u202e\u200e\u200f"


class AddressError(ValueError):
    """The text is no address we can send to; `reason` says why in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Address(NamedTuple):
    """email: as to be written in an envelope (domain in lower-case punycode); key: for comparing; domain: punycode."""

    email: str
    key: str
    domain: str


def parse_address(text: str) -> Address:
    """Normalise one address. White space, `mailto:`, `Name <a@b.c>` and a dot after the domain are taken off.

    Raises AddressError.
    """
    if len(text) <= LOCAL_CHARS_MAX and (found := _PLAIN.fullmatch(text)):
        return Address(text, text, found[2])
    return _parse(text)


def _parse(text: str) -> Address:
    if len(text) > _INPUT_CHARS_MAX:
        raise AddressError("too long for an address")
    text = _bare(text)
    if not text:
        raise AddressError("empty")
    local, at, domain = text.rpartition("@")
    if not at:
        raise AddressError("no @ in it")
    local = _local(local)
    domain = domain_to_ascii(domain.rstrip("."))
    if not _DOMAIN.fullmatch(domain):
        raise AddressError(_why_no_mail_domain(domain))
    email = f"{local}@{domain}"
    if len(email) > ADDRESS_CHARS_MAX:
        raise AddressError(f"longer than {ADDRESS_CHARS_MAX} characters")
    return Address(email, email.lower(), domain)


def _bare(text: str) -> str:
    """Take off what stands around an address."""
    text = text.strip(_INVISIBLE)
    if text.endswith(">"):
        text = text[text.rfind("<") + 1 : -1].strip(_INVISIBLE)
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0].strip(_INVISIBLE)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip(_INVISIBLE)
    return text


def _local(local: str) -> str:
    if not local:
        raise AddressError("nothing before the @")
    if len(local) > LOCAL_CHARS_MAX:
        raise AddressError(f"more than {LOCAL_CHARS_MAX} characters before the @")
    if not local.isascii():
        raise AddressError("letters outside ASCII before the @ (SMTPUTF8) are not supported")
    if _DOT_ATOM.fullmatch(local):
        return local
    if _QUOTED.fullmatch(local):
        inner = re.sub(r"\\(.)", r"\1", local[1:-1])
        return inner if _DOT_ATOM.fullmatch(inner) else local
    if "@" in local:
        raise AddressError("more than one @")
    if any(char in local for char in " \t\r\n,;"):
        raise AddressError("a space, comma or semicolon inside; one address per field")
    if local[0] == "." or local[-1] == "." or ".." in local:
        raise AddressError("a dot in the wrong place before the @")
    raise AddressError("a character before the @ that is not allowed there")


def domain_to_ascii(domain: str) -> str:
    """A domain in lower-case punycode (IDNA 2008 with the mapping of UTS 46). Raises AddressError."""
    if not domain:
        raise AddressError("nothing after the @")
    if domain.isascii():
        if len(domain) > DOMAIN_CHARS_MAX or not _LABELS.fullmatch(domain):
            raise AddressError(_why_no_mail_domain(domain))
        return domain.lower()
    if len(domain) > DOMAIN_CHARS_MAX:
        raise AddressError("the domain is too long")
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode().lower()
    except (UnicodeError, IndexError, ValueError) as error:
        raise AddressError("the domain holds characters that no domain can have") from error


def _why_no_mail_domain(domain: str) -> str:
    if len(domain) > DOMAIN_CHARS_MAX or any(len(label) > 63 for label in domain.split(".")):
        return "the domain is too long"
    if domain[:1] == "[":
        return "an IP address instead of a domain"
    if any(char in domain for char in " \t\r\n,;"):
        return "a space, comma or semicolon inside; one address per field"
    if ".." in domain or domain[:1] == ".":
        return "a dot in the wrong place in the domain"
    if "." not in domain:
        return "the domain has no ending such as .com"
    if domain.replace(".", "").isdigit():
        return "an IP address instead of a domain"
    if not _LABELS.fullmatch(domain):
        return "the domain holds characters that no domain can have"
    return "the domain's ending is not one"
