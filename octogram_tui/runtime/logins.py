"""Logs in to the machines of a run while the rest of the program is loaded, in the loop that will be the run's.

Nothing is started there before the run's journal says so: who logs in has changed nothing. A run that is refused
meanwhile leaves the machines again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from importlib import import_module
from types import TracebackType
from typing import Self

from octogram_tui.model.scenario import Scenario
from octogram_tui.transport.bundle import prepare
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.unawaited import LeavingLoop

LATER = (
    "octogram_tui.engine.events",
    "octogram_tui.journal.codec",
    "octogram_tui.journal.archive",
    "octogram_tui.engine.accounts",
    "octogram_tui.engine.course",
    "octogram_tui.engine.machine",
    "octogram_tui.journal.writer",
    "octogram_tui.projection.estimate",
    "octogram_tui.runtime.link",
    "octogram_tui.runtime.driver",
    "octogram_tui.runtime.desk",
    "octogram_tui.runtime.control",
    "octogram_tui.runtime.host",
    "octogram_tui.report.headless",
    "octogram_tui.report.progress",
)
"""What every run needs once its scenario is read, in pieces that hold up the loop for some milliseconds each."""

TURNS = 8
"""Of the loop between two pieces: from a byte that came to its answer it takes several."""


class Logins:
    """The loop of a run, and the ways to its machines, from before the run. To be entered."""

    def __init__(self, transports: Transports) -> None:
        self.transports = transports
        self.runner = asyncio.Runner(loop_factory=LeavingLoop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self.runner.run(self.transports.close())  # a run that has begun has done so
        finally:
            self.runner.close()

    def load(self, scenario: Scenario, names: Iterable[str] = LATER) -> None:
        """Begin to log in where agents are brought up first; meanwhile load what the run needs."""
        self.runner.run(self._load(scenario, names))

    async def _load(self, scenario: Scenario, names: Iterable[str]) -> None:
        first = scenario.agents if scenario.prometheus_agent is None else (scenario.prometheus_agent,)
        await self.transports.reach_ahead(first)
        for name in names:
            await _turns()
            import_module(name)
        await _turns()
        prepare()


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
