"""One machine, as one user: a few connections that its agents share, made on demand and closed by the last user."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Hashable, Sequence
from typing import Any

import asyncssh

from octogram_tui.errors import ConnectFailed, TransportError
from octogram_tui.transport.base import Receiver, TerminalKind
from octogram_tui.transport.ssh.channel import PACKET_BYTES, SocketChannel, SshChannel, remote_command
from octogram_tui.transport.ssh.dial import CLOSE_S, Dialler
from octogram_tui.transport.ssh.faults import Sight, classify, lost, no_session
from octogram_tui.transport.ssh.handshakes import HandshakeLimit, server_name
from octogram_tui.transport.ssh.profile import Profile

SESSION_SEATS = 8  # channels on one connection; sshd allows 10 (MaxSessions)
TUNNEL_SEATS = 64  # connections carried by one connection to a jump host: these do not count as sessions
OPEN_TIMEOUT_S = 15.0
OPEN_ATTEMPTS = 16
TRIES = 2  # where a server has opened channels: it may not have seen yet that the last one is over


class Shared:
    """One connection of a machine, being made or made."""

    def __init__(self, seats: int) -> None:
        self.seats = seats
        self.taken = 0
        self.confirmed = 0  # channels that the server has opened
        self.tries = 0  # that it is worth to make here when the server refuses a channel, and we have no other one
        self.is_lost = False
        self.making: asyncio.Task[asyncssh.SSHClientConnection]

    @property
    def has_seat(self) -> bool:
        """Tell whether a further channel may be tried here."""
        return not self.is_lost and self.taken < self.seats

    @property
    def is_made(self) -> bool:
        """Tell whether the login has succeeded, and holds."""
        return not self.is_lost and self.making.done()


class Seat:
    """The right to one channel on a connection; given back once, however often that is asked."""

    def __init__(self, shared: Shared, roomy: dict[Shared, None]) -> None:
        """roomy: where connections are noted that may have a seat."""
        self.shared = shared
        self._roomy = roomy
        self._is_taken = True
        self._is_confirmed = False
        shared.taken += 1

    def confirm(self) -> None:
        """The server has opened the channel."""
        self._is_confirmed = True
        self.shared.confirmed += 1
        self.shared.tries = TRIES

    def leave(self) -> None:
        """Make room for another channel."""
        if self._is_taken:
            self._is_taken = False
            self.shared.taken -= 1
            if not self.shared.is_lost:
                self._roomy[self.shared] = None
            self.shared.confirmed -= self._is_confirmed


class Machine:
    """All connections to one machine as one user, for agents or for what lies behind it."""

    def __init__(self, profile: Profile, dialler: Dialler, via: Machine | None, seats: int = SESSION_SEATS) -> None:
        self.profile = profile
        self._dialler = dialler
        self._via = via
        self._seats = seats
        self._connections: dict[Shared, None] = {}  # in the order in which they were made
        self._roomy: dict[Shared, None] = {}  # those of them that may have a seat
        self._users: set[object] = set()

    @property
    def handshake_limit(self) -> HandshakeLimit:
        """Where handshakes queue: at the server, or at the jump host that carries them."""
        if self._via is not None:
            return self._via.handshake_limit
        return self._dialler.handshakes.of(self.profile.host, self.profile.port)

    def retain(self, user: object) -> None:
        """Keep the connections while `user` is there."""
        if not self._users and self._via is not None:
            self._via.retain(self)
        self._users.add(user)

    async def release(self, user: object) -> None:
        """Close the connections when the last user leaves. Bounded in time; never raises."""
        if user in self._users:
            self._users.discard(user)
            if not self._users:
                connections, self._connections = self._connections, {}
                await asyncio.gather(*(_close(shared) for shared in connections), return_exceptions=True)
                if self._via is not None:
                    await self._via.release(self)

    def location(self, seat: Seat) -> Hashable:
        """Tell which machine a connection leads to, whatever its name, user or port; of a made one only."""
        profile = self.profile
        if profile.is_direct:
            peer = seat.shared.making.result().get_extra_info("peername")
            return server_name(str(peer[0])) if peer else profile.host.lower()
        return self._via.profile.host if self._via is not None else profile.proxy_command, profile.host.lower()

    async def open(
        self,
        argv: Sequence[str],
        receiver: Receiver,
        window_bytes: int,
        seat: Seat | None = None,
        terminal: TerminalKind | None = None,
    ) -> SshChannel:
        """Start a command: where a seat was taken for it, or on some connection; in a terminal of its own there.

        Raises TransportError.
        """
        place = self.profile.place
        command = remote_command(argv)
        failure: TransportError | None = None
        for _ in range(OPEN_ATTEMPTS):
            seat, connection = await self._seated(seat)
            taken, seat = seat, None
            shared = taken.shared
            try:
                channel = self._channel(receiver, taken)
                await _opened(_session(connection, command, channel, window_bytes, terminal), channel, taken)
                return channel
            except asyncssh.ChannelOpenError as error:
                taken.leave()
                failure = no_session(error, place)
                if error.code == asyncssh.constants.OPEN_REQUEST_SESSION_FAILED and not shared.is_lost:
                    raise failure from error
                if not shared.is_lost:
                    if not shared.taken:
                        if not shared.tries:
                            raise failure from error
                        shared.tries -= 1
                        shared.seats *= bool(shared.tries)  # then elsewhere: what we have left may not have ended there
                        continue
                    # The server allows fewer sessions than we thought: no more here, nor on connections to come.
                    shared.seats = self._seats = max(1, shared.confirmed)
                    self._dialler.note(
                        f"the server of {place} allows fewer commands on one connection than usual (MaxSessions): "
                        "it gets more connections"
                    )
            except TimeoutError as error:
                shared.seats = 0  # whatever is wrong with this connection, nobody else should wait for it
                raise classify(error, place, Sight("auth", timeout_s=OPEN_TIMEOUT_S)) from error
            except (asyncssh.Error, OSError) as error:
                taken.leave()
                failure = lost(error, place)
        assert failure is not None
        raise failure

    async def _seated(self, seat: Seat | None) -> tuple[Seat, asyncssh.SSHClientConnection]:
        """Give the seat that was taken, where its connection is still there, or another one. Raises TransportError."""
        if seat is not None:
            if not seat.shared.is_lost:
                return seat, seat.shared.making.result()
            seat.leave()
        return await self.take_seat()

    async def connect(self, path: str, receiver: Receiver, window_bytes: int, seat: Seat | None) -> SshChannel:
        """Have the server connect to a socket of its machine. Raises TransportError."""
        seat, connection = await self._seated(seat)
        channel = SocketChannel(receiver, lambda error: lost(error, self.profile.place), seat.confirm, seat.leave)
        opening = connection.create_unix_connection(
            lambda: channel,  # type: ignore[arg-type,return-value]  # it is called as any session is
            path,
            window=window_bytes,
            max_pktsize=PACKET_BYTES,
        )
        try:
            await _opened(opening, channel, seat)
        except asyncssh.ChannelOpenError as error:
            seat.leave()
            raise no_session(error, self.profile.place) from error
        except TimeoutError as error:
            raise classify(error, self.profile.place, Sight("auth", timeout_s=OPEN_TIMEOUT_S)) from error
        except (asyncssh.Error, OSError) as error:
            seat.leave()
            raise lost(error, self.profile.place) from error
        return channel

    async def take_seat(self) -> tuple[Seat, asyncssh.SSHClientConnection]:
        """Reserve a channel on a connection, which is made if need be. Raises TransportError.

        While nobody has logged in yet only one connection is tried, and its failure is everybody's: a wrong key is
        offered once, and a server in trouble is not stormed.
        """
        for _ in range(OPEN_ATTEMPTS):
            shared = self._with_seat()
            if shared is None and self._connections and not any(shared.is_made for shared in self._connections):
                await self._made(next(iter(self._connections)))
                continue
            if shared is None:
                shared = self._add()
            seat = Seat(shared, self._roomy)
            try:
                connection = await self._made(shared)
            except BaseException:
                seat.leave()
                raise
            if not shared.is_lost:
                return seat, connection
            seat.leave()
        raise ConnectFailed(
            f"cannot reach {self.profile.place}: connections are lost as soon as they are made", code="net.reset"
        )

    def _with_seat(self) -> Shared | None:
        """Find a connection with a seat; those without one are not looked at again until somebody leaves them."""
        while self._roomy:
            shared = next(iter(self._roomy))
            if shared.has_seat:
                return shared
            del self._roomy[shared]
        return None

    def _channel(self, receiver: Receiver, seat: Seat) -> SshChannel:
        return SshChannel(receiver, lambda error: lost(error, self.profile.place), seat.confirm, seat.leave)

    def _add(self) -> Shared:
        shared = Shared(self._seats)
        shared.making = asyncio.ensure_future(self._make(shared))
        shared.making.add_done_callback(retrieve)
        self._connections[shared] = self._roomy[shared] = None
        return shared

    async def _made(self, shared: Shared) -> asyncssh.SSHClientConnection:
        """Wait for a connection that others may be waiting for too."""
        try:
            return await asyncio.shield(shared.making)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise ConnectFailed(f"cannot reach {self.profile.place}: the transport is being closed") from None

    async def _make(self, shared: Shared) -> asyncssh.SSHClientConnection:
        behind: Seat | None = None

        def is_lost(_: Exception | None) -> None:
            shared.is_lost = True
            self._connections.pop(shared, None)
            self._roomy.pop(shared, None)
            if behind is not None:
                behind.leave()

        try:
            tunnel: asyncssh.SSHClientConnection | None = None
            if self._via is not None:  # before any turn is taken: the jump host's own handshake needs one too
                behind, tunnel = await self._through(self._via)
            return await self._dialler.dial(self.profile, self.handshake_limit, tunnel, is_lost)
        except BaseException as error:
            is_lost(None)
            if isinstance(error, TransportError) and error.code == "net.forwarding" and self._via is not None:
                error.jump = str(self._via.profile.place)
            raise

    async def _through(self, via: Machine) -> tuple[Seat, asyncssh.SSHClientConnection]:
        """Take a seat at the jump host; what is wrong with it is told as its own. Raises TransportError."""
        try:
            return await via.take_seat()
        except TransportError as error:
            if not error.jump:
                error.jump = str(via.profile.place)
                error.message = error.message.replace(error.jump, f"the jump machine {error.jump}", 1)
            raise


def _session(
    connection: asyncssh.SSHClientConnection,
    command: str,
    channel: SshChannel,
    window_bytes: int,
    terminal: TerminalKind | None,
) -> Coroutine[Any, Any, object]:
    """Have a session opened, and the command started in it."""
    return connection.create_session(
        lambda: channel,
        command,
        encoding=None,
        request_pty="force" if terminal is not None else False,
        term_type=terminal.name if terminal is not None else None,
        term_size=terminal.size if terminal is not None else (0, 0),
        window=window_bytes,
        max_pktsize=PACKET_BYTES,
    )


async def _opened(opening: Coroutine[Any, Any, object], channel: SshChannel, seat: Seat) -> None:
    """Wait until a channel is open; what comes of it after nobody waits any more is dropped."""

    def drop(finished: asyncio.Future[object]) -> None:
        if finished.cancelled() or finished.exception() is not None:
            seat.leave()
        else:
            channel.abort()

    task = asyncio.ensure_future(opening)
    try:
        done, _ = await asyncio.wait({task}, timeout=OPEN_TIMEOUT_S)
    except asyncio.CancelledError:
        task.add_done_callback(drop)
        raise
    if not done:
        task.add_done_callback(drop)
        raise TimeoutError
    task.result()


async def _close(shared: Shared) -> None:
    """End a connection, or the making of it; what does not come down in time is cut."""
    shared.is_lost = True
    if not shared.making.done():
        shared.making.cancel()
        await asyncio.wait({shared.making}, timeout=CLOSE_S)
    if shared.making.done() and not shared.making.cancelled() and shared.making.exception() is None:
        connection = shared.making.result()
        connection.close()
        try:
            await asyncio.wait_for(connection.wait_closed(), CLOSE_S)
        except TimeoutError:
            connection.abort()


def retrieve(finished: asyncio.Task[Any]) -> None:
    """Look at an exception that those who waited for may not be there to look at any more."""
    if not finished.cancelled():
        finished.exception()
