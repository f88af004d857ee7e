"""What the protocol code costs: microseconds of one operation, best of five runs.  python benchmarks/protocols.py"""

import hashlib
import timeit
from collections.abc import Callable

from standfast.protocols.address import parse_address
from standfast.protocols.arf import parse_arf
from standfast.protocols.bounces import classify
from standfast.protocols.dkim import Signer, new_key, sign_all
from standfast.protocols.dsn import parse_dsn
from standfast.protocols.mime import (
    Skeleton,
    date_value,
    encode_addresses,
    encode_header,
    list_unsubscribe,
    message_bytes,
    qp_run,
)
from standfast.protocols.tests.test_arf import YAHOO
from standfast.protocols.tests.test_dsn import POSTFIX
from standfast.protocols.tokens import RecipientRef, open_recipient, seal_recipient, sign_link, verify_link

KEY = b"k" * 32
REF = RecipientRef(account_id=12, send_id=3456, seq=99_999, contact_id=1_000_042, sent_at=1_790_000_000)
LINK = {"account_id": 12, "send_id": 3456, "link_id": 7, "url": "https://www.example.com/spring/sale?utm_source=mail"}


def measure(name: str, run: Callable[[], object], *, limit_us: float | None = None) -> float:
    """Print one line; the limit is what DESIGN's budgets leave for the operation."""
    number = max(3, int(0.03 / max(min(timeit.repeat(run, number=3, repeat=2)) / 3, 1e-7)))
    micros = min(timeit.repeat(run, number=number, repeat=5)) / number * 1e6
    print(f"{name:<44}{micros:>10.2f} us{f'   limit {limit_us:g}' if limit_us else '':<16}{1e6 / micros:>14,.0f} /s")
    return micros


def tokens() -> None:
    track, bounce = seal_recipient(KEY, REF), seal_recipient(KEY, REF, purpose="bounce")
    signature = sign_link(KEY, **LINK)
    measure("seal a recipient", lambda: seal_recipient(KEY, REF), limit_us=2)
    measure("open a recipient", lambda: open_recipient(KEY, track), limit_us=3)
    measure("seal a bounce address", lambda: seal_recipient(KEY, REF, purpose="bounce"), limit_us=2)
    measure("open a bounce address", lambda: open_recipient(KEY, bounce, purpose="bounce"), limit_us=3)
    measure("sign a link", lambda: sign_link(KEY, **LINK), limit_us=2)
    measure("verify a link", lambda: verify_link(KEY, **LINK, signature=signature), limit_us=3)


def slots_and_headers() -> None:
    text = ("<p>Dear reader, élan = 1.</p>\n" * 1200)[:34_000]
    measure("slot: short ASCII", lambda: qp_run("Alice Smith"))
    measure("slot: José", lambda: qp_run("José Núñez"))
    measure("slot: 300 characters", lambda: qp_run("Dear reader, " * 23))
    measure("static run of 34 KB (once a compile)", lambda: qp_run(text))
    measure("subject: ASCII", lambda: encode_header("Subject", "Spring sale for Alice"))
    measure("subject: emoji", lambda: encode_header("Subject", "Spring 🌷 sale for José"))
    measure("to: ASCII", lambda: encode_addresses("To", [("Alice Smith", "alice@example.com")]))
    measure("to: José", lambda: encode_addresses("To", [("José", "jose@example.com")]))
    measure("date", date_value)


def dkim() -> None:
    rsa = Signer("example.com", "s1", new_key().private_pem)
    ed25519 = Signer("example.com", "s2", new_key("ed25519-sha256").private_pem, "ed25519-sha256")
    skeleton = Skeleton()
    headers = [
        (b"From", encode_addresses("From", [("Alice", "alice@example.com")])),
        (b"To", encode_addresses("To", [("Bob", "bob@example.org")])),
        (b"Subject", encode_header("Subject", "Spring 🌷 sale")),
        (b"Date", date_value()),
        (b"Message-ID", b"<12.3456.99999.x@example.com>"),
        *list_unsubscribe(url="https://t.example.com/u/" + seal_recipient(KEY, REF)),
        *skeleton.headers,
    ]
    body = skeleton.body(text=qp_run("Hello\n" * 900), html=qp_run("<p>Dear reader, this is a line.</p>\n" * 1050))
    print(f"\na body of {len(body):,} bytes")
    bare = measure("bare RSA-2048 signature", lambda: rsa.raw_signature(b"x" * 900))
    whole = measure("DKIM, RSA-2048", lambda: rsa.sign(headers, body), limit_us=bare + 40)
    print(f"{'  over the bare signature':<44}{whole - bare:>10.2f} us   limit 40")
    measure("  of which SHA-256 of the body", lambda: hashlib.sha256(body).digest())
    measure("DKIM, RSA and Ed25519", lambda: sign_all([rsa, ed25519], headers, body))
    measure("message_bytes", lambda: message_bytes(headers, body, signature=b"DKIM-Signature: x\r\n"))


def inbound() -> None:
    print()
    measure("address: plain", lambda: parse_address("alice.smith@example.com"), limit_us=2.5)
    measure("address: Name <A@B.com>", lambda: parse_address("Alice Smith <Alice@Example.com>"))
    measure("address: IDN", lambda: parse_address("alice@bücher.example"))
    measure("classify a refusal", lambda: classify(550, "5.1.1", "<bob@example.com>: User unknown in virtual table"))
    measure("parse a DSN", lambda: parse_dsn(POSTFIX))
    measure("parse a complaint", lambda: parse_arf(YAHOO))


if __name__ == "__main__":
    for part in (tokens, slots_and_headers, dkim, inbound):
        part()
