"""Stand-in edges of one site: each address answers for a cluster, and passes clicks on to the site's real tracker.

    python -m standfast.operations.replay.edges --port 8300 --tracker http://127.0.0.1:8301 127.0.1.1 127.0.1.2 ...

A site is one process, so that the whole site can be stopped (SIGSTOP: connections hang) or killed at once.
"""

from __future__ import annotations

import argparse
import asyncio

import aiohttp
from aiohttp import web

PASSED_ON = ("Location", "Content-Type", "Cache-Control")
TRACKER_SECONDS = 5.0


async def serve(addresses: list[str], *, port: int, tracker: str) -> None:
    """Serve until cancelled."""
    timeout = aiohttp.ClientTimeout(total=TRACKER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:

        async def health(_: web.Request) -> web.Response:
            return web.json_response({"ok": True})

        async def passed_on(request: web.Request) -> web.Response:
            try:
                async with session.get(
                    tracker + request.rel_url.raw_path_qs,
                    headers={"User-Agent": request.headers.get("User-Agent", "")},
                    allow_redirects=False,
                ) as answer:
                    headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
                    return web.Response(status=answer.status, body=await answer.read(), headers=headers)
            except (aiohttp.ClientError, TimeoutError) as error:
                return web.Response(status=502, text=f"the tracker does not answer: {error}")

        application = web.Application()
        application.router.add_get("/healthz/{what:.*}", health)
        application.router.add_get("/{path:.*}", passed_on)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        for address in addresses:
            await web.TCPSite(runner, address, port).start()
        print("ready", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tracker", required=True, help="where the site's tracker listens")
    parser.add_argument("addresses", nargs="+")
    given = parser.parse_args()
    asyncio.run(serve(given.addresses, port=given.port, tracker=given.tracker))


if __name__ == "__main__":
    main()
