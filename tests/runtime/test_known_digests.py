"""A file that goes to several machines is hashed once; what was taken for known and is not costs another way there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from copied_agent import Agent

from octogram_agentd.parcels.parcel import PIECE_BYTES, ParcelEntry, pack, walk
from octogram_agentd.procedures.base import ProcedureFailed
from octogram_tui.runtime.deliveries import Deliveries

SIZE_BYTES = 3 * PIECE_BYTES


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file that has not changed for a while."""
    path = tmp_path / "source"
    path.write_bytes(os.urandom(SIZE_BYTES))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


async def test_the_second_machine_gets_the_same_bytes_unhashed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[int] = []
    deliveries = Deliveries()
    agents = [Agent(tmp_path / name, is_far=True) for name in ("a", "b")]
    await asyncio.sleep(0.06)  # until the file's identity is taken for settled

    import hashlib

    real = hashlib.sha256

    class Counted:
        def __init__(self) -> None:
            self._digest = real()

        def update(self, data: Any) -> None:
            hashed.append(len(data))
            self._digest.update(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._digest, name)

    monkeypatch.setattr("octogram_agentd.parcels.parcel.hashlib.sha256", Counted)
    try:
        for agent in agents:
            await agent.copy(source, "there", machine=str(agent.home), deliveries=deliveries)
            assert (agent.home / "there").read_bytes() == source.read_bytes()
            assert agent.transport.sent_bytes > SIZE_BYTES
        assert sum(hashed) == SIZE_BYTES
    finally:
        for agent in agents:
            await agent.transport.close()


async def test_a_digest_that_is_wrong_is_found_out_and_computed(source: Path, tmp_path: Path) -> None:
    deliveries = Deliveries()
    agent = Agent(tmp_path / "a", is_far=True)
    (entry,) = walk(os.fsencode(source))
    deliveries._digests[entry.identity] = "00" * 32
    try:
        await agent.copy(source, "there", machine="m", deliveries=deliveries)
        assert (agent.home / "there").read_bytes() == source.read_bytes()
        assert agent.names() == ["there"]
        assert deliveries.sha256(entry) != "00" * 32
    finally:
        await agent.transport.close()


def test_a_file_that_changes_under_a_known_digest_ends_the_parcel(source: Path) -> None:
    def known(entry: ParcelEntry) -> str:
        return "00" * 32

    parcel: Generator[Any, None, None] = pack(os.fsencode(source), known=known)
    while len(next(parcel)) < PIECE_BYTES:
        pass
    with source.open("r+b") as file:
        file.write(b"another")
    with pytest.raises(ProcedureFailed, match="changed while it was copied"):
        for _ in parcel:
            pass


@pytest.mark.parametrize("most_blocks", [2, 4])
def test_a_chunk_stays_until_as_many_more_as_there_are_blocks_were_asked_for(source: Path, most_blocks: int) -> None:
    held: list[Any] = []
    content = bytearray()
    for chunk in pack(os.fsencode(source), most_blocks=most_blocks):
        held.append(chunk)
        if len(held) == most_blocks:
            content += held.pop(0)
    content += b"".join(map(bytes, held))
    whole = source.read_bytes()
    assert all(whole[at : at + PIECE_BYTES - 4] in content for at in range(0, SIZE_BYTES, PIECE_BYTES - 4))
    blocks = {id(chunk.obj) for chunk in held if isinstance(chunk, memoryview)}
    assert len(blocks) <= most_blocks
