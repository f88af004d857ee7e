"""Tell very many subscribers of one update over real SMTP: seconds to the first and to the last (targets P2 of operations).

python -m benchmarks.notifying [--subscribers 10000]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from standfast.operations.incidents.engine import Engine
from standfast.operations.incidents.notifier import Notifier
from standfast.operations.incidents.tests.scene import Scene
from standfast.operations.log import Log
from standfast.protocols.smtp_server import SessionHooks, serve


class Sink(SessionHooks):
    taken = 0
    first = 0.0

    def on_message(self, envelope: object, raw: bytes) -> None:  # type: ignore[override]
        type(self).first = type(self).first or time.perf_counter()
        type(self).taken += 1


async def run(subscribers: int) -> dict[str, float]:
    """Seconds from the post, with the ledger on disk: an intent and an outcome of each letter are flushed."""
    server = await serve(host="127.0.0.1", port=0, hooks=Sink)
    with tempfile.TemporaryDirectory(prefix="sf-bench-") as directory:
        scene = Scene()
        scene.log = Log(Path(directory) / "operations.sqlite")
        scene.engine = Engine(scene.map, scene.log, scene.clock)
        mail = {"host": "127.0.0.1", "port": server.port, "tls": "none", "from": "status@example.net"}
        the_map = scene.map.model_copy(update={"mail": mail})
        notifier = Notifier(the_map, scene.log, scene.clock, lambda: scene.engine.state)
        with scene.log.transaction() as connection:
            connection.executemany(
                "insert into subscriber (id, channel, address, state, created_at) values (?, 'email', ?, 'confirmed', '')",
                [(f"s{number}", f"s{number}@example.net") for number in range(subscribers)],
            )
        scene.down("login-east")
        scene.run(3)
        began = time.perf_counter()
        while await notifier.step():
            pass
        ended = time.perf_counter()
        await notifier.close()
    await server.close()
    assert Sink.taken == subscribers, f"{Sink.taken} of {subscribers} letters arrived"
    return {"first": Sink.first - began, "last": ended - began}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--subscribers", type=int, default=10_000)
    given = parser.parse_args()
    figures = asyncio.run(run(given.subscribers))
    print(f"{given.subscribers:,} subscribers: first letter taken {figures['first']:.2f} s after the post (limit 30), "
          f"the last {figures['last']:.1f} s (limit 120)")  # fmt: skip
