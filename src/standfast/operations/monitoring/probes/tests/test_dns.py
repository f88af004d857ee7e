"""The DNS probe tells apart what name servers do."""

from __future__ import annotations

import pytest

from standfast.operations.monitoring.probes.tests.looking import look, patience
from standfast.operations.monitoring.report import Reason
from standfast.operations.simulation.peers import NameServer

ADDRESSES = ("192.0.2.1", "192.0.2.2")


@pytest.fixture
async def server():
    server = NameServer("www.example.", *ADDRESSES)
    await server.become("good")
    yield server
    await server.close()


def asked(server: NameServer, /, **more: object) -> dict:
    given = {"server": "127.0.0.1", "port": server.port, "name": "www.example.", "expect": list(ADDRESSES)}
    return {**given, **more}


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("good", Reason.GOOD),
        ("truncated", Reason.GOOD),
        ("drops", Reason.GOOD),
        ("refused", Reason.REFUSED),
        ("hang", Reason.TIMEOUT),
        ("garbage", Reason.TIMEOUT),
        ("servfail", Reason.SERVFAIL),
        ("nxdomain", Reason.NXDOMAIN),
        ("empty", Reason.EMPTY),
        ("wrong", Reason.WRONG_ANSWER),
        ("lame", Reason.LAME),
        ("refuses", Reason.LAME),
    ],
)
@pytest.mark.parametrize("tcp", [False, True])
async def test_reasons(server, mode, reason, tcp):
    await server.become(mode)
    if tcp and mode == "garbage":
        reason = Reason.PROTOCOL
    if tcp and mode == "drops":
        server.asked = 1
    outcome = await look("dns", **asked(server, tcp=tcp), timeout_seconds=patience(reason))
    assert outcome.reason is reason, outcome.detail


async def test_the_whole_set_is_expected_in_any_order(server):
    assert (await look("dns", **asked(server, expect=list(reversed(ADDRESSES))))).good
    short = await look("dns", **asked(server, expect=["192.0.2.1"]))
    assert short.reason is Reason.WRONG_ANSWER
    assert short.seen == ADDRESSES
    assert "192.0.2.1, 192.0.2.2 instead of 192.0.2.1" in short.detail


async def test_one_of_several_sets(server):
    assert (await look("dns", **asked(server, expect=[["198.51.100.1"], list(ADDRESSES)]))).good
    assert (await look("dns", **asked(server, expect=[["198.51.100.1"], ["192.0.2.1"]]))).reason is Reason.WRONG_ANSWER


async def test_without_expectation_any_answer_is_good_and_none_is_not(server):
    assert (await look("dns", **asked(server, expect=[]))).good
    await server.become("empty")
    assert (await look("dns", **asked(server, expect=[]))).reason is Reason.EMPTY


async def test_the_parent_refers_to_the_right_name_servers():
    parent = NameServer("example.", "NS1.provider.test.", "ns2.provider.test.", kind="NS")
    await parent.become("delegation")
    spec = {"server": "127.0.0.1", "port": parent.port, "name": "example.", "delegation": True}
    assert (await look("dns", expect=["ns1.provider.test.", "ns2.provider.test."], **spec)).good
    wrong = await look("dns", expect=["ns1.provider.test.", "ns3.provider.test."], **spec)
    assert wrong.reason is Reason.WRONG_ANSWER
    await parent.close()


async def test_a_resolver_need_not_be_authoritative(server):
    await server.become("lame")
    assert (await look("dns", **asked(server, recursive=True))).good


@pytest.mark.parametrize(
    "wrong",
    [
        {"server": "ns1.example"},
        {"type": "NOTHING"},
        {"expect": ["no address"]},
        {"name": "a" * 64 + "."},
        {"unknown": 1},
    ],
)
async def test_a_check_that_cannot_be_run_says_what_is_wrong(server, wrong):
    outcome = await look("dns", **asked(server, **wrong))
    assert outcome.reason is Reason.MISCONFIGURED
    assert "spec" in outcome.detail
