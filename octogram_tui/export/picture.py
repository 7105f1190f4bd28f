"""The timeline of a page: where bars stand, in hundredths of its width, which needs no style of an element's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from heapq import nsmallest
from typing import NamedTuple

from octogram_tui.export.account import Account
from octogram_tui.export.bounds import JOB_LANES, LANE_BARS, LANES
from octogram_tui.export.lanes import Stay, lanes_of
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group
from octogram_tui.projection.timeline import JobKey, Mark, Span
from octogram_tui.projection.value_text import stamp
from octogram_tui.report.phrases import duration

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
MOST_TICKS = 8
LEAST_WIDTH = 0.15
MOST_SUBLANES = 4


class Tick(NamedTuple):
    """A line of the axis."""

    at: str
    label: str


class Bar(NamedTuple):
    """A piece of time. title: what is told of it."""

    begin: str
    width: str
    style: str
    title: str
    row: object = None
    top: str = "0%"
    height: str = "100%"


class Lane(NamedTuple):
    """A line of the picture."""

    label: str
    style: str
    bars: list[Bar]
    marks: list[Bar]
    took: str = ""
    is_waited_for: bool = False
    group: Group | None = None


class Picture(NamedTuple):
    """All of it. stages: the jobs by stage; agents: their lanes; *left_out: jobs and agents that have none."""

    ticks: list[Tick]
    stages: list[tuple[Lane, list[Lane]]]
    pauses: list[Bar]
    agents: list[Lane]
    left_out: int
    jobs_left_out: int


def picture_of(account: Account) -> Picture:
    """Draw it."""
    scale = _Scale(account.timeline.end_s or account.end_s)
    pauses = [scale.bar(span.start_s, span.end_s, "pause", "paused") for span in account.timeline.pauses.all()]
    agents, left_out = _agents(account, scale)
    shown, jobs_left_out = _jobs(account)
    stages = list(_stages(account, scale, shown))
    return Picture(list(scale.ticks()), stages, pauses, agents, left_out, jobs_left_out)


class _Scale:
    def __init__(self, end_s: float) -> None:
        self.end_s = max(end_s, 0.001)

    def at(self, at_s: float) -> float:
        """Say where a time is, in hundredths of the width."""
        return min(100.0, max(0.0, 100 * at_s / self.end_s))

    def bar(self, start_s: float, end_s: float | None, style: str, title: str, row: object = None) -> Bar:
        """Draw a stretch of time, which is never too narrow to be seen."""
        begin, end = self.at(start_s), self.at(self.end_s if end_s is None else end_s)
        width = max(LEAST_WIDTH, end - begin)
        return Bar(f"{min(begin, 100 - width):.2f}%", f"{width:.2f}%", style, title, row)

    def bars(self, spans: Iterable[Span], style: str, title: Callable[[Span], str]) -> list[Bar]:
        """Draw stretches that come one after the other; those that nobody could tell apart are one bar."""
        found: list[Span] = []
        for span in spans:
            before = found[-1].end_s if found else None
            if before is not None and self.at(span.start_s) - self.at(before) < LEAST_WIDTH:
                found[-1] = found[-1]._replace(end_s=span.end_s)
            else:
                found.append(span)
        return [self.bar(span.start_s, span.end_s, style, title(span)) for span in found]

    def marks(self, marks: Iterable[Mark]) -> list[Bar]:
        """Draw moments; of those of a kind that stand on each other, the first."""
        found = {(mark.kind, round(self.at(mark.at_s) / LEAST_WIDTH)): mark for mark in reversed(list(marks))}
        return [
            self.bar(mark.at_s, mark.at_s, f"mark-{mark.kind}", f"{mark.kind} at {stamp(mark.at_s)}")
            for mark in reversed(found.values())
        ]

    def ticks(self) -> Iterator[Tick]:
        """Divide the width."""
        step_s = next((step for step in _STEPS if self.end_s / step <= MOST_TICKS), self.end_s / MOST_TICKS)
        for number in range(int(self.end_s / step_s) + 1):
            label = (
                f"{number * step_s:g}s"
                if not number or (step_s < 60 and self.end_s < 600)
                else duration(number * step_s)
            )
            yield Tick(f"{self.at(number * step_s):.2f}%", label)


def _jobs(account: Account) -> tuple[set[JobKey], int]:
    """Choose the jobs that have lanes, and say how many have none.

    Of very many: those where something went wrong, those that the end waited for, those that took long.
    """
    timeline, now_s = account.timeline, account.end_s
    groups = [
        ((stage.name, job.name), job)
        for stage in account.board.stages
        for job in stage.children
        if isinstance(job, Group) and (stage.name, job.name) in timeline.bars
    ]
    waited_for = timeline.critical()

    def rank(each: tuple[JobKey, Group]) -> tuple[bool, bool, float]:
        key, job = each
        is_bad = any(job.tally[state] for state in (State.FAILED, State.LOST, State.TOLERATED))
        return not is_bad, key not in waited_for, -(job.duration_s(now_s) or 0.0)

    most = groups if len(groups) <= JOB_LANES else nsmallest(JOB_LANES, groups, key=rank)
    return {key for key, _ in most}, len(groups) - len(most)


def _stages(account: Account, scale: _Scale, shown: set[JobKey]) -> Iterator[tuple[Lane, list[Lane]]]:
    timeline, now_s = account.timeline, account.end_s
    waited_for = timeline.critical()
    for stage in account.board.stages:
        jobs = []
        children = [child for child in stage.children if isinstance(child, Group)]
        for job in children:
            key = (stage.name, job.name)
            if key not in shown:
                continue
            bar = timeline.bars[key]
            style = job.state.name.lower()
            bars = scale.bars(bar.spans.all(), style, partial(_titled, job.name, now_s))
            took = duration(job.duration_s(now_s) or 0.0)
            jobs.append(Lane(job.name, style, bars, scale.marks(bar.marks), took, bar.key in waited_for, job))
        spans, _ = timeline.span_of([(stage.name, child.name) for child in children])
        style = stage.state.name.lower()
        bars = scale.bars(spans, f"stage {style}", partial(_titled, stage.name, now_s))
        if jobs or (bars and len(account.board.stages) <= JOB_LANES):
            took = duration(stage.duration_s(now_s) or 0.0)
            yield Lane(stage.name, style, bars, [], took, False, stage), jobs


def _titled(name: str, now_s: float, span: Span) -> str:
    return f"{name}: from {stamp(span.start_s)}, {_took(span, now_s)}"


def _took(span: Span, now_s: float) -> str:
    return duration((now_s if span.end_s is None else span.end_s) - span.start_s)


def _agents(account: Account, scale: _Scale) -> tuple[list[Lane], int]:
    """Draw what each agent did. Of very many those are drawn where something went wrong."""
    agents = sorted(account.board.agents.values(), key=lambda agent: agent.order)
    if len(agents) > LANES:
        agents = sorted(sorted(agents, key=lambda agent: -agent.failed)[:LANES], key=lambda agent: agent.order)
    lanes, left = [], LANE_BARS
    for agent in agents:
        stays = lanes_of(account, agent.instances)
        if len(stays) > left:
            break
        left -= len(stays)
        count = min(MOST_SUBLANES, max((stay.lane for stay in stays), default=0) + 1)
        bars = [_stay(scale, stay, count) for stay in stays]
        lanes.append(Lane(agent.name, "failed" if agent.failed else "ok", bars, []))
    return lanes, len(account.board.agents) - len(lanes)


def _stay(scale: _Scale, stay: Stay, count: int) -> Bar:
    again = f", attempt {stay.attempt.number}" if stay.attempt.number > 1 else ""
    item = f" [{stay.row.key.item}]" if stay.row.key.item is not None else ""
    state = State(stay.state).name.lower()
    title = f"{stay.row.stage.name} / {stay.row.job.name}{item}{again}: {state}, {duration(stay.end_s - stay.start_s)}"
    bar = scale.bar(stay.start_s, stay.end_s, state, title, stay.row)
    height = 100 / count
    return bar._replace(top=f"{height * (stay.lane % count):.0f}%", height=f"{height:.0f}%")
