"""A report travels whole, and only a genuine, fresh one is taken."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.operations.map import MapError
from standfast.operations.monitoring import envelope
from standfast.operations.monitoring.collector import Collector
from standfast.operations.monitoring.report import Outcome, Reason, Report
from standfast.operations.simulation.ground import HandClock, small_map

REPORT = Report("v1", "boot", 7, (Outcome("c0", Reason.TIMEOUT, "späť", 1500.0, ("192.0.2.1",)),), offline=False)
BODY = envelope.encode(REPORT)


@pytest.fixture
def the_map(tmp_path):
    the_map = small_map()
    for vantage in the_map.vantages:
        (tmp_path / vantage.key_file).write_text(f"the secret of {vantage.id}\n")
    return the_map.model_copy(update={"folder": tmp_path})


class Door:
    def __init__(self, the_map) -> None:
        self.clock, self.taken = HandClock(), []
        self.collector = Collector(the_map, self.taken.append, self.clock)
        self.key = envelope.key_of(the_map, the_map.vantages[0])

    def challenge(self) -> str:
        return self.collector._challenges.make()

    def post(self, body=BODY, *, challenge=None, key=None, name="v1") -> int:
        challenge = self.challenge() if challenge is None else challenge
        signature = envelope.sign(key or self.key, challenge, body)
        return self.collector.take({"X-Vantage": name, "X-Challenge": challenge, "X-Signature": signature}, body)[0]


@pytest.fixture
def door(the_map) -> Door:
    return Door(the_map)


def test_whole():
    assert envelope.decode(BODY) == REPORT


def test_a_genuine_report_is_taken(door):
    assert door.post() == 202
    assert door.taken == [REPORT]


def test_a_challenge_is_ours_and_fresh(door, the_map):
    old = door.challenge()
    assert door.post(challenge="") == door.post(challenge="1000.000.00") == door.post(challenge="nan.é") == 409
    assert door.post(challenge=Door(the_map).challenge()) == 409
    door.clock.pass_(5)
    assert door.post(challenge=old) == 202
    door.clock.pass_(5)
    assert door.post(challenge=old) == 409
    assert len(door.taken) == 1


def test_the_wall_clock_does_not_matter(door):
    challenge = door.challenge()
    door.clock.jump(-3600)
    assert door.post(challenge=challenge) == 202


def test_only_the_vantage_itself_reports(door):
    assert door.post(key=b"the secret of v2") == 403
    assert door.post(name="v2") == 403
    assert door.post(name="v2", key=b"the secret of v2") == 403  # v2 speaks for v1
    assert door.post(name="nobody") == 403
    assert door.taken == []


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["vantage", "boot", "round", "offline", "outcomes", "check", "reason", "ms", "seen", "detail"]
                ),
                inner,
                max_size=8,
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_what_is_not_a_report_is_unreadable(body):
    try:
        assert isinstance(envelope.decode(body), Report)
    except envelope.Unreadable as error:
        assert str(error)


@pytest.mark.parametrize(
    "change",
    [{"round": "1"}, {"round": True}, {"offline": 0}, {"outcomes": None}, {"vantage": "x" * 2000}, {"boot": 1}],
)
def test_wrong_types_are_unreadable(change):
    with pytest.raises(envelope.Unreadable):
        envelope.decode(json.dumps({**json.loads(BODY), **change}).encode())


def test_keys_that_cannot_be_used_say_which(the_map, tmp_path):
    (tmp_path / "v3.key").write_text("short")
    with pytest.raises(MapError, match="v3 is shorter"):
        Collector(the_map, print, HandClock())
    (tmp_path / "v3.key").unlink()
    with pytest.raises(MapError, match="v3 cannot be read"):
        Collector(the_map, print, HandClock())
