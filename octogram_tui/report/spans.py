"""A run as spans of OpenTelemetry, with the names of its CI/CD conventions: run, stage, job, attempt.

Times are the journal's, ids those of model/trace.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    Tracer,
    TraceState,
    set_span_in_context,
)

from octogram_tui.engine import events as ev
from octogram_tui.errors import ExitCode
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import AttemptId, name_of
from octogram_tui.model.trace import Trace, span_id
from octogram_tui.report.conventions import (
    BAD,
    CODES,
    ERROR_TYPE,
    KINDS,
    PIPELINE_ACTION,
    PIPELINE_NAME,
    PIPELINE_RESULT,
    PIPELINE_RUN_ID,
    STATES,
    TASK_NAME,
    TASK_RESULT,
    TASK_RUN_ID,
    WORKER_NAME,
    JobRound,
    end,
    text,
)

MOST_MOMENTS = 128  # events of the run's own span
Attributes = dict[str, str | int | float | bool]


class Ids(IdGenerator):
    """Gives the ids that were decided on before each span was begun."""

    trace_id = ""
    span_id = ""

    def generate_trace_id(self) -> int:
        """Give the trace's."""
        return int(self.trace_id, 16)

    def generate_span_id(self) -> int:
        """Give that of the span that is begun now."""
        return int(self.span_id, 16)


class RunSpans:
    """Folds the events of a run into spans, which the provider hands on as they end.

    provider: made with these ids; its tracer decides what is recorded
    """

    def __init__(self, provider: TracerProvider, ids: Ids, version: str) -> None:
        self._tracer: Tracer = provider.get_tracer("octogram-tui", version)
        self._ids = ids
        self._run = ""
        self._root: Span | None = None
        self._epoch_s = 0.0  # Unix time of the run's moment 0
        self._at_s = 0.0
        self._moments = 0
        self._rounds: dict[str, int] = {}
        self._stages: dict[str, Span] = {}
        self._jobs: dict[tuple[str, str], JobRound] = {}
        self._procedures: dict[AttemptId, ev.JobStarted] = {}
        self._is_past = False
        self._folds: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.RunStarted: self._run_started,
            ev.RunTakenUp: self._run_taken_up,
            ev.RunFinished: self._run_finished,
            ev.StageStarted: self._stage_started,
            ev.StageFinished: self._stage_finished,
            ev.JobStarted: self._job_started,
            ev.JobFinished: self._job_finished,
            ev.AgentFailed: lambda event: self._note("agent failed", event, agent=event.agent, message=event.message),
            ev.AgentLost: lambda event: self._note("agent lost", event, agent=event.agent, message=event.message),
            ev.RunPaused: lambda event: self._note("run paused", event, reason=event.reason),
            ev.RunResumed: lambda event: self._note("run resumed", event, mode=event.mode),
            ev.BreakpointMet: lambda event: self._note("breakpoint met", event, message=event.message),
            ev.WarningGiven: lambda event: self._note("warning", event, message=event.message),
            ev.StopRequested: lambda event: self._note("stop requested", event, by=event.by),
        }

    def apply(self, events: Sequence[ev.Event]) -> None:
        """Take a batch of events in."""
        for event in events:
            self._at_s = event.at_s
            fold = self._folds.get(type(event))
            if fold is not None:
                fold(event)

    def recall(self, events: Sequence[ev.Event]) -> None:
        """Take in what was told by a process that is gone: of what had ended then, nothing is told again."""
        self._is_past = True
        try:
            self.apply(events)
        finally:
            self._is_past = False

    def close(self) -> None:
        """End what has not ended: the run was broken off."""
        if self._root is None:
            return
        for stage in list(self._stages):
            self._end_stage(stage, self._at_s, "cancellation", "the run was broken off")
        end(self._root, self._ns(self._at_s), PIPELINE_RESULT, "error", "the run was broken off")
        self._root = None

    def _run_started(self, event: ev.RunStarted) -> None:
        self._run = event.run
        wall = datetime.fromisoformat(event.started_wall).timestamp() if event.started_wall else 0.0
        self._epoch_s = wall - event.at_s
        trace = Trace.read(event.options.get("trace")) or Trace.found({}, event.run, is_told=True)
        assert trace is not None  # one is made where none is found
        name = text(PurePath(event.scenario).stem)
        attributes = {PIPELINE_NAME: name, PIPELINE_ACTION: "RUN"}
        more = {"scenario": event.scenario, "digest": event.digest, "agents": len(event.agents)}
        parent = _parent(trace)
        self._ids.trace_id = trace.trace_id
        self._root = self._begin("", f"RUN {name}", event.at_s, parent, attributes, more, SpanKind.SERVER)

    def _run_taken_up(self, event: ev.RunTakenUp) -> None:
        if event.started_wall:  # nobody was there for a while, and the run's clock stood still
            epoch_s = datetime.fromisoformat(event.started_wall).timestamp() - event.at_s
            self._epoch_s = max(self._epoch_s, epoch_s)  # a clock that was set back ends no span before it began
        self._note("run taken up", event, host=event.host)

    def _run_finished(self, event: ev.RunFinished) -> None:
        self._end_stages_left(event.at_s)
        if self._root is not None:
            known = event.exit_code in ExitCode.__members__.values()
            result = CODES.get(ExitCode(event.exit_code), "error") if known else "error"
            self._root.set_attribute("octogram.exit_code", event.exit_code)
            if result in BAD:
                self._root.set_attribute(ERROR_TYPE, f"exit {event.exit_code}")
            end(self._root, self._ns(event.at_s), PIPELINE_RESULT, result, event.reason)
            self._root = None

    def _end_stages_left(self, at_s: float) -> None:
        for stage in list(self._stages):
            self._end_stage(stage, at_s, "cancellation", "the run ended")

    def _stage_started(self, event: ev.StageStarted) -> None:
        if event.stage in self._stages:
            return
        self._open_stage(event.stage, event.at_s, {"agents": len(event.agents), "rerun": event.rerun})

    def _open_stage(self, stage: str, at_s: float, more: Mapping[str, Any]) -> Span:
        count = self._rounds[stage] = self._rounds.get(stage, 0) + 1
        name = f"{name_of(stage)} {count}"
        attributes = {TASK_NAME: text(stage), TASK_RUN_ID: text(name)}
        span = self._begin(name, text(stage), at_s, self._root, attributes, {"stage": stage, **more})
        self._stages[stage] = span
        return span

    def _stage_finished(self, event: ev.StageFinished) -> None:
        if event.stage in self._stages:
            self._end_stage(event.stage, event.at_s, STATES.get(event.state, "error"), event.reason)

    def _end_stage(self, stage: str, at_s: float, result: str, why: str) -> None:
        span = self._stages.pop(stage)
        for key in [key for key in self._jobs if key[0] == stage]:
            job = self._jobs.pop(key)
            self._finish(job.span, job.ended_s, TASK_RESULT, job.result)
        self._finish(span, at_s, TASK_RESULT, result, why)

    def _job_started(self, event: ev.JobStarted) -> None:
        self._job(event)
        self._procedures[AttemptId(event.instance, event.attempt)] = event

    def _job(self, event: ev.JobEvent) -> JobRound:
        """Give a job of a stage, whose span holds its attempts on all agents; it ends with its stage."""
        key = (event.stage, event.job)
        found = self._jobs.get(key)
        if found is not None:
            return found
        stage = self._stages.get(event.stage) or self._open_stage(event.stage, event.at_s, {})
        name = f"{name_of(event.stage, event.job)} {self._rounds[event.stage]}"
        attributes = {TASK_NAME: text(event.job), TASK_RUN_ID: text(name)}
        more = {"stage": event.stage, "job": event.job}
        span = self._begin(name, text(event.job), event.at_s, stage, attributes, more)
        job = self._jobs[key] = JobRound(span, event.at_s)
        return job

    def _job_finished(self, event: ev.JobFinished) -> None:
        attempt = AttemptId(event.instance, event.attempt)
        begun = self._procedures.pop(attempt, None)
        job = self._job(event)
        job.take(event)
        if self._is_past:
            return
        # What an agent began by itself is told late: how long it took is what it measured.
        started_s = event.at_s if begun is None else min(begun.at_s, event.at_s - event.duration_s)
        first = getattr(job.span, "start_time", None)
        if first is not None:
            started_s = max(started_s, first / 1e9 - self._epoch_s)
        attributes = {
            TASK_NAME: text(event.job),
            TASK_RUN_ID: text(str(attempt)),
            WORKER_NAME: text(event.agent),
        }
        more: dict[str, Any] = {"stage": event.stage, "job": event.job, "agent": event.agent, "attempt": event.attempt}
        if event.instance.item is not None:
            more["item"] = event.instance.item
        if begun is not None:
            more |= {"procedure": begun.procedure, "why": begun.why}
        links = self._earlier(attempt)
        # Backends count spans by their names: agent and item are attributes.
        name = text(f"{event.job} attempt")
        span = self._begin(str(attempt), name, started_s, job.span, attributes, more, SpanKind.INTERNAL, links)
        result = STATES.get(event.state, "error")
        why = event.reason
        if event.failure is not None:
            result, why = self._failed(span, event.failure, result)
        for key, value in (("will_retry", event.will_retry), ("is_tolerated", event.is_tolerated)):
            if value:
                span.set_attribute(f"octogram.{key}", value)
        self._finish(span, event.at_s, TASK_RESULT, result, why)

    def _failed(self, span: Span, failure: Failure, result: str) -> tuple[str, str]:
        span.set_attribute(ERROR_TYPE, text(failure.kind))
        return KINDS.get(failure.kind, result), failure.message

    def _earlier(self, attempt: AttemptId) -> list[Link]:
        """Lead from an attempt to the one before it."""
        if attempt.number < 2 or self._root is None:
            return []
        before = span_id(self._run, str(AttemptId(attempt.instance, attempt.number - 1)))
        own = self._root.get_span_context()
        context = SpanContext(own.trace_id, int(before, 16), is_remote=False, trace_flags=own.trace_flags)
        return [Link(context, {"octogram.link": "the attempt before"})]

    def _note(self, name: str, event: ev.Event, **attributes: str) -> None:
        if self._root is not None and self._moments < MOST_MOMENTS:
            self._moments += 1
            words = {f"octogram.{key}": text(value) for key, value in attributes.items()}
            self._root.add_event(name, words, timestamp=self._ns(event.at_s))

    def _begin(
        self,
        named: str,
        shown: str,
        at_s: float,
        parent: Span | None,
        attributes: Mapping[str, str],
        more: Mapping[str, Any],
        kind: SpanKind = SpanKind.INTERNAL,
        links: Sequence[Link] = (),
    ) -> Span:
        """Begin a span. named: what its id is made of; more: what the conventions have no name for."""
        self._ids.span_id = span_id(self._run, named)
        told: Attributes = {PIPELINE_RUN_ID: text(self._run), **attributes}
        for key, value in more.items():
            told[f"octogram.{key}"] = text(value) if isinstance(value, str) else value
        context = Context() if parent is None else set_span_in_context(parent, Context())
        start = self._ns(at_s)
        return self._tracer.start_span(shown, context, kind, attributes=told, links=links, start_time=start)

    def _finish(self, span: Span, at_s: float, key: str = "", result: str = "", why: str = "") -> None:
        """End a span, unless that was told before."""
        if not self._is_past:
            end(span, self._ns(at_s), key, result, why)

    def _ns(self, at_s: float) -> int:
        return max(1, round((self._epoch_s + at_s) * 1e9))


def _parent(trace: Trace) -> Span | None:
    if not trace.parent_id:
        return None
    state = TraceState.from_header([trace.state]) if trace.state else TraceState()
    flags = TraceFlags(trace.flags)
    context = SpanContext(int(trace.trace_id, 16), int(trace.parent_id, 16), True, flags, state)
    return NonRecordingSpan(context)
