"""Messages rendered per second from the 34 KB example letter: `python benchmarks/content.py [seconds]`.

Peers in the same run: the same template rendered by python-liquid alone, and by python-liquid with the standard
library's EmailMessage making the MIME body.
"""

import sys
from collections.abc import Callable
from email.message import EmailMessage
from time import perf_counter, process_time

from standfast.components.content.compile import CompiledMessage, compile_message
from standfast.components.content.links import LinkSigner
from standfast.components.content.starters import example_newsletter

CAMPAIGN = {
    "id": 1,
    "name": "Spring letter",
    "from_name": "Tidewater",
    "address": "Mill Lane 4, Harbour",
    "send_time": 1_775_000_000,
}
PICKS = [
    {"name": "Enamel mug", "note": "For the walk on Sunday and for every one after it", "price": "18.00"},
    {"name": "Walking map", "note": "Spring edition, on paper that forgives rain", "price": "9.50"},
    {"name": "Seed box", "note": "Twelve packets, sorted by the month of sowing", "price": "24.00"},
]
SIGNER = LinkSigner("https://t.tidewater.example", b"benchmark-key-of-32-bytes-length", 1, 1)
CITIES = ["Porto", "Bergen", "Köln", "Łódź", "São Paulo", "Cork", "Aix & Arles", "Tartu"]
NAMES = ["ana", "Björn", "Chloé", "dora", "Emil", "Fatma", "Goran", "Hana", "Ines", "João"]


def contacts(count: int) -> list[dict[str, object]]:
    """Made-up people; every fifth is a member of nothing."""
    return [
        {
            "email": f"person{n}@mail{n % 97}.example",
            "first_name": NAMES[n % len(NAMES)],
            "last_name": f"Surname{n % 1000}",
            "company": "Ö & Co" if n % 3 else "",
            "city": CITIES[n % len(CITIES)],
            "member_since": None if n % 5 == 0 else f"20{10 + n % 15}-0{1 + n % 9}-11",
            "member_number": 10_000 + n,
            "points": n % 1000,
            "plan": ("friend", "patron", "")[n % 3],
            "coupon": f"SPRING{n % 50}",
            "tags": ["Bread", "Walks", "Clocks"][: n % 4],
        }
        for n in range(count)
    ]


def token(n: int) -> str:
    return f"tAbCdEfGhIjKlMnOp1g1g{n:x}g{n:x}g69a0b1c2"


def compiled() -> tuple[CompiledMessage, float]:
    example = example_newsletter()
    started = perf_counter()
    message = compile_message(
        subject=example.subject, preheader=example.preheader, html_source=example.source, source_kind="html",
        text_source="", inline_css=True, links=SIGNER,
    )  # fmt: skip
    assert message.lowered, message.html.fallback_reason
    return message, perf_counter() - started


def rate(render: Callable[[int], object], seconds: float) -> float:
    """Calls per second of CPU time; CPU time is what counts when other things run beside it."""
    done = 0
    started = process_time()
    while process_time() - started < seconds:
        for _ in range(20):
            render(done)
            done += 1
    return done / (process_time() - started)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    message, compile_seconds = compiled()
    people = contacts(5000)
    tag = {"picks": PICKS}

    def whole(n: int) -> bytes:
        return message.render(people[n % 5000], token=token(n), campaign=CAMPAIGN, tag=tag).body

    def html_only(n: int) -> bytes:
        mark = token(n)
        return b"".join(
            message.html.pieces(
                people[n % 5000], CAMPAIGN, tag, token=mark, token_piece=mark.encode() + b"=\r\n",
                track=SIGNER.click_parts,
            )
        )  # fmt: skip

    def by_liquid(n: int) -> str:
        return message.html.render_by_liquid(people[n % 5000], CAMPAIGN, tag, token=token(n), track=SIGNER.click_parts)

    def by_email_message(n: int) -> bytes:
        made = EmailMessage()
        made.set_content(
            message.text.render_by_liquid(people[n % 5000], CAMPAIGN, tag, token=token(n)), cte="quoted-printable"
        )
        made.add_alternative(by_liquid(n), subtype="html", cte="quoted-printable")
        return made.as_bytes()

    print(f"compile                                  {compile_seconds * 1000:8.1f} ms   (limit 100 ms)")
    print(f"body                                     {len(whole(1)) / 1024:8.1f} KB, {len(message.links)} links,"
          f" {len(message.fields)} contact fields")  # fmt: skip
    for name, render in (
        ("HTML part, lowered, quoted-printable", html_only),
        ("text and HTML, lowered, whole body", whole),
        ("HTML part, python-liquid, no MIME", by_liquid),
        ("whole body, python-liquid + EmailMessage", by_email_message),
    ):
        print(f"{name:40} {rate(render, seconds):8,.0f} /s")


if __name__ == "__main__":
    main()
