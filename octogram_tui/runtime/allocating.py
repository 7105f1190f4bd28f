"""The allocation of a scheduler that agents of a run have their nodes in: what is asked for, told, and ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from octogram_tui.engine.stimuli import AllocationReport, Stimulus
from octogram_tui.model.scenario import Scenario
from octogram_tui.transport.pool import Transports

if TYPE_CHECKING:
    from octogram_tui.runtime.driver import Driver
    from octogram_tui.transport.slurm.terms import Terms, Told

_ENDING: set[asyncio.Task[None]] = set()


def terms_of(
    scenario: Scenario,
    run: str,
    lease_s: float,
    tell: Callable[[Told], None],
    *,
    is_again: bool = False,
    is_begun: bool = False,
) -> Terms:
    """Give what a run wants of Slurm: room for those of its agents that say so."""
    from octogram_tui.transport.slurm.terms import Terms

    names = tuple(spec.name for spec in scenario.everybody if spec.transport == "slurm")
    hides = tuple(spec.words[0] for spec in scenario.secrets.values() if spec.kind == "env" and spec.words)
    return Terms(scenario.slurm, names, run, lease_s, tell, is_again, is_begun, hides)


def only_look(transports: Transports, scenario: Scenario) -> None:
    """Let what would be asked for be looked at, for no run."""
    if any(transports.kind_of(spec) == "slurm" for spec in scenario.everybody):
        transports.run_in_slurm(terms_of(scenario, "none", 60.0, lambda _: None))


def run_in_slurm(
    transports: Transports, scenario: Scenario, run: str, lease_s: float, driver: Driver, *, is_again: bool
) -> None:
    """Have agents find an allocation, and the engine be told of it. is_again: the run is taken up again."""
    is_begun = any(driver.engine.fleet.was_up(spec.name) for spec in scenario.everybody if spec.transport == "slurm")

    def tell(told: Told) -> None:
        driver.submit(AllocationReport(**told._asdict()))

    transports.run_in_slurm(terms_of(scenario, run, lease_s, tell, is_again=is_again, is_begun=is_begun))


def end(transports: Transports, report: Callable[[Stimulus], None], *, force: bool) -> None:
    """End it, and report that in bounded time."""

    async def end_it() -> None:
        allocation = transports.allocation
        why = await allocation.end(force=force)
        job = f"Slurm's job {allocation.job}" if allocation.job else "what was asked of Slurm"
        message = why or (f"{job} has ended" if allocation.is_ours else f"{job} is left as it was")
        report(AllocationReport("ended", allocation.job, message, is_confirmed=not why))

    task = asyncio.get_running_loop().create_task(end_it(), name="end of the allocation")
    _ENDING.add(task)
    task.add_done_callback(_ENDING.discard)
