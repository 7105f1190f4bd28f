"""The attempts of this agent: each executed once, ended in time, answered for as often as asked."""

from __future__ import annotations

import time
from itertools import chain

from octogram_agentd import faults, procedures, signals
from octogram_agentd.cuts import beginning, ending
from octogram_agentd.jobs.answers import Answers
from octogram_agentd.jobs.attempt import Attempt
from octogram_agentd.jobs.watchdog import TICK_S, HeldUp, Watchdog
from octogram_agentd.kernel import Cancelled, TimeExpired
from octogram_agentd.procedures.values import ProcedureFailed, checked_timeout
from octogram_agentd.processes.logs import Log
from octogram_agentd.wire.lines import MAX_DEPTH, MAX_RESULT_BYTES, depth, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple, Union

    from octogram_agentd.jobs.agent import Agent

    Message = Dict[str, Any]

COMMAND_GRACE_S = 5.0  # between TERM and KILL for what an attempt leaves when it ends early
STOPPING = "the agent is stopping"
MOST_USED = "builtins.command"
LOGS_IN_MEMORY_BYTES = 4 << 20  # of attempts that are over
LOG_OVERHEAD_BYTES = 1 << 10  # of each one, however little was printed
LOGS_ON_DISK_BYTES = 256 << 20  # of attempts that are over


class Attempts:
    """All attempts, by name."""

    def __init__(self, agent: Agent) -> None:
        self.own_problem = ""  # what is wrong with the user's own procedure files
        self._agent = agent
        self._watchdog = Watchdog(agent.kernel)
        self._running: Dict[str, Attempt] = {}
        self._next: Dict[str, Message] = {}  # what begins as soon as one of these has ended well
        self._answers = Answers()
        self._logs: Dict[str, Log] = {}
        self._log_bytes = 0
        self._log_file_bytes = 0
        self._count = 0
        self._context: Any = None  # what a procedure is given, once it is loaded

    def known(self, room_bytes: int) -> Dict[str, str]:
        """Give those that were heard of and their states: those under way first, then the latest, as far as they go."""
        known: Dict[str, str] = {}
        under_way = [(name, "running") for name in self._running]
        under_way += [(str(message.get("id")), "held") for message in self._next.values()]
        for name, state in chain(under_way, self._answers.states()):
            room_bytes -= len(encode({name: state}))
            if room_bytes < 0:
                break
            known[name] = state
        return known

    def acknowledged(self, number: int) -> None:
        """Take note that what was posted up to a number is safe."""
        self._answers.acknowledged(number)

    def prepare(self) -> None:
        """Load what nearly every first job needs, while nobody waits for it."""
        self._load()
        self._agent.processes.prepare()
        try:
            procedures.find(MOST_USED)
        except Exception as error:  # whoever asks for it is told
            self._agent.kernel.complain("prepare", error)

    def _load(self) -> None:
        from octogram_agentd.jobs.agent_context import AgentContext

        self._context = AgentContext

    def run(self, message: Message) -> None:
        """Execute an attempt, unless it was executed before: then answer what is known of it."""
        name = str(message.get("id"))
        if name in self._running:
            return
        if name in self._answers:
            line = self._answers.line(name)
            if line is None:
                error = _error("forgotten", "this attempt was executed before, and its result is no longer kept")
                line = encode(_finished(name, "failed", None, error, 0.0))
            self._agent.post.post_line(line)
            return
        after = message.get("after")
        if after is not None and not self._is_due(name, str(after), message):
            return
        agent = self._agent
        self._count += 1
        attempt = Attempt(name, self._count)
        attempt.mark = str(message.get("mark") or "")
        given = message.get("env")
        if isinstance(given, dict):
            attempt.env = {str(key): str(value) for key, value in given.items()}
        if agent.is_stopping:
            kind = "cancelled" if agent.is_asked_to_stop else "stopped"
            self._answer(attempt, "cancelled" if agent.is_asked_to_stop else "failed", None, _error(kind, STOPPING))
            return
        timeout_s = message.get("timeout_s")
        if timeout_s is not None:
            try:
                attempt.timeout_s = checked_timeout(timeout_s)
            except (ProcedureFailed, TypeError) as error:
                said = error.message if isinstance(error, ProcedureFailed) else "%r is no timeout" % timeout_s
                self._answer(attempt, "failed", None, _error("argument", said, getattr(error, "hint", "")))
                return
        self._running[name] = attempt
        attempt.task = agent.kernel.spawn(self._execute(attempt, message), name)
        if attempt.timeout_s:
            attempt.timer = agent.kernel.later(attempt.timeout_s, self._time_is_over, attempt)

    def _is_due(self, name: str, after: str, message: Message) -> bool:
        """Whether what was sent ahead begins now. It waits for the one before it, and is nothing where that failed."""
        if after in self._running:
            self._next[after] = message
            return False
        state = self._answers.state(after)
        if state is None:  # nobody can say any more that it ended well, so this one must not begin later either
            said = "it was to begin after %s, and how that ended is no longer kept" % beginning(after, 1000)
            error = _error("forgotten", said)
            self._count += 1
            self._answer(Attempt(name, self._count), "failed", None, error)
        return state == "ok"

    def take_back(self, name: str, after: str) -> bool:
        """Take back what was sent ahead. False when it has begun already: then it goes on."""
        message = self._next.get(after)
        if message is not None and message.get("id") == name:
            del self._next[after]
        return name not in self._running and name not in self._answers

    def refuse(self, message: Message, error: BaseException) -> None:
        """Answer for an attempt that could not even be begun."""
        name = str(message.get("id"))
        if name not in self._running and name not in self._answers:
            self._count += 1
            self._answer(Attempt(name, self._count), "failed", None, _bug(error, "the agent"))

    def cancel(self, name: str, reason: str) -> None:
        """End an attempt and everything that it started, because the orchestrator asks for that."""
        attempt = self._running.get(name)
        if attempt is not None and not attempt.is_ending and attempt.task is not None:
            attempt.asked_to_end = reason
            attempt.task.cancel()

    def end_all(self, reason: str, *, is_asked: bool) -> List[Attempt]:
        """End all, and give those that have yet to end. Those that nobody asked to end will say that they failed."""
        for attempt in list(self._running.values()):
            if is_asked:
                self.cancel(attempt.name, reason)
            elif not attempt.is_ending and attempt.task is not None:
                attempt.lost_reason = reason
                attempt.task.cancel()
        return list(self._running.values())

    def log_of(self, name: str) -> Optional[Log]:
        """Give the log of an attempt, under way or over."""
        attempt = self._running.get(name)
        return attempt.output if attempt is not None else self._logs.get(name)

    def _time_is_over(self, attempt: Attempt) -> None:
        if not attempt.is_ending and attempt.task is not None:
            attempt.is_late = True
            attempt.task.cancel(TimeExpired())

    async def _execute(self, attempt: Attempt, message: Message) -> None:
        state = "failed"
        result = None
        error: Optional[Message] = None
        try:
            if attempt.is_ending:  # before it could begin
                raise Cancelled
            procedure = self._procedure(message)
            if self._context is None:
                self._load()
            is_foreign = not procedure.__module__.startswith("octogram_agentd.")
            if is_foreign:
                self._watchdog.guard(attempt.task)
            try:
                result = await procedure.run(self._context(self._agent, attempt))
            finally:
                if is_foreign:
                    self._watchdog.release(attempt.task)
            state = "ok"
        except ProcedureFailed as failure:
            error = _error(failure.kind, failure.message, failure.hint, failure.detail)
            result = failure.result
        except Cancelled:
            state, error = _early_end(attempt)
        except HeldUp:
            error = _error(
                "held_up",
                "%s went on for more than %g s without waiting for anything, and nothing else had its turn meanwhile"
                % (message.get("procedure"), TICK_S),
                "what computes for long goes into a program: context.command",
            )
        except BaseException as failure:
            error = _bug(failure, str(message.get("procedure")))
        if attempt.timer is not None:
            attempt.timer.cancel()
        if attempt.is_ending and state != "ok":
            try:
                await self._end_all_of(attempt)
            except Exception as failure:
                self._agent.kernel.complain("ending %s" % attempt.name, failure)
        self._answer(attempt, state, result, error)

    def _procedure(self, message: Message) -> Any:
        name, arguments = message.get("procedure"), message.get("args")
        try:
            kind = procedures.find(name if isinstance(name, str) else "")
        except KeyError:
            raise ProcedureFailed(
                "this agent knows no procedure %s" % name, kind="unknown_procedure", hint=self.own_problem
            ) from None
        return kind(arguments if isinstance(arguments, dict) else {})

    async def _end_all_of(self, attempt: Attempt) -> None:
        agent = self._agent
        if not attempt.has_started:
            return
        if not agent.is_stopping:  # else all of them are stopped, in their order
            for process in [one for one in agent.supervised.values() if one.attempt == attempt.name]:
                await process.stop()
            await agent.processes.end_owner(attempt.owner, signals.TERM, COMMAND_GRACE_S)

    def _answer(self, attempt: Attempt, state: str, result: Any, error: Optional[Message]) -> None:
        name = attempt.name
        duration_s = round(time.monotonic() - attempt.started_s, 6)
        answer = _finished(name, state, result, error, duration_s)
        try:
            line = self._checked(answer)
        except ProcedureFailed as failure:
            state = "failed"
            answer = _finished(name, state, None, _error(failure.kind, failure.message, failure.hint), duration_s)
            line = encode(answer)
        attempt.is_over = True
        if attempt.temporaries:
            attempt.clean()
        self._running.pop(name, None)
        faults.hit("agent.finished")
        self._agent.post.flush_output(name)
        self._answers.add(name, state, line, self._agent.post.post_line(line))
        if attempt.output is not None:
            self._keep_log(name, attempt.output)
        following = self._next.pop(name, None)
        if following is not None and state == "ok":
            self._begin_next(following)

    def _begin_next(self, message: Message) -> None:
        del message["after"]
        try:
            self.run(message)
        except Exception as error:  # as of one that comes by itself
            self._agent.kernel.complain("run", error)
            self.refuse(message, error)

    def _checked(self, answer: Message) -> bytes:
        """Give the line of an answer; shorten an error, and refuse a result that cannot be sent."""
        try:
            line = encode(answer)
        except (ValueError, TypeError) as wrong:
            raise ProcedureFailed("its result is not JSON: %s" % wrong, kind="bug") from None
        if b"\\ud" in line:  # lone surrogates, from names of files that are not UTF-8
            for key in ("result", "error"):
                if key in answer:
                    answer[key] = _well_formed(answer[key])
            line = encode(answer)
        is_deep = line.count(b"{") + line.count(b"[") > MAX_DEPTH and depth(line) > MAX_DEPTH
        if len(line) <= MAX_RESULT_BYTES and not is_deep:
            return line
        error = answer.get("error")
        if error is not None and answer["result"] is not None:  # why it failed is worth more than what it gave
            answer["result"] = None
            return self._checked(answer)
        if error is not None:
            answer["error"] = _error(
                error["kind"],
                beginning(error["message"], 8000),
                beginning(error["hint"], 2000),
                {"note": "the detail was too large to be sent"},
            )
            return encode(answer)
        raise ProcedureFailed(
            "its result is nested too deeply"
            if is_deep
            else "its result has %d bytes as JSON, and the limit is %d" % (len(line), MAX_RESULT_BYTES),
            kind="result_too_large",
            hint="write it to a file, and fetch that",
        )

    def _keep_log(self, name: str, log: Log) -> None:
        """Keep the log of an attempt that is over, and forget the oldest ones beyond a bound."""
        log.close()
        self._logs[name] = log
        self._log_bytes += log.memory_bytes + LOG_OVERHEAD_BYTES
        self._log_file_bytes += log.size_bytes if log.has_files else 0
        while self._log_bytes > LOGS_IN_MEMORY_BYTES or self._log_file_bytes > LOGS_ON_DISK_BYTES:
            oldest = self._logs.pop(next(iter(self._logs)))
            self._log_bytes -= oldest.memory_bytes + LOG_OVERHEAD_BYTES
            self._log_file_bytes -= oldest.size_bytes if oldest.has_files else 0
            oldest.remove()


def _finished(name: str, state: str, result: Any, error: Optional[Message], duration_s: float) -> Message:
    answer = {"t": "finished", "id": name, "state": state, "result": result, "duration_s": duration_s}
    if error is not None:
        answer["error"] = error
    return answer


def _early_end(attempt: Attempt) -> Tuple[str, Message]:
    """Say why an attempt was ended. `cancelled` is only what the orchestrator asked to cancel."""
    if attempt.asked_to_end:
        return "cancelled", _error("cancelled", attempt.asked_to_end)
    if attempt.is_late:
        said = "took longer than %g s" % attempt.timeout_s
        return "failed", _error("timeout", said, detail={"last_lines": attempt.last_lines()})
    if attempt.lost_reason:
        return "failed", _error("stopped", attempt.lost_reason)
    return "failed", _error("timeout", "a step of this job took too long")  # a limit of its own, not handled


def _error(kind: str, message: str, hint: str = "", detail: Optional[Message] = None) -> Message:
    return {"kind": kind, "message": message, "hint": hint, "detail": detail or {}}


_LIMITS = ("EMFILE", "ENFILE", "ENOSPC", "EDQUOT", "ENOMEM", "EAGAIN", "EFBIG", "E2BIG", "ENAMETOOLONG", "EROFS", "EIO")
"""What the system says when a machine has no more of something: the fault of no procedure."""


def _bug(error: BaseException, procedure: str) -> Message:
    """Describe an exception that a procedure did not mean to raise."""
    from errno import errorcode

    text = _text_of(error)
    said = ""
    if isinstance(error, OSError) and errorcode.get(error.errno or 0) in _LIMITS:
        said = (error.strerror or "").lower()
        said += ": %s" % error.filename if isinstance(error.filename, str) else ""
    elif isinstance(error, MemoryError):
        said = "out of memory"
    elif "can't start new thread" in text:
        said = "no more threads can be started"
    if said:
        return _error("limit", "%s met a limit of the agent's machine: %s" % (procedure, beginning(said, 1000)))

    return _error(
        "bug",
        "%s raised %s%s" % (procedure, type(error).__name__, ": " + beginning(text, 1000) if text else ""),
        "this is a defect of the procedure",
        {"traceback": ending(_traceback(error), 4000)},
    )


def _text_of(error: BaseException) -> str:
    """Give what an exception says; nothing where it fails in saying it, as those of procedures may."""
    try:
        return str(error)
    except BaseException:  # whatever it raises: its attempt is answered
        return ""


def _traceback(error: BaseException) -> str:
    """Say where it was raised; nothing where that cannot be found out now, since an attempt is answered in any case."""
    try:
        import traceback

        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:
        return ""


def _well_formed(value: Union[str, float, List[Any], Message, None]) -> Any:
    """Replace what is no Unicode text in all strings of a JSON value."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_well_formed(one) for one in value]
    if isinstance(value, dict):
        return {_well_formed(str(key)): _well_formed(one) for key, one in value.items()}
    return value
