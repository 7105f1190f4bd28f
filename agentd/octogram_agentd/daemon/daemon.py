"""The daemon: one run's agent on one machine. Speaks the protocol, keeps the lease, ends everything at the end."""

from __future__ import annotations

import os
import sys
from _operator import _compare_digest  # hmac has it from there, and much else

from octogram_agentd import PROTOCOL, faults, procedures, signals
from octogram_agentd.daemon import birth
from octogram_agentd.daemon.drain import drain
from octogram_agentd.daemon.home import Home
from octogram_agentd.daemon.lease import Lease
from octogram_agentd.daemon.load import sign_of_life
from octogram_agentd.jobs.agent import Agent
from octogram_agentd.jobs.attempts import Attempts
from octogram_agentd.jobs.more_lines import left_out, tail
from octogram_agentd.kernel import Future, Kernel
from octogram_agentd.processes.children import Processes
from octogram_agentd.processes.record import boot_id
from octogram_agentd.wire.connection import Connection
from octogram_agentd.wire.lines import MAX_LINE_BYTES, OUTPUT_CREDIT_BYTES, encode
from octogram_agentd.wire.outbox import Outbox
from octogram_agentd.wire.pace import LEAST_BYTES
from octogram_agentd.wire.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from octogram_agentd.daemon.guard import Tie
    from octogram_agentd.kernel import Timer
    from octogram_agentd.processes.supervised import Supervised

    Message = Dict[str, Any]

HEARTBEAT_S = 5.0
HELLO_TIME_S = 30.0  # for a new connection to say hello
ACK_DELAY_S = 0.2
PREPARE_S = 0.02  # so that of agents that share a machine all have greeted first
OUTPUT_DELAY_S = 0.02  # so that the lines of many small writes travel in one message
ACK_EVERY = 64  # numbered messages
LAST_ACK_S = 3.0  # how long to wait for `stopped` to be acknowledged
SWEEP_GRACE_S = 2.0  # for what is left when everything known has been stopped
NUMBERED = ("run", "recall", "cancel", "stop")
IGNORED_MESSAGES = 100  # unknown ones from one connection, after which it is closed


class Daemon:
    """Everything of one agent. `serve` runs until it is over."""

    def __init__(self, kernel: Kernel, home: Home, tie: Tie, run: str, agent: str, build: str) -> None:
        self.kernel = kernel
        self.run = run
        self.outbox = Outbox(Spool(home.path("tmp") + "/output"))
        self.processes = Processes(kernel, home.mark(run, agent), home.root)
        self.agent = Agent(kernel, agent, home, self.processes, self)
        self.attempts = Attempts(self.agent)
        self.lease = Lease(kernel, tie, self.expire)
        self._place = home
        self._build = build
        self.keep = False
        self._epoch = 0
        self._birth = birth.new()
        self._token: Optional[str] = None  # of the run, as the first greeting had it
        self._seen = 0  # the highest number from the orchestrator
        self._acknowledged = 0
        self._ack_timer: Optional[Timer] = None
        self._is_flushing = False
        self._is_output_waiting = False
        self._is_hurried = False  # told to stop by force
        self.is_guard_to_end = False  # what we could not even look at
        self._channel: Optional[Connection] = None
        self._strangers: Dict[Connection, Timer] = {}
        self._ignored = 0
        self._heartbeats = 0
        self._over = Future(kernel)
        self._confirmed = Future(kernel)
        self._last_number = 0
        self._stranded: List[Message] = []  # what a killed daemon before us left, and was not ended
        self._swept = Future(kernel)
        self._handlers = {
            "run": self.attempts.run,
            "cancel": self._cancel,
            "recall": self._recall,
            "stop": self._stop,
            "tail": lambda message: self.say(tail(self.agent, self.attempts, message)),
            "left_out": lambda message: self.say(left_out(self.outbox.backlog, message)),
            "where": lambda message: self.say(self.agent.whereabouts(message.get("request"))),
            "credit": self._credit,
            "ack": self._ack,
            "hb": self._nothing,
        }

    async def serve(self) -> None:
        """Work until a `stop`, or until the lease is over; nothing that was started is left then."""
        self.kernel.later(HEARTBEAT_S, self._heartbeat)
        self.lease.begin()
        try:
            if self.processes.has_stranded:
                self._stranded = await self.processes.end_stranded()
        finally:
            self._swept.set()
        await self._over  # the channel is closed by the end of the process, when everything is removed

    def attach(self, fds: List[int]) -> None:
        """Take a new connection: descriptors to read, to write, and of the bridge where there is one."""
        channel = Connection(self.kernel, fds, self._receive, self._flush_more, self._closed)
        self._strangers[channel] = self.kernel.later(HELLO_TIME_S, channel.close, "no hello came")

    def expire(self, reason: str) -> None:
        """Stop everything, since nobody is there to ask for it."""
        if not self.agent.is_stopping:
            self.kernel.complain("lease", RuntimeError(reason))
            self.kernel.spawn(self._stop_all(SWEEP_GRACE_S, reason, is_told=False), "expire")

    # The way to the orchestrator that attempts and services use.

    def post(self, message: Message) -> None:
        """Send a message that must arrive."""
        self.post_line(encode(message))

    def post_line(self, line: bytes) -> int:
        """The same with a message's line, as yet without a number; gives the number."""
        self._flush_soon()
        return self.outbox.post_line(line)

    def say(self, message: Message) -> None:
        """Send a message that may be lost."""
        self.outbox.say(message)
        self._flush_soon()

    def lines(self, source: Tuple[str, str, str], lines: List[str]) -> None:
        """Send log lines of an attempt, a process and a stream, as far as the credit goes."""
        if self.outbox.output(source, lines):
            self._flush()
            self.outbox.settle(source)
        if not self._is_output_waiting:
            self._is_output_waiting = True
            self.kernel.later(OUTPUT_DELAY_S, self._output_due)

    def flush_output(self, attempt: str) -> None:
        """Put the lines of an attempt before what is posted next."""
        self.outbox.flush_output(attempt)

    # The channel.

    def _flush_soon(self) -> None:
        if not self._is_flushing:
            self._is_flushing = True
            self.kernel.soon(self._flush)

    def _flush(self) -> None:
        self._is_flushing = False  # also when output called: whoever asked before is served by it
        channel = self._channel
        if channel is not None and channel.is_open:
            data = self.outbox.take(channel.room_bytes)
            if data:
                channel.send(data)

    def _output_due(self) -> None:
        self._is_output_waiting = False
        self._flush()

    def _flush_more(self, channel: Connection) -> None:
        if channel is self._channel:
            self._flush()

    def _closed(self, channel: Connection, reason: str) -> None:
        stranger = self._strangers.pop(channel, None)
        if stranger is not None:
            stranger.cancel()
        if channel is self._channel:
            self._channel = None
            self.outbox.detach()
        elif not self._epoch and not self._strangers:
            self.expire("whoever started us left without a greeting")

    def _receive(self, channel: Connection, messages: List[Message]) -> None:
        for message in messages:
            if not channel.is_open:
                return
            kind = message["t"]
            if channel is not self._channel:
                if kind != "hello":
                    channel.close("the first message has to be hello")
                    return
                self._hello(channel, message)
                continue
            self.lease.renew()
            handler = self._handlers.get(kind)
            if handler is None:
                self._ignored += 1
                if self._ignored > IGNORED_MESSAGES:
                    channel.close("too many unknown messages")
                continue
            number = message.get("seq")
            if kind in NUMBERED:
                if not isinstance(number, int) or number > self._seen + 1:
                    channel.close("message %s came after %d" % (number, self._seen))
                    return
                if number <= self._seen:
                    continue
                self._seen = number
                self._ack_soon()
            try:
                faults.hit("agent.message")
                handler(message)
            except Exception as error:  # the defect of one message; the agent and its other attempts go on
                self.kernel.complain(kind, error)
                if kind == "run":
                    self.attempts.refuse(message, error)

    def _hello(self, channel: Connection, message: Message) -> None:
        refusal = self._refusal(message)
        if refusal:
            channel.send(self.outbox.line({"t": "reject", "code": refusal[0], "detail": refusal[1]}))
            channel.finish()
            return
        self._strangers.pop(channel).cancel()
        if self._channel is not None:
            self._channel.close("another connection took over")
        self._channel = channel
        self._epoch = message["epoch"]
        self._token = _token(message)
        self._ignored = 0
        self._settle(message)
        self._acknowledged = self._seen
        is_known = message.get("birth", self._birth) == self._birth and isinstance(message.get("rx"), int)
        seen = message["rx"] if is_known else self.outbox.confirmed
        taken = message.get("taken")
        taken_bytes = taken if is_known and isinstance(taken, int) else self.outbox.printed_bytes
        channel.send(self.outbox.line(self._welcome(seen, taken_bytes)))
        is_old = len(message["proto"]) < 2 or _number(message["proto"][1]) < 2  # and gives credit for much at once only
        self.outbox.attach(seen, taken_bytes, OUTPUT_CREDIT_BYTES if is_old else LEAST_BYTES)
        self._flush()
        self.kernel.later(PREPARE_S, self.attempts.prepare)

    def _refusal(self, message: Message) -> Optional[Tuple[str, str]]:
        proto = message.get("proto")
        if not isinstance(proto, list) or not proto or proto[0] != PROTOCOL[0]:
            return "proto", "this agent speaks %d.%d, not %s" % (*PROTOCOL, proto)
        if message.get("run") != self.run or message.get("agent") != self.agent.name:
            return "wrong_run", "this is agent %s of run %s" % (self.agent.name, self.run)
        if self._token is not None and not _compare_digest(_token(message).encode(), self._token.encode()):
            return "token", "it has another token than the run's"
        epoch = message.get("epoch")
        if not isinstance(epoch, int) or epoch < self._epoch:
            return "epoch_stale", "attachment %d was here already" % self._epoch
        return None

    def _settle(self, message: Message) -> None:
        """Take what a hello says about the run."""
        self.keep = bool(message.get("keep"))
        lease_s = message.get("lease_s")
        if isinstance(lease_s, (int, float)) and lease_s > 0:
            self.lease.settle(float(lease_s), self.keep)
        given = message.get("env")
        self.agent.settle(
            str(message.get("address") or ""),
            str(message.get("bind") or "127.0.0.1"),
            {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {},
        )
        self.attempts.own_problem = ""
        for file in message.get("procedures") or ():
            try:
                procedures.load_own(file["path"], file["source"])
            except Exception as error:
                path = file.get("path") if isinstance(file, dict) else file
                self.attempts.own_problem = procedures.why_not_loaded(path, error)

    def _welcome(self, seen: int, taken_bytes: int) -> Message:
        welcome = {
            "t": "welcome",
            "proto": list(PROTOCOL),
            "agent": self.agent.name,
            "pid": os.getpid(),
            "home": self.agent.home,
            "host": birth.host(),
            "python": "%d.%d.%d" % sys.version_info[:3],
            "build": self._build,
            "boot": boot_id(),
            "cpus": os.cpu_count() or 1,
            "birth": self._birth,
            "rx": self._seen,
            "tx": seen,
            "taken": taken_bytes,
            "knows": {},
        }
        welcome["knows"] = self.attempts.known(MAX_LINE_BYTES - len(encode(welcome)))
        return welcome

    def _ack_soon(self) -> None:
        if self._seen - self._acknowledged >= ACK_EVERY:
            self._send_ack()
        elif self._ack_timer is None:
            self._ack_timer = self.kernel.later(ACK_DELAY_S, self._send_late_ack)

    def _send_late_ack(self) -> None:
        self._ack_timer = None
        if self._seen > self._acknowledged:
            self._send_ack()

    def _send_ack(self) -> None:
        self._acknowledged = self._seen
        self.say({"t": "ack", "seq": self._seen})

    # Messages.

    def _cancel(self, message: Message) -> None:
        self.attempts.cancel(str(message.get("id")), str(message.get("reason") or "cancelled"))

    def _recall(self, message: Message) -> None:
        name, after = str(message.get("id")), str(message.get("after"))
        is_begun = not self.attempts.take_back(name, after)
        self.post({"t": "recalled", "id": name, "after": after, "begun": is_begun})

    def _stop(self, message: Message) -> None:
        grace_s = message.get("grace_s")
        grace_s = float(grace_s) if isinstance(grace_s, (int, float)) else 10.0
        if "keep" in message:
            self.keep = bool(message["keep"])
        self._is_hurried = grace_s <= 0
        if self.agent.is_stopping:
            self.processes.limit_grace(grace_s)
        else:
            self.kernel.spawn(self._stop_all(grace_s, "the agent was stopped", is_told=True), "stop")

    def _credit(self, message: Message) -> None:
        window = message.get("window")
        self.outbox.credit(_number(message.get("bytes")), window if isinstance(window, int) else OUTPUT_CREDIT_BYTES)
        self._flush_soon()

    def _ack(self, message: Message) -> None:
        number = _number(message.get("seq"))
        self.outbox.acknowledged(number)
        self.attempts.acknowledged(number)
        if self._last_number and number >= self._last_number:
            self._confirmed.set(True)

    def _nothing(self, message: Message) -> None:
        pass

    # Time.

    def _heartbeat(self) -> None:
        self._heartbeats += 1
        self.say(sign_of_life(self._heartbeats, len(self.agent.supervised)))
        self.kernel.later(HEARTBEAT_S, self._heartbeat)

    # The end.

    async def _stop_all(self, grace_s: float, reason: str, is_told: bool) -> None:
        self.agent.is_stopping = True
        self.agent.is_asked_to_stop = is_told
        self.lease.ending(self.keep)
        try:
            remaining = await self._end_everything(grace_s, reason, is_told)
            if is_told:
                await drain(self.kernel, self.outbox, self._drains, self._flush)
            self.lease.removing()
            faults.hit("agent.remove")
            self._place.remove_contents(self.keep)
        except Exception as error:  # whatever happens, the daemon ends
            self.kernel.complain("stop", error)
            self.processes.kill_what_is_below()
            self.is_guard_to_end = True
            self.keep = True  # so that what was complained of can be read
            remaining = [{"pid": os.getpid(), "name": "agentd", "state": "%s: %s" % (type(error).__name__, error)}]
        self.post({"t": "stopped", "remaining": remaining})
        self._last_number = self.outbox.sent
        if is_told or self._channel is not None:
            timer = self.kernel.later(LAST_ACK_S, self._confirmed.set)
            await self._confirmed
            timer.cancel()
        self._over.set()

    def _drains(self) -> bool:
        return self._channel is not None and not self._is_hurried

    async def _end_everything(self, grace_s: float, reason: str, is_told: bool) -> List[Message]:
        self.processes.limit_grace(grace_s)
        for attempt in self.attempts.end_all(reason, is_asked=is_told):
            if attempt.task is not None:
                ended = Future(self.kernel)
                attempt.task.then(ended.set)
                timer = self.kernel.later(grace_s + 6.0, ended.set)
                await ended
                timer.cancel()
        groups: Dict[int, List[Supervised]] = {}
        for process in self.agent.supervised.values():
            if not process.is_gone:
                groups.setdefault(process.stop_order, []).insert(0, process)
        for order in sorted(groups):
            stops = [self.kernel.spawn(process.stop(), "stop %s" % process.name) for process in groups[order]]
            for stop in stops:
                await stop
        await self._swept
        return self._stranded + await self.processes.end_everything(signals.TERM, SWEEP_GRACE_S)


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _token(message: Message) -> str:
    token = message.get("token")
    return token if isinstance(token, str) else ""
