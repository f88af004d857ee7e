"""Real SMTP and real HTTP on loopback: what arrives, signed, once, and what a refusal leads to."""

import email
import email.policy
import json
import time
from collections import Counter

import pytest
from aiohttp import web

from standfast.operations.incidents.deliver import Webhooks
from standfast.operations.incidents.ledger import Bounced, Later
from standfast.operations.incidents.notifier import Notifier
from standfast.operations.incidents.tests.scene import Scene
from standfast.operations.incidents.tests.test_ledger import subscribe
from standfast.operations.status_page import subscribers
from standfast.protocols.smtp_outcome import Reply
from standfast.protocols.smtp_server import SessionHooks, serve
from standfast.protocols.webhook_signature import signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Mailbox(SessionHooks):
    got: list[tuple[str, bytes]] = []

    def on_rcpt(self, envelope, recipient):
        return Reply(550, "5.1.1 no such person") if recipient.startswith("gone") else None

    def on_message(self, envelope, message):
        type(self).got.append((envelope.recipients[0], bytes(message)))


async def drain(notifier: Notifier) -> None:
    while await notifier.step():
        pass


def notifier_for(scene: Scene, port: int) -> Notifier:
    mail = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "status@example.net"}
    the_map = scene.map.model_copy(update={"mail": mail})
    return Notifier(the_map, scene.log, scene.clock, lambda: scene.engine.state, allow_private=True)


async def test_an_update_arrives_once_with_one_click_unsubscription() -> None:
    Mailbox.got = []
    server = await serve(host="127.0.0.1", port=0, hooks=Mailbox)
    scene = Scene()
    notifier = notifier_for(scene, server.port)
    for name in ("alice", "bob", "gone"):
        subscribe(scene, name)
    scene.down("login-east")
    scene.run(3)
    await drain(notifier)
    await drain(notifier)
    await notifier.close()
    await server.close()
    assert Counter(to for to, _ in Mailbox.got) == {"alice@example.net": 1, "bob@example.net": 1}
    letter = email.message_from_bytes(dict(Mailbox.got)["alice@example.net"], policy=email.policy.default)
    assert letter["Subject"] == "[Example] Investigating: Login unavailable in East"
    assert letter["Message-ID"] == f"<{scene.incident.posts[0].update}.alice@example.net>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = letter["List-Unsubscribe"].strip("<>").rpartition("/")[2]
    assert subscribers.of_token(scene.log.connection, token).id == "alice"
    assert "next update comes by" in letter.get_content()
    assert subscribers.by_id(scene.log.connection, ["gone"])["gone"].state == "quarantined"


async def test_a_route_that_is_away_delays_and_loses_nothing() -> None:
    Mailbox.got = []
    server = await serve(host="127.0.0.1", port=0, hooks=Mailbox)
    port = server.port
    await server.close()
    scene = Scene()
    notifier = notifier_for(scene, port)
    subscribe(scene, "alice")
    scene.down("login-east")
    scene.run(3)
    await drain(notifier)
    assert notifier.ledger.counts() == {"due": 1, "unknown": 0}
    server = await serve(host="127.0.0.1", port=port, hooks=Mailbox)
    scene.clock.go(60)
    await drain(notifier)
    await notifier.close()
    await server.close()
    assert len(Mailbox.got) == 1


async def test_a_webhook_is_signed_and_a_receiver_that_is_gone_is_quarantined() -> None:
    calls: list[tuple[dict[str, str], bytes]] = []

    async def hook(request: web.Request) -> web.Response:
        calls.append((dict(request.headers), await request.read()))
        return web.Response(status=410 if request.path == "/gone" else 204)

    app = web.Application()
    app.router.add_post("/{name}", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    scene = Scene()
    notifier = notifier_for(scene, 9)
    for name in ("here", "gone"):
        subscribe(scene, name, channel="webhook")
        scene.log.connection.execute(
            "update subscriber set address = ?, secret = ? where id = ?",
            (f"http://127.0.0.1:{port}/{name}", SECRET, name),
        )
    scene.down("login-east")
    scene.run(3)
    await drain(notifier)
    await drain(notifier)
    await notifier.close()
    await runner.cleanup()
    assert len(calls) == 2
    for headers, body in calls:
        seconds = int(headers["webhook-timestamp"])
        signed = signed_headers(SECRET, message_id=headers["webhook-id"], seconds=seconds, body=body)
        assert headers["webhook-signature"] == signed["webhook-signature"]
        assert json.loads(body)["data"]["incident"]["status"] == "investigating"
    assert subscribers.by_id(scene.log.connection, ["gone"])["gone"].state == "quarantined"
    assert notifier.ledger.counts() == {"done": 1, "failed": 1, "unknown": 0}


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost:1/", "http://169.254.169.254/"]
)
async def test_a_webhook_never_goes_to_a_private_address(url: str) -> None:
    webhooks = Webhooks()
    result = await webhooks.post(url, secret=SECRET, message_id="m", seconds=int(time.time()), body=b"{}")
    await webhooks.close()
    assert isinstance(result, Bounced)
    assert "private" in result.detail


async def test_a_receiver_that_does_not_answer_is_unknown_and_goes_again() -> None:
    import asyncio

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    webhooks = Webhooks(allow_private=True)
    result = await webhooks.post(f"http://127.0.0.1:{port}/", secret=SECRET, message_id="m", seconds=1, body=b"{}")
    await webhooks.close()
    server.close()
    assert result == Later(result.detail, unknown=True)
