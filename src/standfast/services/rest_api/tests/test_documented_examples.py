"""The examples of docs/api/rest.md, run in their order against the service: each answers with the status and the names it shows."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import dns.resolver
import pytest

from standfast.components.campaigns.api import Campaign, tend
from standfast.platform import outbound
from standfast.platform.tenancy import account_scope
from standfast.services.rest_api.tests.sending import PEOPLE, let_it_leave

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = Path(__file__).parents[5] / "docs/api/rest.md"
EXAMPLE = re.compile(r"```sh\n(curl .+?)\n```\n\n```json (\d+)(?: (\w+))?\n(.+?)\n```", re.DOTALL)
API = "http://localhost:8002/api/v1"
BY_NAME = {"recipients"}  # objects whose names are data
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def carried_out(client: Any, command: str, names: dict[str, str]) -> Any:
    """The answer to a curl command, sent as curl would send it."""
    text = re.sub(r"\$([A-Z]+)", lambda name: names[name[1]], command.replace("\\\n", " "))
    method, url, headers, data, kind = "GET", "", {}, b"", ""
    words = iter(shlex.split(text)[1:])
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            data, kind = next(words).encode(), "application/x-www-form-urlencoded"
        elif word == "-F":
            field, _, file = next(words).partition("=@")
            head = f'--m\r\nContent-Disposition: form-data; name="{field}"; filename="{file}"\r\n\r\n'.encode()
            data, kind = head + PNG + b"\r\n--m--\r\n", "multipart/form-data; boundary=m"
        else:
            url = word
    assert url.startswith(API), command
    return client.generic(method, "/api/v1" + url.removeprefix(API), data, content_type=kind, headers=headers)


def names_in(value: Any, path: str = "") -> set[str]:
    """Every name in an answer with the way to it; of a list those of its first row."""
    if isinstance(value, dict) and path.rpartition(".")[2] not in BY_NAME:
        return {f"{path}.{name}" for name in value}.union(
            *(names_in(each, f"{path}.{name}") for name, each in value.items())
        )
    return names_in(value[0], f"{path}[]") if isinstance(value, list) and value else set()


@pytest.fixture
def world(alice, loader, monkeypatch):
    """Everybody has people, the worker goes on once a campaign was sent, and nothing is looked up outside."""

    async def nowhere(host, port):
        raise outbound.OutboundRefused("there is no network in this test", permanent=True)

    def rows():
        with account_scope(alice.account_id):
            found = Campaign.objects.filter(account_id=alice.account_id, state="freezing")
            return [(alice.account_id, each.pk, each.state) for each in found]

    monkeypatch.setattr(outbound, "_resolve", nowhere)
    monkeypatch.setattr(dns.resolver.Resolver, "resolve", lambda *_: (_ for _ in ()).throw(dns.resolver.NXDOMAIN))
    monkeypatch.setattr("standfast.components.campaigns.steward._with_something_to_do", rows)
    listed = alice.v1("POST", "/lists", {"name": "Everybody"}).json()["id"]
    people = [{"email": f"p{n}@example.com"} for n in range(1, PEOPLE)]
    alice.v1("POST", "/contacts/bulk", {"contacts": people, "list_ids": [listed]})

    def work():
        assert tend() == 1
        with account_scope(alice.account_id):
            campaign = Campaign.objects.get(account_id=alice.account_id, state="sending")
        let_it_leave(alice.account_id, campaign.pk, loader)

    return work


def test_the_examples_answer_as_they_show(alice, world):
    examples = EXAMPLE.findall(PAGE.read_text())
    assert len(examples) == PAGE.read_text().count("```sh\n") > 20
    names = {"API": API, "KEY": alice.key}
    for command, status, called, shown in examples:
        answer = carried_out(alice.client, command, names)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code == int(status), (command, content)
        come, wanted = json.loads(content), json.loads(shown)
        missing = {name for name in names_in(wanted) ^ names_in(come) if "[]" not in name or _both(wanted, come, name)}
        assert not missing, (command, missing, content)
        if called:
            names[called] = str(come["id"])
        names["TAG"] = answer.headers.get("ETag", names.get("TAG", "")).replace('"', '\\"')
        if "/pause" in command:
            world()  # it was shown while people were counted out; now it leaves


def _both(wanted: Any, come: Any, name: str) -> bool:
    """Whether a row was to be seen in both, so that its names can be compared."""
    parts = name.split("[]", maxsplit=1)[0].strip(".").split(".")
    for part in filter(None, parts):
        wanted, come = wanted[part], come[part]
    return bool(wanted) and bool(come)
