"""Templates that take long: where they end at a bound is an input of the run, and a turn does not go on for ever."""

from __future__ import annotations

from collections import Counter

import pytest
from simulation import job, report, scenario, stage
from world import Journalled

from octogram_tui.engine.events import JobFinished, JobStarted
from octogram_tui.engine.stimuli import StopRequest
from octogram_tui.journal import codec
from octogram_tui.model.scenario import ItemsSpec
from octogram_tui.template import bound, process

ENDLESS = "{{ range(10**9) | sum }}"
APART = "{{ ('%s' % item) * 2 }}"
TWENTY = ItemsSpec((("1..20",),))


@pytest.mark.fault(81)
def test_a_run_that_is_built_again_ends_at_the_bounds_where_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "CPU_S", 0.1)
    slow = job("slow", {"text": ENDLESS}, on_failure="continue")
    given = scenario(stage("s", job("first"), slow, job("last", {"text": "{{ 'a' * 3 }}"})))
    simulation = Journalled(given, lambda sent: None).begin()
    simulation.go(report("s/first@a#1", "ok", {}))
    (failed,) = [event for event in simulation.of(JobFinished) if event.failure is not None]
    assert "more than 0.1 seconds" in failed.failure.message
    asked: list[bytes] = []
    ask = bound._ask

    def noted(request: bytes, turn: bound.Turn) -> bytes:
        asked.append(request)
        return ask(request, turn)

    monkeypatch.setattr(bound, "_ask", noted)
    again = simulation.restored().engine
    assert [b"10**9" in request for request in asked] == [False]  # what ended there is not tried again
    stopping = StopRequest("SIGINT", 130)
    expected = simulation.feed(stopping)
    assert list(map(codec.encode, again.feed(stopping, simulation.at_s).events)) == list(map(codec.encode, expected))


def test_a_turn_leaves_what_takes_long_to_the_next() -> None:
    given = scenario(stage("s", job("j", {"text": APART}, items=TWENTY, run_items="concurrent")))
    simulation = Journalled(given, lambda sent: None).begin()
    counts = Counter(event.at_s for event in simulation.of(JobStarted))
    assert list(counts.values()) == [bound.MOST_IN_A_TURN, bound.MOST_IN_A_TURN, 20 - 2 * bound.MOST_IN_A_TURN]
    assert simulation.restored().engine.instances.count("running") == 20


def test_a_run_that_is_to_stop_begins_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = bound._ask

    def ask(request: bytes, turn: bound.Turn) -> bytes:
        bound.give_up()
        return asked(request, turn)

    monkeypatch.setattr(bound, "_ask", ask)
    monkeypatch.setattr(process, "WALL_S", 0.0)
    slow = job("j", {"text": ENDLESS}, items=TWENTY, run_items="concurrent", on_failure="continue")
    simulation = Journalled(scenario(stage("s", slow)))
    simulation.goes_on = False
    simulation.begin()
    assert simulation.ended() == ["s/j@a[1] failed"]
    simulation.go(StopRequest("SIGINT", 130))
    assert simulation.ended() == ["s/j@a[1] failed"]
    assert simulation.exit_code == 130
