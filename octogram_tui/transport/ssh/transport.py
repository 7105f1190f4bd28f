"""The way to one agent's machine over SSH, and all the machines of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from itertools import islice

from octogram_tui.errors import ConnectFailed, TransportError
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport.base import Receiver, TerminalKind
from octogram_tui.transport.destination import Destination
from octogram_tui.transport.ssh.channel import SshChannel
from octogram_tui.transport.ssh.dial import Dialler
from octogram_tui.transport.ssh.faults import Sight, classify
from octogram_tui.transport.ssh.machine import SESSION_SEATS, TUNNEL_SEATS, Machine, Seat, retrieve
from octogram_tui.transport.ssh.profile import Made, Profile, Request, resolve
from octogram_tui.transport.sshconfig import config_files
from octogram_tui.transport.unawaited import Unawaited

CONTROL_WINDOW_BYTES = 256 * 1024
BULK_WINDOW_BYTES = 2 * 1024 * 1024
MAX_JUMPS = 8
RESOLVED_S = 0.2
AT_ONCE = 16  # requests that are resolved in one go


class Machines:
    """Every machine of a run, by what the ssh configuration makes of it. Used from one event loop."""

    def __init__(
        self,
        *,
        ssh_config: str | None = None,
        accept_new: bool = False,
        on_note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ssh_config = ssh_config
        self._dialler = Dialler(accept_new=accept_new)
        self._dialler.on_note = on_note
        self._profiles: dict[Request, asyncio.Future[Profile]] = {}
        self._asked: list[Request] = []  # in this turn of the loop
        self._resolving: set[asyncio.Task[None]] = set()
        self._runs_commands = False  # the configuration does: one may take long, and others are not to wait for it
        self._made = Made({}, {})
        self._threads = Unawaited()
        self._machines: dict[tuple[object, ...], Machine] = {}

    @property
    def notes(self) -> list[str]:
        """What went on all the same, and somebody should know, as a known_hosts that could not be written."""
        return self._dialler.notes

    @property
    def known_hosts_problems(self) -> list[str]:
        """The lines of known_hosts files that were skipped, once each."""
        profiles = [machine.profile for machine in self._machines.values()]
        return list(dict.fromkeys(problem for profile in profiles for problem in profile.known_hosts.problems))

    async def machine(
        self, request: Request, *, seats: int = SESSION_SEATS, via: Machine | None = None, depth: int = 0
    ) -> Machine:
        """Find the machine that a request leads to, with the jump hosts before it. Raises TransportError."""
        profile = await self.profile(request)
        if via is None and profile.jumps:
            if depth >= MAX_JUMPS:
                failure = ConnectFailed(
                    f"cannot reach {request.address}: its ProxyJump leads round in a circle",
                    hint="exclude the jump host itself from the block that sets ProxyJump",
                    code="net.config",
                )
                failure.is_retryable = False
                raise failure
            for hop in profile.jumps:
                via = await self.machine(hop, seats=TUNNEL_SEATS, via=via, depth=depth + 1)
        key = (profile.key, seats, via)
        if key not in self._machines:
            self._machines[key] = Machine(profile, self._dialler, via, seats)
        return self._machines[key]

    async def profile(self, request: Request) -> Profile:
        """Resolve a request, once. Raises TransportError; a failure is not kept, so that it can be mended."""
        resolving = self._profiles.get(request)
        if resolving is None:
            resolving = self._profiles[request] = asyncio.get_running_loop().create_future()
            if not self._asked:
                asyncio.get_running_loop().call_soon(self._resolve_asked)
            self._asked.append(request)
        try:
            return await asyncio.shield(resolving)
        except TransportError:
            if self._profiles.get(request) is resolving:
                del self._profiles[request]
            raise

    async def resolved(self) -> None:
        """Wait for what was asked right now, if it does not take long."""
        for _ in range(2):
            await asyncio.sleep(0)  # whoever was begun asks; then all of them are taken together
        if self._resolving:
            await asyncio.wait(self._resolving, timeout=RESOLVED_S)

    def _resolve_asked(self) -> None:
        asked, self._asked = self._asked, []
        task = asyncio.get_running_loop().create_task(self._resolve_all(asked))
        self._resolving.add(task)
        task.add_done_callback(self._resolving.discard)

    async def _resolve_all(self, requests: list[Request]) -> None:
        done = 0
        while done < len(requests):
            if self._runs_commands:
                left = islice(requests, done, None)
                await asyncio.gather(*(self._resolve_some([request]) for request in left))
                return
            done += await self._resolve_some(list(islice(requests, done, done + AT_ONCE)))

    async def _resolve_some(self, requests: list[Request]) -> int:
        """Resolve requests in one go of a thread, as handing each one over takes longer than it does; gives how many.

        That may be less: commands of the user's, which the configuration runs, are not waited for one after the other.
        """
        outcomes = await self._threads.call(self._outcomes, requests)
        for request, outcome in zip(requests, outcomes, strict=False):
            resolving = self._profiles[request]
            if isinstance(outcome, Profile):
                resolving.set_result(outcome)
            else:
                resolving.set_exception(outcome)
                resolving.exception()  # whoever asked may not be there any more
        return len(outcomes)

    def _outcomes(self, requests: list[Request]) -> list[Profile | TransportError]:
        found: list[Profile | TransportError] = []
        for request in requests:
            try:
                profile = resolve(request, config_files(self._ssh_config), self._made)
                found.append(profile)
                if profile.runs_commands:
                    self._runs_commands = True
                    break
            except Exception as error:
                place = Destination(request.user or "", request.address, request.port or 22)
                failure = classify(error, place, Sight())
                failure.__cause__ = error
                found.append(failure)
        return found


class SshTransport:
    """The way to one agent's machine; agents of one machine share its connections."""

    def __init__(self, spec: AgentSpec, machines: Machines) -> None:
        self._agent = spec.name
        self._request = Request(spec.address, spec.port, spec.user, spec.identity)
        self._machines = machines
        self._machine: Machine | None = None
        self._seat: Seat | None = None
        self._ahead: asyncio.Task[Hashable] | None = None
        self._channels: list[SshChannel] = []

    @property
    def description(self) -> str:
        """Where this leads: as configured, once that is known."""
        if self._machine is not None:
            return str(self._machine.profile.place)
        return str(Destination(self._request.user or "", self._request.address, self._request.port))

    @property
    def host(self) -> str:
        """What the configuration makes of the address: `HostName` of an alias."""
        return self._machine.profile.host if self._machine is not None else ""

    def reach_ahead(self) -> None:
        """Begin with what `reach` is to wait for; what comes of it, well or badly, it tells."""
        self._ahead = asyncio.get_running_loop().create_task(self._reach(), name=f"ahead to {self._request.address}")
        self._ahead.add_done_callback(retrieve)

    async def reach(self) -> Hashable:
        """Log in, and keep a seat there for the next command. Gives the machine. Raises TransportError."""
        ahead, self._ahead = self._ahead, None
        return await (self._reach() if ahead is None else ahead)

    async def _reach(self) -> Hashable:
        try:
            machine = await self.machine()
            self._leave_seat()
            self._seat, _ = await machine.take_seat()
            return machine.location(self._seat)
        except TransportError as error:
            raise _for_agent(self._agent, error) from error

    async def open(self, argv: Sequence[str], receiver: Receiver, *, bulk: bool = False) -> SshChannel:
        """Start a command; `bulk` lets more be under way from there, for files. Raises TransportError."""
        try:
            machine = await self.machine()
            seat, self._seat = self._seat, None
            channel = await machine.open(argv, receiver, BULK_WINDOW_BYTES if bulk else CONTROL_WINDOW_BYTES, seat)
        except TransportError as error:
            raise _for_agent(self._agent, error) from error
        self._channels = [*(other for other in self._channels if not other.is_over), channel]
        return channel

    async def connect(self, place: str, receiver: Receiver) -> SshChannel:
        """Have the server connect to a Unix socket there. Raises TransportError, also where it is not allowed to."""
        try:
            machine = await self.machine()
            seat, self._seat = self._seat, None
            channel = await machine.connect(place, receiver, CONTROL_WINDOW_BYTES, seat)
        except TransportError as error:
            raise _for_agent(self._agent, error) from error
        self._channels = [*(other for other in self._channels if not other.is_over), channel]
        return channel

    async def open_terminal(self, argv: Sequence[str], receiver: Receiver, terminal: TerminalKind) -> SshChannel:
        """Start a command in a terminal of its own there, for a person. Raises TransportError."""
        try:
            machine = await self.machine()
            channel = await machine.open(argv, receiver, CONTROL_WINDOW_BYTES, terminal=terminal)
        except TransportError as error:
            raise _for_agent(self._agent, error) from error
        self._channels.append(channel)
        return channel

    async def machine(self) -> Machine:
        """Find the machine, and keep its connections until `close`. Raises TransportError."""
        if self._machine is None:
            self._machine = await self._machines.machine(self._request)
        self._machine.retain(self)
        return self._machine

    async def close(self) -> None:
        """Drop our channels and let go of the machine; its last agent closes the connections. Bounded; never raises."""
        if self._ahead is not None:
            self._ahead.cancel()
        self._leave_seat()
        for channel in self._channels:
            channel.abort()
        self._channels.clear()
        if self._machine is not None:
            await self._machine.release(self)

    def _leave_seat(self) -> None:
        if self._seat is not None:
            self._seat.leave()
            self._seat = None


def _for_agent(agent: str, error: TransportError) -> TransportError:
    """Say the same of one agent: several may share the connection that failed."""
    named = type(error)(f"agent {agent}: {error.message}", hint=error.hint, code=error.code)
    named.exit_code = error.exit_code
    named.is_retryable = error.is_retryable
    named.jump = error.jump
    named.new_key = error.new_key
    return named
