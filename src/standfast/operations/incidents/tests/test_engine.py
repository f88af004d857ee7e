"""What the engine posts, when, and what it keeps quiet about."""

from datetime import timedelta

import pytest

from standfast.operations.incidents import postmortem
from standfast.operations.incidents.entries import LEGAL, Kind, Stage
from standfast.operations.incidents.state import State
from standfast.operations.incidents.tests.scene import Scene
from standfast.operations.map import Square
from standfast.operations.monitoring.report import Gap
from standfast.operations.status import Status


def test_a_root_failure_is_one_incident_from_first_post_to_draft() -> None:
    scene = Scene()
    scene.down("root", "login-east", "login-west", "api-east", "api-west")
    scene.run(2)
    assert scene.posts() == ["investigating"]
    assert scene.incident.title == "All services unavailable in all clusters"
    assert scene.incident.impact == "critical"
    assert "5 of 5 vantages" in scene.incident.posts[0].body
    assert set(scene.engine.state.squares.values()) == {Status.MAJOR_OUTAGE}
    scene.up("root", "login-east", "login-west", "api-east", "api-west")
    assert set(scene.engine.state.squares.values()) == {Status.OPERATIONAL}
    scene.run(13)
    assert scene.posts() == ["investigating", "monitoring"]
    scene.run(299)
    assert scene.posts()[-1] == "resolved"
    scene.run(1)
    assert scene.incident.draft is not None


def test_a_failure_elsewhere_and_later_is_its_own_incident() -> None:
    scene = Scene()
    scene.down("login-east")
    scene.run(200)
    scene.down("api-west")
    scene.run(3)
    assert [one.title for one in scene.engine.state.incidents.values()] == [
        "Login unavailable in East",
        "API unavailable in West",
    ]


def test_what_fails_soon_after_joins_and_is_told() -> None:
    scene = Scene()
    scene.down("login-east")
    scene.run(4)
    scene.down("api-east")
    scene.run(8)
    assert scene.incident.title == "All services unavailable in East"
    assert scene.posts() == ["investigating", "investigating"]
    assert "More is affected" in scene.incident.posts[1].body


def test_the_same_failure_reopens_what_was_resolved() -> None:
    scene = Scene()
    scene.down("login-east")
    scene.run(3)
    scene.up("login-east")
    scene.run(320)
    assert scene.incident.stage is Stage.RESOLVED
    scene.down("login-east")
    scene.run(3)
    assert scene.posts() == ["investigating", "monitoring", "resolved", "investigating"]
    assert scene.incident.resolved_at is None
    assert scene.engine.state.squares[Square("login", "east")] is Status.MAJOR_OUTAGE


def test_flapping_for_half_an_hour_is_one_incident_and_four_messages_at_most() -> None:
    scene = Scene()
    for _ in range(90):  # ten seconds up, ten down, as the detector tells of it: down after two rounds, up after three
        scene.down("login-east")
        scene.run(12)
        scene.up("login-east")
        scene.run(8)
    assert len(scene.engine.state.incidents) == 1
    assert scene.incident.flapping
    assert len(scene.posts()) <= 4
    scene.run(700)
    assert scene.posts()[-2:] == ["monitoring", "resolved"]


def test_a_promised_update_is_kept() -> None:
    scene = Scene()
    scene.down("login-east")
    scene.run(2)
    first = scene.incident.posts[0]
    assert first.next_update_at == first.at + timedelta(minutes=20)
    scene.run(1300)
    assert len(scene.posts()) == 2
    assert "continues" in scene.incident.posts[1].body
    assert scene.incident.posts[1].next_update_at > scene.clock.now()


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_jump_of_the_wall_clock_moves_no_deadline(seconds: float) -> None:
    scene = Scene()
    scene.down("login-east")
    scene.run(3)
    scene.clock.jump(seconds)
    scene.engine.handle([Gap(seconds, "clock jumped")])
    scene.run(600)
    assert scene.posts() == ["investigating"]
    scene.run(700)
    assert len(scene.posts()) == 2
    scene.up("login-east")
    scene.run(12)
    assert scene.posts()[-1] == "monitoring"


def test_killed_at_any_second_it_goes_on_from_the_log() -> None:
    whole, killed = Scene(), Scene()
    for scene in (whole, killed):
        scene.down("root", "api-east")
        for second in range(400):
            scene.run(1)
            if second == 30:
                scene.up("root", "api-east")
            if scene is killed:
                scene.restart()
    assert [entry.kind for entry in killed.log.after()] == [entry.kind for entry in whole.log.after()]
    assert [entry.data for entry in killed.log.after()] == [entry.data for entry in whole.log.after()]


def test_an_unannounced_change_is_named_and_an_announced_one_is_not() -> None:
    scene = Scene()
    scene.down("root")
    scene.run(2)
    drift = {"provider": "one", "subject": "example.test A", "what": "changed", "before": ["192.0.2.1"], "after": []}
    scene.log.append("drift_found", {"drift": "d1", **drift, "change": "our-7"}, at=scene.clock.now())
    silent = {**drift, "subject": "zone example.test", "what": "cannot be read", "change": None}
    scene.log.append("drift_found", {"drift": "d3", **silent}, at=scene.clock.now())  # nobody knows what changed there
    scene.run(5)
    assert scene.posts() == ["investigating"]
    scene.log.append("drift_found", {"drift": "d2", **drift, "change": None}, at=scene.clock.now())
    scene.run(2)
    assert scene.posts() == ["investigating", "identified"]
    assert "One: example.test A changed, was 192.0.2.1, is nothing" in scene.incident.posts[1].body


def test_moves_are_asked_for_until_decided_or_refused() -> None:
    scene = Scene()
    scene.down("root")
    [move] = scene.engine.moves()
    assert (move.pool, move.target, move.by) == ("root", "standby", "quorum")
    scene.log.append("failover_refused", {"pool": "root", "target": "standby", "why": "guard"}, at=scene.clock.now())
    scene.run(1)
    assert scene.engine.moves() == []
    scene.up("root")
    scene.down("root")
    assert len(scene.engine.moves()) == 1
    decided = {"failover": "f1", "pool": "root", "target": "standby", "addresses": ["192.0.2.2"], "generation": 1}
    scene.log.append("failover_decided", {**decided, "why": "x", "by": "quorum"}, at=scene.clock.now())
    scene.run(1)
    assert scene.engine.moves() == []


def test_the_draft_is_the_same_bytes_each_time_and_every_line_has_its_entry() -> None:
    scene = Scene()
    scene.down("root", "login-east")
    scene.run(20)
    scene.up("root", "login-east")
    scene.run(330)
    incident = scene.incident
    again = postmortem.draft(scene.map, scene.log.after(), incident.id, upto=incident.draft_upto)
    assert again == incident.draft
    timeline = again.partition("## Timeline\n\n")[2].partition("\n\n##")[0].splitlines()
    assert len(timeline) > 6
    assert all("[entry " in line for line in timeline)
    assert "Unknown: no counter was read" in again
    assert "5 of 5 reporting vantages" in again
    affected = again.partition("## Affected\n\n")[2].partition("\n\n##")[0].splitlines()[2:]
    assert len(affected) == 1 and affected[0].startswith("| All services | all clusters | Major outage | ")


def test_every_stage_that_was_posted_was_legal() -> None:
    scene = Scene()
    for wait in (1, 5, 20, 400):
        scene.down("login-east", "api-west")
        scene.run(7)
        scene.up("login-east", "api-west")
        scene.run(wait)
    state = State(scene.map, scene.log.after())
    for incident in state.incidents.values():
        before = None
        for post in incident.posts:
            assert post.status in LEGAL[before]
            before = post.status


def test_a_full_disk_loses_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    from standfast.operations.log import LogError

    scene = Scene()
    append = scene.log.append

    def full(*_: object, **__: object) -> None:
        raise LogError("disk full")

    monkeypatch.setattr(scene.log, "append", full)
    with pytest.raises(LogError):
        scene.down("root")
    assert scene.engine.state.checks_down == {}
    monkeypatch.setattr(scene.log, "append", append)
    scene.engine.handle([])
    scene.run(2)
    assert scene.posts() == ["investigating"]
    assert next(entry.kind for entry in scene.log.after()) == Kind.CHECK_DOWN


def test_traffic_is_called_moved_once_a_provider_has_confirmed_it() -> None:
    scene = Scene()
    scene.down("root")
    scene.run(3)
    decided = {"failover": "f1", "pool": "root", "target": "standby", "addresses": ["192.0.2.2"], "generation": 1}
    scene.log.append("failover_decided", {**decided, "why": "x", "by": "quorum"}, at=scene.clock.now())
    scene.log.append("failover_done", {"failover": "f1", "changed": [], "behind": ["one", "two"]}, at=scene.clock.now())
    scene.run(10)
    assert not any("moved traffic" in post.body for post in scene.incident.posts)
    changed = {"failover": "f1", "provider": "one", "outcome": "changed", "addresses": ["192.0.2.2"], "generation": 1}
    scene.log.append("failover_provider", {**changed, "detail": "", "milliseconds": 3}, at=scene.clock.now())
    scene.run(1)
    assert "We have moved traffic" in scene.incident.posts[-1].body
    assert "(not yet at Two)" in scene.incident.posts[-1].body
