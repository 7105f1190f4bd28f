"""Many agents on one machine whose login is slow: they come up, since each one's clock starts when it is its turn."""

from __future__ import annotations

import asyncio

import pytest
from fixtures_ssh import SshServer

from octogram_tui.engine.stimuli import (
    AgentEndReport,
    AgentUpReport,
    AgentWaitReport,
    StartFailureReport,
    Stimulus,
)
from octogram_tui.model.scenario import AgentSpec, BinarySource
from octogram_tui.runtime.link import Link
from octogram_tui.runtime.terms import Limits, LinkSettings
from octogram_tui.transport import boots
from octogram_tui.transport.pool import Transports

DEADLINE_S = 60.0
AGENTS = 40
LOGIN_S = 0.04  # of what one may wait, on a machine that does one after the other: all of them take longer than that
PATIENCES_S = (2.5, 15.0)  # how long one may wait; more, on a machine that stood still for as long


class Crowd:
    """Links to many agents of one server, and what they report."""

    def __init__(self, server: SshServer, count: int, greeting_s: float) -> None:
        self.transports = Transports(ssh_config=str(server.ssh_config))
        self.stimuli: list[Stimulus] = []
        self._changed = asyncio.Event()
        settings = LinkSettings("run", 60.0, BinarySource(), limits=Limits(greeting_s=greeting_s))
        self.links = [self._link(server.spec(f"a{n}"), settings) for n in range(count)]

    def _link(self, spec: AgentSpec, settings: LinkSettings) -> Link:
        transport = self.transports.transport_for(spec)
        return Link(
            spec, transport, settings, self._take, lambda on_wait: self.transports.boot(spec, transport, on_wait)
        )

    def _take(self, stimulus: Stimulus) -> None:
        self.stimuli.append(stimulus)
        self._changed.set()

    async def reports(self, kinds: tuple[type, ...], count: int) -> list[Stimulus]:
        """Wait for so many stimuli of some kinds."""
        async with asyncio.timeout(DEADLINE_S):
            while len(found := [s for s in self.stimuli if isinstance(s, kinds)]) < count:
                self._changed.clear()
                await self._changed.wait()
        return found

    async def end(self) -> None:
        """Stop all agents, and let go of them."""
        for link in self.links:
            link.stop(force=True)
        await self.reports((AgentEndReport,), len(self.links))
        await asyncio.gather(*(link.close() for link in self.links))
        await self.transports.close()


@pytest.mark.sshd
async def test_all_come_up_behind_a_slow_login(openssh_server: SshServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boots, "TELL_AFTER_S", 0.2)
    enough_s = boots.ENOUGH_S / Limits().greeting_s
    for greeting_s in PATIENCES_S:
        monkeypatch.setattr(boots, "ENOUGH_S", enough_s * greeting_s)
        login = f"exec 9>~/turn; flock 9; sleep {LOGIN_S * greeting_s}; exec 9>&-\n"
        (openssh_server.home / ".bashrc").write_text(login)
        crowd = Crowd(openssh_server, AGENTS, greeting_s)
        for link in crowd.links:
            link.start()
        outcomes = await crowd.reports((AgentUpReport, StartFailureReport), AGENTS)
        failed = [outcome for outcome in outcomes if isinstance(outcome, StartFailureReport)]
        if not failed:
            break
        await crowd.end()
    assert failed == []
    waits = [stimulus for stimulus in crowd.stimuli if isinstance(stimulus, AgentWaitReport)]
    last = [wait.message for wait in waits if wait.agent == f"a{AGENTS - 1}"]
    assert any("waits for its turn" in message for message in last)
    assert last[-1] == ""
    await crowd.end()


@pytest.mark.sshd
async def test_one_that_hangs_fails_alone_and_last(openssh_server: SshServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever logs in first waits for ever: its neighbours do not have to."""
    monkeypatch.setattr(boots, "STALL_S", 0.2)
    (openssh_server.home / ".bashrc").write_text("mkdir ~/first 2>/dev/null && exec sleep 100\n")
    for greeting_s in PATIENCES_S:
        crowd = Crowd(openssh_server, 12, greeting_s)
        for link in crowd.links:
            link.start()
        outcomes = [type(report) for report in await crowd.reports((AgentUpReport, StartFailureReport), 12)]
        await crowd.end()
        if outcomes.count(StartFailureReport) == 1:
            break
        (openssh_server.home / "first").rmdir()
    assert outcomes == [AgentUpReport] * 11 + [StartFailureReport]
