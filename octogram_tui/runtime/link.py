"""One agent's life as seen from here: boot, greeting, jobs, loss and reattachment, stop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Hashable
from typing import Any

from octogram_agentd.wire.lines import encode
from octogram_tui.engine.stimuli import (
    AgentBackReport,
    AgentLossReport,
    AgentSilentReport,
    AgentUpReport,
    AgentWaitReport,
    StartFailureReport,
    Stimulus,
)
from octogram_tui.errors import ExitCode, LinkLost, ProtocolError, TransportError
from octogram_tui.model.ids import AttemptId, Execution
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.runtime.attaching import Attaching, BootTurn
from octogram_tui.runtime.attachment import Attachment
from octogram_tui.runtime.conduct import Quarantine
from octogram_tui.runtime.greeting import Welcome
from octogram_tui.runtime.inbox import Inbox, WhenKept, WhenSafe
from octogram_tui.runtime.intake import Intake, Queue
from octogram_tui.runtime.log_share import AgentShare, LogShare
from octogram_tui.runtime.parting import Parting
from octogram_tui.runtime.questions import Questions
from octogram_tui.runtime.reading import Here, LogEnd
from octogram_tui.runtime.starter import Starter
from octogram_tui.runtime.terms import NOBODY, Before, LinkSettings
from octogram_tui.transport.base import Channel, Transport

MAX_FAULTS = 3  # breaches of the protocol, each of which costs the connection, after which an agent is given up


class Link:
    """The connection to one agent's daemon, through however many channels it takes.

    before: the daemon that it had when its run was taken up again: there, and nowhere else, it is looked for
    share: of the run's journal, for log lines
    starter: what starts daemons on its machine, if anything does
    when_safe: see WhenSafe; nothing is acknowledged before
    when_kept: see WhenKept; no credit is given back before
    """

    def __init__(
        self,
        spec: AgentSpec,
        transport: Transport,
        settings: LinkSettings,
        report: Callable[[Stimulus], None],
        boot: BootTurn,
        *,
        before: Before = NOBODY,
        share: LogShare | None = None,
        starter: Starter | None = None,
        when_safe: WhenSafe = lambda then: then(),
        when_kept: WhenKept = lambda then: then(),
        intake: Intake | None = None,
    ) -> None:
        self.spec = spec
        self.transport = transport
        self.settings = settings
        self.report = report
        self.home = before.home
        self.machine: Hashable = None  # the way to it and what it calls itself: what its agents have in common
        self.task: asyncio.Task[None] | None = None
        self.settled = asyncio.Event()  # the first attachment has been made, or has failed
        self.was_up = False
        self.is_over = False
        self.is_replaced = False  # its daemon died, and the one that took its place was told to end
        self._limits = settings.limits
        self._loop = asyncio.get_running_loop()
        self._channel: Channel | None = None
        self._attachment: Attachment | None = None
        self._gathered: list[bytes] | None = None
        self._before = before
        self._holds = False  # whether the daemon understands `after`
        self._beats = 0
        self._faults = 0
        self._banned = ""  # why the agent is in quarantine
        self._last_heard_s = self._loop.time()
        self._is_suspect = False
        self._questions = Questions(spec.name)
        self.inbox = Inbox(spec.name, self, self._questions, AgentShare(share or LogShare()), when_safe, when_kept)
        self._queue = Queue(intake or Intake(), self._take_late)
        self.attaching = Attaching(self, boot, starter)
        self._parting = Parting(self)

    @property
    def address(self) -> str:
        """Where the other agents reach this one: as the scenario says, else where our own connection leads."""
        return self.spec.data_address or self.transport.host or self.spec.address_for_others

    @property
    def is_connected(self) -> bool:
        """Whether there is a way to the daemon now."""
        return self._channel is not None

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Bring the daemon up, and keep the connection until `stop`."""
        self.task = self._loop.create_task(self._live(), name=f"link {self.spec.name}")

    async def _live(self) -> None:
        try:
            if await self._come_up():
                await self._stay_up()
        except Exception as error:  # ours: it must neither be lost nor leave the run waiting for this agent
            self.tell_defect(error)
            if self._attachment is not None:
                self._attachment.abort()
            self._channel = None
            if self.was_up:
                self._give_up(defect(error), ExitCode.BUG)
            else:
                self._fail_start("bug", defect(error), "please report this with the run's journal", ExitCode.BUG)
        finally:
            self.settled.set()

    async def _come_up(self) -> bool:
        try:
            await (self.attaching.within_fence() if self._before.birth else self.attaching.first())
        except TransportError as error:
            if self.was_up:  # its welcome came in the last moment
                self._give_up(error.message, ExitCode.AGENT_LOST)
            else:
                self._fail_start(error.code, error.message, error.hint, error.exit_code)
            return False
        return True

    def came_up(self, welcome: Welcome) -> None:
        """Report the daemon, before anything that it says."""
        self.was_up = True
        self._holds = welcome.holds
        self.settled.set()
        self.home = welcome.home
        self.machine = self.transport.description, welcome.host
        self.report(
            AgentUpReport(
                self.spec.name,
                welcome.home,
                welcome.host,
                welcome.python,
                welcome.pid,
                self.address,
                welcome.birth,
                welcome.birth == self._before.birth,
                welcome.knows,
            )
        )

    async def _stay_up(self) -> None:
        """Make the connection again, whenever it is cut, until all is over."""
        while (attachment := self._attachment) is not None:
            await attachment.closed.wait()
            self._queue.finish()
            if self.is_over:
                return
            self._channel = None
            reason = str(attachment.error or "the daemon closed the connection")
            if self.is_given_up:
                self._give_up(reason, ExitCode.AGENT_LOST)
                return
            self._suspect(reason)
            if not await self._reattach(reason):
                return
            self._trust_again()

    async def _reattach(self, reason: str) -> bool:
        """Try until the daemon's lease and its grace must be over. False when the agent is given up."""
        birth = self.inbox.birth
        try:
            await self.attaching.within_fence()
        except TransportError as error:
            self._give_up(f"{reason}; {error.message}", ExitCode.AGENT_LOST)
            return False
        if self.inbox.birth != birth:
            # A new daemon answered, in the place of the old one and with its lock: the old one is gone. The new one
            # has swept what it left, and ends too. When the agent was to be stopped anyway, the old one may have done
            # so, and the new one's word is as good.
            self.is_replaced = True
            if not self._parting.has_begun:
                self.report(AgentLossReport(self.spec.name, f"{reason}: the daemon had died"))
            self.send({"t": "stop", "grace_s": 0.0, "keep": self.settings.keep})
            return False
        return True

    @property
    def is_given_up(self) -> bool:
        """Whether the agent has done what it is not allowed to come back after."""
        return bool(self._banned) or self._faults >= MAX_FAULTS

    def attached(self, attachment: Attachment, channel: Channel) -> None:
        """Go on with the daemon that has answered."""
        self._attachment = attachment
        self._channel = channel
        self._last_heard_s = self._loop.time()
        for line in self.inbox.numbering.unacknowledged:
            channel.write(line)
        self.inbox.ack_again()  # what the cut may have swallowed

    def whereto(self) -> list[str]:
        """Say which daemon is looked for, where there was one: no other one may be started while that one lives."""
        birth = self.inbox.birth or self._before.birth
        return ["--birth", birth, "--at", self.home] if birth else []

    def tell_wait(self, why: str) -> None:
        """Tell why the agent waits before it comes up."""
        if not self.was_up:
            self.report(AgentWaitReport(self.spec.name, why))

    def _suspect(self, message: str) -> None:
        if not self._is_suspect and not self.is_replaced:
            self._is_suspect = True
            self.report(AgentSilentReport(self.spec.name, message))

    def _trust_again(self) -> None:
        if self._is_suspect and not self.is_replaced:  # what the one in its place says is no word of the agent
            self._is_suspect = False
            self.report(AgentBackReport(self.spec.name))

    def _fail_start(self, code: str, message: str, hint: str, exit_code: ExitCode) -> None:
        self.is_over = True
        if not self._parting.has_begun:  # otherwise nobody asks any more whether it came up
            self.report(StartFailureReport(self.spec.name, code, message, hint, int(exit_code)))

    def _give_up(self, message: str, exit_code: ExitCode) -> None:
        self.is_over = True
        if not self._parting.has_begun:  # otherwise its end tells
            self.report(AgentLossReport(self.spec.name, message, int(exit_code)))
        if not self.inbox.stopped.done():
            self.inbox.stopped.set_result({"remaining": [], "lost": message})

    def tell_defect(self, error: Exception) -> None:
        """Say that we failed, where a person finds it."""
        self._loop.call_exception_handler({"message": f"the link to agent {self.spec.name} failed", "exception": error})

    # -- to the agent ---------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send a line, if there is anybody."""
        if self._gathered is not None:
            self._gathered.append(data)
        elif self._channel is not None:
            self._channel.write(data)

    def gather(self) -> bool:
        """Hold back what is sent until `deliver`, which sends it in one piece; whether that is not done already."""
        if self._gathered is not None:
            return False
        self._gathered = []
        return True

    def deliver(self) -> None:
        """Send what was gathered. What was numbered and finds nobody is sent to whoever comes next."""
        lines, self._gathered = self._gathered, None
        if lines:
            self.write(lines[0] if len(lines) == 1 else b"".join(lines))

    def send(self, message: dict[str, Any]) -> None:
        """Send what must not be lost. Raises ValueError when it cannot be sent."""
        self.write(self.inbox.numbering.number(message))

    def run(
        self,
        execution: Execution,
        procedure: str,
        arguments: dict[str, Any],
        timeout_s: float | None,
        mark: str = "",
        after: AttemptId | None = None,
    ) -> None:
        """Have an attempt executed, once; `after`: when another one has ended well.

        Raises ValueError for arguments that cannot be sent, and for `after` where the daemon would not wait for it.
        """
        if after is not None and not self._holds:
            raise ValueError("the daemon is of an older build")
        name = str(execution)
        message: dict[str, Any] = {"t": "run", "id": name, "procedure": procedure, "args": arguments}
        if timeout_s is not None:
            message["timeout_s"] = timeout_s
        if mark:
            message["mark"] = mark
        if after is not None:
            message["after"] = str(after)
        line = self._numbered(message, execution)
        if self._gathered is not None:
            self._gathered.append(line)
        else:
            self.write(line)
        self.inbox.conduct.told(execution, name, "" if after is None else message["after"])

    def _numbered(self, message: dict[str, Any], execution: Execution) -> bytes:
        """Give an order its number, and with it what its programs are told of the trace, where there is room for that.

        Raises ValueError.
        """
        if self.settings.trace is not None:
            told = self.settings.trace.environment(self.settings.run, execution)
            env = {name: value for name, value in told.items() if name not in self.spec.env}
            try:
                return self.inbox.numbering.number({**message, "env": env})
            except ValueError:  # too long with it, or without it as well
                pass
        return self.inbox.numbering.number(message)

    def recall(self, attempt: Execution, after: AttemptId) -> None:
        """Take back what was sent to begin after another one; `recalled` answers."""
        self.send({"t": "recall", "id": str(attempt), "after": str(after)})

    def cancel(self, attempt: AttemptId, reason: str) -> None:
        """Have an attempt ended; its `finished` answers."""
        self.send({"t": "cancel", "id": str(attempt), "reason": reason})

    def stream_argv(self, subcommand: str) -> list[str]:
        """Give the command that runs `put` or `get` of the daemon's program there, on a channel of its own."""
        return self.argv(secrets.token_hex(8), [subcommand])

    def argv(self, nonce: str, arguments: list[str]) -> list[str]:
        """Give the command that runs the daemon's program there."""
        return self.settings.argv(self.spec, nonce, arguments)

    async def tail(self, process: str, size_bytes: int) -> LogEnd:
        """Ask for the end of a log. Raises LinkLost."""
        end: LogEnd = await self._asked({"t": "tail", "process": process, "bytes": size_bytes}, self._limits.tail_s)
        return end

    async def left_out(self, process: str, gap: int, first: int) -> LogEnd:
        """Ask for lines that were left out of what a process or an attempt wrote. Raises LinkLost."""
        question = {"t": "left_out", "process": process, "gap": gap, "from": first}
        part: LogEnd = await self._asked(question, self._limits.tail_s)
        if not part.lines or part.following <= first:  # who asks for what follows would do so for ever
            part = part._replace(following=0)
        return part

    async def whereabouts(self) -> Here:
        """Ask where programs of this agent begin, and with what environment. Raises LinkLost."""
        here: Here = await self._asked({"t": "where"}, self._limits.where_s)
        return here

    async def _asked(self, question: dict[str, Any], within_s: float) -> Any:
        """Ask the daemon, and give its answer, as it was read. Raises LinkLost."""
        if self._channel is None:
            raise LinkLost(f"agent {self.spec.name} is not connected")
        request, future = self._questions.ask()
        self.write(encode({**question, "request": request}))
        return await self._questions.answer(request, future, within_s)

    def beat(self) -> None:
        """Give a sign of life, and judge the other side's. Called every few seconds."""
        attachment = self._attachment
        if self._channel is None or self.is_over or attachment is None:
            return
        self._beats += 1
        self.write(encode({"t": "hb", "n": self._beats}))
        silent_s = self._loop.time() - self._last_heard_s
        if silent_s > self._limits.silence_s:
            attachment.close(LinkLost(f"nothing heard for {silent_s:.0f} s"))
            attachment.abort()
        elif silent_s > self._limits.suspect_s:
            self._suspect(f"nothing heard for {silent_s:.0f} s")

    # -- from the agent -------------------------------------------------------------------------------------------

    def take(self, attachment: Attachment, lines: list[bytes]) -> None:
        """Take what an attachment received. A fault in it ends the attachment."""
        now_s = self._last_heard_s = self._loop.time()
        if self._is_suspect and self._channel is not None and self.was_up:
            self._trust_again()
        self._take(attachment, self._queue.sift(lines), now_s)

    def _take_late(self, lines: list[bytes]) -> None:
        """Take what had to wait."""
        if self._attachment is not None and not self._banned:
            self._take(self._attachment, lines, self._loop.time())

    def _take(self, attachment: Attachment, lines: list[bytes], now_s: float) -> None:
        try:
            for line in lines:
                self.inbox.take(attachment, line, now_s)
        except Quarantine as why:
            self._banned = str(why)
            attachment.close(ProtocolError(f"agent {self.spec.name} is put in quarantine, for {why}"))
            attachment.abort()
        except Exception as error:  # whatever a message breaks, it is the message that is wrong
            self.fault(attachment, str(error))
        finally:
            self.inbox.flush()

    def fault(self, attachment: Attachment, what: str) -> None:
        """End an attachment that broke the protocol; what was not understood is asked for again by the next one."""
        self._faults += 1
        attachment.close(ProtocolError(f"agent {self.spec.name} broke the protocol: {what}"))
        attachment.abort()

    # -- the end --------------------------------------------------------------------------------------------------

    def stop(self, *, force: bool) -> None:
        """Have the daemon stop everything and end; AgentEndReport is reported within a bounded time."""
        self._parting.begin(force=force)

    async def stopped(self) -> None:
        """Wait until `stop` has been answered or given up."""
        await self._parting.wait()

    async def close(self) -> None:
        """Let go of channel and transport, in bounded time."""
        self.is_over = True
        self.inbox.close()
        await self.cancel_task(self.task)
        await self._parting.close()
        if self._channel is not None:
            self._channel.write_eof()
            try:
                await asyncio.wait_for(self._channel.wait_closed(), self._limits.close_s / 2)
            except TimeoutError:
                self._channel.abort()
        await self.transport.close()

    async def cancel_task(self, task: asyncio.Task[None] | None) -> None:
        """End a task of ours, in bounded time."""
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=self._limits.close_s)


def defect(error: Exception) -> str:
    """Say that it is not the agent's fault, nor the user's."""
    return f"a defect of octogram-tui: {type(error).__name__}: {error}"
