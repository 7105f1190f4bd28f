"""What is on an agent's machine already is not sent again: counted in bytes that went over the wire."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from copied_agent import Agent

from octogram_agentd.procedures.base import ProcedureFailed
from octogram_tui.runtime import deliveries as module
from octogram_tui.runtime.deliveries import Deliveries

MIB = 1 << 20


class Fleet:
    """Agents of one machine and of others, a file, and what went over the wire to each."""

    def __init__(self, place: Path) -> None:
        self.deliveries = Deliveries()
        self.source = place / "source"
        self.source.write_bytes(os.urandom(2 * MIB))
        self.agents = [Agent(place / name, is_far=True) for name in "abc"]

    async def copy(self, number: int, machine: str | None = "m", local: Path | None = None, **more: Any) -> Any:
        arguments = {"machine": machine, "deliveries": self.deliveries, **more}
        return await self.agents[number].copy(local or self.source, "there", **arguments)

    def sent(self) -> list[int]:
        """How many whole MiB each agent was sent."""
        return [agent.transport.sent_bytes // MIB for agent in self.agents]

    def arrived(self) -> list[bool]:
        return [(agent.home / "there").read_bytes() == self.source.read_bytes() for agent in self.agents]


@pytest_asyncio.fixture
async def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Fleet, None]:
    monkeypatch.setattr(module, "SETTLED_NS", -(1 << 62))  # the sources here were written a moment ago
    fleet = Fleet(tmp_path)
    yield fleet
    for agent in fleet.agents:
        await agent.transport.close()


async def test_a_machine_gets_a_file_once_however_many_want_it_at_once(fleet: Fleet) -> None:
    await asyncio.gather(*(fleet.copy(number) for number in range(3)))
    assert sorted(fleet.sent()) == [0, 0, 2]
    assert all(fleet.arrived())
    homes = {(agent.home / "there").stat().st_ino for agent in fleet.agents}
    assert len(homes) == 3  # each has a file of its own


async def test_other_machines_and_unknown_ones_get_their_own(fleet: Fleet) -> None:
    await asyncio.gather(fleet.copy(0, "m"), fleet.copy(1, "n"), fleet.copy(2, None))
    assert fleet.sent() == [2, 2, 2]
    assert all(fleet.arrived())


async def test_what_an_agent_has_is_not_sent_again_and_the_result_says_so(fleet: Fleet) -> None:
    assert (await fleet.copy(0))["unchanged"] == 0
    before = (fleet.agents[0].home / "there").stat()
    fleet.source.chmod(0o640)
    for _ in range(2):  # a change of the mode is one of the source: nothing is known of it any more
        result = await fleet.copy(0)
    after = (fleet.agents[0].home / "there").stat()
    assert (result["unchanged"], result["bytes"]) == (1, 2 * MIB)
    assert fleet.sent()[0] == 4
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert before.st_ino != after.st_ino
    assert (await fleet.copy(0))["unchanged"] == 1
    assert (fleet.agents[0].home / "there").stat().st_ino == after.st_ino


async def test_modes_come_from_the_source_also_where_the_content_does_not(fleet: Fleet) -> None:
    fleet.source.chmod(0o750)
    await fleet.copy(0)
    (fleet.agents[0].home / "there").chmod(0o400)
    await fleet.copy(1)
    await fleet.copy(0)
    assert fleet.sent()[:2] == [2, 0]
    assert [stat.S_IMODE((agent.home / "there").stat().st_mode) for agent in fleet.agents[:2]] == [0o750, 0o750]


async def test_a_source_that_changed_is_sent(fleet: Fleet) -> None:
    await fleet.copy(0)
    fleet.source.write_bytes(os.urandom(2 * MIB))
    await fleet.copy(0)
    await fleet.copy(1)
    assert fleet.sent()[:2] == [4, 0]
    assert {(agent.home / "there").read_bytes() for agent in fleet.agents[:2]} == {fleet.source.read_bytes()}


@pytest.mark.parametrize("spoil", ["changed", "shorter", "gone", "pipe", "closed"])
async def test_what_is_no_longer_there_is_sent_and_not_looked_for_again(fleet: Fleet, spoil: str) -> None:
    await fleet.copy(0)
    there = fleet.agents[0].home / "there"
    content = there.read_bytes()
    if spoil == "changed":
        there.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # of the same size
    elif spoil == "shorter":
        there.write_bytes(content[:-1])
    else:
        there.unlink()
    if spoil == "pipe":
        os.mkfifo(there)
    elif spoil == "closed":
        there.symlink_to(there)
    await fleet.copy(1)
    await fleet.copy(2)
    assert fleet.sent() == [2, 2, 0]
    assert (fleet.agents[1].home / "there").read_bytes() == (fleet.agents[2].home / "there").read_bytes() == content
    assert len(fleet.agents[1].transport.channels) == 2
    assert fleet.agents[1].names() == ["there"]


async def test_the_first_of_a_machine_that_fails_leaves_it_to_the_next(fleet: Fleet) -> None:
    fleet.agents[0].home.rename(fleet.agents[0].root / "away")
    ends: list[Any] = list(await asyncio.gather(fleet.copy(0), fleet.copy(1), return_exceptions=True))
    assert isinstance(ends[0], ProcedureFailed)
    assert isinstance(ends[1], dict)
    assert fleet.sent()[1] == 2


async def test_the_first_of_a_machine_that_does_not_get_on_is_not_waited_for(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALLED_S", 0.0)
    async with fleet.deliveries.turn("m", 1, MIB), fleet.deliveries.turn("m", 1, MIB):
        pass


async def test_many_small_files_go_as_one_stream_and_once(fleet: Fleet, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(300):
        (tree / f"{number}").write_bytes(b"%d" % number * 4000)
    results = [await fleet.copy(number, local=tree) for number in (0, 1, 0)]
    assert [len(agent.transport.channels) for agent in fleet.agents[:2]] == [2, 1]
    assert [result["unchanged"] for result in results] == [0, 0, 0]
    assert fleet.sent()[:2] == [3, 0]
    assert (fleet.agents[1].home / "there/299").read_bytes() == b"299" * 4000
    assert (fleet.agents[0].home / "there/tree/7").read_bytes() == b"7" * 4000


async def test_a_source_that_has_just_changed_is_known_by_nothing(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one tick of the clock it may change once more, and nobody could tell."""
    monkeypatch.setattr(module, "SETTLED_NS", 1 << 62)
    await fleet.copy(0)
    await fleet.copy(1)
    assert fleet.sent()[:2] == [2, 2]
