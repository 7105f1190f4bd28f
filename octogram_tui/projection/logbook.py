"""What jobs and processes wrote: bounded by attempt and as a whole, and honest about what was let go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from itertools import repeat
from operator import itemgetter
from sys import intern
from typing import NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import AttemptId, InstanceId

LINES_PER_ORIGIN = 5_000
BYTES_IN_ALL = 48 * 1024 * 1024
LINE_OVERHEAD_BYTES = 160
_TRIM_LINES = 512
_TEXT = itemgetter(3)


class Origin:
    """Who wrote: one attempt of an instance, or a process that outlived its job."""

    __slots__ = (
        "agent",
        "attempt",
        "begin",
        "dropped",
        "first",
        "instance",
        "item",
        "lines",
        "log",
        "process",
        "total",
    )

    def __init__(self, event: ev.JobOutput | ev.JobStarted, begin: int) -> None:
        process = event.process if isinstance(event, ev.JobOutput) else ""
        self.instance = event.instance
        self.attempt = event.attempt
        self.agent = event.agent if event.instance is None else event.instance.agent
        self.item = event.item
        self.process = process
        self.begin = begin  # the absolute number of its first line
        self.lines: Sequence[Line] = ()  # most have one, and there are very many: no list before there is more
        self.first = 0  # the number, counted from 0, of lines[0]
        self.total = 0  # lines that came, those that were dropped on the way not counted
        self.dropped = 0  # lines that the agent left out before they came
        self.log = process  # which process's lines were left out last; empty for the attempt's own

    @property
    def stage(self) -> str:
        """The stage of the instance; empty for a process."""
        return self.instance.stage if self.instance is not None else ""

    @property
    def job(self) -> str:
        """The job of the instance; empty for a process."""
        return self.instance.job if self.instance is not None else ""

    @property
    def let_go(self) -> int:
        """How many lines are not here: left out by the agent, or let go to bound the memory."""
        return self.dropped + self.first

    @property
    def log_name(self) -> str:
        """What the agent calls the log that has the lines which are not here: the process, or the attempt."""
        return self.log or (str(AttemptId(self.instance, self.attempt)) if self.instance is not None else self.process)


class Line(NamedTuple):
    """One line, raw. `stream` is stdout or stderr; `gap` for a note of how many lines were left out, `attempt` for one
    that says that what comes is of another attempt.
    """

    at_s: float
    origin: Origin
    stream: str
    text: str


class Gap(Line):
    """A note of how many lines were left out. number: under which the agent has them; 0: it has not."""

    number = 0

    @classmethod
    def of(cls, event: ev.JobOutput, origin: Origin) -> Gap:
        """Give the note of what an event tells to be left out."""
        note = cls(event.at_s, origin, "gap", f"{event.dropped} lines left out")
        note.number = event.gap
        return note


_line: Callable[[tuple[float, Origin, str, str]], Line] = partial(tuple.__new__, Line)
"""Makes a line as `Line(...)` does, in a third of the time: there may be hundreds of thousands a second."""


def lines_of(event: ev.Event) -> int:
    """Say how many lines an event adds to a logbook that marks attempts."""
    if isinstance(event, ev.JobOutput):
        return len(event.lines) + 1 if event.dropped else len(event.lines)
    return int(isinstance(event, ev.JobStarted) and event.attempt > 1)


class Stretch:
    """From which line to before which there is all that a job of a stage wrote, how much of it is its own, and whose.

    The absolute numbers hold whatever is let go; origins are in the order of their first lines.
    """

    __slots__ = ("begin", "count", "end", "origins")

    def __init__(self, begin: int) -> None:
        self.begin = self.end = begin
        self.count = 0
        self.origins: list[Origin] = []


class Logbook:
    """The fold: every line in the order of its coming, and by origin. Absolute numbers stay true while lines go.

    marks_attempts: whether a line says where an attempt after the first begins; first: the number of its first line,
    where it begins later than the run
    """

    def __init__(
        self,
        *,
        lines_per_origin: int = LINES_PER_ORIGIN,
        bytes_in_all: int = BYTES_IN_ALL,
        marks_attempts: bool = False,
        first: int = 0,
    ) -> None:
        self.lines: list[Line] = []
        self.first = first  # the absolute number of lines[0]
        self.size_bytes = 0
        self.attempts: dict[InstanceId, tuple[Origin, ...]] = {}  # by instance, in the order of their first lines
        self.processes: dict[tuple[str, str], Origin] = {}  # by agent and process
        self.whole: Logbook = self  # what a log of an earlier moment is a part of
        self._stretches: dict[str, dict[str, Stretch]] = {}  # by stage and job; of processes by none
        self._marks_attempts = marks_attempts
        self._lines_per_origin = lines_per_origin
        self._bytes_in_all = bytes_in_all

    @property
    def end(self) -> int:
        """The absolute number that the next line will have."""
        return self.first + len(self.lines)

    def stretch(self, stage: str, job: str) -> tuple[int, int]:
        """Say from which line to before which there is all that a job of a stage wrote. Empty: any stage, any job."""
        if not stage:
            return self.first, self.end
        found = self.stretches(stage, job)
        first = min((each.begin for each in found), default=self.end)
        end = max((each.end for each in found), default=self.end)
        return min(max(self.first, first), self.end), max(self.first, min(end, self.end))

    def stretches(self, stage: str, job: str) -> list[Stretch]:
        """Give the stretches of a job, of all jobs of a stage, or all; they tell of what came later as well."""
        ours = self.whole._stretches
        if not stage:
            return [each for jobs in ours.values() for each in jobs.values()]
        jobs = ours.get(stage, {})
        return list(jobs.values()) if not job else [jobs[job]] if job in jobs else []

    def is_all_of(self, stage: str, job: str, start: int, end: int) -> bool:
        """Whether all lines from one number to before another were written for a stage, or for a job of it."""
        found = self.stretches(stage, job)
        if not found:
            return start >= end
        first, last = min(each.begin for each in found), max(each.end for each in found)
        return first <= start and end <= last and sum(each.count for each in found) == last - first

    def has_until(self, end: int, wanted: int) -> bool:
        """Whether it has the lines before an absolute number, or at least so many of them."""
        return self.end >= end and (not self.first or end - self.first >= wanted)

    def until(self, end: int) -> Logbook:
        """Give the log as it was when its next line had this number. It is not to grow, and shares the lines."""
        log = Logbook(first=min(self.first, end))
        log.whole = self
        log.lines = self.lines[: max(0, end - self.first)]
        log.attempts = _Attempts(self, log.lines)
        log.processes = {name: origin for name, origin in self.processes.items() if origin.begin < end}
        return log

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        if isinstance(event, ev.JobOutput):
            origin = self._origin(event)
            new: list[Line] = []
            if event.dropped:
                origin.dropped += event.dropped
                origin.log = event.process
                new.append(Gap.of(event, origin))
            new += map(_line, zip(repeat(event.at_s), repeat(origin), repeat(intern(event.stream)), event.lines))
            origin.total += len(event.lines)
            self._keep(origin, new)
        elif self._marks_attempts and isinstance(event, ev.JobStarted) and event.attempt > 1:
            origin = self._origin(event)
            self._keep(origin, [Line(event.at_s, origin, "attempt", f"attempt {event.attempt}, {event.why}")])

    def forget(self, instance: InstanceId) -> None:
        """Let nobody find any more who wrote for an instance: its lines are among all of them until they are let go."""
        self.attempts.pop(instance, None)

    def _keep(self, origin: Origin, new: list[Line]) -> None:
        begin = self.end
        is_first = not origin.lines and not origin.first
        if is_first:
            origin.begin = begin
        if isinstance(origin.lines, list):
            origin.lines += new
        else:
            origin.lines = [*origin.lines, *new] if origin.lines else tuple(new)
        self.lines += new
        about = origin.instance
        stage, job = ("", "") if about is None else (about[0], about[1])
        jobs = self._stretches.get(stage)
        if jobs is None:
            jobs = self._stretches[stage] = {}
        stretch = jobs.get(job)
        if stretch is None:
            stretch = jobs[job] = Stretch(begin)
        stretch.end = begin + len(new)
        stretch.count += len(new)
        if is_first and new:
            stretch.origins.append(origin)
        self.size_bytes += _size_of(new)
        excess = len(origin.lines) - self._lines_per_origin
        if excess > 0:
            origin.lines = lines = origin.lines if isinstance(origin.lines, list) else [*origin.lines]
            del lines[:excess]
            origin.first += excess
        if self.size_bytes > self._bytes_in_all:
            self._let_go()

    def _origin(self, event: ev.JobOutput | ev.JobStarted) -> Origin:
        if event.instance is not None:
            origins = self.attempts.get(event.instance, ())
            for origin in reversed(origins):
                if origin.attempt == event.attempt:
                    return origin
            new = Origin(event, self.end)
            self.attempts[event.instance] = (*origins, new)
            return new
        assert isinstance(event, ev.JobOutput)  # what starts is an instance
        by_process = (event.agent, event.process)
        found = self.processes.get(by_process)
        if found is None:
            found = self.processes[by_process] = Origin(event, self.end)
        return found

    def _let_go(self) -> None:
        """Drop the oldest lines, a block at a time, from here and from their origins; some more, to do so seldom."""
        count = 0
        most_bytes = self._bytes_in_all - self._bytes_in_all // 16
        while self.size_bytes > most_bytes and count < len(self.lines):
            block = self.lines[count : count + _TRIM_LINES]
            count += len(block)
            self.size_bytes -= _size_of(block)
        gone_by_origin: dict[int, tuple[Origin, Line]] = {}
        for line in self.lines[:count]:
            gone_by_origin[id(line.origin)] = (line.origin, line)
        for origin, last in gone_by_origin.values():
            for index, line in enumerate(origin.lines):
                if line is last:
                    origin.lines = origin.lines[index + 1 :]
                    origin.first += index + 1
                    break
        del self.lines[:count]
        self.first += count


def _size_of(lines: list[Line]) -> int:
    return LINE_OVERHEAD_BYTES * len(lines) + sum(map(len, map(_TEXT, lines)))


class _Attempts(dict[InstanceId, tuple[Origin, ...]]):
    """Who had written by then, by instance: found out when somebody asks, for few are looked at."""

    def __init__(self, log: Logbook, lines: list[Line]) -> None:
        super().__init__()
        self._log = log
        self._lines = lines

    def __missing__(self, instance: InstanceId) -> tuple[Origin, ...]:
        end = self._log.first + len(self._lines)
        origins = [origin for origin in self._log.attempts.get(instance, ()) if origin.begin < end]
        self[instance] = past = tuple(_as_of(origin, self._lines, self._log.first) for origin in origins)
        return past

    def get(self, instance: InstanceId, default: object = None) -> object:  # type: ignore[override]
        """Give those of an instance."""
        return self[instance] or default


def _as_of(origin: Origin, lines: list[Line], first: int) -> Origin:
    """Give an origin as it was when these, of which one has the number `first`, were all the lines."""
    past = copy(origin)
    mine = [line for line in lines[max(0, origin.begin - first) :] if line.origin is origin]
    past.dropped = sum(int(line.text.partition(" ")[0]) for line in mine if line.stream == "gap")
    past.total = sum(line.stream not in ("gap", "attempt") for line in mine)
    past.first = max(0, len(mine) - LINES_PER_ORIGIN)
    past.lines = mine[past.first :]
    return past
