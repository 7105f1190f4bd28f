"""What the rest of the program needs of a way to a machine: open a command there, and talk to it in bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, Protocol

from octogram_tui.errors import TransportError


class Receiver(Protocol):
    """Takes what comes from a channel. Called in the event loop; must not block."""

    def data_received(self, data: bytes) -> None:
        """Take bytes of the command's standard output."""
        ...

    def stderr_received(self, data: bytes) -> None:
        """Take bytes of the command's standard error: diagnostics only."""
        ...

    def channel_closed(self, error: TransportError | None) -> None:
        """The last call: the command ended (None), or the way to it is lost."""
        ...


class Channel(Protocol):
    """One running command on the other side, until `channel_closed`."""

    def write(self, data: bytes) -> None:
        """Send bytes to the command's standard input; buffers without limit, so honour `drain`. None after its end."""
        ...

    async def drain(self) -> None:
        """Wait until the buffer is small again. Raises LinkLost when there is nobody to drain to."""
        ...

    def write_eof(self) -> None:
        """End the command's standard input."""
        ...

    def pause_reading(self) -> None:
        """Take no more data until `resume_reading`."""
        ...

    def resume_reading(self) -> None:
        """Take data again."""
        ...

    def abort(self) -> None:
        """Drop the channel now. What runs on the other side may go on."""
        ...

    async def wait_closed(self) -> int | None:
        """Wait for the end; the command's exit status, None when unknown (ended by a signal, link lost)."""
        ...


class TerminalKind(NamedTuple):
    """A terminal as programs know it: the name of its kind, and its columns and rows."""

    name: str
    size: tuple[int, int]


class Transport(Protocol):
    """The way to one agent's machine. Several channels may be open at once."""

    @property
    def description(self) -> str:
        """Where this leads, for messages: `root@10.0.0.7:22`, `this machine`, `srun -n1 ...`."""
        ...

    @property
    def host(self) -> str:
        """The host that this leads to, an alias resolved; empty before that is known, and where there is no such."""
        ...

    async def reach(self) -> Hashable:
        """Get as far as to the machine, and tell which it is: equal values are one machine. Raises TransportError."""
        ...

    async def open(self, argv: Sequence[str], receiver: Receiver, *, bulk: bool = False) -> Channel:
        """Start a command. Raises TransportError: every failure of a library is translated to one.

        bulk: files are to go through; more may then be under way than of messages, which must not queue up.
        """
        ...

    async def connect(self, place: str, receiver: Receiver) -> Channel:
        """Connect to the Unix socket of a path there: no command is started. Raises TransportError."""
        ...

    async def close(self) -> None:
        """Let go of what is shared (the last user closes the connection). Bounded in time; never raises."""
        ...


class Together:
    """`with TOGETHER:` around what writes to many machines; what connections gather meanwhile is sent at its end."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] | None = None  # None: nobody writes to many

    def __enter__(self) -> None:
        self._waiting = []

    def __exit__(self, *_: object) -> None:
        waiting, self._waiting = self._waiting, None
        for send in waiting or ():
            send()

    def takes(self, send: Callable[[], None]) -> bool:
        """Send at the end; False when there is none to come."""
        if self._waiting is None:
            return False
        self._waiting.append(send)
        return True


TOGETHER = Together()
"""That of the event loop, of which a process has one."""
