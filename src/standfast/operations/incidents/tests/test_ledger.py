"""Each subscriber gets each update once, wherever it is stopped; what nobody can know is counted."""

import itertools
from collections import Counter

import pytest

from standfast.operations.incidents.ledger import BOUNCES_MAX, RETRY_SECONDS, Bounced, Delivered, Later, Ledger
from standfast.operations.incidents.tests.scene import Scene
from standfast.operations.status_page import subscribers


def subscribe(
    scene: Scene, name: str, *, channel: str = "email", components=None, clusters=None, state="confirmed"
) -> None:
    import json

    scene.log.connection.execute(
        "insert into subscriber (id, channel, address, components, clusters, state, created_at)"
        " values (?, ?, ?, ?, ?, ?, '2022-01-01')",
        (
            name,
            channel,
            f"{name}@example.net",
            components and json.dumps(components),
            clusters and json.dumps(clusters),
            state,
        ),
    )


def scene_with(*names: str) -> tuple[Scene, Ledger]:
    scene = Scene()
    ledger = Ledger(scene.log, scene.clock)
    for name in names:
        subscribe(scene, name)
    scene.down("login-east")
    scene.run(3)
    return scene, ledger


def test_only_confirmed_subscribers_of_the_affected_squares_are_told() -> None:
    scene, ledger = scene_with("alice")
    subscribe(scene, "west", clusters=["west"])
    subscribe(scene, "api", components=["api"])
    subscribe(scene, "login", components=["login"], clusters=["east"])
    subscribe(scene, "pending", state="pending")
    assert ledger.enqueue(scene.engine.state) == 2
    assert ledger.enqueue(scene.engine.state) == 0
    assert {due.subscriber.id for due in ledger.take(10, channel="email")} == {"alice", "login"}


class Killed(Exception):
    pass


def drive(scene: Scene, sink: list[str], kill_at: int) -> int:
    """Run the notifier's steps, dying before the step of that number; returns how many steps there were."""
    steps = itertools.count(1)

    def step() -> None:
        if next(steps) == kill_at:
            raise Killed

    ledger = Ledger(scene.log, scene.clock)
    step()
    ledger.recover()
    step()
    ledger.enqueue(scene.engine.state)
    while True:
        step()
        batch = ledger.take(2, channel="email")
        if not batch:
            return next(steps)
        for due in batch:
            step()
            sink.append(due.message)
        step()
        ledger.settle([(due, Delivered()) for due in batch])


def test_killed_at_every_step_nobody_is_missed_and_what_goes_again_is_counted() -> None:
    names = ["alice", "bob", "carol", "dave", "erin"]
    scene, _ = scene_with(*names)
    steps = drive(scene, [], kill_at=0)
    assert steps > 12
    for kill_at in range(1, steps + 1):
        scene, ledger = scene_with(*names)
        sink: list[str] = []
        try:
            drive(scene, sink, kill_at)
        except Killed:
            drive(scene, sink, kill_at=0)
        got = Counter(sink)
        assert {message.partition(".")[2] for message in got} == set(names), kill_at
        counts = ledger.counts()
        assert counts["done"] == len(names)
        assert sum(got.values()) - len(got) <= counts["unknown"] <= 2, kill_at


def test_what_cannot_be_delivered_is_tried_again_later_and_given_up_in_the_end() -> None:
    scene, ledger = scene_with("alice")
    ledger.enqueue(scene.engine.state)
    for wait in RETRY_SECONDS:
        [due] = ledger.take(5, channel="email")
        ledger.settle([(due, Later("451 busy"))])
        assert ledger.take(5, channel="email") == []
        scene.clock.go(wait + 1)
    [due] = ledger.take(5, channel="email")
    ledger.settle([(due, Later("451 busy"))])
    assert ledger.counts() == {"failed": 1, "unknown": 0}


def test_being_killed_many_times_gives_nobody_up():
    scene, ledger = scene_with("alice")
    ledger.enqueue(scene.engine.state)
    for _ in range(3 * len(RETRY_SECONDS)):
        assert len(ledger.take(5, channel="email")) == 1
        ledger = Ledger(scene.log, scene.clock)
        assert ledger.recover() == 1
    [due] = ledger.take(5, channel="email")
    ledger.settle([(due, Delivered())])
    assert ledger.counts() == {"done": 1, "unknown": 3 * len(RETRY_SECONDS)}


def test_a_bouncing_subscriber_is_quarantined_and_told_nothing_more() -> None:
    scene, ledger = scene_with("alice", "bob")
    for _ in range(BOUNCES_MAX):
        scene.run(1201)  # a holding post
        ledger.enqueue(scene.engine.state)
        batch = ledger.take(50, channel="email")
        ledger.settle([(due, Bounced("550 no") if due.subscriber.id == "alice" else Delivered()) for due in batch])
    states = {one.id: one.state for one in subscribers.by_id(scene.log.connection, ["alice", "bob"]).values()}
    assert states == {"alice": "quarantined", "bob": "confirmed"}


def test_somebody_who_left_meanwhile_is_not_told() -> None:
    scene, ledger = scene_with("alice")
    ledger.enqueue(scene.engine.state)
    scene.log.connection.execute("update subscriber set state = 'unsubscribed'")
    assert ledger.take(5, channel="email") == []
    assert ledger.counts()["failed"] == 1


def test_a_vetoed_incident_tells_nobody() -> None:
    from standfast.operations.incidents.orders import Orders

    scene, ledger = scene_with("alice")
    Orders(scene.map, scene.log, scene.clock).veto(scene.incident.posts[0].update, why="a test", by="Ann")
    scene.engine.sync()
    assert ledger.enqueue(scene.engine.state) == 0


@pytest.mark.parametrize("text", ["", "x", "alice", "alice.", "alice.0000", "alice.é"])
def test_nobody_makes_up_a_token(text: str) -> None:
    scene, _ = scene_with("alice")
    good = subscribers.token(scene.log.connection, "alice")
    found = subscribers.of_token(scene.log.connection, good)
    assert found is not None and found.id == "alice"
    assert subscribers.of_token(scene.log.connection, text) is None
