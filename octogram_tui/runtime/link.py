"""One agent's life as seen from here: boot, greeting, jobs, loss and reattachment, stop."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from octogram_agentd import PROTOCOL
from octogram_agentd.network.endpoint import host_to_bind
from octogram_agentd.wire.lines import MAX_LINE_BYTES, encode
from octogram_tui.engine.stimuli import (
    AgentBackReport,
    AgentEndReport,
    AgentLoadReport,
    AgentLossReport,
    AgentSilentReport,
    AgentUpReport,
    AgentWaitReport,
    StartFailureReport,
    Stimulus,
)
from octogram_tui.errors import BootstrapFailed, ExitCode, LinkLost, ProtocolError, TransportError
from octogram_tui.model.ids import AttemptId, Execution
from octogram_tui.model.scenario import AgentSpec, BinarySource
from octogram_tui.runtime.attachment import Attachment
from octogram_tui.runtime.load import LoadGauge
from octogram_tui.runtime.numbering import Numbering
from octogram_tui.runtime.reading import Here, LogEnd, count, read_here, read_known, read_log_end, read_report
from octogram_tui.transport.base import Channel, Transport
from octogram_tui.transport.boots import FirstBoot, OnWait
from octogram_tui.transport.bundle import BOOT_HINTS, Bundle, Failed, Need, boot_argv, local_argv

ACK_AFTER_S = 0.2
ACK_AFTER_MESSAGES = 64
CREDIT_AFTER_BYTES = 64 * 1024
EPOCHS = 1 << 20  # attachments of one process at most, so that those of the next one count higher
MAX_FAULTS = 3  # breaches of the protocol, each of which costs the connection, after which an agent is given up


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a link waits for what."""

    greeting_s: float = 60.0  # from an open channel to the daemon's answer, a slow machine's first unpacking included
    suspect_s: float = 10.0  # without a byte: the agent is shown as suspect
    silence_s: float = 20.0  # without a byte: the connection is given up and made again
    retry_s: float = 0.25  # before the first attempt to make it again; doubled each time
    longest_retry_s: float = 15.0
    hurried_retry_s: float = 0.5  # the same at the end of a run
    stop_grace_s: float = 10.0
    stop_slack_s: float = 10.0  # beyond the grace: KILL, two scans, removal of the home directory
    stop_reattach_s: float = 10.0  # to make a connection again that is down when the agent is to be stopped
    stop_boot_s: float = 5.0  # for a daemon that has been greeted, and has yet to answer
    forced_stop_s: float = 4.0
    close_s: float = 2.0  # for a task or a channel to end that was told to
    tail_s: float = 10.0
    where_s: float = 3.0  # a person waits for a shell, which does without


class Before(NamedTuple):
    """The daemon that an agent had before its run was taken up again: which one it was, and where its files are."""

    birth: str = ""
    home: str = ""


NOBODY = Before()


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What all links of a run share.

    token: the run's secret, which its daemons take from the first greeting, and ask of each later one
    take_up: how often the run was taken up again; nothing is known then of what was said before
    """

    run: str
    lease_s: float
    source: BinarySource
    bundle: Bundle
    keep: bool = False
    procedures: list[dict[str, str]] = field(default_factory=list)
    limits: Limits = Limits()
    token: str = ""
    take_up: int = 0


class Link:
    """The connection to one agent's daemon, through however many channels it takes."""

    def __init__(
        self,
        spec: AgentSpec,
        transport: Transport,
        settings: LinkSettings,
        report: Callable[[Stimulus], None],
        boot: Callable[[OnWait], AbstractAsyncContextManager[FirstBoot]],
        before: Before = NOBODY,
    ) -> None:
        self.spec = spec
        self.transport = transport
        self.home = ""
        self._settings = settings
        self._limits = settings.limits
        self._report = report
        self._boot_turn = boot
        self._loop = asyncio.get_running_loop()
        self._channel: Channel | None = None
        self._attachment: Attachment | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()  # the run ends: no leisure before the next attempt to attach
        self._settled = asyncio.Event()  # the first attachment has been made, or has failed
        self._epoch = settings.take_up * EPOCHS
        self._numbering = Numbering()
        self._before = before
        self._ack_timer: asyncio.TimerHandle | None = None
        self._taken_bytes = 0
        self._beats = 0
        self._faults = 0
        self._last_heard_s = self._loop.time()
        self._gauge = LoadGauge()
        self._is_suspect = False
        self._is_greeted = False
        self._was_up = False
        self._is_over = False
        self._birth = ""  # of the daemon that we talk to
        self._is_replaced = False  # it died, and the one that took its place was told to end
        self._stopped: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._question_count = 0
        self._questions: dict[int, asyncio.Future[Any]] = {}  # that wait for the daemon's answer

    @property
    def address(self) -> str:
        """Where the other agents reach this one: as the scenario says, else where our own connection leads."""
        return self.spec.data_address or self.transport.host or self.spec.address_for_others

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Bring the daemon up, and keep the connection until `stop`."""
        self._task = self._loop.create_task(self._live(), name=f"link {self.spec.name}")

    async def _live(self) -> None:
        try:
            if await self._come_up():
                await self._stay_up()
        except Exception as error:  # ours: it must neither be lost nor leave the run waiting for this agent
            self._tell_defect(error)
            if self._attachment is not None:
                self._attachment.abort()
            self._channel = None
            if self._was_up:
                self._give_up(_defect(error), ExitCode.BUG)
            else:
                self._fail_start("bug", _defect(error), "please report this with the run's journal", ExitCode.BUG)
        finally:
            self._settled.set()

    async def _come_up(self) -> bool:
        try:
            welcome = await self._attach()
        except TransportError as error:
            self._fail_start(error.code, error.message, error.hint, error.exit_code)
            return False
        self._was_up = True
        self._settled.set()
        self.home = str(welcome.get("home", ""))
        self._report(
            AgentUpReport(
                self.spec.name,
                self.home,
                str(welcome.get("host", "")),
                str(welcome.get("python", "")),
                count(welcome.get("pid")),
                self.address,
                self._birth,
                self._birth == self._before.birth,
                read_known(self.spec.name, welcome),
            )
        )
        return True

    async def _stay_up(self) -> None:
        """Make the connection again, whenever it is cut, until all is over."""
        while (attachment := self._attachment) is not None:
            await attachment.closed.wait()
            if self._is_over:
                return
            self._channel = None
            reason = str(attachment.error or "the daemon closed the connection")
            if self._faults >= MAX_FAULTS:
                self._give_up(reason, ExitCode.AGENT_LOST)
                return
            self._suspect(reason)
            if not await self._reattach(reason):
                return
            self._trust_again()

    async def _reattach(self, reason: str) -> bool:
        """Try until the daemon's lease and its grace must be over. False when the agent is given up."""
        limits = self._limits
        fence_s = self._loop.time() + self._settings.lease_s + limits.stop_grace_s
        delay_s = limits.retry_s
        while True:
            await self._wait_to_retry(random.uniform(0, delay_s))
            delay_s = min(delay_s * 2, limits.longest_retry_s)
            birth = self._birth
            try:
                await self._attach()
            except TransportError as error:
                # A daemon that was there and does not answer may be leaving: the next one tells what became of it.
                may_heal = error.is_retryable or isinstance(error, BootstrapFailed)
                if may_heal and self._loop.time() < fence_s and self._faults < MAX_FAULTS:
                    continue
                self._give_up(f"{reason}; {error.message}", ExitCode.AGENT_LOST)
                return False
            if self._birth != birth:
                # A new daemon answered: the old one is gone. The new one has swept what it left, and ends too. When
                # the agent was to be stopped anyway, the old one may have done so, and the new one's word is as good.
                self._is_replaced = True
                if self._stopping is None:
                    self._report(AgentLossReport(self.spec.name, f"{reason}: the daemon had died"))
                self._send({"t": "stop", "grace_s": 0.0, "keep": self._settings.keep})
                return False
            return True

    async def _wait_to_retry(self, delay_s: float) -> None:
        """Wait between two attempts; less when somebody is in a hurry."""
        if self._hurry.is_set():
            await asyncio.sleep(min(delay_s, self._limits.hurried_retry_s))
            return
        try:
            async with asyncio.timeout(delay_s):
                await self._hurry.wait()
        except TimeoutError:
            pass

    def _suspect(self, message: str) -> None:
        if not self._is_suspect:
            self._is_suspect = True
            self._report(AgentSilentReport(self.spec.name, message))

    def _trust_again(self) -> None:
        if self._is_suspect:
            self._is_suspect = False
            self._report(AgentBackReport(self.spec.name))

    def _fail_start(self, code: str, message: str, hint: str, exit_code: ExitCode) -> None:
        self._is_over = True
        if self._stopping is None:  # otherwise nobody asks any more whether it came up
            self._report(StartFailureReport(self.spec.name, code, message, hint, int(exit_code)))

    def _give_up(self, message: str, exit_code: ExitCode) -> None:
        self._is_over = True
        if self._stopping is None:  # otherwise its end tells
            self._report(AgentLossReport(self.spec.name, message, int(exit_code)))
        if not self._stopped.done():
            self._stopped.set_result({"remaining": [], "lost": message})

    def _tell_defect(self, error: Exception) -> None:
        self._loop.call_exception_handler({"message": f"the link to agent {self.spec.name} failed", "exception": error})

    # -- attaching ------------------------------------------------------------------------------------------------

    async def _attach(self) -> dict[str, Any]:
        """Wait for our turn, open a channel, boot, greet. Gives the welcome. Raises TransportError."""
        self._epoch += 1
        nonce = secrets.token_hex(8)
        attachment = Attachment(self, self.spec.name, self.transport.description, nonce)
        argv = self._argv(nonce, ["attach", "--run", self._settings.run, "--agent", self.spec.name])
        greeting_s = self._limits.greeting_s
        try:
            async with asyncio.timeout(None) as limit:
                async with self._boot_turn(self._tell_wait) as first:
                    channel = await self.transport.open(argv, attachment)
                    attachment.channel = channel
                    limit.reschedule(self._loop.time() + greeting_s)
                    await self._boot(attachment, channel)
                    first.over()
                    self._greet(channel)
                    welcome = await attachment.welcome
        except TimeoutError:
            attachment.abort()
            raise BootstrapFailed(
                f"agent {self.spec.name}: no answer from {self.transport.description} within {greeting_s:g} s"
                f"{attachment.last_words}",
                hint=BOOT_HINTS["boot.timeout"],
                code="boot.timeout",
            ) from None
        except BaseException:
            attachment.abort()
            raise
        self._attachment = attachment
        self._channel = channel
        self._last_heard_s = self._loop.time()
        birth = _birth(welcome)
        if birth != self._birth:
            # What was said before was said to another one, or by another process than this: both numberings begin anew.
            self._birth = birth
            self._numbering = Numbering(seen=count(welcome.get("tx")), sent=count(welcome.get("rx")))
            return welcome
        self._numbering.acknowledged(count(welcome.get("rx")))
        for line in self._numbering.unacknowledged:
            channel.write(line)
        self._numbering.told = 0
        self._ack()  # what the cut may have swallowed
        return welcome

    def _tell_wait(self, why: str) -> None:
        if not self._was_up:
            self._report(AgentWaitReport(self.spec.name, why))

    async def _boot(self, attachment: Attachment, channel: Channel) -> None:
        """Wait until the daemon's program runs; send it when the machine does not have it."""
        event = await attachment.booted
        if isinstance(event, Need):
            channel.write(self._settings.bundle.data)
            await channel.drain()
            event = await attachment.started
        if isinstance(event, Failed):
            raise BootstrapFailed(
                f"agent {self.spec.name}: {self.transport.description}: {event.message}",
                code=event.code or "boot.failed",
                hint=BOOT_HINTS.get(event.code, ""),
            )

    def _greet(self, channel: Channel) -> None:
        line = encode(
            {
                "t": "hello",
                "proto": list(PROTOCOL),
                "run": self._settings.run,
                "agent": self.spec.name,
                "epoch": self._epoch,
                "lease_s": self._settings.lease_s,
                "rx": self._numbering.seen if self._birth else None,
                "birth": self._birth,
                "token": self._settings.token,
                "address": self.address,
                "env": dict(self.spec.env),
                "procedures": self._settings.procedures,
                "keep": self._settings.keep,
                "bind": host_to_bind(self.address),
            }
        )
        if len(line) > MAX_LINE_BYTES:
            raise BootstrapFailed(
                f"agent {self.spec.name}: its greeting has {len(line)} bytes, and the limit is {MAX_LINE_BYTES}",
                hint="procedures of your own and `env` travel in it: make them shorter",
                code="boot.greeting",
            )
        self._taken_bytes = 0  # an attachment begins with all of the credit
        self._is_greeted = True
        channel.write(line)

    # -- to the agent ---------------------------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        if self._channel is not None:
            self._channel.write(data)

    def _send(self, message: dict[str, Any]) -> None:
        """Send what must not be lost. Raises ValueError when it cannot be sent."""
        self._write(self._numbering.number(message))

    def run(self, execution: Execution, procedure: str, arguments: dict[str, Any], timeout_s: float | None) -> None:
        """Have an attempt executed, once. Raises ValueError for arguments that cannot be sent."""
        message: dict[str, Any] = {"t": "run", "id": str(execution), "procedure": procedure, "args": arguments}
        if timeout_s is not None:
            message["timeout_s"] = timeout_s
        self._send(message)

    def cancel(self, attempt: AttemptId, reason: str) -> None:
        """Have an attempt ended; its `finished` answers."""
        self._send({"t": "cancel", "id": str(attempt), "reason": reason})

    def stream_argv(self, subcommand: str) -> list[str]:
        """Give the command that runs `put` or `get` of the daemon's program there, on a channel of its own."""
        return self._argv(secrets.token_hex(8), [subcommand])

    def _argv(self, nonce: str, arguments: list[str]) -> list[str]:
        if self.spec.transport == "local":
            return local_argv(nonce=nonce, args=arguments, python=self.spec.python)
        settings = self._settings
        return boot_argv(settings.source, settings.bundle, python=self.spec.python, nonce=nonce, args=arguments)

    async def tail(self, process: str, size_bytes: int) -> LogEnd:
        """Ask for the end of a log. Raises LinkLost."""
        end: LogEnd = await self._asked({"t": "tail", "process": process, "bytes": size_bytes}, self._limits.tail_s)
        return end

    async def whereabouts(self) -> Here:
        """Ask where programs of this agent begin, and with what environment. Raises LinkLost."""
        here: Here = await self._asked({"t": "where"}, self._limits.where_s)
        return here

    async def _asked(self, question: dict[str, Any], within_s: float) -> Any:
        """Ask the daemon, and give its answer, as it was read. Raises LinkLost."""
        if self._channel is None:
            raise LinkLost(f"agent {self.spec.name} is not connected")
        self._question_count += 1
        request = self._question_count
        future = self._questions[request] = self._loop.create_future()
        self._write(encode({**question, "request": request}))
        try:
            return await asyncio.wait_for(future, within_s)
        except TimeoutError:
            raise LinkLost(f"agent {self.spec.name} did not answer within {within_s:g} s") from None
        finally:
            del self._questions[request]

    def beat(self) -> None:
        """Give a sign of life, and judge the other side's. Called every few seconds."""
        attachment = self._attachment
        if self._channel is None or self._is_over or attachment is None:
            return
        self._beats += 1
        self._write(encode({"t": "hb", "n": self._beats}))
        silent_s = self._loop.time() - self._last_heard_s
        if silent_s > self._limits.silence_s:
            attachment.close(LinkLost(f"nothing heard for {silent_s:.0f} s"))
            attachment.abort()
        elif silent_s > self._limits.suspect_s:
            self._suspect(f"nothing heard for {silent_s:.0f} s")

    # -- from the agent -------------------------------------------------------------------------------------------

    def take(self, attachment: Attachment, messages: list[dict[str, Any]]) -> None:
        """Take what an attachment received. A fault in it ends the attachment."""
        self._last_heard_s = self._loop.time()
        if self._channel is not None and self._was_up:
            self._trust_again()
        for message in messages:
            try:
                self._take_one(attachment, message)
            except Exception as error:  # whatever a message breaks, it is the message that is wrong
                self.fault(attachment, f"{message.get('t')!r:.40} message: {type(error).__name__}: {error}")
                return

    def fault(self, attachment: Attachment, what: str) -> None:
        """End an attachment that broke the protocol; what was not understood is asked for again by the next one."""
        self._faults += 1
        attachment.close(ProtocolError(f"agent {self.spec.name} broke the protocol: {what}"))
        attachment.abort()

    def _take_one(self, attachment: Attachment, message: dict[str, Any]) -> None:
        kind = message["t"]
        seq = 0
        if "seq" in message and kind != "ack":
            seq = count(message["seq"])
            if not self._numbering.is_new(seq):
                return
        taken_bytes = count(message.get("bytes")) if kind == "output" else 0
        stimulus = read_report(self.spec.name, message)
        if isinstance(stimulus, AgentLoadReport) and not self._gauge.is_news(stimulus, self._loop.time()):
            stimulus = None
        if stimulus is not None:
            self._report(stimulus)
        if kind == "output":
            self._return_credit(taken_bytes)
        elif kind == "ack":
            self._numbering.acknowledged(count(message["seq"]))
        elif kind == "welcome":
            _check_welcome(self.spec.name, message)
            if not attachment.welcome.done():
                attachment.welcome.set_result(message)
        elif kind == "reject":
            if not attachment.welcome.done():
                attachment.welcome.set_exception(
                    ProtocolError(
                        f"agent {self.spec.name} refused us: {message.get('detail') or message.get('code')}",
                        code=f"agent.{message.get('code')}",
                    )
                )
        elif kind in ("log", "here"):
            future = self._questions.get(count(message["request"]))
            found = read_log_end(message) if kind == "log" else read_here(message)
            if future is not None and not future.done():
                future.set_result(found)
        elif kind == "stopped" and not self._stopped.done():
            self._stopped.set_result({"remaining": [dict(one) for one in message.get("remaining") or ()]})
        if seq:
            self._numbering.seen = seq
            self._plan_ack()

    def _plan_ack(self) -> None:
        if self._numbering.seen - self._numbering.told >= ACK_AFTER_MESSAGES:
            self._ack()
        elif self._ack_timer is None:
            self._ack_timer = self._loop.call_later(ACK_AFTER_S, self._ack)

    def _ack(self) -> None:
        if self._ack_timer is not None:
            self._ack_timer.cancel()
            self._ack_timer = None
        numbering = self._numbering
        if numbering.told < numbering.seen:
            numbering.told = numbering.seen
            self._write(encode({"t": "ack", "seq": numbering.seen}))

    def _return_credit(self, size_bytes: int) -> None:
        self._taken_bytes += size_bytes
        if self._taken_bytes >= CREDIT_AFTER_BYTES and self._channel is not None:
            self._write(encode({"t": "credit", "bytes": self._taken_bytes}))
            self._taken_bytes = 0

    # -- the end --------------------------------------------------------------------------------------------------

    def stop(self, *, force: bool) -> None:
        """Have the daemon stop everything and end; AgentEndReport is reported within a bounded time."""
        if self._stopping is not None:
            if not force:
                return
            self._stopping.cancel()
        self._hurry.set()
        self._stopping = self._loop.create_task(self._stop(force), name=f"stop {self.spec.name}")

    async def _stop(self, force: bool) -> None:
        try:
            ended = await self._end(force)
        except Exception as error:  # ours: it must not leave the run waiting
            self._tell_defect(error)
            ended = AgentEndReport(self.spec.name, is_clean=False, message=self._unconfirmed(_defect(error)))
        self._is_over = True
        self._report(ended)

    async def _end(self, force: bool) -> AgentEndReport:
        name, limits = self.spec.name, self._limits
        boot_s = limits.forced_stop_s / 2 if force else limits.stop_boot_s
        if not self._was_up and not await self._comes_up(boot_s):
            message = self._unconfirmed("it did not answer our greeting") if self._is_greeted else ""
            return AgentEndReport(name, is_clean=not self._is_greeted, message=message)
        limit_s = limits.forced_stop_s if force else limits.stop_grace_s + limits.stop_slack_s
        if self._channel is None and not force:
            limit_s += limits.stop_reattach_s
        if not self._is_over and not self._is_replaced:
            grace_s = 0.0 if force else limits.stop_grace_s
            self._send({"t": "stop", "grace_s": grace_s, "keep": self._settings.keep})
        try:
            answer = await asyncio.wait_for(asyncio.shield(self._stopped), limit_s)
        except TimeoutError:
            cut = "" if self._channel is not None else ", and the connection could not be made again"
            answer = {"lost": f"no confirmation within {limit_s:g} s{cut}"}
        self._ack()
        lost = answer.get("lost", "")
        remaining = tuple(answer.get("remaining") or ())
        return AgentEndReport(
            name,
            is_clean=not lost and not remaining,
            remaining=remaining,
            message=self._unconfirmed(lost) if lost else "",
        )

    async def _comes_up(self, within_s: float) -> bool:
        """Whether a daemon that was greeted answers in time; without a greeting it ends with its channel."""
        if self._is_greeted and not self._is_over:
            try:
                async with asyncio.timeout(within_s):
                    await self._settled.wait()
            except TimeoutError:
                pass
        if not self._was_up:
            self._is_over = True
            await self._cancel(self._task)
        return self._was_up

    def _unconfirmed(self, why: str) -> str:
        return f"{why}; its lease ends what is left within {self._settings.lease_s:.0f} s"

    async def _cancel(self, task: asyncio.Task[None] | None) -> None:
        """End a task of ours, in bounded time."""
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=self._limits.close_s)

    async def stopped(self) -> None:
        """Wait until `stop` has been answered or given up."""
        if self._stopping is not None:
            await asyncio.wait([self._stopping])

    async def close(self) -> None:
        """Let go of channel and transport, in bounded time."""
        self._is_over = True
        if self._ack_timer is not None:
            self._ack_timer.cancel()
        await self._cancel(self._task)
        await self._cancel(self._stopping)
        if self._channel is not None:
            self._channel.write_eof()
            try:
                await asyncio.wait_for(self._channel.wait_closed(), self._limits.close_s / 2)
            except TimeoutError:
                self._channel.abort()
        await self.transport.close()


def _defect(error: Exception) -> str:
    return f"a defect of octogram-tui: {type(error).__name__}: {error}"


def _birth(welcome: dict[str, Any]) -> str:
    """Give what names the daemon, as far as it says so itself."""
    return str(welcome.get("birth") or f"{welcome.get('pid')}.{welcome.get('boot')}")


def _check_welcome(agent: str, message: dict[str, Any]) -> None:
    """Refuse what makes no sense here, where it is the agent's fault. Raises ValueError."""
    read_known(agent, message)
    for name in ("pid", "rx", "tx"):
        count(message.get(name))
