"""Copies of the folds, how many of them are kept, and the moments that one goes to."""

import random
from collections.abc import Iterator

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.copies import HURRY, Copies
from octogram_tui.projection.folds import Folds
from octogram_tui.projection.ticks import Ticks, kind_of
from octogram_tui.projection.timeline import MOST_LINKS
from octogram_tui.tui.model import Model


class NoHistory:
    """A past of which nothing can be read."""

    def after(self, seq: int) -> Iterator[ev.Event]:
        return iter(())

    def seq_at(self, at_s: float) -> int:
        return 0


ABOUT = InstanceId("s", "j", "a")


def test_a_copy_goes_on_by_itself_and_is_not_moved_by_what_it_was_made_of() -> None:
    folds = Folds()
    folds.apply(ev.RunStarted(seq=1, run="r", scenario="s", variables={"v": 1}))
    copies = Copies()
    copies.take(folds)
    folds.apply(ev.VariableChanged(seq=2, name="v", value=2))
    taken = copies.before(1)
    assert taken is not None
    copy = folds.thawed(taken.pieces)
    assert (copy.seq, copy.variables.values) == (1, {"v": 1})
    copy.apply(ev.VariableChanged(seq=2, name="v", value=3))
    assert (folds.variables.values, copy.variables.values) == ({"v": 2}, {"v": 3})


def test_what_cannot_be_copied_costs_the_way_back_and_not_the_way_on() -> None:
    model = Model(clock=lambda: 0.0, history=NoHistory())
    model.head.board.extra = lambda: None  # type: ignore[attr-defined]  # which no copy takes
    started = ev.RunStarted(seq=1, run="r", scenario="s")
    assert [event for event, _ in model.apply([started])] == [started], "it is told"
    assert model.apply([ev.VariableChanged(seq=2, name="v", value=2)]) == [], "once, and not with each batch"
    assert model.variables.values == {"v": 2}


def test_long_chains_of_what_the_end_waits_for_are_copied() -> None:
    folds = Folds()
    folds.apply(ev.RunStarted(seq=1, run="r", scenario="s", agents=[{"agent": "a"}]))
    count = MOST_LINKS + 300
    for at in range(count):  # each of another job, so that each is a link
        about = InstanceId("s", f"j{at}", "a")
        folds.apply(ev.JobStarted(seq=2 * at + 2, at_s=at, instance=about))
        if at < count - 1:
            folds.apply(ev.JobFinished(seq=2 * at + 3, at_s=at + 0.5, instance=about))
    copy = folds.thawed(folds.frozen())
    assert copy.timeline.critical() == folds.timeline.critical()
    for each in (copy, folds):
        each.apply(ev.JobFinished(seq=9_999, at_s=9e3, instance=InstanceId("s", f"j{count - 1}", "a")))
    assert copy.timeline.critical() == folds.timeline.critical()
    assert len(copy.timeline.critical()) > 200


def test_copies_are_bounded_and_near_each_other_for_their_number() -> None:
    folds = Folds()
    folds.apply(ev.RunStarted(seq=1, run="r", scenario="s"))
    copies = Copies(least_events=10, most=12)
    for seq in range(2, 20_001):
        folds.apply(ev.JobProgress(seq=seq, instance=ABOUT, text="at it"))
        if copies.is_due(seq):
            copies.take(folds)
    assert len(copies) == 12
    assert copies.size_bytes == sum(copy.size_bytes for copy in copies._copies)
    farthest = max(seq - copy.seq for seq in range(100, 20_001, 50) if (copy := copies.before(seq)) is not None)
    assert farthest < 20_000 / 4, "none of them covers much more than its share"
    assert copies.before(0) is None, "the beginning needs none"


def test_copies_are_bounded_by_what_they_take_together() -> None:
    folds = Folds()
    folds.apply(ev.RunStarted(seq=1, run="r", scenario="s"))
    copies = Copies(least_events=1, most=1_000, most_bytes=20_000)
    chance = random.Random(1)
    for seq in range(2, 300):
        folds.apply(ev.VariableChanged(seq=seq, name=f"v{seq}", value=chance.random()))
        copies.take(folds)
    assert copies.size_bytes <= 20_000
    assert len(copies) >= 2


def test_ticks_are_what_one_wants_to_go_to() -> None:
    failed = ev.JobFinished(seq=3, at_s=3, instance=ABOUT, state="failed", failure=Failure("exit", "no"))
    told = [
        ev.StageStarted(seq=1, at_s=1, stage="s"),
        ev.JobFinished(seq=2, at_s=2, instance=ABOUT, state="failed", will_retry=True),
        failed,
        ev.VariableChanged(seq=4, at_s=4, name="v", value=1, by="operator"),
        ev.VariableChanged(seq=5, at_s=5, name="v", value=1, by="s/j@a"),
        ev.AgentLost(seq=6, at_s=6, agent="a"),
        ev.ScenarioReloaded(seq=7, at_s=7),
        ev.RunPaused(seq=8, at_s=8, reason="failure"),
    ]
    assert [kind_of(event) for event in told] == ["stage", None, "failure", "act", None, "loss", "reload", None]
    ticks = Ticks()
    for event in told:
        ticks.apply(event)
    failures = ticks.of["failure"]
    assert (failures.before(3), failures.before(4), failures.after(2), failures.after(3)) == (None, 3, 3, None)
    assert failures.is_between(2.5, 3.5)
    assert not failures.is_between(3.5, 9.0)


def test_while_much_comes_at_once_copies_are_further_apart() -> None:
    folds = Folds()
    copies = Copies(least_events=10)
    folds.apply(ev.RunStarted(seq=1, run="r", scenario="s"))
    copies.take(folds)
    due = copies._next_seq
    assert copies.is_due(due)
    assert not copies.is_due(due, hurries=True)
    assert copies.is_due(1 + HURRY * (due - 1), hurries=True), "but not left out: one may go back afterwards"
