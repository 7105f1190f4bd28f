"""All failures of a run in order, those too that somebody has dealt with since."""

from __future__ import annotations

from itertools import count
from typing import Any

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.failures import Failures


def run_of(*given: tuple[str, str]) -> Failures:
    """The failures of a run, given as (agent, what happens to its only job): start, or how the attempt ends."""
    board = Board()
    attempts: dict[str, int] = {}
    seq = count(1)
    for agent, what in given:
        kind: Any = ev.JobStarted if what == "start" else ev.JobFinished
        attempts[agent] = attempts.get(agent, 0) + (what == "start")
        event = kind(instance=InstanceId("s", "j", agent), attempt=attempts[agent])
        if what == "retry":
            event.will_retry = True
        if what in ("failed", "retry", "tolerated"):
            event.state, event.failure = "failed", Failure("exit", f"{agent} no {attempts[agent]}")
        elif what != "start":
            event.state = what
        if what == "tolerated":
            event.is_tolerated = True
        event.seq = next(seq)
        event.at_s = float(event.seq)
        board.apply(event)
    return board.all_failures


def told(failures: Failures) -> list[str]:
    """Each in a few words."""
    return [f"{row.instance.agent}#{row.attempt} {row.fate or 'stands'}" for row in failures]


def test_a_repaired_failure_stays_in_its_place_and_says_what_repaired_it() -> None:
    failures = run_of(
        ("a", "start"), ("b", "start"), ("b", "failed"), ("a", "failed"), ("b", "start"), ("b", "failed"),
        ("b", "start"), ("b", "ok"), ("a", "skipped"),
    )  # fmt: skip
    assert told(failures) == ["b#1 repaired by attempt 3", "a#1 skipped", "b#2 repaired by attempt 3"]
    assert [row.at_s for row in failures] == [3.0, 4.0, 6.0]
    assert [row.attempt for row in failures.of(InstanceId("s", "j", "b"))] == [1, 2]
    assert failures.rows[0].failure.message == "b no 1"
    assert not [row for row in failures if row.stands]


def test_what_stands_and_what_is_under_way_again_are_told_apart() -> None:
    failures = run_of(("a", "start"), ("a", "failed"), ("b", "start"), ("b", "failed"), ("b", "start"))
    assert told(failures) == ["a#1 stands", "b#1 run again as attempt 2"]
    assert [row.stands for row in failures] == [True, False]


def test_only_the_last_word_of_an_attempt_counts() -> None:
    failures = run_of(("a", "start"), ("a", "retry"), ("a", "start"), ("a", "ok"), ("b", "start"), ("b", "tolerated"))
    assert told(failures) == ["b#1 tolerated"]


def test_what_fails_again_before_it_was_sent_takes_the_place_of_the_earlier_failure() -> None:
    failures = run_of(("a", "start"), ("a", "failed"), ("a", "failed"))
    assert [row.stands for row in failures] == [False, True]


def test_who_draws_them_sees_each_change_by_the_version() -> None:
    failures = run_of(("a", "start"), ("a", "failed"))
    before = failures.version
    failures.started(ev.JobStarted(instance=InstanceId("s", "j", "b")))
    assert failures.version == before
    failures.started(ev.JobStarted(instance=InstanceId("s", "j", "a"), attempt=2))
    assert failures.version > before
