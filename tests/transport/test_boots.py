"""How many boots of a machine go on at once: a few, in order, more where they stay fast, none held up by a dead one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Hashable

import pytest

from octogram_tui.errors import ConnectFailed
from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport import boots as boots_module
from octogram_tui.transport.base import Transport
from octogram_tui.transport.boots import AT_ONCE, LEAST_AT_ONCE, MOST_AT_ONCE, Boots, place
from octogram_tui.transport.local import LocalTransport
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.turns import Turns

DEADLINE_S = 60.0


def silent(_: str) -> None:
    """Nobody is told."""


class Elsewhere(LocalTransport):
    """A transport that says where it leads, or that nobody is there."""

    def __init__(self, machine: Hashable = "m", *, fails: bool = False) -> None:
        super().__init__("a")
        self._machine = machine
        self._fails = fails

    async def reach(self) -> Hashable:  # type: ignore[override]
        await asyncio.sleep(0)
        if self._fails:
            raise ConnectFailed("no way there")
        return self._machine


class Booting:
    """Boots of a test: they begin in their turn, and end when they are told to."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.told: dict[str, list[str]] = {}
        self._ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, transports: Transports, spec: AgentSpec, transport: Transport) -> None:
        """Let an agent boot."""
        self._ends[name] = asyncio.Event()
        self.told[name] = []
        self.tasks[name] = asyncio.ensure_future(self._boot(name, transports, spec, transport))

    async def _boot(self, name: str, transports: Transports, spec: AgentSpec, transport: Transport) -> None:
        async with transports.boot(spec, transport, self.told[name].append):
            self.inside.append(name)
            await self._ends[name].wait()

    def let_end(self, name: str) -> None:
        """Let a boot end as soon as it has begun."""
        self._ends[name].set()

    async def end(self, name: str) -> None:
        """Have a boot end, and wait until it has."""
        self.let_end(name)
        await asyncio.wait({self.tasks[name]})

    async def settle(self) -> None:
        """Let everybody go on who can."""
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def booting(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Booting]:
    monkeypatch.setattr(boots_module, "ENOUGH_S", 0.0)
    ended = boots_module.Boots.ended  # boots of a test take no time, however busy the machine is
    monkeypatch.setattr(boots_module.Boots, "ended", lambda boots, _, *, is_up: ended(boots, 0.0, is_up=is_up))
    found = Booting()
    yield found
    for task in found.tasks.values():
        task.cancel()
    await asyncio.gather(*found.tasks.values(), return_exceptions=True)


def specs(count: int, user: str | None = None) -> list[AgentSpec]:
    return [AgentSpec(AgentName(f"a{n}"), "10.0.0.1", user=user) for n in range(count)]


async def test_a_few_at_a_time_in_order_whatever_the_user_and_name(booting: Booting) -> None:
    transports = Transports()
    for n, spec in enumerate(specs(AT_ONCE)):
        booting.start(f"u{n}", transports, spec, Elsewhere())
    other = AgentSpec(AgentName("b"), "gate", user="v")
    await booting.settle()
    assert booting.inside == ["u0"]  # the first of a machine and user puts there what all the others find
    await booting.end("u0")
    await booting.settle()
    assert booting.inside == [f"u{n}" for n in range(AT_ONCE)]
    for n in range(2):
        booting.start(f"v{n}", transports, other, Elsewhere())
    booting.start("elsewhere", transports, AgentSpec(AgentName("c"), "there"), Elsewhere("n"))
    await booting.settle()
    # u0 has ended, and was as fast as can be: there are two places more. v1 waits for v0, the first of its user.
    # The places are those of the machine, whatever it is called.
    assert sorted(booting.inside[AT_ONCE:]) == ["elsewhere", "v0"]
    await booting.end("v0")
    booting.start("w0", transports, AgentSpec(AgentName("d"), "alias", user="w"), Elsewhere())
    booting.start("w1", transports, AgentSpec(AgentName("d"), "10.0.0.1", user="w"), Elsewhere())
    await booting.settle()
    assert booting.inside[AT_ONCE + 2 :] == ["v1", "w0", "w1"]
    booting.start("x", transports, AgentSpec(AgentName("d"), "third name"), Elsewhere())
    await booting.settle()
    assert "x" not in booting.inside


@pytest.mark.parametrize("fails", [False, True])
async def test_one_alone_then_all_together(fails: bool, booting: Booting) -> None:
    transports = Transports()
    for n, spec in enumerate(specs(5)):
        booting.start(f"u{n}", transports, spec, Elsewhere(fails=fails and n == 0))
    await booting.settle()
    if not fails:
        assert booting.inside == ["u0"]
        await booting.end("u0")
        await booting.settle()
    assert booting.inside[-4:] == ["u1", "u2", "u3", "u4"]
    assert isinstance(booting.tasks["u0"].exception(), ConnectFailed if fails else type(None))


async def test_a_machine_that_cannot_be_reached_keeps_nobody_waiting(booting: Booting) -> None:
    transports = Transports()
    for n, spec in enumerate(specs(AT_ONCE * 3)):
        booting.start(f"u{n}", transports, spec, Elsewhere(fails=True))
    await booting.settle()
    assert all(isinstance(task.exception(), ConnectFailed) for task in booting.tasks.values())


async def test_who_is_cancelled_frees_its_place(booting: Booting) -> None:
    boots = Boots(2)
    held = contextlib.AsyncExitStack()
    await held.enter_async_context(place(boots, silent))

    async def boot(name: str) -> None:
        async with place(boots, silent):
            booting.inside.append(name)
            await asyncio.Event().wait()

    tasks = {name: asyncio.ensure_future(boot(name)) for name in ("running", "waiting", "next", "last")}
    await booting.settle()
    assert booting.inside == ["running"]
    tasks["waiting"].cancel()
    tasks["running"].cancel()
    await booting.settle()
    assert booting.inside == ["running", "next"]
    await held.aclose()
    await booting.settle()
    assert booting.inside == ["running", "next", "last"]
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    assert boots.busy == 0


async def test_a_place_that_was_just_given_to_one_who_leaves_goes_to_the_next() -> None:
    turns = Turns(1)
    await turns.enter()
    first, second = asyncio.ensure_future(turns.enter()), asyncio.ensure_future(turns.enter())
    await asyncio.sleep(0)
    turns.leave()
    first.cancel()
    async with asyncio.timeout(DEADLINE_S):
        await second
    assert turns.busy == 1


async def test_nobody_overtakes_one_who_was_let_in() -> None:
    turns = Turns(1)
    await turns.enter()
    waiting = asyncio.ensure_future(turns.enter())
    await asyncio.sleep(0)
    turns.leave()
    late = asyncio.ensure_future(turns.enter())  # before the one that waited has run again
    async with asyncio.timeout(DEADLINE_S):
        await waiting
    assert not late.done()
    turns.leave()
    await late


async def test_boots_that_hang_keep_only_their_own_places(booting: Booting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boots_module, "STALL_S", 0.02)
    transports = Transports()
    count = AT_ONCE + 5
    for n, spec in enumerate(specs(count)):  # the very first hangs already, and all that fill the places after it
        booting.start(f"u{n}", transports, spec, Elsewhere())
        if n >= AT_ONCE:
            booting.let_end(f"u{n}")
    async with asyncio.timeout(DEADLINE_S):
        await asyncio.wait({booting.tasks[f"u{n}"] for n in range(AT_ONCE, count)})
    assert not any(booting.tasks[f"u{n}"].done() for n in range(AT_ONCE))
    assert set(booting.inside) == {f"u{n}" for n in range(count)}


def test_as_many_as_are_done_in_time_even_one_after_the_other() -> None:
    for took_s, places in ((0.05, MOST_AT_ONCE), (0.5, 20), (2.0, AT_ONCE + 1)):
        boots = Boots()
        boots.ended(took_s, is_up=True)
        assert boots.at_once == places


def test_more_where_that_is_as_fast_and_fewer_where_it_is_slow() -> None:
    boots = Boots()
    for _ in range(100):
        boots.ended(5.0, is_up=True)
    assert boots.at_once == MOST_AT_ONCE
    for _ in range(100):
        boots.ended(15.0, is_up=True)  # slower than alone, and not slow: as it is
    assert boots.at_once == MOST_AT_ONCE
    for _ in range(100):
        boots.ended(25.0, is_up=True)
    assert boots.at_once == LEAST_AT_ONCE
    for _ in range(100):
        boots.ended(0.01, is_up=False)  # one that failed at once says nothing of how fast they are
    assert boots.at_once == LEAST_AT_ONCE


async def test_a_long_wait_is_told_and_its_end(booting: Booting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boots_module, "TELL_AFTER_S", 0.0)
    transports = Transports()
    for n, spec in enumerate(specs(AT_ONCE + 3)):
        booting.start(f"u{n}", transports, spec, Elsewhere())
    await booting.settle()
    assert booting.told["u1"] == ["waits for the first agent of its machine to come up"]
    await booting.end("u0")
    await booting.settle()
    last = booting.told[f"u{AT_ONCE + 2}"]
    assert last[1:] == ["", "waits for its turn: the agents of a machine start a few at a time"]
    for n in range(1, AT_ONCE):
        await booting.end(f"u{n}")
    await booting.settle()
    assert last[3:] == [""]
    assert booting.told["u0"] == []


async def test_commands_lead_to_many_machines_and_so_begin_with_more(booting: Booting) -> None:
    transports = Transports()
    for n in range(MOST_AT_ONCE + 2):
        spec = AgentSpec(AgentName(f"a{n}"), transport="command", command=("docker", "exec", "-i", f"a{n}"))
        booting.start(f"u{n}", transports, spec, transports.transport_for(spec))
    await booting.settle()
    assert len(booting.inside) == MOST_AT_ONCE


async def test_the_place_of_one_that_hung_is_taken_back_when_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boots_module, "STALL_S", 0.02)
    boots = Boots(1)
    await boots.enter()
    await boots.enter()  # as the first hangs
    assert boots.at_once == 2
    boots.ended(60.0, is_up=False)
    boots.leave()
    assert boots.at_once == 1


async def test_agents_of_this_machine_need_no_first(booting: Booting) -> None:
    transports = Transports(force_local=True)
    for n, spec in enumerate(specs(3)):
        booting.start(f"u{n}", transports, spec, LocalTransport(spec.name))
    await booting.settle()
    assert booting.inside == ["u0", "u1", "u2"]
