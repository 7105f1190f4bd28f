"""One agent's life as seen from here: boot, greeting, jobs, loss and reattachment, stop. Wire message <-> stimulus."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from agentd import PROTOCOL
from agentd.wire import LineFramer, WireError, encode
from octogram_tui.engine.stimuli import (
    AgentCameBack,
    AgentCameUp,
    AgentEnded,
    AgentStartFailed,
    AgentWasLost,
    AgentWentSilent,
    AttemptEnded,
    OutputCame,
    ProgressCame,
    ServiceReported,
    Stimulus,
)
from octogram_tui.errors import BootstrapFailed, LinkLost, ProtocolError, TransportError
from octogram_tui.model.scenario import AgentSpec, BinarySource
from octogram_tui.transport.base import Channel, Transport
from octogram_tui.transport.bundle import BootReader, Bundle, Failed, Need, Started, boot_argv, local_argv

GREETING_S = 60.0  # from an open channel to the daemon's answer, a slow machine's first unpacking included
SUSPECT_S = 10.0  # without a byte: the agent is shown as suspect
SILENCE_S = 20.0  # without a byte: the connection is given up and made again
ACK_AFTER_S = 0.2
ACK_AFTER_MESSAGES = 64
CREDIT_AFTER_BYTES = 64 * 1024
STOP_GRACE_S = 10.0
STOP_SLACK_S = 10.0  # beyond the grace: KILL, two scans, removal of the home directory
FORCED_STOP_S = 4.0
STDERR_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What all links of a run share."""

    run: str
    lease_s: float
    source: BinarySource
    bundle: Bundle
    keep: bool = False
    procedures: list[dict[str, str]] = field(default_factory=list)


class Link:
    """The connection to one agent's daemon, through however many channels it takes."""

    def __init__(
        self,
        spec: AgentSpec,
        transport: Transport,
        settings: LinkSettings,
        report: Callable[[Stimulus], None],
        first_boot: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        self.spec = spec
        self.transport = transport
        self._settings = settings
        self._report = report
        self._first_boot = first_boot
        self._loop = asyncio.get_running_loop()
        self._channel: Channel | None = None
        self._attachment: _Attachment | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._epoch = 0
        self._tx_seq = 0
        self._rx_seq = 0
        self._acked_rx = 0
        self._unacked: deque[tuple[int, bytes]] = deque()
        self._ack_timer: asyncio.TimerHandle | None = None
        self._taken_bytes = 0
        self._beats = 0
        self._last_heard_s = self._loop.time()
        self._is_suspect = False
        self._was_up = False
        self._is_over = False
        self._daemon: tuple[Any, Any] | None = None  # which daemon we talk to: process id and boot of its machine
        self._is_replaced = False  # it died, and the one that took its place was told to end
        self._stopped: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._tails: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.home = ""

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Bring the daemon up, and keep the connection until `stop`."""
        self._task = self._loop.create_task(self._live(), name=f"link {self.spec.name}")

    async def _live(self) -> None:
        try:
            welcome = await self._attach()
        except TransportError as error:
            self._is_over = True
            self._report(AgentStartFailed(self.spec.name, error.code, error.message, error.hint, int(error.exit_code)))
            return
        self._was_up = True
        self._daemon = self._identity(welcome)
        self.home = str(welcome.get("home", ""))
        self._report(AgentCameUp(
            self.spec.name, self.home, str(welcome.get("host", "")), str(welcome.get("python", "")),
            int(welcome.get("pid") or 0)))
        while (attachment := self._attachment) is not None:
            await attachment.closed.wait()
            if self._is_over:
                return
            self._channel = None
            reason = str(attachment.error or "the daemon closed the connection")
            if not self._is_suspect:
                self._is_suspect = True
                self._report(AgentWentSilent(self.spec.name, reason))
            if not await self._reattach(reason):
                return
            self._is_suspect = False
            self._report(AgentCameBack(self.spec.name))

    async def _reattach(self, reason: str) -> bool:
        """Try until the daemon's lease and its grace must be over. False when the agent is given up."""
        fence_s = self._loop.time() + self._settings.lease_s + STOP_GRACE_S
        delay_s = 0.25
        while True:
            await asyncio.sleep(random.uniform(0, delay_s))
            delay_s = min(delay_s * 2, 15.0)
            try:
                welcome = await self._attach()
            except TransportError as error:
                if error.is_retryable and self._loop.time() < fence_s:
                    continue
                self._give_up(f"{reason}; {error.message}")
                return False
            if self._identity(welcome) != self._daemon:
                # A new daemon answered: the old one has died. The new one has swept what it left, and ends too.
                self._is_replaced = True
                self._report(AgentWasLost(self.spec.name, f"{reason}: the daemon had died"))
                self._send({"t": "stop", "grace_s": 0.0, "keep": self._settings.keep})
                return False
            return True

    @staticmethod
    def _identity(welcome: dict[str, Any]) -> tuple[Any, Any]:
        return welcome.get("pid"), welcome.get("boot")

    def _give_up(self, message: str) -> None:
        self._is_over = True
        self._report(AgentWasLost(self.spec.name, message))
        if not self._stopped.done():
            self._stopped.set_result({"remaining": [], "lost": message})

    # -- attaching ------------------------------------------------------------------------------------------------

    async def _attach(self) -> dict[str, Any]:
        """Open a channel, boot, greet. Gives the welcome. Raises TransportError."""
        self._epoch += 1
        attachment = _Attachment(self)
        nonce = secrets.token_hex(8)
        attachment.reader = BootReader(nonce)
        argv = self._argv(nonce, ["attach", "--run", self._settings.run, "--agent", self.spec.name])
        try:
            async with asyncio.timeout(None) as limit:
                async with self._first_boot():
                    channel = await self.transport.open(argv, attachment)
                    attachment.channel = channel
                    limit.reschedule(self._loop.time() + GREETING_S)
                    await self._boot(attachment, channel)
                self._greet(channel)
                welcome = await attachment.welcome
        except TimeoutError:
            attachment.abort()
            raise BootstrapFailed(
                f"agent {self.spec.name}: no answer from {self.transport.description} within {GREETING_S:.0f} s",
                code="boot.timeout") from None
        except BaseException:
            attachment.abort()
            raise
        self._attachment = attachment
        self._channel = channel
        self._last_heard_s = self._loop.time()
        if self._daemon not in (None, self._identity(welcome)):
            # It knows nothing of what was said before: both numberings begin anew.
            self._unacked.clear()
            self._tx_seq = self._rx_seq = self._acked_rx = 0
            return welcome
        seen = int(welcome.get("rx", 0))
        while self._unacked and self._unacked[0][0] <= seen:
            self._unacked.popleft()
        for _, line in self._unacked:
            channel.write(line)
        return welcome

    async def _boot(self, attachment: _Attachment, channel: Channel) -> None:
        """Wait until the daemon's program runs; send it when the machine does not have it."""
        event = await attachment.booted
        if isinstance(event, Need):
            channel.write(self._settings.bundle.data)
            await channel.drain()
            event = await attachment.started
        if isinstance(event, Failed):
            raise BootstrapFailed(
                f"agent {self.spec.name}: {event.message}", code=event.code or "boot.failed",
                hint=f"on {self.transport.description}")

    def _greet(self, channel: Channel) -> None:
        address = self.spec.address or "127.0.0.1"
        channel.write(encode({
            "t": "hello", "proto": list(PROTOCOL), "run": self._settings.run, "agent": self.spec.name,
            "epoch": self._epoch, "lease_s": self._settings.lease_s, "rx": self._rx_seq, "address": address,
            "env": dict(self.spec.env), "procedures": self._settings.procedures, "keep": self._settings.keep,
            "bind": address if address.startswith("127.") else "127.0.0.1" if address in ("localhost", "::1") else "::",
        }))

    # -- to the agent ---------------------------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        if self._channel is not None:
            self._channel.write(data)

    def _send(self, message: dict[str, Any]) -> None:
        """Send what must not be lost: numbered, and kept until acknowledged."""
        self._tx_seq += 1
        message["seq"] = self._tx_seq
        line = encode(message)
        self._unacked.append((self._tx_seq, line))
        self._write(line)

    def run(self, attempt_id: str, procedure: str, arguments: dict[str, Any], timeout_s: float | None) -> None:
        """Have an attempt executed, once."""
        message: dict[str, Any] = {"t": "run", "id": attempt_id, "procedure": procedure, "args": arguments}
        if timeout_s is not None:
            message["timeout_s"] = timeout_s
        self._send(message)

    def cancel(self, attempt_id: str, reason: str) -> None:
        """Have an attempt ended; its `finished` answers."""
        self._send({"t": "cancel", "id": attempt_id, "reason": reason})

    def stream_argv(self, subcommand: str) -> list[str]:
        """Give the command that runs `put` or `get` of the daemon's program there, on a channel of its own."""
        return self._argv(secrets.token_hex(8), [subcommand])

    def _argv(self, nonce: str, arguments: list[str]) -> list[str]:
        if self.spec.transport == "local":
            return local_argv(nonce=nonce, args=arguments, python=self.spec.python)
        settings = self._settings
        return boot_argv(
            settings.source, settings.bundle, python=self.spec.python, nonce=nonce, args=arguments)

    async def tail(self, process: str, size_bytes: int) -> dict[str, Any]:
        """Ask for more of a log: {lines, size_bytes} or {error}. Raises LinkLost."""
        if self._channel is None:
            raise LinkLost(f"agent {self.spec.name} is not connected")
        request = len(self._tails) + 1
        future = self._tails[request] = self._loop.create_future()
        self._write(encode({"t": "tail", "request": request, "process": process, "bytes": size_bytes}))
        try:
            return await asyncio.wait_for(future, 10)
        except TimeoutError:
            raise LinkLost(f"agent {self.spec.name} did not answer within 10 s") from None
        finally:
            del self._tails[request]

    def beat(self) -> None:
        """Give a sign of life, and judge the other side's. Called every few seconds."""
        if self._channel is None or self._is_over:
            return
        self._beats += 1
        self._write(encode({"t": "hb", "n": self._beats}))
        silent_s = self._loop.time() - self._last_heard_s
        if silent_s > SILENCE_S:
            attachment = self._attachment
            assert attachment is not None
            attachment.close(LinkLost(f"nothing heard for {silent_s:.0f} s"))
            attachment.abort()
        elif silent_s > SUSPECT_S and not self._is_suspect:
            self._is_suspect = True
            self._report(AgentWentSilent(self.spec.name, f"nothing heard for {silent_s:.0f} s"))

    # -- from the agent -------------------------------------------------------------------------------------------

    def take(self, attachment: _Attachment, messages: list[dict[str, Any]]) -> None:
        """Take what an attachment received. A fault in it ends the attachment."""
        self._last_heard_s = self._loop.time()
        for message in messages:
            try:
                self._take_one(attachment, message)
            except (KeyError, TypeError, ValueError) as error:
                attachment.close(ProtocolError(
                    f"agent {self.spec.name} broke the protocol: {message.get('t')!r} message: {error!r}"))
                attachment.abort()
                return

    def _take_one(self, attachment: _Attachment, message: dict[str, Any]) -> None:
        kind = message["t"]
        if "seq" in message and kind != "ack":
            seq = int(message["seq"])
            if seq <= self._rx_seq:
                return
            if seq != self._rx_seq + 1:
                raise ValueError(f"message {seq} after {self._rx_seq}")
            self._rx_seq = seq
            self._plan_ack()
        if kind == "finished":
            self._report(AttemptEnded(
                message["id"], message["state"], message.get("result"), message.get("error"),
                float(message.get("duration_s") or 0.0)))
        elif kind == "output":
            self._report(OutputCame(
                self.spec.name, message.get("id", ""), list(message["lines"]), message.get("stream", "stdout"),
                message.get("process", ""), int(message.get("dropped") or 0)))
            self._return_credit(int(message.get("bytes") or 0))
        elif kind == "progress":
            self._report(ProgressCame(message["id"], str(message["text"])))
        elif kind == "service":
            self._report(ServiceReported(
                self.spec.name, message["kind"], message["name"],
                {str(k): int(v) for k, v in message["ports"].items()}, message["state"], message.get("reason", "")))
        elif kind == "ack":
            while self._unacked and self._unacked[0][0] <= int(message["seq"]):
                self._unacked.popleft()
        elif kind == "hb":
            if self._is_suspect and self._was_up:
                self._is_suspect = False
                self._report(AgentCameBack(self.spec.name))
        elif kind == "welcome":
            if not attachment.welcome.done():
                attachment.welcome.set_result(message)
        elif kind == "reject":
            if not attachment.welcome.done():
                attachment.welcome.set_exception(ProtocolError(
                    f"agent {self.spec.name} refused us: {message.get('detail') or message.get('code')}",
                    code=f"agent.{message.get('code')}"))
        elif kind == "log":
            future = self._tails.get(int(message["request"]))
            if future is not None and not future.done():
                future.set_result(message)
        elif kind == "stopped" and not self._stopped.done():
            self._stopped.set_result(message)

    def _plan_ack(self) -> None:
        if self._rx_seq - self._acked_rx >= ACK_AFTER_MESSAGES:
            self._ack()
        elif self._ack_timer is None:
            self._ack_timer = self._loop.call_later(ACK_AFTER_S, self._ack)

    def _ack(self) -> None:
        if self._ack_timer is not None:
            self._ack_timer.cancel()
            self._ack_timer = None
        if self._acked_rx < self._rx_seq:
            self._acked_rx = self._rx_seq
            self._write(encode({"t": "ack", "seq": self._rx_seq}))

    def _return_credit(self, size_bytes: int) -> None:
        self._taken_bytes += size_bytes
        if self._taken_bytes >= CREDIT_AFTER_BYTES:
            self._write(encode({"t": "credit", "bytes": self._taken_bytes}))
            self._taken_bytes = 0

    # -- the end --------------------------------------------------------------------------------------------------

    def stop(self, *, force: bool) -> None:
        """Have the daemon stop everything and end; AgentEnded is reported within a bounded time."""
        if self._stopping is not None:
            if not force:
                return
            self._stopping.cancel()
        self._stopping = self._loop.create_task(self._stop(force), name=f"stop {self.spec.name}")

    async def _stop(self, force: bool) -> None:
        name = self.spec.name
        if not self._was_up:
            # It may be anywhere in its boot: dropping the channel ends it, for a daemon needs a greeting to live.
            self._is_over = True
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait([self._task], timeout=2)
            self._report(AgentEnded(name))
            return
        grace_s = 0.0 if force else STOP_GRACE_S
        if not self._is_over and not self._is_replaced:
            self._send({"t": "stop", "grace_s": grace_s, "keep": self._settings.keep})
        limit_s = FORCED_STOP_S if force else STOP_GRACE_S + STOP_SLACK_S
        try:
            answer = await asyncio.wait_for(asyncio.shield(self._stopped), limit_s)
        except TimeoutError:
            answer = {"remaining": [], "lost": f"no confirmation within {limit_s:.0f} s"}
        self._is_over = True
        self._ack()
        lost = answer.get("lost", "")
        remaining = tuple(answer.get("remaining") or ())
        message = f"{lost}; its lease ends what is left within {self._settings.lease_s:.0f} s" if lost else ""
        self._report(AgentEnded(name, is_clean=not lost and not remaining, remaining=remaining, message=message))

    async def stopped(self) -> None:
        """Wait until `stop` has been answered or given up."""
        if self._stopping is not None:
            await asyncio.wait([self._stopping])

    async def close(self) -> None:
        """Let go of channel and transport, in bounded time."""
        self._is_over = True
        if self._ack_timer is not None:
            self._ack_timer.cancel()
        for task in (self._task, self._stopping):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=2)
        if self._channel is not None:
            self._channel.write_eof()
            try:
                await asyncio.wait_for(self._channel.wait_closed(), 1.0)
            except TimeoutError:
                self._channel.abort()
        await self.transport.close()


class _Attachment:
    """One channel's worth of connection: the boot's words first, then messages."""

    def __init__(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        self._link = link
        self._framer = LineFramer()
        self._stderr = b""
        self.reader: BootReader | None = None
        self.channel: Channel | None = None
        self.booted: asyncio.Future[Need | Started | Failed] = loop.create_future()
        self.started: asyncio.Future[Started | Failed] = loop.create_future()
        self.welcome: asyncio.Future[dict[str, Any]] = loop.create_future()
        self.closed = asyncio.Event()
        self.error: TransportError | None = None

    def data_received(self, data: bytes) -> None:
        """Take bytes from the channel."""
        if self.closed.is_set():
            return
        try:
            if self.reader is not None:
                data = self._boot(self.reader, data)
            if data:
                self._link.take(self, self._framer.feed(data))
        except WireError as error:
            self.close(ProtocolError(f"agent {self._link.spec.name} broke the protocol: {error}"))
            self.abort()

    def _boot(self, reader: BootReader, data: bytes) -> bytes:
        """Take the boot's words; gives what follows them, which is messages."""
        for event in reader.feed(data):
            if not self.booted.done() and isinstance(event, Need | Started | Failed):
                self.booted.set_result(event)
            if isinstance(event, Started | Failed) and not self.started.done():
                self.started.set_result(event)
            if isinstance(event, Started):
                self.reader = None
                return event.rest
        return b""

    def stderr_received(self, data: bytes) -> None:
        """Keep the end of what the other side complains about."""
        self._stderr = (self._stderr + data)[-STDERR_TAIL_BYTES:]

    def channel_closed(self, error: TransportError | None) -> None:
        """The channel is gone."""
        self.close(error)

    def close(self, error: TransportError | None) -> None:
        """Settle everything that somebody waits for."""
        if self.closed.is_set():
            return
        self.error = error
        self.closed.set()
        if not self.welcome.done():
            said = self._stderr.decode("utf-8", "replace").strip().splitlines()
            text = f": {said[-1][:300]}" if said else ""
            failure = error or BootstrapFailed(
                f"agent {self._link.spec.name}: the daemon did not start on {self._link.transport.description}{text}")
            for future in (self.booted, self.started, self.welcome):
                if not future.done():
                    future.set_exception(failure)
                    future.exception()  # whoever waits for another of the three leaves this one unread

    def abort(self) -> None:
        """Drop the channel."""
        if self.channel is not None:
            self.channel.abort()
        for future in (self.booted, self.started, self.welcome):
            if not future.done():
                future.cancel()
