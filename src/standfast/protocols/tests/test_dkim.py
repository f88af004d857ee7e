"""DKIM: an independent implementation verifies what we sign, and nothing that was changed afterwards."""

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.protocols.dkim import DkimError, Signer, new_key, record_name, sign_all
from standfast.protocols.mime import (
    Skeleton,
    date_value,
    encode_addresses,
    encode_header,
    list_unsubscribe,
    message_bytes,
    qp_run,
)

KEYS = {algorithm: new_key(algorithm) for algorithm in ("rsa-sha256", "ed25519-sha256")}
SIGNERS = {a: Signer("example.com", a[:3], key.private_pem, a) for a, key in KEYS.items()}
ZONE = {record_name(selector=a[:3], domain="example.com"): key.dns_txt.encode() for a, key in KEYS.items()}


def dns(name: bytes, timeout: int = 5) -> bytes | None:
    return ZONE.get(name.decode().rstrip("."))


def verifies(wire: bytes, index: int = 0) -> bool:
    try:
        return dkim.DKIM(wire).verify(idx=index, dnsfunc=dns)
    except dkim.ValidationError:
        return False


def newsletter(
    subject: str = "Spring 🌷 sale", text: str = "Hi\n\n\n", html: str = "<p>Hé</p>\n"
) -> tuple[list, bytes]:
    skeleton = Skeleton()
    headers = [
        (b"From", encode_addresses("From", [("Alice, the Owner", "alice@example.com")])),
        (b"To", encode_addresses("To", [("Bób", "bob@example.org")])),
        (b"Subject", encode_header("Subject", subject)),
        (b"Date", date_value()),
        (b"Message-ID", b"<1.2.3@example.com>"),
        *list_unsubscribe(url="https://t.example.com/u/abc", mailto="u@example.com"),
        (b"X-Other", b"not signed"),
        *skeleton.headers,
    ]
    return headers, skeleton.body(text=qp_run(text), html=qp_run(html))


@pytest.mark.parametrize("algorithm", KEYS)
@settings(max_examples=25, deadline=None)
@given(subject=st.text(st.characters(exclude_categories=["Cs", "Cc"])), text=st.text("a\n \t.é"))
def test_newsletters_verify(algorithm, subject, text) -> None:
    headers, body = newsletter(subject, text)
    assert verifies(message_bytes(headers, body, signature=SIGNERS[algorithm].sign(headers, body)))


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"a", b"a\r\n", b"a\r\n\r\n\r\n", b"\r\n\r\n", b" a \r\n\t\r\n", b"x\r\n" * 9]
)
def test_odd_bodies_verify(algorithm, body) -> None:
    headers = [(b"From", b"a@example.com")]
    assert verifies(message_bytes(headers, body, signature=SIGNERS[algorithm].sign(headers, body)))


@pytest.mark.parametrize("value", [b"", b"a  b\t c ", b"a\r\n b\r\n\tc", b"x" * 900, b"\r\n folded at once"])
def test_odd_headers_verify(value) -> None:
    headers = [(b"SUBJECT", value), (b"from", b"a@example.com"), (b"To", b"b@x.org"), (b"To", b"c@x.org")]
    assert verifies(message_bytes(headers, b"Hi\r\n", signature=SIGNERS["rsa-sha256"].sign(headers, b"Hi\r\n")))


def test_both_algorithms_stand_side_by_side() -> None:
    headers, body = newsletter()
    wire = message_bytes(headers, body, signature=sign_all(list(SIGNERS.values()), headers, body))
    assert wire.count(b"DKIM-Signature:") == 2
    assert verifies(wire, 0) and verifies(wire, 1)


def test_whatever_is_changed_fails() -> None:
    headers, body = newsletter()
    signature = SIGNERS["rsa-sha256"].sign(headers, body)
    assert verifies(message_bytes(headers, body, signature=signature))
    for index, (name, value) in enumerate(headers):
        changed = [*headers]
        changed[index] = (name, value + b"x")
        assert verifies(message_bytes(changed, body, signature=signature)) == (name == b"X-Other")
    for more in ((b"From", b"eve@example.com"),):
        assert not verifies(message_bytes([*headers, more], body, signature=signature))
    assert not verifies(message_bytes(headers, body + b"x\r\n", signature=signature))
    assert not verifies(message_bytes(headers, body.replace(b"Hi", b"Ho"), signature=signature))
    assert not verifies(message_bytes(headers, body, signature=signature.replace(b"t=1", b"t=2")))


def test_the_signature_header_is_well_formed_and_covers_unsubscription() -> None:
    headers, body = newsletter()
    signature = SIGNERS["rsa-sha256"].sign(headers, body, signed_at=1_790_000_000)
    assert signature == SIGNERS["rsa-sha256"].sign(headers, body, signed_at=1_790_000_000)
    assert signature.endswith(b"\r\n") and all(len(line) <= 80 for line in signature.split(b"\r\n"))
    listed = signature.replace(b"\r\n\t", b"").partition(b"h=")[2].partition(b";")[0].split(b":")
    assert listed[:2] == [b"From", b"From"] and {b"List-Unsubscribe", b"List-Unsubscribe-Post"} <= set(listed)


def test_unfit_keys_and_messages_are_refused() -> None:
    rsa, ed = KEYS["rsa-sha256"].private_pem, KEYS["ed25519-sha256"].private_pem
    for domain, pem, algorithm in [
        ("example.com", "nonsense", "rsa-sha256"),
        ("example.com", ed, "rsa-sha256"),
        ("example.com", rsa, "ed25519-sha256"),
        ("ex;ample", rsa, "rsa-sha256"),
    ]:
        with pytest.raises(DkimError):
            Signer(domain, "s", pem, algorithm)
    for headers in ([], [(b"From", b"a@x.org"), (b"from", b"b@x.org")]):
        with pytest.raises(DkimError, match="exactly one From"):
            SIGNERS["rsa-sha256"].sign(headers, b"")


def test_a_key_comes_with_its_dns_record() -> None:
    assert KEYS["rsa-sha256"].dns_txt.startswith("v=DKIM1; k=rsa; p=MII")
    assert record_name(selector="s1", domain="example.com") == "s1._domainkey.example.com"
