"""A look at the machines of a run before anything of it begins: told as it goes, and ended by the console's decision.

Nothing is connected before the console asks for it: by then it shows what is being looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

from octogram_tui.errors import OctogramError
from octogram_tui.model.scenario import Scenario
from octogram_tui.runtime.allocating import only_look
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.preflight import Check, Machine, examine, machines_of

Decision = Literal["go", "paused", "cancel"]
Say = Callable[[dict[str, Any]], None]

READ_LIMIT_BYTES = 64 * 1024


class Lookout:
    """Looks, tells, and waits. Lines out: preflight, machine, seen; lines in: `{"do": look, accept, go or paused}`."""

    def __init__(self, scenario: Scenario, transports: Transports, say: Say, *, ssh_config: str | None = None) -> None:
        only_look(transports, scenario)
        prometheus = scenario.prometheus_agent
        by_agent = machines_of(scenario.everybody, transports, prometheus.name if prometheus is not None else "")
        self._machines = list({id(machine): machine for machine in by_agent.values()}.values())
        self._transports = transports
        self._say = say
        self._ssh_config = ssh_config
        self._unseen = {id(machine) for machine in self._machines}
        self._looking: asyncio.Task[None] | None = None

    async def decide(self, decisions: asyncio.StreamReader) -> Decision:
        """Do what is asked for until the run is wanted, or is not; whoever hangs up does not want it."""
        self._say({"preflight": {"machines": len(self._machines)}})
        try:
            while line := await decisions.readline():
                match _read(line):
                    case "look":
                        await self._look_at(self._machines)
                    case "accept":
                        await self._accept()
                    case "go":
                        return "go"
                    case "paused":
                        return "paused"
            return "cancel"
        except (ConnectionError, ValueError):  # the latter for a line without end
            return "cancel"
        finally:
            await self._stop_looking()

    async def _accept(self) -> None:
        """Accept the keys that were shown, no others, and look at their machines again."""
        new = [machine for machine in self._machines if machine.new_key is not None]
        problems = {machine.new_key.accept() for machine in new if machine.new_key is not None}
        for problem in sorted(problems - {""}):
            self._say({"trouble": problem})
        await self._look_at([*new, *(machine for machine in self._machines if id(machine) in self._unseen)])

    async def _look_at(self, machines: Sequence[Machine]) -> None:
        """Look at these from now on, and at no others."""
        await self._stop_looking()
        self._unseen |= {id(machine) for machine in machines}
        looking = self._looking = asyncio.create_task(self._look(machines))
        looking.add_done_callback(lambda task: task.cancelled() or task.exception())  # it is told, or nobody is there

    async def _look(self, machines: Sequence[Machine]) -> None:
        try:
            rows = await examine(
                machines, self._transports, ssh_config=self._ssh_config, on_seen=lambda machine: self._tell(machine)
            )
            own = {machine.place for machine in machines}
            others = [row for row in rows if row.machine not in own]
            self._say({"seen": [_row(row) for row in others]})
        except OctogramError as error:
            self._say({"trouble": error.message})
            self._say({"seen": []})

    def _tell(self, machine: Machine) -> None:
        key = machine.new_key
        self._unseen.discard(id(machine))
        self._say(
            {
                "machine": self._machines.index(machine),
                "place": machine.place,
                "agents": machine.agents,
                "rows": [_row(row) for row in machine.rows],
                "new_key": [key.name, key.says] if key is not None else None,
            }
        )

    async def _stop_looking(self) -> None:
        task, self._looking = self._looking, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def look_out(scenario: Scenario, transports: Transports, say: Say, *, ssh_config: str | None = None) -> Decision:
    """Look at the machines; what is decided comes by standard input."""
    loop = asyncio.get_running_loop()
    decisions = asyncio.StreamReader(limit=READ_LIMIT_BYTES)
    # A copy: closing number 0 would give it to whatever is opened next.
    with os.fdopen(os.dup(0), "rb") as stdin:
        pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(decisions), stdin)
        try:
            return await Lookout(scenario, transports, say, ssh_config=ssh_config).decide(decisions)
        finally:
            pipe.close()
            await transports.close()


def _read(line: bytes) -> str:
    try:
        return str(json.loads(line)["do"])
    except (ValueError, TypeError, KeyError):
        return ""


def _row(row: Check) -> list[str]:
    return [row.machine, row.check, row.state, row.detail, row.hint]
