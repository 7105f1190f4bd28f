"""A run in the test's own process: a real engine, driver and links, and daemons that answer by themselves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from fake_daemon import DEADLINE_S, FAST, HASTY, FakeChannel, FakeTransport

from octogram_tui.engine.effects import StartAgent
from octogram_tui.engine.events import Event
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.stimuli import BeginRequest
from octogram_tui.errors import JournalError
from octogram_tui.model.scenario import BinarySource
from octogram_tui.runtime.bus import Bus
from octogram_tui.runtime.driver import Driver
from octogram_tui.runtime.errands import Errands
from octogram_tui.runtime.link import Link
from octogram_tui.runtime.terms import LinkSettings
from octogram_tui.scenario.load import load_scenario
from octogram_tui.transport.boots import FirstBoot


class Journal:
    """Keeps events, and fails when told to."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.fails_at = ""
        self.written_seq = 0
        self.synced_seq = 0
        self.unsynced_bytes = 0

    def append(self, events: list[Event], inputs: object) -> None:
        if self.fails_at in [event.TYPE for event in events]:
            raise JournalError("no space left", hint="free some")
        self.events += events

    def types(self) -> list[str]:
        return [event.TYPE for event in self.events]


class Play:
    """A driver with a real engine, and daemons that answer by themselves."""

    def __init__(self, path: Path, check: Callable[[Engine], None] | None = None) -> None:
        self.journal = Journal()
        self.bus = Bus()
        self.ran: list[str] = []
        self.stops: list[str] = []
        self.confirms = True
        self.transports: list[FakeTransport] = []
        self.tasks: list[asyncio.Task[None]] = []
        scenario = load_scenario(str(path)).scenario
        self.driver = Driver(
            Engine(scenario, RunOptions("run")),
            self.journal,
            self.bus,
            self._link,
            Errands(str(path.parent), str(path.parent / "artifacts")),
            check,
        )

    def _link(self, effect: StartAgent) -> Link:
        transport = FakeTransport()
        self.transports.append(transport)
        self.tasks.append(asyncio.ensure_future(self._serve(transport, effect.agent.name)))
        return Link(
            effect.agent,
            transport,
            LinkSettings("run", 60.0, BinarySource(), limits=FAST if self.confirms else HASTY),
            self.driver.submit,
            lambda on_wait: _nobody(),
        )

    async def _serve(self, transport: FakeTransport, agent: str) -> None:
        channel: FakeChannel = await transport.channels.get()
        channel.boot()
        await channel.expect("hello")
        channel.welcome()
        seq = 0
        while True:
            while channel.received:
                message = channel.received.pop(0)
                seq += message["t"] in ("run", "stop")
                if message["t"] == "run":
                    self.ran.append(message["id"])
                    channel.say("finished", seq=seq, id=message["id"], state="ok", result={}, duration_s=0.1)
                elif message["t"] == "stop":
                    self.stops.append(agent)
                    if self.confirms:
                        channel.say("stopped", seq=seq, remaining=[])
            channel.changed.clear()
            await channel.changed.wait()

    async def run(self) -> int:
        self.driver.submit(BeginRequest("now"))
        async with asyncio.timeout(DEADLINE_S):
            return await self.driver.done

    async def close(self) -> None:
        await self.driver.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def _nobody() -> AsyncIterator[FirstBoot]:
    yield FirstBoot(is_over=True)
