"""What starts the daemons of agents that share a machine: one process there, which has their program loaded.

It is brought up by the first of the agents, serves them all, and ends when the last of them is up. Where there is none,
for whatever reason, each agent brings up its own daemon, and tells what is wrong with that.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Hashable

from octogram_agentd.wire.lines import WireError, decode, encode
from octogram_tui.errors import TransportError
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.runtime.attachment import Attachment
from octogram_tui.runtime.terms import LinkSettings
from octogram_tui.transport.bundle import Failed, Need, build_bundle
from octogram_tui.transport.pool import Transports

LEAST_AGENTS = 3  # fewer are up sooner each by itself


class Starter:
    """The process of one machine, user and interpreter, as far as it is needed and there."""

    def __init__(self, spec: AgentSpec, transports: Transports, settings: LinkSettings) -> None:
        self._spec = spec  # of the first of them
        self._transports = transports
        self._settings = settings
        self._agents = 0
        self._expected = 0  # those of them that may still want something
        self._at = ""  # where to connect
        self._is_useless = False
        self._starting: asyncio.Task[None] | None = None
        self._said = asyncio.Event()  # all that it had to say
        self._attachment: Attachment | None = None

    def expect(self) -> Starter:
        """One more agent will want its daemon started."""
        self._agents += 1
        self._expected += 1
        return self

    def leave(self) -> None:
        """One of the agents wants nothing more."""
        self._expected -= 1
        if not self._expected:
            self.give_up()

    @property
    def pays(self) -> bool:
        """Whether it is worth while to ask for a place."""
        return not self._is_useless and self._agents >= LEAST_AGENTS

    async def place(self) -> str:
        """Tell where to connect; empty when there is no such place, or it would not pay."""
        if not self.pays:
            return ""
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start(), name="starter of daemons")
        if not self._starting.done():
            await asyncio.wait([self._starting])  # others wait for it too: it is not cancelled with us
        return self._at

    def order(self, agent: str, nonce: str) -> bytes:
        """Write what to say first to whoever answers there."""
        return encode({"t": "attach", "nonce": nonce, "run": self._settings.run, "agent": agent})

    def give_up(self) -> None:
        """Do without it from now on; the process ends when its standard input does."""
        was_up = bool(self._at)
        self._is_useless, self._at = True, ""
        self._said.set()
        if self._starting is not None and not was_up:
            self._starting.cancel()
        if self._attachment is None or self._attachment.channel is None:
            return
        if was_up:
            self._attachment.channel.write_eof()
        else:
            self._attachment.abort()

    async def _start(self) -> None:
        try:
            await self._boot()
        except TransportError:
            self.give_up()

    async def _boot(self) -> None:
        """Have the program run there; it is sent where it is missing. Raises TransportError."""
        settings, spec = self._settings, self._spec
        transport = self._transports.transport_for(spec)
        nonce = secrets.token_hex(8)
        attachment = self._attachment = Attachment(self, spec.name, transport.description, nonce, kind=spec.transport)
        channel = attachment.channel = await transport.open(settings.argv(spec, nonce, ["start"]), self)
        if isinstance(await attachment.booted, Need):
            channel.write(build_bundle().data)
            await channel.drain()
        if isinstance(await attachment.started, Failed):
            self.give_up()
        await self._said.wait()

    # What the process says.

    def data_received(self, data: bytes) -> None:
        if self._attachment is not None:
            self._attachment.data_received(data)

    def stderr_received(self, data: bytes) -> None:
        """What it complains about is told by those who do without it."""

    def channel_closed(self, error: TransportError | None) -> None:
        if self._attachment is not None:
            self._attachment.channel_closed(error)
        self.give_up()

    def take(self, attachment: Attachment, lines: list[bytes]) -> None:
        """Take the one line that it prints."""
        try:
            at = decode(lines[0]).get("at")
        except WireError:
            at = None
        if isinstance(at, str) and at.startswith("/") and not self._is_useless:
            self._at = at
            self._said.set()
        else:
            self.give_up()

    def fault(self, attachment: Attachment, what: str) -> None:
        """It is of no use."""
        self.give_up()


class Starters:
    """Those of a run."""

    def __init__(self, transports: Transports, settings: LinkSettings) -> None:
        self._transports = transports
        self._settings = settings
        self._starters: dict[Hashable, Starter] = {}

    def of(self, spec: AgentSpec) -> Starter | None:
        """Find an agent's, which then expects it; None where nothing but a command leads to its machine."""
        if self._transports.kind_of(spec) in ("command", "slurm"):
            return None
        key = (self._transports.machine_of(spec), spec.identity, spec.python, spec.transport)
        starter = self._starters.get(key)
        if starter is None:
            starter = self._starters[key] = Starter(spec, self._transports, self._settings)
        return starter.expect()
