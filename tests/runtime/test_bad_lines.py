"""A link to a real daemon, through a real sshd, over a line that goes bad: it costs time, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from fault_proxy import FaultProxy, Way, fault_proxy
from fixtures_ssh import SshServer

from octogram_tui.engine.stimuli import (
    AgentBackReport,
    AgentEndReport,
    AgentLossReport,
    AgentSilentReport,
    AgentUpReport,
    AttemptReport,
    OutputReport,
    Stimulus,
)
from octogram_tui.model.ids import AttemptId
from octogram_tui.model.scenario import BinarySource
from octogram_tui.runtime.link import Link
from octogram_tui.runtime.terms import Limits, LinkSettings
from octogram_tui.transport.pool import Transports

pytestmark = pytest.mark.sshd
BEAT_S = 0.1
DEADLINE_S = 60.0
QUICK = Limits(suspect_s=0.5, silence_s=1.0, retry_s=0.05, longest_retry_s=0.2, stop_grace_s=1.0)
JOB = AttemptId.parse("s/j@one#1")
Kind = TypeVar("Kind")


class Line:
    """One agent behind a bad line, with a heart that beats fast."""

    def __init__(self, server: SshServer, proxy: FaultProxy, lease_s: float, limits: Limits) -> None:
        self.proxy = proxy
        self.home = server.home
        extra = "ServerAliveInterval 1\nServerAliveCountMax 1" if limits is QUICK else ""
        replace(server, port=proxy.port).write_client(extra)
        self.transports = Transports(ssh_config=str(server.ssh_config))
        self.stimuli: list[Stimulus] = []
        self._changed = asyncio.Event()
        spec = server.spec()
        transport = self.transports.transport_for(spec)
        self.link = Link(
            spec,
            transport,
            LinkSettings("run", lease_s, BinarySource(), limits=limits),
            self._take,
            lambda on_wait: self.transports.boot(spec, transport, on_wait),
        )
        self._heart = asyncio.create_task(self._beat())

    def _take(self, stimulus: Stimulus) -> None:
        self.stimuli.append(stimulus)
        self._changed.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            self.link.beat()

    async def report(self, kind: type[Kind], within_s: float = DEADLINE_S) -> Kind:
        """Wait for a report of a kind, and take it."""
        async with asyncio.timeout(within_s):
            while True:
                for stimulus in self.stimuli:
                    if isinstance(stimulus, kind):
                        self.stimuli.remove(stimulus)
                        return stimulus
                self._changed.clear()
                await self._changed.wait()

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Give the reports of a kind so far."""
        return [stimulus for stimulus in self.stimuli if isinstance(stimulus, kind)]

    def run(self, script: str) -> None:
        """Have a shell run, which says how often it has done so."""
        self.link.run(JOB, "builtins.shell", {"script": f"echo x >> {self.home}/ran; {script}"}, None)

    @property
    def ran(self) -> str:
        """An x for each time."""
        path = self.home / "ran"
        return path.read_text().replace("\n", "") if path.exists() else ""

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for what nobody tells."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                await asyncio.sleep(0.01)

    async def started(self) -> None:
        """Wait until the shell runs, after which the line may go bad: it waits for `go`."""
        self.run(f"seq 1 100; touch {self.home}/up; until [ -e {self.home}/go ]; do sleep 0.02; done; seq 101 200")
        await self.until((self.home / "up").exists)

    async def ends_well(self) -> None:
        """See that the shell ran once, and that all it printed is here."""
        (self.home / "go").touch()
        assert (await self.report(AttemptReport)).state == "ok"
        await self.until(lambda: len(self.printed()) >= 200)
        assert self.printed() == [str(number) for number in range(1, 201)]
        assert self.ran == "x"

    def printed(self) -> list[str]:
        """All lines so far."""
        return [line for report in self.of(OutputReport) for line in report.lines]

    async def close(self) -> None:
        """Stop the agent, as far as it is there, and let go."""
        self.proxy.refuses = False
        self.link.stop(force=True)
        await self.link.stopped()
        self._heart.cancel()
        await self.link.close()
        await self.transports.close()


@pytest.fixture
def lease_s() -> float:
    return 90.0  # longer than a busy machine stands still


@pytest.fixture
def limits() -> Limits:
    return QUICK


@pytest.fixture
async def line(openssh_server: SshServer, lease_s: float, limits: Limits) -> AsyncIterator[Line]:
    """Have an agent behind a line that is good as yet."""
    with fault_proxy(openssh_server.port) as proxy:
        found = Line(openssh_server, proxy, lease_s, limits)
        found.link.start()
        await found.report(AgentUpReport)
        await found.until(lambda: found.link.is_connected)
        yield found
        await found.close()


def cut(line: Line) -> None:
    line.proxy.cut()


def black_hole(line: Line) -> None:
    line.proxy.forget()


def spoil(way: Way) -> Callable[[Line], None]:
    return lambda line: line.proxy.spoils.add(way)


def half_close(way: Way) -> Callable[[Line], None]:
    return lambda line: line.proxy.half_close(way)


@pytest.mark.fault(1, 2, 3, 12)
@pytest.mark.parametrize(
    "goes_bad",
    [cut, black_hole, spoil("there"), spoil("back"), half_close("there"), half_close("back")],
    ids=["reset", "black hole", "byte spoilt there", "byte spoilt back", "half closed there", "half closed back"],
)
async def test_a_line_that_breaks_during_a_job(line: Line, goes_bad: Callable[[Line], None]) -> None:
    await line.started()
    goes_bad(line)
    await line.report(AgentSilentReport)
    await line.report(AgentBackReport)
    await line.ends_well()


@pytest.mark.fault(1)
@pytest.mark.longfault
@pytest.mark.parametrize("lease_s", [90.0])
@pytest.mark.parametrize("limits", [Limits()], ids=["usual limits"])
async def test_a_network_that_swallows_everything_for_half_a_minute(line: Line) -> None:
    await line.started()
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    line.proxy.muted |= {"there", "back"}
    await line.report(AgentSilentReport)
    assert 9 < loop.time() - began_s < 25
    await asyncio.sleep(began_s + 30 - loop.time())
    line.proxy.forget()
    await line.report(AgentBackReport, within_s=45)
    assert line.of(AgentLossReport) == []
    await line.ends_well()


@pytest.mark.fault(7)
@pytest.mark.parametrize("way", ["there", "back"])
async def test_loss_one_way_only(line: Line, way: Way) -> None:
    await line.started()
    line.proxy.muted.add(way)
    await line.report(AgentSilentReport)
    line.proxy.forget()
    await line.report(AgentBackReport)
    await line.ends_well()


@pytest.mark.fault(2)
async def test_a_request_that_a_reset_swallows_or_not(line: Line) -> None:
    line.run(f"touch {line.home}/up; seq 1 200")
    await asyncio.sleep(0)
    line.proxy.cut()
    await line.report(AgentBackReport)
    assert (await line.report(AttemptReport)).state == "ok"
    assert line.ran == "x"


@pytest.mark.fault(4)
async def test_a_line_that_flaps(line: Line) -> None:
    await line.started()
    began_s = asyncio.get_running_loop().time()
    for _ in range(30):
        line.proxy.cut()
        await asyncio.sleep(0.05)
    await line.ends_well()
    daemons = set(line.home.glob(".octogram/runs/run/*"))
    assert len(daemons) == 1
    took_s = asyncio.get_running_loop().time() - began_s
    assert line.proxy.accepted < 60 + 20 * took_s, "it does not try all the time"


@pytest.mark.fault(8)
@pytest.mark.longfault
@pytest.mark.parametrize("limits", [Limits()], ids=["usual limits"])
async def test_a_slow_line_is_no_lost_one(line: Line) -> None:
    line.proxy.delay_s, line.proxy.loses_each = 1.0, 20  # each way
    await line.started()
    await line.until(lambda: line.proxy.lost > 2)
    await line.ends_well()
    assert line.of(AgentSilentReport) == []


@pytest.mark.fault(9)
@pytest.mark.longfault
@pytest.mark.parametrize("limits", [Limits()], ids=["usual limits"])
async def test_a_narrow_line_with_a_flood_on_it(line: Line) -> None:
    line.proxy.bytes_per_s = 8_000.0
    line.run(f"touch {line.home}/up; exec yes {'flood' * 10}")
    await line.until(line.printed)
    line.link.cancel(JOB, "test")
    asked_s = asyncio.get_running_loop().time()
    await line.until(lambda: not _runs(b"yes\0flood"))
    assert asyncio.get_running_loop().time() - asked_s < 10  # a flood that was ahead of it would take minutes
    assert line.of(AgentSilentReport) == []
    line.proxy.bytes_per_s = 0.0
    assert (await line.report(AttemptReport)).state == "cancelled"


@pytest.mark.fault(13)
async def test_a_session_that_stands_still(line: Line, openssh_server: SshServer) -> None:
    await line.started()
    stopped = openssh_server.sessions()
    for pid in [*stopped, *(int(child) for one in stopped for child in _children(one))]:
        if b"sshd" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGSTOP)
    await line.report(AgentBackReport)
    await line.ends_well()


@pytest.mark.fault(6)
async def test_a_line_that_heals_before_the_lease_is_over(line: Line) -> None:
    await line.started()
    line.proxy.refuses = True
    line.proxy.cut()
    await line.report(AgentSilentReport)
    before = line.proxy.accepted
    await line.until(lambda: line.proxy.accepted >= before + 5)
    line.proxy.refuses = False
    await line.report(AgentBackReport)
    await line.ends_well()


@pytest.mark.fault(5)
async def test_a_line_that_is_cut_for_longer_than_the_lease(line: Line) -> None:
    await line.started()
    line.link.settings = replace(line.link.settings, lease_s=1.0)  # short once all is there: the next greeting says it
    line.proxy.cut()
    await line.report(AgentBackReport)
    line.proxy.refuses = True
    line.proxy.cut()
    await line.until(lambda: not list(line.home.glob(".octogram/runs/run/*")))
    await line.report(AgentLossReport)
    assert line.of(AgentBackReport) == []
    line.link.stop(force=False)
    assert not (await line.report(AgentEndReport)).is_clean
    assert line.ran == "x"


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _runs(command: bytes) -> bool:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cmdline").read_bytes().startswith(command):
                    return True
            except OSError:
                pass
    return False
