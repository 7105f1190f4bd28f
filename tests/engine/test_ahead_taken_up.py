"""What is told of what an agent had ahead when another process took the run up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from simulation import job, named, report, scenario, stage
from test_taken_up_anywhere import go_on
from world import World

from octogram_tui.engine.events import JobFinished, JobOutput, JobStarted, WarningGiven
from octogram_tui.engine.stimuli import (
    AgentUpReport,
    GoRequest,
    OutputReport,
    PauseRequest,
    RecallReport,
    Stimulus,
    TakeUpRequest,
)
from octogram_tui.model.ids import AttemptId
from octogram_tui.runtime.driver import Driver
from octogram_tui.runtime.feeding import Feeding


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


@pytest.mark.parametrize("is_printed_first", [True, False])
def test_what_was_printed_meanwhile_is_told_after_its_beginning(is_printed_first: bool) -> None:
    """A daemon says what was printed, then what ended; and an end waits until all agents have answered."""
    engine = crashed().restored().engine
    ends, k = report("s/j@a#1", "ok"), AttemptId(named("s/k@a"), 1)
    prints = [OutputReport("a", k, ["one"]), OutputReport("a", k, ["two"])]
    came: list[Stimulus] = [*prints, ends] if is_printed_first else [ends, *prints]
    up = AgentUpReport("a", birth="1", is_same=True, knows=(ends.attempt, k))
    begun = RecallReport("a", k, ends.attempt, is_begun=True)
    fed: list[Stimulus] = [TakeUpRequest("2026-01-02T00:00:00Z"), *came, up, begun]
    batch = Feeding(engine, None).feed([(each, None) for each in fed], 1.0)
    assert batch.failure is None
    events = [event for turn in batch.turns for event in turn.outcome.events]
    told = [e for e in events if isinstance(e, JobStarted | JobOutput | JobFinished)]
    assert [(type(e), e.instance.job) for e in told if e.instance] == [
        (JobFinished, "j"),
        (JobStarted, "k"),
        (JobOutput, "k"),
        (JobOutput, "k"),
    ]
    assert [line for e in told if isinstance(e, JobOutput) for line in e.lines] == ["one", "two"]
