"""Edges of one site: each address answers for a cluster, and passes on to what is real behind it.

    python -m standfast.operations.replay.edges --port 8300 --tracker http://127.0.0.1:8301 --rest http://127.0.0.1:8302 \\
        --smtp-port 8303 --smtp 8304 127.0.1.1 127.0.1.2 ...

Clicks and /healthz/tracking go to the site's tracker, /healthz/rest-api to the REST service, the SMTP port to the SMTP API.
Other health endpoints are stand-ins: what answers is the edge itself. A site is one process, so that all of it can be
stopped (SIGSTOP: connections hang) or killed at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib

import aiohttp
from aiohttp import web

PASSED_ON = ("Location", "Content-Type", "Cache-Control")
BEHIND_SECONDS = 5.0


async def serve(addresses: list[str], *, port: int, tracker: str, rest: str, smtp_port: int, smtp: int) -> None:
    """Serve until cancelled."""
    real = {"tracking": tracker, "rest-api": rest}
    timeout = aiohttp.ClientTimeout(total=BEHIND_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:

        async def health(request: web.Request) -> web.Response:
            behind = real.get(request.match_info["what"])
            return await passed_on(request, behind) if behind else web.json_response({"ok": True})

        async def click(request: web.Request) -> web.Response:
            return await passed_on(request, tracker)

        async def passed_on(request: web.Request, behind: str) -> web.Response:
            try:
                async with session.get(
                    behind + request.rel_url.raw_path_qs,
                    headers={"User-Agent": request.headers.get("User-Agent", "")},
                    allow_redirects=False,
                ) as answer:
                    headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
                    return web.Response(status=answer.status, body=await answer.read(), headers=headers)
            except (aiohttp.ClientError, TimeoutError) as error:
                return web.Response(status=502, text=f"{behind} does not answer: {error}")

        application = web.Application()
        application.router.add_get("/healthz/{what:.*}", health)
        application.router.add_get("/{path:.*}", click)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        for address in addresses:
            await web.TCPSite(runner, address, port).start()
            await asyncio.start_server(lambda reader, writer: relay(reader, writer, smtp), address, smtp_port)
        print("ready", flush=True)
        await asyncio.Event().wait()


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """One connection carried to the port behind and back; it ends when either side ends it."""
    try:
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.close()
        return
    carrying = [asyncio.create_task(_carry(*pair)) for pair in ((reader, behind_writer), (behind_reader, writer))]
    await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
    for one in carrying:
        one.cancel()
    writer.close()
    behind_writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tracker", required=True, help="where the site's tracker listens")
    parser.add_argument("--rest", required=True, help="where the REST service listens")
    parser.add_argument("--smtp-port", type=int, required=True, help="the edges' SMTP port")
    parser.add_argument("--smtp", type=int, required=True, help="the port of the SMTP API behind it")
    parser.add_argument("addresses", nargs="+")
    given = parser.parse_args()
    asyncio.run(serve(
        given.addresses, port=given.port, tracker=given.tracker, rest=given.rest, smtp_port=given.smtp_port, smtp=given.smtp
    ))  # fmt: skip


if __name__ == "__main__":
    main()
