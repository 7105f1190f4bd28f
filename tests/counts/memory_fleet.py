"""Agents in this process for a host with all its parts: they answer as soon as they are asked, and count what is sent.

What comes to several of them in one turn of the loop is answered in the next, `at_once` agents in a turn: as when so
many sockets are ready at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from octogram_agentd import PROTOCOL
from octogram_tui.engine.options import RunOptions
from octogram_tui.journal.breakpoints import KeptBreakpoints
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.report.headless import Output, run_headless
from octogram_tui.runtime import host
from octogram_tui.runtime.host import HostSettings
from octogram_tui.scenario.load import load_scenario
from octogram_tui.transport.base import Receiver
from octogram_tui.transport.boots import FirstBoot, OnWait

ACK_EVERY = 64  # as the daemon does while it is busy
_ID = re.compile(rb'"id":("(?:[^"\\]|\\.)*")')
_RESULT = (
    b'"state":"ok","result":{"exit_code":0,"stdout":"","stdout_end":"","stderr":"","stderr_end":"",'
    b'"duration_s":0.000512},"duration_s":0.000734}\n'
)


class MemoryFleet:
    """All the agents of one run."""

    def __init__(self, at_once: int = 1 << 30, *, ack_every: int = ACK_EVERY) -> None:
        self.at_once = at_once
        self.ack_every = ack_every
        self.writes = 0  # to agents
        self.written_bytes = 0
        self.reads = 0  # of what agents have said: one for all that one of them says at once
        self.jobs = 0
        self.on_first_job: Callable[[], None] = lambda: None
        self.on_stop: Callable[[], None] = lambda: None
        self._asked: dict[_Channel, list[bytes]] = {}
        self._is_due = False

    def transports(self, **_: Any) -> MemoryTransports:
        """Give the ways to them, in the place of the host's own."""
        return MemoryTransports(self)

    def ask(self, channel: _Channel, data: bytes) -> None:
        """Take what the host writes to one of them."""
        self.writes += 1
        self.written_bytes += len(data)
        self._asked.setdefault(channel, []).append(data)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._answer)

    def _answer(self) -> None:
        for channel in list(self._asked)[: self.at_once]:
            channel.answer(b"".join(self._asked.pop(channel)))
        self._is_due = bool(self._asked)
        if self._is_due:
            asyncio.get_running_loop().call_soon(self._answer)


class MemoryTransports:
    """Stands for `Transports`."""

    def __init__(self, fleet: MemoryFleet) -> None:
        self._fleet = fleet

    def tell_to(self, on_note: Callable[[str], None]) -> None:
        """There are no notes."""

    def kind_of(self, spec: AgentSpec) -> str:
        """Nothing starts several of them."""
        return "command"

    def transport_for(self, spec: AgentSpec) -> _Transport:
        """Make the way to an agent."""
        return _Transport(self._fleet)

    @contextlib.asynccontextmanager
    async def boot(self, spec: AgentSpec, transport: object, on_wait: OnWait) -> AsyncIterator[FirstBoot]:
        """Nobody waits."""
        yield FirstBoot(is_over=True)

    async def close(self) -> None:
        """There is nothing to close."""


class _Transport:
    description = "this process"
    host = ""

    def __init__(self, fleet: MemoryFleet) -> None:
        self._fleet = fleet

    async def reach(self) -> str:
        return "memory"

    async def open(self, argv: Sequence[str], receiver: Receiver, *, bulk: bool = False) -> _Channel:
        found = re.search(r"OCTO ([0-9a-f]{16})", " ".join(argv))
        assert found is not None
        channel = _Channel(self._fleet, receiver)
        asyncio.get_running_loop().call_soon(receiver.data_received, f'OCTO {found[1]} {{"need":false}}\n'.encode())
        return channel

    async def close(self) -> None:
        pass


class _Channel:
    """One agent, from its greeting to its end."""

    def __init__(self, fleet: MemoryFleet, receiver: Receiver) -> None:
        self._fleet = fleet
        self._receiver = receiver
        self._seq = 0
        self._taken = self._acknowledged = 0
        self._over = asyncio.Event()

    def write(self, data: bytes) -> None:
        self._fleet.ask(self, data)

    async def drain(self) -> None:
        pass

    def write_eof(self) -> None:
        self._over.set()

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def abort(self) -> None:
        self._over.set()

    async def wait_closed(self) -> int:
        await self._over.wait()
        return 0

    def answer(self, data: bytes) -> None:
        fleet = self._fleet
        said = []
        for line in data.split(b"\n"):
            if b'"t":"run"' in line:
                found = _ID.search(line)
                assert found is not None
                if not fleet.jobs:
                    fleet.on_first_job()
                fleet.jobs += 1
                self._taken += 1
                self._seq += 1
                said.append(b'{"t":"finished","seq":%d,"id":%b,%b' % (self._seq, found[1], _RESULT))
            elif b'"t":"hello"' in line:
                hello = json.loads(line)
                greeting = {
                    "t": "welcome",
                    "proto": list(PROTOCOL),
                    "agent": hello["agent"],
                    "pid": 1,
                    "home": "/",
                    "rx": 0,
                    "birth": "b",
                }
                said.append(json.dumps(greeting).encode() + b"\n")
            elif b'"t":"stop"' in line:
                fleet.on_stop()
                self._seq += 1
                said.append(b'{"t":"stopped","seq":%d,"remaining":[]}\n' % self._seq)
        if self._taken - self._acknowledged >= fleet.ack_every:
            self._acknowledged = self._taken
            said.append(b'{"t":"ack","seq":%d}\n' % self._taken)
        if said:
            fleet.reads += 1
            self._receiver.data_received(b"".join(said))


def write_scenario(path: Path, agents: int, jobs: int) -> Path:
    """Write a scenario of so many trivial jobs, one after the other, on each of so many agents."""
    lines = [f"agents: [{{name: 'a_{{1..{agents}}}', transport: local}}]", "stages:", "  - name: all", "    jobs:"]
    lines += [f"      - {{name: job {n}, builtins.command: [/bin/true]}}" for n in range(jobs)]
    path.write_text("\n".join(lines) + "\n")
    return path


def run_hosted(folder: Path, fleet: MemoryFleet, agents: int, jobs: int, *, look_ahead: bool = True) -> int:
    """Run it as `--headless -q` does, with everything but the agents as it is; gives the exit code."""
    scenario = load_scenario(str(write_scenario(folder / "scenario.yml", agents, jobs))).scenario
    settings = HostSettings(
        run_dir=folder, socket=folder / "s", lease_s=60.0, kept_breakpoints=KeptBreakpoints(folder / "breakpoints", "s")
    )
    before = vars(host)["Transports"]
    vars(host)["Transports"] = fleet.transports
    try:
        return run_headless(scenario, RunOptions("run", look_ahead=look_ahead), settings, Output(level=-1))
    finally:
        vars(host)["Transports"] = before
