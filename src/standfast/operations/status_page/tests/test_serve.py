"""The serving process: whole answers of one release, GET and HEAD, validators, and no way out of the folder."""

import asyncio
import gzip
import json
import os
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from standfast.operations.status_page import serve as serving
from standfast.operations.status_page.render import render
from standfast.operations.status_page.tests import scenes


@asynccontextmanager
async def served(folder):
    ready = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serving.serve(folder, ready=ready))
    try:
        yield await ready
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def raw(port, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


async def get(port, target, *, method="GET", **headers):
    lines = [f"{method} {target} HTTP/1.1", "host: x", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    answer = await raw(port, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in rest), body


@pytest.fixture
def folder(tmp_path):
    the_map = scenes.a_map()
    state = scenes.fold(the_map, scenes.recovered(the_map))
    render(the_map, state, tmp_path / "page", now=scenes.NOW)
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path / "page"


async def test_pages_and_files_are_served_with_their_types_and_headers(folder):
    async with served(folder) as port:
        for target, kind in (
            ("/", "text/html; charset=utf-8"), ("/index.html", "text/html; charset=utf-8"),
            ("/history", "text/html; charset=utf-8"), ("/incidents/2026-09-30-1.html", "text/html; charset=utf-8"),
            ("/api/v2/summary.json", "application/json; charset=utf-8"), ("/history.atom", "application/atom+xml"),
            ("/style.css?v=1", "text/css; charset=utf-8"), ("/badge.svg", "image/svg+xml"),
        ):  # fmt: skip
            status, headers, body = await get(port, target)
            assert (status, headers["content-type"]) == (200, kind)
            assert int(headers["content-length"]) == len(body) > 0
            assert "default-src 'none'" in headers["content-security-policy"] and "unsafe" not in str(headers)
        assert (await get(port, "/embed.html"))[1]["content-security-policy"].endswith("frame-ancestors *")
        assert (await get(port, "/api/v2/status.json"))[1]["access-control-allow-origin"] == "*"


async def test_head_gzip_and_not_modified(folder):
    async with served(folder) as port:
        _, plain, body = await get(port, "/")
        status, headers, nothing = await get(port, "/", method="HEAD")
        assert (status, nothing, headers["content-length"]) == (200, b"", plain["content-length"])
        _, headers, packed = await get(port, "/", accept_encoding="br, gzip")
        assert headers["content-encoding"] == "gzip" and gzip.decompress(packed) == body
        assert (await get(port, "/", if_none_match=plain["etag"]))[0] == 304
        assert (await get(port, "/", if_none_match='"other"', if_modified_since=plain["last-modified"]))[0] == 200
        assert (await get(port, "/", if_modified_since=plain["last-modified"]))[0] == 304


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/incidents/../../../../secret.txt",
        "//etc/passwd", "/.headers.json", "/.release.json", "/incidents/", "/incidents", "/api/v2", "/\\..\\secret.txt",
        "/%00", "/index.html/x", "/nothing.html", "/%ff%fe",
    ],
)  # fmt: skip
async def test_there_is_no_way_out_and_no_listing(folder, target):
    async with served(folder) as port:
        status, headers, body = await get(port, target)
        assert status == 404 and b"secret" not in body and b"There is no such page" in body
        assert headers["cache-control"] == "no-store"


async def test_a_link_that_leads_out_is_not_followed(folder):
    (folder / "current" / "out.txt").symlink_to(folder.parent / "secret.txt")
    async with served(folder) as port:
        assert (await get(port, "/out.txt"))[0] == 404


async def test_only_get_and_head(folder):
    async with served(folder) as port:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            status, headers, _ = await get(port, "/", method=method)
            assert status == 405 and headers["allow"] == "GET, HEAD"
        assert b"405" in await raw(port, b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello")


async def test_nonsense_and_heads_without_end_are_refused(folder):
    async with served(folder) as port:
        assert b" 400 " in await raw(port, b"nonsense\r\n\r\n")
        assert b" 431 " in await raw(port, b"GET / HTTP/1.1\r\nx: " + b"a" * 20_000)


async def test_requests_in_one_go_are_answered_in_order(folder):
    async with served(folder) as port:
        answer = await raw(
            port,
            b"GET /robots.txt HTTP/1.1\r\nhost: x\r\n\r\nGET /badge.svg HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        )
        assert answer.count(b"HTTP/1.1 200") == 2 and answer.index(b"User-agent") < answer.index(b"<svg")


async def test_a_slow_head_is_given_up(folder, monkeypatch):
    monkeypatch.setattr(serving, "REQUEST_SECONDS_MAX", 0.1)
    async with served(folder) as port:
        assert await raw(port, b"GET / HT") == b""


async def test_the_newest_release_shows_on_the_next_request(folder):
    the_map = scenes.a_map()
    async with served(folder) as port:
        _, first, _ = await get(port, "/")
        state = scenes.fold(the_map, scenes.outage(the_map))
        render(the_map, state, folder, now=scenes.NOW)
        _, _, body = await get(port, "/", if_none_match=first["etag"])
        assert b"Major system outage" in body
        render(the_map, state, folder, now=scenes.NOW + timedelta(seconds=5))
        _, _, body = await get(port, "/api/v2/status.json")
        assert json.loads(body)["page"]["updated_at"].startswith("2026-09-30T16:40:12")


async def test_a_page_without_a_sign_of_life_says_so_by_itself(folder):
    async with served(folder) as port:
        assert b'data-age="fresh"' in (await get(port, "/"))[2]
    os.utime(folder / "current" / "heartbeat.json", (1, 1))
    async with served(folder) as port:
        body = (await get(port, "/history.html"))[2]
        assert b'data-age="stale"' in body and b"This page may be out of date" in body


async def test_before_the_first_release_it_says_that_it_has_none(tmp_path):
    async with served(tmp_path) as port:
        assert (await get(port, "/"))[0] == 503


async def test_the_page_for_what_is_not_there_never_answers_200(folder):
    async with served(folder) as port:
        assert [(await get(port, path))[0] for path in ("/404.html", "/nothing", "/404.html")] == [200, 404, 200]


async def test_more_connections_than_it_holds_are_turned_away(folder, monkeypatch):
    monkeypatch.setattr(serving, "CONNECTIONS_MAX", 1)
    async with served(folder) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.05)
        assert b" 503 " in await raw(port, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        writer.close()
        await asyncio.sleep(0.05)
        assert (await get(port, "/"))[0] == 200
