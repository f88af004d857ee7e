"""Events folded into the roll-ups a second of the database's CPU, beside reading the same events only.

`python -m benchmarks.folding [events] [batch]`

The mixture of a campaign to many people: deliveries first, then openings and clicks, a third of them by machines.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
from typing import Any

import psutil
import psycopg

from benchmarks.installation import cpu_seconds, installation

ACCOUNT, SEND = 1, 1
EVENTS = 200_000


def log_of(count: int) -> list[Any]:
    """One send to three fifths of `count` people."""
    from standfast.platform.events import Event

    draw, start = random.Random(42), dt.datetime.now(dt.UTC)
    people = count * 3 // 5
    told = []
    for number in range(count):
        at, seq = start + dt.timedelta(seconds=number / 50), number + 1 if number < people else draw.randint(1, people)
        verdict = {"verdict": draw.choice(["human", "human", "machine"]), "reason": "", "ip": "192.0.2.1",
                   "ua": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0"}  # fmt: skip
        if number < people * 0.97:
            told.append(Event(at, "delivered", seq, SEND, seq))
        elif number < people:
            told.append(Event(at, "bounced", seq, SEND, seq, {"class": "InvalidRecipient", "hard": True, "code": 550}))
        elif draw.random() < 0.75:
            told.append(Event(at, "opened", seq, SEND, seq, verdict))
        else:
            link = draw.randint(1, 24)
            told.append(
                Event(at, "clicked", seq, SEND, seq, {**verdict, "link": link, "url": f"https://shop.example/{link}"})
            )
    return told


def run(count: int = EVENTS, batch: int = 10_000) -> dict[str, float]:
    """Rates of all, of deliveries alone, of openings and clicks alone, and of reading the same rows only."""
    with installation() as config:
        from standfast.components.tracking.consumers import COUNTERS
        from standfast.platform import consumers, events, postgres

        with psycopg.connect(postgres.dsn(config, "loader")) as connection:
            server = psutil.Process(connection.info.backend_pid)
            told = log_of(count)
            for begin in range(0, count, batch):
                with connection.transaction():
                    events.append(
                        connection.cursor(), account_id=ACCOUNT, events=told[begin : begin + batch], bulk=True
                    )
            began = cpu_seconds(server)
            connection.execute(
                "SELECT count(*) FROM (SELECT data->>'verdict' FROM event WHERE account_id = 1 ORDER BY position OFFSET 0) e"
            )
            reading = cpu_seconds(server) - began
            connection.commit()
            spent: list[tuple[int, float]] = []
            while True:
                began = cpu_seconds(server)
                read = consumers.advance(connection, COUNTERS, ACCOUNT, batch=batch)
                if not read:
                    break
                spent.append((read, cpu_seconds(server) - began))
    half = round(count * 3 / 5 / batch)
    return {
        "all": _rate(spent),
        "deliveries": _rate(spent[:half]),
        "responses": _rate(spent[half:]),
        "reading": count / max(reading, 0.01),
    }


def _rate(spent: list[tuple[int, float]]) -> float:
    return sum(read for read, _ in spent) / (sum(seconds for _, seconds in spent) or 1)


if __name__ == "__main__":
    for name, rate in run(*(int(argument) for argument in sys.argv[1:])).items():
        print(f"{name:12} {rate:10,.0f} events/s of CPU")
