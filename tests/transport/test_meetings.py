"""Whether machines reach each other: which ways are tried, what comes of it, and how failures are told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fixtures_ssh import DEADLINE_S

from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport import meetings
from octogram_tui.transport.meetings import Way, _rows, try_ways, ways_of
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.preflight import Check, examine, machines_of


def spec(name: str, **changes: Any) -> AgentSpec:
    """An agent of this machine behind a wrapper of its own, and so of a place of its own."""
    wrapper = ("env", f"ME={name.partition('_')[0]}")
    given = {"transport": "command", "command": wrapper, "python": "python3", **changes}
    return AgentSpec(AgentName(name), **given)


async def tried(crossings: list[tuple[str, str]], *specs: AgentSpec) -> tuple[list[Way], list[Check]]:
    transports = Transports()
    async with asyncio.timeout(DEADLINE_S):
        by_agent = machines_of(specs, transports)
        machines = list({id(machine): machine for machine in by_agent.values()}.values())
        await examine(machines, transports)
        ways = ways_of(crossings, by_agent)
        rows = await try_ways(ways, machines)
        await transports.close()
    return ways, rows


def told(rows: list[Check]) -> list[tuple[str, str, str]]:
    return [(row.machine, row.check, row.state) for row in rows]


async def test_a_machine_that_is_reached() -> None:
    ways, rows = await tried([("a", "b")], spec("a"), spec("b", address="127.0.0.1"))
    assert ways == [Way("env ME=a", "env ME=b", "127.0.0.1", ("a",), ("b",))]
    # Which machine a wrapper leads to is not known: a loopback address is of no use to another one.
    assert told(rows) == [("env ME=b", "reached", "fail")]
    assert "at 127.0.0.1 it is not reached by env ME=a: means each machine itself" in rows[0].detail
    assert rows[0].hint.startswith("give b a `data_address`")


async def test_several_agents_of_one_machine_are_one_way() -> None:
    crossings = [("a_1", "b_1"), ("a_2", "b_1"), ("a_1", "b_2"), ("a_1", "a_2")]
    ways, _ = await tried(crossings, *(spec(name) for name in ("a_1", "a_2", "b_1", "b_2")))
    assert ways == [Way("env ME=a", "env ME=b", "127.0.0.1", ("a_1", "a_2"), ("b_1", "b_2"))]


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let loopback addresses pass for those of machines."""
    monkeypatch.setattr(meetings, "why_not_for_others", lambda address: "")


@pytest.mark.usefixtures("trusting")
async def test_a_listener_and_those_who_come() -> None:
    specs = [spec("a"), spec("b", data_address="127.0.0.5"), spec("c", data_address="::1")]
    _, rows = await tried([("a", "b"), ("a", "c"), ("b", "c"), ("c", "c")], *specs)
    assert told(rows) == [(f"env ME={name}", "others", "ok") for name in "abc"]
    assert rows[0].detail == "reaches env ME=b, env ME=c"


@pytest.mark.usefixtures("trusting")
async def test_names_that_are_not_known_and_addresses_that_are_of_another_machine() -> None:
    specs = [spec("a"), spec("b", data_address="no-such-machine.invalid"), spec("c", data_address="127.0.0.6")]
    _, rows = await tried([("a", "b"), ("a", "c")], *specs)
    assert told(rows) == [("env ME=a", "others", "ok"), ("env ME=b", "reached", "fail")]
    assert "the name is unknown there" in rows[1].detail


@pytest.mark.usefixtures("trusting")
async def test_what_answers_in_its_place_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meetings, "LISTEN", meetings.LISTEN.replace("word.encode()", "b'hello, I am sshd'"))
    _, rows = await tried([("a", "b")], spec("a"), spec("b"))
    assert "something else answers there" in rows[0].detail


@pytest.mark.usefixtures("trusting")
async def test_a_machine_that_can_bind_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meetings, "LISTEN", "raise SystemExit('no sockets here')")
    _, rows = await tried([("a", "b")], spec("a"), spec("b"))
    assert "nothing can listen there: no sockets here" in rows[0].detail


async def test_a_machine_that_cannot_be_used_is_not_tried() -> None:
    _, rows = await tried([("a", "b"), ("b", "a")], spec("a"), spec("b", command=("no-such-command",)))
    assert rows == []


def way(user: str, owner: str) -> Way:
    return Way(user, owner, f"10.0.0.{owner[1:]}", (f"of_{user}",), (f"of_{owner}",))


def test_a_machine_that_nobody_reaches_is_told_once_whatever_the_ports() -> None:
    ways = [way(f"m{user}", "m9") for user in range(8)]
    failed = {each: f"no route to host (tried port {15000 + n})" for n, each in enumerate(ways)}
    (row,) = _rows(ways, failed)
    assert (row.machine, row.agents, row.check, row.state) == ("m9", ("of_m9",), "reached", "fail")
    assert "not reached by m0, m1, m2, m3 and 4 more: no route to host (tried port 15000)" in row.detail


def test_a_machine_that_reaches_nobody_is_told_as_that() -> None:
    ways = [way(user, owner) for user in ("m1", "m2") for owner in ("m3", "m4", "m5")]
    failed = dict.fromkeys(ways[:3], "no answer within 5 s (tried port 15000)")
    found = _rows(ways, failed)
    assert told(found) == [("m1", "others", "fail"), ("m2", "others", "ok")]
    assert "reaches none of 3 machines whose agents it uses" in found[0].detail
