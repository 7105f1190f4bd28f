"""What is told of what an agent had ahead when another process took the run up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from simulation import job, report, scenario, stage
from test_taken_up_anywhere import go_on
from world import World

from octogram_tui.engine.events import WarningGiven
from octogram_tui.engine.stimuli import GoRequest, PauseRequest, TakeUpRequest
from octogram_tui.runtime.driver import Driver


def crashed() -> World:
    """A run whose process died while an agent had `j`; `k` began there meanwhile, after it."""
    world = World(scenario(stage("s", job("j"), job("k"))), lambda sent: None, look_ahead=True).begin()
    world.crash()
    world.end("s/j@a#1", result={})
    world.crash()
    assert list(world.pending) == ["s/k@a#1"]
    return world


@pytest.mark.parametrize("is_paused", [False, True])
def test_only_what_somebody_was_too_late_for_is_warned_of(is_paused: bool) -> None:
    """Taking up asks for all back, to know what has begun. Nobody was late for that."""
    world = crashed()
    restored = world.restored()
    world.engine, world.at_s = restored.engine, restored.at_s
    world.feed(TakeUpRequest("2026-01-02T00:00:00Z"))
    if is_paused:
        world.feed(PauseRequest())
    world.run()
    world.end("s/k@a#1", result={})
    world.run()
    if is_paused:
        world.go(GoRequest())
    go_on(world).checked()
    warned = ["too late" for event in world.events if isinstance(event, WarningGiven) and "taken back" in event.message]
    assert warned == ["too late"] * is_paused
    assert world.exit_code == 0


def test_what_ended_ahead_is_written_with_what_it_gave_while_agents_are_awaited() -> None:
    """An end that is told again is written without it; this one is news, and the next process has it from nowhere."""
    engine = crashed().restored().engine
    engine.feed(TakeUpRequest("2026-01-02T00:00:00Z"), 1.0)
    nothing: Any = SimpleNamespace(events=[], effects=[])
    driver: Any = SimpleNamespace(_engine=engine)
    for attempt, is_news in (("s/j@a#1", True), ("s/k@a#1", True), ("s/l@a#1", False)):
        fed = report(attempt, "ok", {"n": 1})
        turn: Any = SimpleNamespace(stimulus=fed, outcome=nothing)
        batch: Any = SimpleNamespace(turns=[turn])
        assert (Driver._as_written(driver, turn, batch) == fed) is is_news
