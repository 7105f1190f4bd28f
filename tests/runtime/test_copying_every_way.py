"""Copies and fetches over every way to a machine: a process here, a wrapper, asyncssh, OpenSSH."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fixtures_ssh import SshServer

from octogram_agentd.procedures.base import ProcedureFailed
from octogram_agentd.processes import origin
from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.runtime.files import copy_to, fetch_from
from octogram_tui.transport.base import Transport
from octogram_tui.transport.pool import Transports

SIZE_BYTES = 16 << 20


def argv_for(name: str) -> list[str]:
    return origin.argv("parcels.transfer", name)


@pytest.fixture(params=["local", "command", "asyncssh", pytest.param("openssh", marks=pytest.mark.sshd)])
def way(request: pytest.FixtureRequest) -> tuple[AgentSpec, str | None]:
    """Give an agent and the ssh configuration that leads to it."""
    if request.param == "local":
        return AgentSpec(AgentName("one"), transport="local"), None
    if request.param == "command":
        return AgentSpec(AgentName("one"), transport="command", command=("env", "WRAPPED=1")), None
    server: SshServer = request.getfixturevalue(f"{request.param}_server")
    return server.spec(), str(server.ssh_config)


@pytest.fixture
async def transport(way: tuple[AgentSpec, str | None]) -> AsyncIterator[Transport]:
    """Give the way to one agent, by each of the ways."""
    spec, ssh_config = way
    transports = Transports(ssh_config=ssh_config)
    yield transports.transport_for(spec)
    await transports.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "root" / "agent-home"
    home.mkdir(parents=True)
    return home


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "big").write_bytes(os.urandom(1 << 20) * (SIZE_BYTES >> 20))
    (tree / "new\nline").write_text("small")
    (tree / "empty").touch(mode=0o600)
    return tree


async def test_there_and_back(transport: Transport, home: Path, tree: Path, tmp_path: Path) -> None:
    sent = await copy_to(transport, argv_for, tree, "there", home=str(home))
    got = await fetch_from(transport, argv_for, "there", tmp_path / "back", home=str(home))
    assert got["bytes"] == sent["bytes"] == SIZE_BYTES + 5
    assert (tmp_path / "back/sub/big").read_bytes() == (tree / "sub/big").read_bytes()
    assert {p.name for p in (tmp_path / "back").iterdir()} == {"sub", "new\nline", "empty"}


async def test_a_refusal_midway_is_told(transport: Transport, home: Path, tree: Path) -> None:
    (home / "tree/sub/big").mkdir(parents=True)
    with pytest.raises(ProcedureFailed, match="sub/big is a directory there") as caught:
        await copy_to(transport, argv_for, tree, ".", home=str(home))
    assert caught.value.kind == "is_directory"
    with pytest.raises(ProcedureFailed, match="must be relative"):
        await copy_to(transport, argv_for, tree, "/x", home=str(home))


async def test_several_at_once(transport: Transport, home: Path, tree: Path) -> None:
    await asyncio.gather(*(copy_to(transport, argv_for, tree, f"copy{number}", home=str(home)) for number in range(4)))
    assert len(list(home.glob("copy*/sub/big"))) == 4


async def test_cancelled_midway(transport: Transport, home: Path, tree: Path) -> None:
    def cancel(done: int, total: int) -> None:
        task.cancel()  # there and then: a turn later all may have been sent

    task = asyncio.create_task(copy_to(transport, argv_for, tree, "there", home=str(home), on_progress=cancel))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (home / "there").exists()
    await copy_to(transport, argv_for, tree, "there", home=str(home))
    assert (home / "there/sub/big").stat().st_size == SIZE_BYTES
