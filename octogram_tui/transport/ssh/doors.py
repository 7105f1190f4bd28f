"""How the first bytes get out: by TCP, or through a proxy command. Both remember what the other side says first."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import asyncssh

from octogram_tui.cuts import ending_bytes
from octogram_tui.errors import TransportError
from octogram_tui.transport.ssh.gathering import GatheringTransport
from octogram_tui.transport.ssh.profile import Profile

if TYPE_CHECKING:  # few need a command
    from octogram_tui.transport.local import ProcessChannel

HAPPY_EYEBALLS_S = 0.25  # so that a dead IPv6 address does not hold up a live IPv4 one
GREETING_BYTES = 256
COMPLAINT_BYTES = 1024

ConnectionFactory = Callable[[], asyncssh.SSHClientConnection]


class Tunnel(Protocol):
    """What can open a byte stream for the library: a connection to a jump host, or one of the doors here."""

    def create_connection(self, session_factory: Any, remote_host: str, remote_port: int) -> Awaitable[Any]:
        """Connect, and give the transport and the protocol."""
        ...


class Door:
    """What there is to say of an attempt that failed."""

    def __init__(self) -> None:
        self.greeting = b""  # the first bytes that came
        self.complaint = b""  # what a proxy command printed on its standard error


class TcpDoor(Door):
    """Opens a TCP connection."""

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self._profile = profile

    async def create_connection(
        self, session_factory: ConnectionFactory, remote_host: str, remote_port: int
    ) -> tuple[Any, asyncssh.SSHClientConnection]:
        """Connect, trying the addresses of the name side by side."""
        options = self._profile.options
        transport, first = await asyncio.get_running_loop().create_connection(
            lambda: _FirstBytes(session_factory(), self),
            remote_host,
            remote_port,
            family=options.family,
            local_addr=options.local_addr,
            happy_eyeballs_delay=None if _is_address(remote_host) else HAPPY_EYEBALLS_S,
        )
        return transport, first.connection


def _is_address(host: str) -> bool:
    """Tell whether it is one already, so that there are no others to try beside it."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class ProxyDoor(Door):
    """Runs a proxy command, and talks through its standard input and output."""

    def __init__(self, command: str) -> None:
        super().__init__()
        self._command = command
        self._running: set[ProcessChannel] = set()

    async def create_connection(
        self, session_factory: ConnectionFactory, remote_host: str, remote_port: int
    ) -> tuple[Any, asyncssh.SSHClientConnection]:
        """Start the command as ssh does; where it leads was written into it already."""
        from octogram_tui.transport.local import start_process

        stream = _CommandStream(session_factory(), self)
        stream.start(start_process(("/bin/sh", "-c", f"exec {self._command}"), stream, self._running))
        return stream, stream.connection


class _FirstBytes(asyncio.Protocol):
    """Stands in for a connection until its first bytes, notes them, and steps aside."""

    def __init__(self, connection: asyncssh.SSHClientConnection, door: Door) -> None:
        self.connection = connection
        self._door = door
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.connection.connection_made(GatheringTransport(transport))  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        self._door.greeting = data[:GREETING_BYTES]
        if self._transport is not None and not self._transport.is_closing():
            self._transport.set_protocol(self.connection)
        self.connection.data_received(data)

    def eof_received(self) -> None:
        self.connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.connection.connection_lost(exc)


class _CommandStream:
    """A process as what the library takes for a transport, and the library's connection as the process's receiver."""

    def __init__(self, connection: asyncssh.SSHClientConnection, door: Door) -> None:
        self.connection = connection
        self._door = door
        self._process: ProcessChannel

    def start(self, process: ProcessChannel) -> None:
        """Begin to talk."""
        self._process = process
        self.connection.connection_made(self)  # type: ignore[arg-type]

    # What the library calls.

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """There is no socket, and so there are no addresses."""
        return default

    def write(self, data: bytes) -> None:
        self._process.write(data)

    def is_closing(self) -> bool:
        return self._process.is_closed

    def abort(self) -> None:
        self._process.abort()

    def close(self) -> None:
        self._process.abort()

    # What the process's channel calls.

    def data_received(self, data: bytes) -> None:
        if not self._door.greeting:
            self._door.greeting = data[:GREETING_BYTES]
        self.connection.data_received(data)

    def stderr_received(self, data: bytes) -> None:
        self._door.complaint = ending_bytes(self._door.complaint + data, COMPLAINT_BYTES)

    def channel_closed(self, error: TransportError | None) -> None:
        self.connection.connection_lost(error)
