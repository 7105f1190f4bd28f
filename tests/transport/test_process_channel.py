"""What is particular to commands on this machine: sessions, threads, output that outlives its command, bad leaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from fixtures_ssh import DEADLINE_S, Recorder

from octogram_tui.errors import BootstrapFailed, ConnectFailed
from octogram_tui.transport import local
from octogram_tui.transport.argv import CommandTransport
from octogram_tui.transport.local import LocalTransport


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def children() -> set[int]:
    """The processes that are ours, ended ones too; a server of other tests may be among them."""
    return {int(pid) for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()}


async def test_a_command_has_a_session_of_its_own() -> None:
    transport = LocalTransport("one")
    recorder = Recorder()
    await transport.open([sys.executable, "-c", "import os; print(os.getsid(0), os.getpid(), os.getpgid(0))"], recorder)
    await recorder.end()
    session, pid, group = recorder.out.split()
    assert session == pid == group
    await transport.close()


async def test_a_hundred_commands_need_no_threads_and_leave_nothing() -> None:
    before, children_before = open_descriptors(), children()
    transport = LocalTransport("one")
    recorders = [Recorder() for _ in range(100)]
    channels = [await transport.open(["cat"], recorder) for recorder in recorders]
    assert threading.active_count() == 1
    for channel in channels:
        channel.write(b"x")
        channel.write_eof()
    for channel, recorder in zip(channels, recorders, strict=True):
        await recorder.end()
        assert recorder.out == b"x"
        assert await channel.wait_closed() == 0
    await transport.close()
    assert open_descriptors() == before
    assert children() <= children_before


async def test_without_pidfd_a_thread_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, flags: int = 0) -> int:
        raise OSError(38, "not here")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    transport = LocalTransport("one")
    recorder = Recorder()
    channel = await transport.open(["sh", "-c", "exit 3"], recorder)
    await recorder.end()
    assert await channel.wait_closed() == 3
    await transport.close()


async def test_output_held_open_by_a_descendant_ends_soon_after_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "AFTER_EXIT_S", 0.05)
    transport = LocalTransport("one")
    recorder = Recorder()
    channel = await transport.open(["sh", "-c", "sleep 1000 & echo $!"], recorder)
    await recorder.end()
    assert await channel.wait_closed() == 0
    os.kill(int(recorder.out), signal.SIGKILL)
    await transport.close()


async def test_paused_output_is_waited_for_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "AFTER_EXIT_S", 0.01)
    transport = LocalTransport("one")
    recorder = Recorder()
    channel = await transport.open(["echo", "kept"], recorder)
    channel.pause_reading()
    async with asyncio.timeout(DEADLINE_S):
        await channel.wait_gone()
    other = Recorder()
    await transport.open(["sleep", "0.1"], other)  # longer than the bound that would apply to a reader
    await other.end()
    assert not recorder.closed
    channel.resume_reading()
    await recorder.end()
    assert recorder.out == b"kept\n"
    await transport.close()


async def test_abort_kills_what_ignores_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "ABORT_GRACE_S", 0.05)
    transport = LocalTransport("one")
    recorder = Recorder()
    channel = await transport.open(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1000; done"], recorder)
    await recorder.until(lambda: recorder.out == b"up\n")
    channel.abort()
    async with asyncio.timeout(DEADLINE_S):
        await channel.wait_gone()
    await transport.close()


async def test_abort_spares_another_session() -> None:
    transport = LocalTransport("one")
    recorder = Recorder()
    detach = "import os, time\nif os.fork() == 0:\n os.setsid()\n print(os.getpid(), flush=True)\ntime.sleep(1000)"
    channel = await transport.open([sys.executable, "-c", detach], recorder)
    await recorder.until(lambda: recorder.out.endswith(b"\n"))
    daemon = int(recorder.out)
    channel.abort()
    async with asyncio.timeout(DEADLINE_S):
        await channel.wait_gone()
    assert Path(f"/proc/{daemon}/stat").read_text().split()[2] in "SR"
    with contextlib.suppress(ProcessLookupError):
        os.kill(daemon, signal.SIGKILL)
    await transport.close()


@pytest.mark.parametrize("leaf", ["/nonexistent/leaf", "no-such-program-anywhere", "/etc/passwd", "/", "a\0b", ""])
async def test_a_leaf_that_cannot_be_started(leaf: str) -> None:
    before = open_descriptors()
    with pytest.raises(BootstrapFailed, match="agent one: cannot start") as local_failure:
        await LocalTransport("one").open([leaf], Recorder())
    assert local_failure.value.code == "boot.command"
    with pytest.raises(ConnectFailed, match="agent two: cannot start its command") as wrapper_failure:
        await CommandTransport("two", [leaf, "exec"]).open(["true"], Recorder())
    assert (wrapper_failure.value.code, wrapper_failure.value.is_retryable) == ("net.command", False)
    assert wrapper_failure.value.hint
    assert open_descriptors() == before


async def test_empty_commands() -> None:
    with pytest.raises(ConnectFailed, match="agent one: its `command` is empty"):
        await CommandTransport("one", []).open(["true"], Recorder())
    with pytest.raises(BootstrapFailed, match="agent one"):
        await LocalTransport("one").open([], Recorder())


async def test_descriptions() -> None:
    assert LocalTransport("one").description == "this machine"
    assert CommandTransport("one", ["srun", "-n1", "a b"]).description == "srun -n1 'a b'"
