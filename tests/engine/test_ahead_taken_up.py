"""What is told of what an agent had ahead when another process took the run up."""

from __future__ import annotations

import pytest
from simulation import job, scenario, stage
from test_taken_up_anywhere import go_on
from world import World

from octogram_tui.engine.events import WarningGiven
from octogram_tui.engine.stimuli import GoRequest, PauseRequest, TakeUpRequest


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
