"""What must hold whatever the vantages see: against a plain model of the rule, written without the detector's shortcuts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.operations.monitoring.report import Blind, CheckDown, CheckUp, Sighted
from standfast.operations.monitoring.tests.rounds import Rounds

VIEW = st.sampled_from([True, True, False, False, None, "offline"])
ROUND = st.lists(VIEW, min_size=5, max_size=5)


class Model:
    """The rule for one check, from whole histories: what each vantage said in every round since it was last away."""

    def __init__(self) -> None:
        self.said: list[list[bool]] = [[] for _ in range(5)]
        self.silent = [99] * 5
        self.down = False

    def round(self, views: list) -> bool:
        for number, view in enumerate(views):
            self.silent[number] = 0 if view is not None else self.silent[number] + 1
            if view == "offline" or self.silent[number] >= 3:
                self.said[number] = []
            if view == "offline":
                self.silent[number] = 99
            if isinstance(view, bool):
                self.said[number].append(view)
        votes = [said for number, said in enumerate(self.said) if self.silent[number] < 3 and said]
        need = len(votes) // 2 + 1
        if len(votes) < 3:
            return self.down
        if self.down:
            self.down = sum(said[-3:] == [True] * 3 for said in votes) < need
        else:
            two = sum(said[-2:] == [False] * 2 for said in votes)
            three = sum(said[-3:] == [False] * 3 for said in votes)
            self.down = two > need or three >= need
        return self.down


@settings(max_examples=300, deadline=None)
@given(st.lists(ROUND, min_size=1, max_size=25))
def test_the_detector_is_the_model(history):
    rounds, model = Rounds(), Model()
    for views in history:
        rounds.number += 1
        for number, view in enumerate(views, start=1):
            if view is not None:
                rounds.detector.receive(rounds.report(f"v{number}", view))
        rounds.clock.pass_(0.5)
        rounds.detector.judge()
        assert rounds.detector.down == ({"c0"} if model.round(views) else set())
        rounds.clock.pass_(1.5)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(ROUND, min_size=1, max_size=30), st.lists(st.sampled_from([0.0, 0.0, 0.0, 3600.0, -3600.0]), max_size=30)
)
def test_findings_come_in_pairs_whatever_happens(history, jumps):
    rounds = Rounds()
    down = blind = False
    for number, views in enumerate(history):
        if number < len(jumps):
            rounds.clock.jump(jumps[number])
        for finding in rounds.play({f"v{place}": view for place, view in enumerate(views, start=1)}):
            if isinstance(finding, CheckDown | CheckUp):
                assert isinstance(finding, CheckDown) is not down, "down twice, or up without down"
                assert len(finding.votes) >= 3
                assert not blind
                down = not down
            if isinstance(finding, Blind | Sighted):
                assert isinstance(finding, Blind) is not blind
                blind = not blind
        assert (rounds.detector.down == {"c0"}) is down


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=2, max_size=2), min_size=1, max_size=60))
def test_two_of_five_alone_never_make_an_incident(history):
    rounds = Rounds()
    for first, second in history:
        found = rounds.play({"v1": first, "v2": second, "v3": True, "v4": True, "v5": True})
        assert found == []
