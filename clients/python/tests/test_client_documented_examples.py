"""The examples of docs/api/python.md and of the README, run in their order against the service."""

import re
from pathlib import Path

import pytest

from standfast.components.delivery.api import add_domain
from standfast.platform.tenancy import account_scope
from standfast.services.rest_api.tests.sending import sent_campaign
from standfast_client import Client

pytestmark = pytest.mark.django_db(transaction=True)
HERE = Path(__file__)
EXAMPLE = re.compile(r"```python\n(.+?)```", re.DOTALL)


def test_the_guides_examples_run(alice, rest_url, people, loader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with account_scope(people.account.pk):
        add_domain(account_id=people.account.pk, domain="shop.test")
    examples = EXAMPLE.findall((HERE.parents[3] / "docs/api/python.md").read_text())
    assert len(examples) > 9
    printed: list[str] = []
    names = {
        "URL": rest_url, "KEY": alice_key(alice), "SECRET": "whsec_c2VjcmV0",
        "print": lambda *said: printed.append(" ".join(map(str, said))),
    }  # fmt: skip
    for example in examples:
        if "imports.wait" in example:
            names["client"].imports.cancel(names["taken"]["id"])  # no worker is here; it would have ended it
            names["client"].imports.wait = lambda _: names["client"].imports.get(names["taken"]["id"])
        if "reports.get" in example:
            names["campaign"] = {"id": sent_campaign(people.account.pk, loader).campaign_id}
        exec(compile(example, "docs/api/python.md", "exec"), names)
    assert names["receive"]({}, b"") == 400
    assert {"person0@example.net", "10 2", "pending", "P7@example.com"} <= set(printed)
    assert (tmp_path / "clicks.csv").stat().st_size > 0
    names["client"].close()
    names["patient"].close()


def test_the_readmes_example_runs(alice, rest_url, monkeypatch, capsys):
    [example] = EXAMPLE.findall((HERE.parents[1] / "README.md").read_text())
    monkeypatch.setenv("STANDFAST_KEY", alice_key(alice))
    exec(compile(example.replace("http://localhost:8002", rest_url), "README.md", "exec"), {})
    assert capsys.readouterr().out == "ann@example.net\n"


def alice_key(alice: Client) -> str:
    [header] = [value for value in vars(alice._calls._http.auth).values() if isinstance(value, str)]
    return header.removeprefix("Bearer ")
