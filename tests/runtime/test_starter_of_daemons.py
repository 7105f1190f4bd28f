"""Agents of one machine are started by one process there; where that fails, each by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fake_daemon import FAST, FakeChannel, FakeTransport

from octogram_agentd.wire.lines import decode
from octogram_tui.engine.stimuli import AgentUpReport, Stimulus
from octogram_tui.errors import ConnectFailed
from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec, BinarySource
from octogram_tui.runtime.link import Link
from octogram_tui.runtime.starter import LEAST_AGENTS, Starters
from octogram_tui.runtime.terms import LinkSettings
from octogram_tui.transport.base import Receiver, Transport
from octogram_tui.transport.boots import FirstBoot, OnWait
from octogram_tui.transport.pool import Transports

DEADLINE_S = 60.0
PLACE = "/proc/1/fd/5"


class Machine(FakeTransport):
    """One machine's, for all of its agents: commands and connections come here."""

    def __init__(self, trouble: str = "") -> None:
        super().__init__()
        self.trouble = trouble
        self.starters: list[FakeChannel] = []
        self.commands = 0  # that brought up a daemon each
        self.connections = 0
        self.orders: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def open(self, argv: Sequence[str], receiver: Receiver, *, bulk: bool = False) -> FakeChannel:
        channel = await super().open(argv, receiver)
        if argv[-1] != "start":
            self.commands += 1
            self.tasks.append(asyncio.create_task(welcome(channel)))
            return channel
        self.starters.append(channel)
        if self.trouble == "does not know it":
            channel.lose()
            return channel
        channel.boot()
        if self.trouble == "says nonsense":
            channel.say_bytes(b"agentd: usage\n")
        elif self.trouble == "dies":
            channel.lose()
        else:
            channel.say("starter", at=PLACE)
        return channel

    async def connect(self, place: str, receiver: Receiver) -> FakeChannel:
        assert place == PLACE
        self.connections += 1
        if self.trouble == "cannot be reached":
            raise ConnectFailed("administratively prohibited")
        channel = FakeChannel("", receiver)
        self.tasks.append(asyncio.create_task(self._answer(channel)))
        return channel

    async def _answer(self, channel: FakeChannel) -> None:
        while not channel.raw:
            channel.changed.clear()
            await channel.changed.wait()
        order = decode(channel.raw.strip())
        self.orders.append(order["agent"])
        if self.trouble == "cannot fork":
            channel.lose()
            return
        channel.nonce = order["nonce"]
        await welcome(channel)


async def welcome(channel: FakeChannel) -> None:
    await asyncio.sleep(0)  # whoever has opened it takes note of it first
    channel.boot()
    await channel.expect("hello")
    channel.welcome()


class Ways(Transports):
    """Leads everybody to one machine."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self._machine = machine

    def transport_for(self, spec: AgentSpec) -> Transport:
        return self._machine


@asynccontextmanager
async def nobody(_on_wait: OnWait) -> AsyncIterator[FirstBoot]:
    yield FirstBoot(is_over=True)


async def brought_up(machine: Machine, specs: Sequence[AgentSpec], defects: list[dict[str, Any]]) -> Starters:
    """Bring agents up, all of them."""
    settings = LinkSettings("run", 60.0, BinarySource(), limits=FAST)
    starters = Starters(Ways(machine), settings)
    up: list[str] = []

    def report(stimulus: Stimulus) -> None:
        assert isinstance(stimulus, AgentUpReport), stimulus
        up.append(stimulus.agent)

    links = [Link(spec, machine, settings, report, nobody, starter=starters.of(spec)) for spec in specs]
    async with asyncio.timeout(DEADLINE_S):
        for link in links:
            link.start()
        for link in links:
            await link.settled.wait()
            while not link.is_connected:
                await asyncio.sleep(0)
    assert sorted(up) == sorted(spec.name for spec in specs)
    await asyncio.sleep(0)
    await asyncio.gather(*(link.close() for link in links), *machine.tasks)
    assert not defects
    return starters


def agents(count: int, python: str | None = None) -> list[AgentSpec]:
    names = (AgentName(f"{python or ''}a{number}") for number in range(count))
    return [AgentSpec(name, transport="local", python=python) for name in names]


async def test_one_process_starts_them_all_and_ends_when_they_are_up(defects: list[dict[str, Any]]) -> None:
    machine = Machine()
    await brought_up(machine, agents(50), defects)
    assert (len(machine.starters), machine.commands, machine.connections) == (1, 0, 50)
    assert sorted(machine.orders) == sorted(spec.name for spec in agents(50))
    assert machine.starters[0].has_eof


async def test_few_agents_are_started_each_by_itself(defects: list[dict[str, Any]]) -> None:
    machine = Machine()
    await brought_up(machine, agents(LEAST_AGENTS - 1), defects)
    assert (len(machine.starters), machine.commands, machine.connections) == (0, LEAST_AGENTS - 1, 0)


async def test_each_interpreter_has_its_own(defects: list[dict[str, Any]]) -> None:
    machine = Machine()
    specs = [*agents(5), *agents(5, python="python3.8"), *agents(1, python="python3.9")]
    await brought_up(machine, specs, defects)
    assert (len(machine.starters), machine.commands, machine.connections) == (2, 1, 10)


@pytest.mark.parametrize(
    ("trouble", "connections"),
    [("does not know it", 0), ("says nonsense", 0), ("dies", 0), ("cannot be reached", None), ("cannot fork", 20)],
)
async def test_where_nobody_starts_them_they_come_up_all_the_same(
    trouble: str, connections: int | None, defects: list[dict[str, Any]]
) -> None:
    machine = Machine(trouble)
    await brought_up(machine, agents(20), defects)
    assert (len(machine.starters), machine.commands) == (1, 20)
    assert connections is None or machine.connections == connections
