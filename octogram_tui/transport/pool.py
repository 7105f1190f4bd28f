"""The ways to all agents of a run, by their transports. Each of these comes in only when an agent needs it."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

from octogram_tui.errors import ConnectFailed
from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec, SlurmSpec
from octogram_tui.transport.base import Transport
from octogram_tui.transport.boots import AT_ONCE, MOST_AT_ONCE, Boots, FirstBoot, OnWait, place
from octogram_tui.transport.destination import Destination

if TYPE_CHECKING:
    from octogram_tui.transport.slurm import Allocation
    from octogram_tui.transport.slurm.terms import Terms
    from octogram_tui.transport.ssh import Machines, SshTransport


class Transports:
    """Gives every agent its transport. `force_local` runs all agents on this machine, whatever they say."""

    def __init__(self, *, ssh_config: str | None = None, accept_new: bool = False, force_local: bool = False) -> None:
        self._ssh_config = ssh_config
        self._accept_new = accept_new
        self._force_local = force_local
        self.files: tuple[int, int] | None = None  # how many what is started here may have open; None: as many as we
        self._on_note: Callable[[str], None] = lambda _: None
        self._machines: Machines | None = None
        self._terms: Terms | None = None
        self._allocation: Allocation | None = None
        self._is_beside_slurm = False
        self._transports: list[Transport] = []
        self._ahead: dict[str, tuple[AgentSpec, SshTransport]] = {}
        self._first_boots = {"local": FirstBoot(is_over=True)}  # agents of this machine run from our own files
        self._boots: dict[Hashable, Boots] = {}

    @property
    def notes(self) -> list[str]:
        """What went on all the same, and somebody should know; one line each."""
        return self._machines.notes if self._machines is not None else []

    def tell_to(self, on_note: Callable[[str], None]) -> None:
        """Say whom to tell each of the notes, as it comes, and those that have come."""
        self._on_note = on_note
        for note in self.notes:
            on_note(note)

    @property
    def known_hosts_problems(self) -> list[str]:
        """The lines of known_hosts files in use that were skipped, each as `FILE:LINE: reason`."""
        return self._machines.known_hosts_problems if self._machines is not None else []

    def kind_of(self, spec: AgentSpec) -> Literal["ssh", "local", "command", "slurm"]:
        """Tell by which transport an agent is reached."""
        return "local" if self._force_local else spec.transport

    def transport_for(self, spec: AgentSpec) -> Transport:
        """Make the way to an agent; nothing is connected before it is used, unless that has begun ahead."""
        ahead = self._ahead.pop(spec.name, None)
        if ahead is not None and ahead[0] == spec:
            return ahead[1]
        transport = self._make(spec)
        self._transports.append(transport)
        return transport

    async def reach_ahead(self, specs: Iterable[AgentSpec]) -> None:
        """Begin to log in where these agents are to be brought up, on each machine once."""
        seen: set[str] = set()
        for spec in specs:
            place = self.machine_of(spec)
            if self.kind_of(spec) == "ssh" and place not in seen:
                seen.add(place)
                transport = self._ssh(spec)
                self._transports.append(transport)
                self._ahead[spec.name] = spec, transport
                transport.reach_ahead()
        if self._machines is not None:
            await self._machines.resolved()

    def machine_of(self, spec: AgentSpec) -> str:
        """Name the machine and user that an agent runs as: equal names mean that files there are shared."""
        kind = self.kind_of(spec)
        if kind == "local":
            return "local"
        if kind == "command":
            return f"command {shlex.join(spec.command)}"
        if kind == "slurm":
            node = self._allocation.known_node(spec.name) if self._allocation is not None else None
            return f"slurm {node.name}" if node is not None else "slurm"
        return f"ssh {Destination(spec.user or '', spec.address, spec.port)}"

    @asynccontextmanager
    async def boot(self, spec: AgentSpec, transport: Transport, on_wait: OnWait) -> AsyncIterator[FirstBoot]:
        """Hold the right to boot an agent's daemon, from before its channel until the daemon has answered.

        The first of a machine and user boots alone (tell it when the program is there), and of all those that a machine
        has only so many at a time; all commands together begin with more, as they lead to who knows how many machines.
        Neither waits while a machine is being reached: when that fails, it does for all.
        Raises TransportError.
        """
        if self.kind_of(spec) == "slurm":
            await self._given(transport, on_wait)
        first = self._first_boots.setdefault(self.machine_of(spec), FirstBoot())
        async with first.turn(on_wait):
            machine = await transport.reach()
            at_once = MOST_AT_ONCE if self.kind_of(spec) == "command" else AT_ONCE
            async with place(self._boots.setdefault(machine, Boots(at_once)), on_wait):
                yield first

    async def close(self) -> None:
        """Close every transport that was given out. Bounded in time; never raises."""
        transports, self._transports = self._transports, []
        await asyncio.gather(*(transport.close() for transport in transports), return_exceptions=True)
        if self._allocation is not None:
            await self._allocation.close()

    # -- Slurm ----------------------------------------------------------------------------------------------------

    def run_in_slurm(self, terms: Terms) -> None:
        """Say for which run an allocation is to be had, once an agent needs it."""
        self._terms = terms

    def look_beside_slurm(self, terms: Terms) -> None:
        """Reach the agents of Slurm where its programs are: there are no nodes any more."""
        self._terms = terms
        self._is_beside_slurm = True

    @property
    def allocation(self) -> Allocation:
        """The allocation of the run; nothing is asked of Slurm before somebody waits for it. Raises ConnectFailed."""
        if self._allocation is None:
            from octogram_tui.transport.slurm import Allocation

            if self._terms is None:
                failure = ConnectFailed("the run began without Slurm", hint="begin a new run", code="slurm.late")
                failure.is_retryable = False
                raise failure
            self._allocation = Allocation(self._terms, self.login_of(self._terms.spec))
        return self._allocation

    def slurm_asked(self) -> tuple[Terms, Transport | None]:
        """Give what would be asked for, and the way to the machine where; None: this one."""
        assert self._terms is not None
        return self._terms, self.login_of(self._terms.spec)

    def login_of(self, spec: SlurmSpec) -> Transport | None:
        """Make the way to the machine where Slurm's programs are; None: this one."""
        if not spec.login:
            return None
        name = AgentName(f"slurm on {spec.login}")
        login = AgentSpec(name, spec.login, user=spec.user, port=spec.port, identity=spec.identity)
        return self._ssh(login)

    async def _given(self, transport: Transport, on_wait: OnWait) -> None:
        """Wait until there are nodes."""
        if self._is_beside_slurm or self.allocation.is_granted:
            return
        on_wait("waits for Slurm")
        try:
            await transport.reach()
        finally:
            on_wait("")

    def _make(self, spec: AgentSpec) -> Transport:
        kind = self.kind_of(spec)
        if kind == "local":
            from octogram_tui.transport.local import LocalTransport

            return LocalTransport(spec.name, self.files)
        if kind == "command":
            from octogram_tui.transport.argv import CommandTransport

            return CommandTransport(spec.name, spec.command, self.files)
        if kind == "slurm" and self._is_beside_slurm:
            from octogram_tui.transport.local import LocalTransport

            return self.slurm_asked()[1] or LocalTransport(spec.name)
        if kind == "slurm":
            from octogram_tui.transport.slurm import SlurmTransport

            return SlurmTransport(spec.name, self.allocation)
        return self._ssh(spec)

    def _ssh(self, spec: AgentSpec) -> SshTransport:
        from octogram_tui.transport.ssh import Machines, SshTransport

        if self._machines is None:
            self._machines = Machines(
                ssh_config=self._ssh_config, accept_new=self._accept_new, on_note=lambda text: self._on_note(text)
            )
        return SshTransport(spec, self._machines)
