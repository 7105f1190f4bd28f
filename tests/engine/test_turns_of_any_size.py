"""However much there is to do, a turn does a bounded part of it, and an agent costs what it costs alone."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from simulation import Simulation, job, scenario, stage
from world import Journalled, World

from octogram_tui.engine.kept_readings import KeptReadings
from octogram_tui.engine.stimuli import (
    BeginRequest,
    StopRequest,
)
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import ItemsSpec
from octogram_tui.template import bound

MANY = ItemsSpec((("1..1000",),))


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.check", lambda engine: None)  # it goes through everything each time


def turns_of(run: Simulation) -> list[int]:
    at = [event.at_s for event in run.events]
    return [at.count(moment) for moment in sorted(set(at))]


def test_items_begin_and_end_in_parts_and_a_run_is_built_again_between_them() -> None:
    run = Journalled(scenario(stage("s", job("j", items=MANY, run_items="concurrent"))), lambda sent: None).begin()
    assert len(run.pending) == 1000
    run.goes_on = False
    run.feed(StopRequest("SIGINT", 130))
    assert 0 < len(run.cancelled) <= bound.STEPS
    assert run.restored().engine.dispatcher.has_work
    run.goes_on = True
    run.run()
    assert len(run.cancelled) == 1000
    assert run.exit_code == 130
    assert max(turns_of(run)) <= 2 * bound.STEPS


def test_agents_start_and_stop_in_parts_and_a_run_is_taken_up_between_them() -> None:
    names = " ".join(f"a{n}" for n in range(600))
    world = World(scenario(stage("s", job("j")), agents=names))
    world.goes_on = False
    world.feed(BeginRequest("2026-01-01T00:00:00Z"))
    assert 0 < len(world.waiting) <= bound.STEPS
    world.crash().take_up()
    world.goes_on = True
    world.run()
    assert world.exit_code == 0
    assert max(turns_of(world)) <= 2 * bound.STEPS
    world.checked()


def calls_of(count: int) -> float:
    """Count the calls of a run with so many agents, for each: it comes up, does one job, and stops."""
    run = Simulation(scenario(stage("s", job("j")), agents=" ".join(f"a{n}" for n in range(count))))
    calls = 0

    def note(*_: Any) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(note)
    try:
        run.begin()
    finally:
        sys.setprofile(None)
    assert run.exit_code == 0
    return calls / count


def test_an_agent_costs_the_same_among_many() -> None:
    assert calls_of(800) < 1.1 * calls_of(100)


def test_what_is_kept_of_readings_is_as_a_map_of_them() -> None:
    kept, plain = KeptReadings(), dict[InstanceId, Any]()
    for number, name in enumerate(
        ("a", "b[1]", "b[2]", "a[1]", "c", "a", "b[1]", "b[01]", "b[0]", "b[x]", "b[²]", "b[1234567890]")
    ):
        id_ = InstanceId.parse(f"s/j@{name}")
        kept[id_] = plain[id_] = f"reading {number}"  # type: ignore[assignment]
        assert dict(kept) == plain
    for id_ in list(plain):
        del kept[id_], plain[id_]
        assert dict(kept) == plain
        assert (len(kept), id_ in kept) == (len(plain), False)
    assert InstanceId("s", "j", "c", "x") not in kept
