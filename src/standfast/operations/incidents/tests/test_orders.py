"""What persons may order, and what is refused with a reason."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.operations.incidents.entries import LEGAL, Stage
from standfast.operations.incidents.orders import OrderError, Orders
from standfast.operations.incidents.state import State
from standfast.operations.incidents.tests.scene import Scene
from standfast.operations.map import Square
from standfast.operations.status import Status

LOGIN = {Square("login", "east"): Status.PARTIAL_OUTAGE}


def orders(scene: Scene) -> Orders:
    return Orders(scene.map, scene.log, scene.clock)


def test_a_persons_incident_shows_until_she_resolves_it() -> None:
    scene = Scene()
    desk = orders(scene)
    incident = desk.open_incident(title="Slow logins", body="We look into it.", squares=LOGIN, by="Ann")
    scene.run(2)
    assert scene.engine.state.squares[Square("login", "east")] is Status.PARTIAL_OUTAGE
    assert scene.engine.state.indicator()[0] == "major"
    desk.post(incident, stage=Stage.RESOLVED, body="Done.", by="Ann")
    scene.run(2)
    assert scene.engine.state.squares[Square("login", "east")] is Status.OPERATIONAL
    assert scene.engine.state.incidents[incident].draft is not None
    desk.edit_postmortem(incident, text="What we learnt", by="Ann")
    desk.publish_postmortem(incident, by="Ann")
    desk.redraft_postmortem(incident)
    assert desk.state.incidents[incident].postmortem == "What we learnt"
    assert desk.state.incidents[incident].status is Stage.POSTMORTEM


def test_the_page_must_not_say_resolved_while_checks_are_down() -> None:
    scene = Scene()
    scene.down("login-east")
    scene.run(3)
    with pytest.raises(OrderError, match="still down"):
        orders(scene).post(scene.incident.id, stage=Stage.RESOLVED, body="Done", by="Ann")


def test_a_veto_takes_the_incident_off_and_the_matrix_green() -> None:
    scene = Scene()
    scene.down("login-east")
    scene.run(3)
    orders(scene).veto(scene.incident.posts[0].update, why="a drill", by="Ann")
    scene.run(60)
    assert scene.incident.vetoed and not scene.incident.public
    assert set(scene.engine.state.squares.values()) == {Status.OPERATIONAL}
    assert len(scene.posts()) == 1


def test_an_edit_changes_the_text_and_tells_nobody_again() -> None:
    scene = Scene()
    scene.down("login-east")
    scene.run(3)
    update = scene.incident.posts[0].update
    orders(scene).edit(update, body="Better words", by="Ann")
    scene.engine.sync()
    assert scene.incident.posts[0].body == "Better words"
    assert scene.posts() == ["investigating"]


def test_maintenance_begins_and_ends_by_itself_and_hides_no_failure_before_it() -> None:
    scene = Scene()
    start = scene.clock.now() + timedelta(minutes=5)
    desk = orders(scene)
    square = Square("api", "west")
    one = desk.schedule_maintenance(
        title="Database",
        body="An hour",
        squares=[square],
        starts_at=start,
        ends_at=start + timedelta(minutes=10),
        by="Ann",
    )
    scene.run(299)
    assert scene.engine.state.squares[square] is Status.OPERATIONAL
    scene.run(2)
    assert scene.engine.state.squares[square] is Status.UNDER_MAINTENANCE
    desk.change_maintenance(one, by="Ann", ends_at=start + timedelta(minutes=20))
    scene.run(700)
    assert scene.engine.state.squares[square] is Status.UNDER_MAINTENANCE
    scene.run(600)
    assert scene.engine.state.squares[square] is Status.OPERATIONAL
    assert scene.engine.state.maintenances[one].state == "completed"
    with pytest.raises(OrderError, match="completed"):
        desk.cancel_maintenance(one, by="Ann")


@pytest.mark.parametrize(
    "order",
    [
        lambda desk: desk.post("nope", stage=Stage.RESOLVED, body="x", by="Ann"),
        lambda desk: desk.edit("nope-1", body="x", by="Ann"),
        lambda desk: desk.open_incident(title=" ", body="x", squares=LOGIN, by="Ann"),
        lambda desk: desk.open_incident(title="x", body="x", squares={}, by="Ann"),
        lambda desk: desk.open_incident(title="x" * 300, body="x", squares=LOGIN, by="Ann"),
        lambda desk: desk.open_incident(title="x", body="x", squares={Square("a", "b"): Status.MAJOR_OUTAGE}, by="Ann"),
        lambda desk: desk.order_failover(pool="nope", target="standby", why="x", by="Ann"),
        lambda desk: desk.order_failover(pool="root", target="primary", why="x", by="Ann"),
        lambda desk: desk.announce_change(summary="x", provider="nope", by="Ann"),
    ],
)
def test_a_bad_order_is_refused_with_a_reason_and_writes_nothing(order) -> None:
    scene = Scene()
    with pytest.raises(OrderError):
        order(orders(scene))
    assert scene.log.after() == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(list(Stage)), max_size=12))
def test_whatever_is_asked_for_only_legal_transitions_are_written(stages: list[Stage]) -> None:
    scene = Scene()
    desk = orders(scene)
    incident = desk.open_incident(title="x", body="x", squares=LOGIN, by="Ann")
    for stage in stages:
        before = desk.state.incidents[incident].stage
        legal = stage in LEGAL[before]
        try:
            desk.post(incident, stage=stage, body="x", by="Ann")
            assert legal
        except OrderError:
            assert not legal
    posts = State(scene.map, scene.log.after()).incidents[incident].posts
    assert all(then.status in LEGAL[first.status] for first, then in pairwise(posts))
    assert all(post.next_update_at for post in posts if post.status not in (Stage.RESOLVED, Stage.POSTMORTEM))


def test_text_that_no_file_can_hold_is_made_good() -> None:
    desk = orders(Scene())
    incident = desk.open_incident(title="Slow \udcff\x00", body="A terminal's \udcfcmlaut", squares=LOGIN, by="Ann")
    assert desk.state.incidents[incident].title == "Slow ?"
    assert desk.state.incidents[incident].posts[0].body == "A terminal's ?mlaut"
