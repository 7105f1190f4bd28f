"""The nodes that a scheduler gives: told of, waited for, and given back before a run is over."""

from __future__ import annotations

import pytest
from simulation import Simulation, job, scenario, stage

from octogram_tui.engine.effects import Effect, EndAllocation
from octogram_tui.engine.events import AllocationChanged, RunFinished
from octogram_tui.engine.stimuli import AgentUpReport, AllocationReport, BeginRequest, StopRequest
from octogram_tui.errors import ExitCode
from octogram_tui.projection.board import Board
from octogram_tui.projection.summary import Summary


class InNodes(Simulation):
    """A run whose agents wait for nodes."""

    def __init__(self) -> None:
        super().__init__(scenario(stage("s", job("j"))))
        self.orders: list[EndAllocation] = []
        self.given = super()._take

    def _take(self, effect: Effect) -> None:
        if isinstance(effect, EndAllocation):
            self.orders.append(effect)
        else:
            super()._take(effect)


def asked(simulation: Simulation) -> None:
    simulation.go(AllocationReport("asked", message="an allocation is asked of Slurm"))
    simulation.go(AllocationReport("waiting", "7", "Slurm's job 7 waits", position=2, reason="Priority"))
    simulation.go(AllocationReport("granted", "7", "Slurm's job 7 has 1 node: n1", ("n1",), left_s=600.0))


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_run_is_not_over_before_its_nodes_are_given_back(is_confirmed: bool) -> None:
    simulation = InNodes()
    asked(simulation)
    simulation.go(BeginRequest(""))
    assert simulation.ended() == ["s/j@a ok"]
    assert simulation.orders == [EndAllocation()]
    assert not simulation.of(RunFinished)
    simulation.go(AllocationReport("ended", "7", "Slurm's job 7 has ended", is_confirmed=is_confirmed))
    assert simulation.exit_code == (ExitCode.OK if is_confirmed else ExitCode.NOT_CLEANED)
    assert simulation.types[-2:] == ["allocation_changed", "run_finished"]
    board, summary = Board(), Summary()
    for event in simulation.events:
        board.apply(event)
        summary.apply(event)
    assert board.allocation == simulation.of(AllocationChanged)[-1]
    assert bool(summary.warnings) is not is_confirmed


def test_who_leaves_the_queue_gives_up_its_place() -> None:
    simulation = InNodes()
    simulation._take = lambda effect: None  # type: ignore[method-assign]
    simulation.go(BeginRequest(""))
    simulation._take = simulation.given  # type: ignore[method-assign]
    simulation.go(AllocationReport("asked"))
    orders: list[Effect] = []

    def take(effect: Effect) -> None:
        orders.append(effect)
        simulation.given(effect)

    simulation._take = take  # type: ignore[method-assign]
    simulation.go(StopRequest("SIGINT"))
    assert [order for order in orders if isinstance(order, EndAllocation)] == [EndAllocation()]
    assert not simulation.of(RunFinished)
    simulation.go(StopRequest("SIGINT", force=True))
    assert [order for order in orders if isinstance(order, EndAllocation)][-1] == EndAllocation(force=True)
    simulation.go(AllocationReport("ended"))
    assert simulation.exit_code == ExitCode.INTERRUPTED


def test_what_ends_that_nobody_had_is_not_told() -> None:
    simulation = InNodes().begin()
    simulation.go(AgentUpReport("a", home="/h"))
    simulation.go(AllocationReport("ended", "7"))
    assert not simulation.of(AllocationChanged)
    assert not simulation.orders
