"""One channel's worth of connection to a daemon: the boot's words first, then messages. A link has several in turn."""

from __future__ import annotations

import asyncio
from typing import Protocol

from octogram_agentd.wire.lines import LineFramer, WireError
from octogram_tui.cuts import beginning, ending_bytes
from octogram_tui.errors import BootstrapFailed, TransportError
from octogram_tui.runtime.greeting import Welcome
from octogram_tui.transport.base import Channel
from octogram_tui.transport.bundle import BOOT_HINTS, BootReader, Failed, Need, Noise, Started

SILENT_END = "boot.silent"
"""Our program ran there, and the channel ended without a word of a daemon."""
NO_PROCESS = "boot.processes"
"""Our program ran there, and could make no process for a daemon."""
TAIL_BYTES = 4096
TAIL_CHARACTERS = 300
NO_SHELL_HINT = (
    "see the user's login shell there, its start files (.bashrc), and what is forced on it: ForceCommand, `command=` "
    "of a key"
)
NO_PROCESS_WORDS = ": agentd: no process can be made for the daemon"
SAID_HINTS = {
    "no place for": BOOT_HINTS["boot.place"],
    "temporarily unavailable": BOOT_HINTS["boot.processes"],
    "'/proc/self": BOOT_HINTS["boot.proc"],
}
"""What to do about some last words."""
NO_START_HINTS = {"command": "try it by hand: {place} python3 --version", "slurm": "try a step by hand: srun hostname"}


class Owner(Protocol):
    """Who is behind an attachment."""

    def take(self, attachment: Attachment, lines: list[bytes]) -> None:
        """Take lines, each of which should be a message."""
        ...

    def fault(self, attachment: Attachment, what: str) -> None:
        """What came is against the protocol: the attachment is of no more use."""
        ...


class Attachment:
    """Receives from one channel until that is gone."""

    def __init__(self, owner: Owner, agent: str, place: str, nonce: str, *, kind: str = "ssh") -> None:
        loop = asyncio.get_running_loop()
        self._owner = owner
        self._agent = agent
        self._place = place
        self._hint = NO_START_HINTS.get(kind, NO_SHELL_HINT).format(place=place)
        self._framer = LineFramer()
        self._stderr = b""
        self._noise = b""
        self.nonce = nonce
        self._reader: BootReader | None = BootReader(nonce)
        self.channel: Channel | None = None
        self.booted: asyncio.Future[Need | Started | Failed] = loop.create_future()
        self.started: asyncio.Future[Started | Failed] = loop.create_future()
        self.welcome: asyncio.Future[Welcome] = loop.create_future()
        self.closed = asyncio.Event()
        self._is_closed = False
        self.error: TransportError | None = None

    def data_received(self, data: bytes) -> None:
        """Take bytes from the channel."""
        if self._is_closed:
            return
        try:
            if self._reader is not None:
                data = self._boot(self._reader, data)
            lines = self._framer.cut(data) if data else []
        except WireError as error:
            self._owner.fault(self, str(error))
            return
        if lines:
            self._owner.take(self, lines)

    def _boot(self, reader: BootReader, data: bytes) -> bytes:
        """Take the boot's words; gives what follows them, which is messages."""
        for event in reader.feed(data):
            if isinstance(event, Noise):
                self._noise = ending_bytes(self._noise + event.data, TAIL_BYTES)
            if not self.booted.done() and isinstance(event, Need | Started | Failed):
                self.booted.set_result(event)
            if isinstance(event, Started | Failed) and not self.started.done():
                self.started.set_result(event)
            if isinstance(event, Started):
                self._reader = None
                return event.rest
        return b""

    def stderr_received(self, data: bytes) -> None:
        """Keep the end of what the other side complains about."""
        self._stderr = ending_bytes(self._stderr + data, TAIL_BYTES)

    @property
    def last_words(self) -> str:
        """The last line that came instead of an answer, behind a colon; empty when none did.

        Programs that tell where to find help after what is wrong begin the line that counts with `Error`.
        """
        for said in (self._stderr, self._noise):
            lines = said.decode("utf-8", "replace").strip().splitlines()
            if lines:
                last = next((line for line in reversed(lines) if line.startswith("Error")), lines[-1])
                shown = "".join(sign if sign.isprintable() else "·" for sign in beginning(last, TAIL_CHARACTERS))
                return f": {shown}"
        return ""

    def channel_closed(self, error: TransportError | None) -> None:
        """The channel is gone."""
        self.close(error)

    def close(self, error: TransportError | None) -> None:
        """Settle everything that somebody waits for."""
        if self._is_closed:
            return
        self._is_closed = True
        self.error = error
        self.closed.set()
        if not self.welcome.done():
            said = self.last_words
            hints = [hint for words, hint in SAID_HINTS.items() if words in said]
            failure = error or BootstrapFailed(
                f"agent {self._agent}: the daemon did not start on {self._place}{said}",
                hint=hints[0] if hints else "" if self.booted.done() else self._hint,
                code=self._code(said),
            )
            for future in (self.booted, self.started, self.welcome):
                if not future.done():
                    future.set_exception(failure)
                    future.exception()  # whoever waits for another of the three leaves this one unread

    def _code(self, said: str) -> str:
        """Give what became of it, as far as that is known; said: its last words."""
        if not self.started.done():
            return ""
        return SILENT_END if not said else NO_PROCESS if NO_PROCESS_WORDS in said else ""

    def abort(self) -> None:
        """Drop the channel; whoever still waits for something is cancelled, unless `close` has said why."""
        if self.channel is not None:
            self.channel.abort()
        for future in (self.booted, self.started, self.welcome):
            if not future.done():
                future.cancel()
