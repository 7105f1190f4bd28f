"""What comes from one agent, through however many connections: numbered, read, judged, reported, acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from octogram_agentd.wire.lines import WireError, decode, encode
from octogram_agentd.wire.pace import LEAST_BYTES
from octogram_tui.cuts import beginning, quoted
from octogram_tui.engine.stimuli import (
    AgentLoadReport,
    AttemptReport,
    OutputReport,
    ProgressReport,
    RecallReport,
    ServiceReport,
    Stimulus,
    TroubleReport,
)
from octogram_tui.errors import ProtocolError
from octogram_tui.model.ids import Execution
from octogram_tui.runtime.attachment import Attachment
from octogram_tui.runtime.conduct import Conduct
from octogram_tui.runtime.greeting import Welcome, read_welcome
from octogram_tui.runtime.load import LoadGauge
from octogram_tui.runtime.log_share import MOST_WINDOW_BYTES, AgentShare
from octogram_tui.runtime.numbering import Numbering
from octogram_tui.runtime.questions import Questions
from octogram_tui.runtime.reading import Message, count, read_remaining, read_report

ACK_AFTER_S = 1.0  # an agent keeps what it has told meanwhile; a packet for each would cost more than that
ACK_AFTER_MESSAGES = 64
CREDIT_AFTER_BYTES = LEAST_BYTES // 2  # less than any daemon has under way that waits for credit
MOST_HELD_LINES = 2000
MOST_EARLY_BYTES = 2 * MOST_WINDOW_BYTES  # of lines that come before what they follow: no more can have been under way

WhenSafe = Callable[[Callable[[], None]], None]
"""Calls back once everything that was reported so far cannot get lost any more."""

WhenKept = Callable[[Callable[[], None]], None]
"""Calls back once everything that was reported so far is written, and more can be taken."""


class Way(Protocol):
    """Who is behind an inbox, with the way to the agent."""

    @property
    def is_connected(self) -> bool:
        """Whether there is a way to the daemon now."""
        ...

    def came_up(self, welcome: Welcome) -> None:
        """The first welcome is here; what follows it comes right behind."""
        ...

    def write(self, data: bytes) -> None:
        """Send a line, if there is anybody."""
        ...

    def report(self, stimulus: Stimulus) -> None:
        """Tell the run."""
        ...


class Inbox:
    """One agent's. What it takes is believed as far as the agent may say it."""

    def __init__(
        self,
        agent: str,
        way: Way,
        questions: Questions,
        share: AgentShare,
        when_safe: WhenSafe,
        when_kept: WhenKept,
    ) -> None:
        self.conduct = Conduct()
        self.numbering = Numbering()
        self.birth = ""  # of the daemon that we talk to
        self.taken_bytes = 0  # of its output, as it counts
        self.stopped: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._agent = agent
        self._way = way
        self._questions = questions
        self._share = share
        self._when_safe = when_safe
        self._when_kept = when_kept
        self._loop = asyncio.get_running_loop()
        self._gauge = LoadGauge()
        self._held: OutputReport | None = None
        self._early: list[OutputReport] = []  # of what is to begin after something whose end is not here
        self._early_bytes = 0
        self._ack_timer: asyncio.TimerHandle | None = None
        self._credit_timer: asyncio.TimerHandle | None = None
        self._is_credit_due = False

    def take(self, attachment: Attachment, line: bytes, now_s: float) -> None:
        """Take one line. Raises Quarantine; and ValueError or another error for what makes no sense."""
        try:
            message = decode(line)
        except WireError as error:
            raise ValueError(str(error)) from None
        try:
            self._take(attachment, message, line, now_s)
        except (KeyError, TypeError, OverflowError, ValueError) as error:
            raise ValueError(f"{quoted(message.get('t'), 40)} message: {type(error).__name__}: {error}") from error

    def _take(self, attachment: Attachment, message: Message, line: bytes, now_s: float) -> None:
        kind, size_bytes = message["t"], len(line)
        seq = 0
        if "seq" in message and kind != "ack":
            seq = message["seq"]
            is_next = type(seq) is int and seq == self.numbering.seen + 1
            if not is_next and not self.numbering.is_new(count(seq)):
                self.conduct.sent(message, size_bytes, now_s)
                return
        stimulus = read_report(self._agent, message, self.conduct.under_way)
        if kind not in ("output", "finished") and not (kind in ("log", "here") and self._questions.is_awaited(message)):
            self.conduct.sent(message, size_bytes, now_s)
        if stimulus is not None and (
            (kind == "finished" and self.conduct.ends(message["id"]))  # the first word of what is under way
            or self._is_believed(stimulus, message, size_bytes, now_s)
        ):
            # Of a service the journal has what was fed, too: it is what addresses are made of.
            times = 2 if isinstance(stimulus, ServiceReport) else 1
            told = self._share.take(line, now_s, times)
            if told:
                self._way.report(TroubleReport(told))
            if isinstance(stimulus, OutputReport):
                if self.conduct.is_early(stimulus.attempt):
                    self._keep_early(stimulus, size_bytes)
                else:
                    self._hold(stimulus)
            else:
                if self._held is not None:
                    self.flush()
                self._way.report(stimulus)
                if self._early and kind == "finished":
                    self._tell_early()
        match kind:
            case "finished" | "recalled" | "hb" | "progress" | "service":
                pass
            case "output":
                self.taken_bytes += count(message.get("bytes"))
            case "ack":
                self.numbering.acknowledged(count(message["seq"]))
            case "welcome" | "reject":
                self._greeted(attachment, message)
            case "log" | "here":
                self._questions.answered(message)
            case "stopped":
                remaining = read_remaining(message)
                if not self.stopped.done():
                    self.stopped.set_result({"remaining": remaining})
            case _:
                self.conduct.breach(f"of an unknown kind, {quoted(kind, 40)}")  # not told: it may be of a later version
        if seq:
            self.numbering.seen = seq
            self._plan_ack()

    def _keep_early(self, report: OutputReport, size_bytes: int) -> None:
        self._early_bytes += size_bytes
        if self._early_bytes <= MOST_EARLY_BYTES:
            self._early.append(report)
        else:
            self._breach(f"output of {beginning(str(report.attempt), 200)}, which cannot have begun")

    def _tell_early(self) -> None:
        """Tell what came before what it follows."""
        early, self._early = self._early, []
        for report in early:
            if self.conduct.is_early(report.attempt):
                self._early.append(report)
            else:
                self._hold(report)
        if not self._early:
            self._early_bytes = 0

    def _hold(self, report: OutputReport) -> None:
        """Hold lines for a moment: what came together of one source is told together."""
        held = self._held
        if (
            held is None
            or report.dropped
            or (held.attempt, held.process, held.stream) != (report.attempt, report.process, report.stream)
            or len(held.lines) > MOST_HELD_LINES
        ):
            self.flush()
            self._held = report
        else:
            held.lines += report.lines

    def flush(self) -> None:
        """Report the lines that are held, and return credit for all that was reported."""
        held, self._held = self._held, None
        if held is not None:
            self._way.report(held)
        if self.conduct.printed_bytes > self.conduct.given_bytes:
            self._return_credit()

    def _is_believed(self, stimulus: Stimulus, message: Message, size_bytes: int, now_s: float) -> bool:
        """Whether the run is told: of what the agent may speak of, and as far as it is news."""
        attempt: Execution | None
        match stimulus:
            case AttemptReport(attempt=attempt):
                self.conduct.sent(message, size_bytes, now_s)
                if self.conduct.is_its_own(attempt):  # told twice: the first time holds
                    return False
            case AgentLoadReport():
                return self._gauge.is_news(stimulus, now_s)
            case OutputReport():
                self.conduct.printed(stimulus.lines, count(message.get("bytes")))
                if not stimulus.lines:
                    self.conduct.sent(message, size_bytes, now_s)
                    if not stimulus.dropped:
                        return False
                    self.conduct.left_out(now_s)
                if stimulus.process:
                    self.conduct.names(stimulus.process)
                attempt = stimulus.attempt
            case RecallReport(attempt=attempt):
                if attempt.agent == self._agent:  # the run knows whether it asked, maybe by a process before this one
                    return True
            case ProgressReport(attempt=attempt):
                if self.conduct.is_its_own(attempt):
                    return self.conduct.is_news(now_s) and not self._share.is_used_up(now_s)
            case ServiceReport():
                self.conduct.serves(f"{stimulus.kind} {stimulus.name}", size_bytes, now_s)
                return True
            case _:
                return False
        if attempt is None or self.conduct.is_its_own(attempt):
            return True
        self._breach(f"{message['t']} of {beginning(str(attempt), 200)}")
        return False

    def _breach(self, what: str) -> None:
        """Believe nothing of it; the first time is told."""
        self.conduct.breach(what)
        if self.conduct.breaches == 1:
            self._way.report(TroubleReport(f"agent {self._agent} sent a message {what}: not believed"))

    def _greeted(self, attachment: Attachment, message: Message) -> None:
        if message["t"] == "welcome":
            welcome = read_welcome(self._agent, message)
            if not attachment.welcome.done():
                attachment.welcome.set_result(welcome)
                self._goes_on(welcome)
        elif not attachment.welcome.done():
            said = str(message.get("detail") or message.get("code"))
            attachment.welcome.set_exception(
                ProtocolError(
                    f"agent {self._agent} refused us: {beginning(said, 300)}",
                    code=f"agent.{beginning(str(message.get('code')), 40)}",
                )
            )

    def _goes_on(self, welcome: Welcome) -> None:
        """Go on where the conversation with a daemon broke off: what follows its welcome may be here already."""
        if welcome.birth == self.birth:
            self.numbering.acknowledged(welcome.rx)
            return
        # What was said before was said to another one, or by another process than this: both numberings begin anew.
        is_first, self.birth = not self.birth, welcome.birth
        self.numbering = Numbering(seen=welcome.tx, sent=welcome.rx)
        self.taken_bytes = welcome.taken
        for execution in welcome.knows:
            self.conduct.told(execution)
        if is_first:
            self._way.came_up(welcome)

    # -- what goes back -------------------------------------------------------------------------------------------

    def begins(self) -> None:
        """A connection begins, with all of the credit."""
        self.conduct.begins()

    def _plan_ack(self) -> None:
        if self.numbering.seen - self.numbering.told >= ACK_AFTER_MESSAGES:
            self.ack_when_safe()
        elif self._ack_timer is None:
            self._ack_timer = self._loop.call_later(ACK_AFTER_S, self.ack_when_safe)

    def ack_when_safe(self) -> None:
        """Acknowledge what is here, as soon as it cannot get lost with us."""
        if self._ack_timer is not None:
            self._ack_timer.cancel()
            self._ack_timer = None
        numbering = self.numbering
        if numbering.told < numbering.seen:
            numbering.told = numbering.seen
            self._when_safe(partial(self._ack, numbering, numbering.seen))

    def ack_again(self) -> None:
        """Acknowledge all that is here, and may have been acknowledged before, once it cannot get lost with us."""
        self.numbering.told = 0
        self.ack_when_safe()

    def ack_at_once(self) -> None:
        """Acknowledge all that is here, whatever becomes of us: the agent ends, and waits for that only."""
        self.numbering.told = self.numbering.seen
        self._ack(self.numbering, self.numbering.seen)

    def _ack(self, numbering: Numbering, seq: int) -> None:
        if numbering is self.numbering and seq:  # else the daemon is another one by now
            self._way.write(encode({"t": "ack", "seq": seq}))

    def _return_credit(self) -> None:
        """Give credit back for lines once they are written: so nobody sends more than we and the disk take."""
        is_due = self.conduct.owed_bytes >= CREDIT_AFTER_BYTES and self._way.is_connected
        if is_due and self._credit_timer is None and not self._is_credit_due:
            if self._share.wait_s > 0:
                self._credit_timer = self._loop.call_later(self._share.wait_s, self._credit_is_due)
            else:
                self._credit_is_due()

    def _credit_is_due(self) -> None:
        self._credit_timer = None
        self._is_credit_due = True
        self._when_kept(partial(self._give_credit, self.conduct.owed_bytes, self.conduct.connection))

    def _give_credit(self, size_bytes: int, connection: int) -> None:
        self._is_credit_due = False
        if connection != self.conduct.connection or not self._way.is_connected:
            return
        if size_bytes:
            window_bytes = self._share.window_bytes(self._loop.time())
            self.conduct.grant(size_bytes, window_bytes)
            self._way.write(encode({"t": "credit", "bytes": size_bytes, "window": window_bytes}))
        self._return_credit()  # for what came meanwhile

    def close(self) -> None:
        """Let go of the timers."""
        for timer in (self._ack_timer, self._credit_timer):
            if timer is not None:
                timer.cancel()
