"""The verifier against our signer and against dkimpy's."""

import re

import dkim as dkimpy
import pytest

from standfast.protocols.dkim import Signer, new_key
from standfast.protocols.dkim_verify import DkimResult, verify

HEADERS = [
    (b"From", b"News <news@a.test>"),
    (b"To", b"bob@b.test"),
    (b"Subject", b"A  long\r\n\tfolded subject "),
    (b"List-Unsubscribe", b"<https://t.test/u/x>"),
    (b"List-Unsubscribe-Post", b"List-Unsubscribe=One-Click"),
]
BODY = b"hello  you \r\n\r\nworld\t\r\n\r\n\r\n"
RAW = b"".join(b"%b: %b\r\n" % header for header in HEADERS) + b"\r\n" + BODY


@pytest.mark.parametrize("algorithm", ["rsa-sha256", "ed25519-sha256"])
def test_our_own_signature_passes_until_something_is_changed(algorithm: str) -> None:
    key = new_key(algorithm)
    raw = Signer("a.test", "s1", key.private_pem, algorithm).sign(HEADERS, BODY) + RAW
    asked: list[str] = []

    def lookup(name: str) -> str:
        asked.append(name)
        return key.dns_txt

    [verdict] = verify(raw, lookup=lookup)
    assert (verdict.result, verdict.domain, verdict.selector) == (DkimResult.PASS, "a.test", "s1")
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(verdict.signed_headers)
    assert asked == ["s1._domainkey.a.test"]
    for changed in (
        raw.replace(b"world", b"World"),
        raw.replace(b"To: bob", b"To: eve"),
        raw.replace(b"\r\nSubject", b"\r\nFrom: <eve@e.test>\r\nSubject"),
    ):
        assert verify(changed, lookup=lookup)[0].result is DkimResult.FAIL


@pytest.mark.parametrize("form", [b"relaxed", b"simple"])
@pytest.mark.parametrize("body", [BODY, b"", b"\r\n\r\n", b"no end", b" \r\n"])
def test_dkimpy_signatures_pass(form: bytes, body: bytes) -> None:
    key = new_key()
    raw = RAW[: -len(BODY)] + body
    signature = dkimpy.sign(raw, b"s", b"a.test", key.private_pem.encode(), canonicalize=(form, form))
    [verdict] = verify(signature + raw, lookup=lambda name: key.dns_txt)
    assert verdict.result is DkimResult.PASS, verdict.reason


def test_what_cannot_be_checked_says_why() -> None:
    key = new_key()
    raw = Signer("a.test", "s1", key.private_pem).sign(HEADERS, BODY) + RAW

    def unreachable(name: str) -> str:
        raise OSError("no route")

    assert verify(RAW, lookup=lambda name: None) == []
    assert verify(raw, lookup=lambda name: None)[0].result is DkimResult.PERMERROR
    assert verify(raw, lookup=lambda name: "v=DKIM1; p=")[0].reason.endswith("was revoked")
    assert verify(raw, lookup=lambda name: "v=DKIM1; p=AAAA")[0].result is DkimResult.PERMERROR
    assert verify(raw, lookup=unreachable)[0].result is DkimResult.TEMPERROR
    assert verify(raw, lookup=lambda name: new_key().dns_txt)[0].result is DkimResult.FAIL
    limited = re.sub(rb"v=1;", b"v=1; l=3;", raw, count=1)
    assert verify(limited, lookup=lambda name: key.dns_txt)[0].result is DkimResult.PERMERROR
