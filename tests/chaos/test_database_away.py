"""PostgreSQL is stopped, people click, PostgreSQL comes back: every click is counted, and every link worked all the time."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import datetime as dt, json, threading, time, urllib.request, urllib.error
from benchmarks.installation import installation, service
from urllib.parse import quote

class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given):
        return None

opener = urllib.request.build_opener(Stay)

def get(url):
    request = urllib.request.Request(url, headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Thunderbird/128.12.0"})
    try:
        return opener.open(request, timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code

with installation() as config:
    import psycopg
    from standfast.components.accounts.api import Account
    from standfast.components.tracking.api import CONSUMERS
    from standfast.platform import consumers, postgres
    from standfast.protocols.keys import derive
    from standfast.protocols.tokens import RecipientRef, seal_recipient, sign_link
    from standfast.services.worker.shipping import ship_spools

    from django.db import connection

    account = Account.objects.create(name="Alice", address="x").pk
    connection.close()
    key = derive(config.secret(), "tokens")
    sent_at = int(time.time()) - 3600
    url = "https://shop.example/a?b=1"
    signature = sign_link(key, account_id=account, send_id=1, link_id=1, url=url)
    with service("tracker", port=config.tracker_port), service("application", port=config.application_port):
        from benchmarks import installation as made
        # the server that installation() started: stop it as an operator would
        pid = int((postgres.data_dir(config) / "postmaster.pid").read_text().split()[0])
        import os, signal
        os.kill(pid, signal.SIGINT)
        for _ in range(200):
            if not (postgres.data_dir(config) / "postmaster.pid").exists():
                break
            time.sleep(0.05)
        try:
            psycopg.connect(postgres.dsn(config, "loader"), connect_timeout=2).close()
            raise SystemExit("the database is still there")
        except psycopg.OperationalError:
            pass
        codes = []
        for seq in range(1, 201):
            token = seal_recipient(key, RecipientRef(account, 1, seq, seq, sent_at))
            codes.append(get(f"{config.tracker_url}/c/{token}/1?u={quote(url, safe='')}&s={signature}"))
            codes.append(get(f"{config.tracker_url}/o/{token}.gif"))
        # What needs the database says so; the tracker's pages do not need it, and unsubscribing works.
        pages = [get(f"{config.tracker_url}/{door}/{token}") for door in "urpv"]
        away = [get(f"{config.application_url}/{page}/{token}") for page in ("view", "preferences")]
        wish = urllib.request.Request(f"{config.tracker_url}/u/{token}", data=b"List-Unsubscribe=One-Click")
        pages.append(opener.open(wish, timeout=10).status)
        server = postgres.start(config)
        stop = threading.Event()
        shipping = threading.Thread(target=ship_spools, args=(config, stop))
        shipping.start()
        counted = {}
        with psycopg.connect(postgres.dsn(config, "loader")) as database:
            for _ in range(200):
                consumers.advance_all(database, CONSUMERS)
                rows = database.execute(
                    "SELECT name, value FROM tracking_sendcounter WHERE account_id = %s AND send_id = 1", [account]).fetchall()
                database.commit()
                counted = dict(rows)
                if counted.get("clicks") == 200 and counted.get("opens") == 200 and counted.get("unsubscribed"):
                    break
                time.sleep(0.1)
        stop.set()
        shipping.join()
        postgres.stop(server)
print(json.dumps({"codes": sorted(set(codes)), "counted": counted, "pages": pages, "away": away}))
"""


@pytest.mark.timeout(180)
def test_clicks_are_counted_though_the_database_was_away():
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STANDFAST_")}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["codes"] == [200, 302]
    assert result["counted"]["clicks"] == 200
    assert result["counted"]["clicks_unique"] == 200
    assert result["counted"]["opens"] == 200
    assert result["pages"] == [200, 200, 302, 302, 200]
    assert result["away"] == [503, 503]
    assert result["counted"]["unsubscribed"] == 1
