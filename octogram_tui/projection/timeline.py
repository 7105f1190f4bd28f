"""When what ran: for each job the spans in which any of it ran, and over the run how many instances did at once.

Bounded whatever the run is: spans that are near each other melt into one, and time is kept in bins that grow wider.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId

BINS = 512
FIRST_BIN_S = 0.125
MOST_SPANS = 96
"""So many spans a job, and so many pauses, are told apart."""
MOST_MARKS = 256
MOST_LINKS = 1_000

JobKey = tuple[str, str]
"""A stage and a job of it."""


class Span(NamedTuple):
    """From when to when; an end of None is now."""

    start_s: float
    end_s: float | None


class Spans:
    """Spans of time in their order, not more than MOST_SPANS: those nearest to each other melt."""

    __slots__ = ("closed", "open_s")

    def __init__(self) -> None:
        self.closed: list[tuple[float, float]] = []
        self.open_s: float | None = None

    def begin(self, at_s: float) -> None:
        """Open a span, unless one is open."""
        if self.open_s is None:
            self.open_s = at_s

    def end(self, at_s: float) -> None:
        """Close the span that is open."""
        if self.open_s is None:
            return
        start_s, self.open_s = self.open_s, None
        closed = self.closed
        closed.append((start_s, max(start_s, at_s)))
        if len(closed) > MOST_SPANS:
            self._melt()

    def _melt(self) -> None:
        """Keep the widest gaps. A quarter of the spans goes at once: looking for one at each end would cost more."""
        closed = self.closed
        by_width = sorted(range(1, len(closed)), key=lambda place: closed[place - 1][1] - closed[place][0])
        starts = [0, *sorted(by_width[: MOST_SPANS * 3 // 4 - 1])]
        ends = [*(place - 1 for place in starts[1:]), len(closed) - 1]
        self.closed = [(closed[start][0], closed[end][1]) for start, end in zip(starts, ends, strict=True)]

    def all(self) -> list[Span]:
        """Give them, the one that is open last."""
        found = [Span(*span) for span in self.closed]
        return found if self.open_s is None else [*found, Span(self.open_s, None)]


class Mark(NamedTuple):
    """Something at a moment that a bar has to show. kind: failed or retry."""

    at_s: float
    kind: str


class Bar:
    """One job over time."""

    __slots__ = ("key", "marks", "running", "spans", "version")

    def __init__(self, key: JobKey) -> None:
        self.key = key
        self.spans = Spans()
        self.marks: list[Mark] = []
        self.running = 0
        self.version = 0

    def mark(self, mark: Mark) -> None:
        """Take a mark in; of very many every second is let go."""
        self.marks.append(mark)
        if len(self.marks) > MOST_MARKS:
            del self.marks[1:-1:2]

    @property
    def start_s(self) -> float:
        """When any of it ran first."""
        return self.spans.closed[0][0] if self.spans.closed else self.spans.open_s or 0.0


class Bins:
    """The most that a count came to in each stretch of time; the stretches double when the run outgrows them."""

    def __init__(self) -> None:
        self.width_s = FIRST_BIN_S
        self.most: list[int] = [0]
        self.now = 0

    def count(self, at_s: float, by: int) -> None:
        """Change the count at a time, which never goes back."""
        if at_s >= self.width_s * len(self.most):
            self.reach(at_s)
        self.now += by
        if self.now > self.most[-1]:
            self.most[-1] = self.now

    def reach(self, at_s: float) -> None:
        """Let time pass with the count as it is."""
        while at_s >= self.width_s * BINS:
            self.width_s *= 2
            self.most = [max(self.most[at : at + 2]) for at in range(0, len(self.most), 2)]
        missing = int(at_s / self.width_s) + 1 - len(self.most)
        if missing > 0:
            self.most += [self.now] * missing

    def between(self, start_s: float, end_s: float) -> int:
        """Say the most that the count came to in a stretch of time; what was not told of yet is as it is now."""
        first = int(start_s / self.width_s)
        last = max(first + 1, -int(-end_s // self.width_s))
        return max(self.most[first:last], default=self.now)


class _Link:
    """Instances of one job on an agent, one after the other, and what came before: chains that share beginnings."""

    __slots__ = ("agent", "before", "key", "length")

    def __init__(self, key: JobKey, agent: str, before: _Link | None) -> None:
        self.key = key
        self.agent = agent
        self.length: int = 1 if before is None else before.length + 1
        self.before: _Link | None = before
        if self.length > MOST_LINKS:  # jobs that take turns without end: what is long ago is let go
            self.before, self.length = None, 1


class _Chains(NamedTuple):
    """The chains of a copy: where in `links` each begins, -1 for none."""

    running: dict[InstanceId, int]
    lanes: dict[str, int]
    before_stage: int
    last: int
    links: list[tuple[JobKey, str, int]]


_CHAINED = ("_running", "_lanes", "_before_stage", "_last")


class Timeline:
    """The fold."""

    def __init__(self) -> None:
        self.bars: dict[JobKey, Bar] = {}
        self.bins = Bins()
        self.pauses = Spans()
        self.end_s: float | None = None  # once nothing runs any more; what waits after that is no part of the picture
        self.version = 0
        self._running: dict[InstanceId, _Link] = {}
        self._lanes: dict[str, _Link] = {}  # by agent: what it did last in the stage
        self._before_stage: _Link | None = None
        self._last: _Link | None = None  # of what ended last
        self._folds: dict[str, Callable[[Any], None]] = {
            "job_started": self._on_job_started,
            "job_finished": self._on_job_finished,
            "stage_started": self._on_stage_started,
            "run_paused": self._on_run_paused,
            "run_resumed": self._on_run_resumed,
            "stop_requested": self._on_end,
            "stages_done": self._on_end,
            "run_finished": self._on_end,
        }

    def __getstate__(self) -> tuple[dict[str, object], _Chains]:
        """Copy the chains link by link: one that leads to the next that leads to the next is too deep for a copy."""
        places: dict[int, int] = {}
        links: list[tuple[JobKey, str, int]] = []  # key, agent, and where the one before stands; -1 when there is none

        def place(link: _Link | None) -> int:
            new: list[_Link] = []
            while link is not None and id(link) not in places:
                new.append(link)
                link = link.before
            for each in reversed(new):
                places[id(each)] = len(links)
                links.append((each.key, each.agent, -1 if each.before is None else places[id(each.before)]))
            return -1 if link is None and not new else places[id(new[0] if new else link)]

        chains = _Chains(
            {instance: place(link) for instance, link in self._running.items()},
            {agent: place(link) for agent, link in self._lanes.items()},
            place(self._before_stage),
            place(self._last),
            links,
        )
        return {name: value for name, value in self.__dict__.items() if name not in _CHAINED}, chains

    def __setstate__(self, state: tuple[dict[str, object], _Chains]) -> None:
        """Put the chains together again."""
        others, chains = state
        self.__dict__.update(others)
        links: list[_Link] = []
        for key, agent, before in chains.links:
            links.append(_Link(key, agent, links[before] if before >= 0 else None))
        self._running = {instance: links[at] for instance, at in chains.running.items()}
        self._lanes = {agent: links[at] for agent, at in chains.lanes.items()}
        self._before_stage = links[chains.before_stage] if chains.before_stage >= 0 else None
        self._last = links[chains.last] if chains.last >= 0 else None

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        fold = self._folds.get(event.TYPE)
        if fold is not None:
            self.version += 1
            fold(event)

    def _on_stage_started(self, _: ev.StageStarted) -> None:
        # What a stage waits for is whatever ended last before it.
        self._before_stage, self._lanes = self._last, {}

    def _on_run_paused(self, event: ev.RunPaused) -> None:
        self.pauses.begin(event.at_s)

    def _on_run_resumed(self, event: ev.RunResumed) -> None:
        if event.mode != "step":  # a step lets one instance through a gate that stays shut
            self.pauses.end(event.at_s)

    def _on_end(self, event: ev.Event) -> None:
        self.pauses.end(event.at_s)
        if not isinstance(event, ev.StopRequested):
            self.end_s = self.end_s or event.at_s

    def _on_job_started(self, event: ev.JobStarted) -> None:
        instance, at_s = event.instance, event.at_s
        key = (instance.stage, instance.job)
        bar = self._bar(key)
        self.end_s = None
        if not bar.running:
            bar.spans.begin(at_s)
        bar.running += 1
        bar.version += 1
        if event.why == "retry":
            bar.mark(Mark(at_s, "retry"))
        self.bins.count(at_s, 1)
        agent = instance.agent
        before = self._lanes.get(agent, self._before_stage)
        if before is None or before.key != key or before.agent != agent:
            before = _Link(key, agent, before)
        self._running[instance] = before

    def _on_job_finished(self, event: ev.JobFinished) -> None:
        instance, at_s = event.instance, event.at_s
        link = self._running.pop(instance, None)
        is_failure = event.state == "failed"
        if link is None and (not is_failure or event.duration_s):
            return  # it never ran, or is told of a second time
        bar = self._bar((instance.stage, instance.job))
        bar.version += 1
        if is_failure:
            bar.mark(Mark(at_s, "failed"))
        if link is None:
            return  # it failed before it was sent
        bar.running -= 1
        if not bar.running:
            bar.spans.end(at_s)
        self.bins.count(at_s, -1)
        self._lanes[instance.agent] = self._last = link

    def _bar(self, key: JobKey) -> Bar:
        bar = self.bars.get(key)
        if bar is None:
            bar = self.bars[key] = Bar(key)
        return bar

    def critical(self) -> dict[JobKey, str]:
        """Give the jobs that the end waited for, the first first, each with the agent that was waited for.

        While the run goes on, those up to what ended last. A lane waits for what its agent did before, a stage for
        all of the stage before it.
        """
        path: dict[JobKey, str] = {}
        link = self._last
        while link is not None:
            path.setdefault(link.key, link.agent)
            link = link.before
        return dict(reversed(path.items()))

    def span_of(self, keys: list[JobKey]) -> tuple[list[Span], list[Mark]]:
        """Put the bars of some jobs together, for the stage that holds them."""
        bars = [self.bars[key] for key in keys if key in self.bars]
        return melted([span for bar in bars for span in bar.spans.all()]), [mark for bar in bars for mark in bar.marks]


def melted(spans: list[Span]) -> list[Span]:
    """Put spans that overlap together."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start_s):
        last = found[-1] if found else None
        if last is None or (last.end_s is not None and last.end_s < span.start_s):
            found.append(span)
        elif last.end_s is not None and (span.end_s is None or span.end_s > last.end_s):
            found[-1] = Span(last.start_s, span.end_s)
    return found
