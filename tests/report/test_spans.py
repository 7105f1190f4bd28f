"""A run folded into spans: how they hang together, what they are called, and when they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import recorded
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import cicd_attributes
from opentelemetry.semconv.attributes import error_attributes
from opentelemetry.trace import StatusCode

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import AttemptId, InstanceId
from octogram_tui.model.trace import span_id
from octogram_tui.report import conventions
from octogram_tui.report.spans import MOST_MOMENTS, Ids, RunSpans

RUN = "20261123-031409-shops-x7"


def folded(*parts: Sequence[ev.Event], past: Sequence[ev.Event] = ()) -> list[ReadableSpan]:
    exporter, ids = InMemorySpanExporter(), Ids()
    provider = TracerProvider(id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans = RunSpans(provider, ids, "1")
    if past:
        spans.recall(past)
    for part in parts:
        spans.apply(part)
    spans.close()
    return list(exporter.get_finished_spans())


def one(spans: list[ReadableSpan], name: str, **attributes: Any) -> ReadableSpan:
    [found] = [
        span
        for span in spans
        if span.name == name and all(of(span, f"octogram.{key}") == value for key, value in attributes.items())
    ]
    return found


def of(span: ReadableSpan, key: str) -> Any:
    return (span.attributes or {}).get(key)


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def test_the_names_are_those_of_the_conventions() -> None:
    known = {value for name, value in vars(cicd_attributes).items() if name.startswith("CICD_")}
    known.add(error_attributes.ERROR_TYPE)
    families = ("PIPELINE_", "TASK_", "WORKER_", "ERROR_")
    ours = {value for name, value in vars(conventions).items() if name.startswith(families)}
    assert len(ours) == 9
    assert ours <= known
    results = {each.value for each in cicd_attributes.CicdPipelineResultValues}
    assert {
        *conventions.STATES.values(),
        *conventions.KINDS.values(),
        *conventions.CODES.values(),
        *conventions.BAD,
    } <= results


def test_every_span_hangs_on_the_one_above_and_is_within_it() -> None:
    spans = folded(recorded.failing())
    by_id = {id_of(span): span for span in spans}
    [root] = [span for span in spans if span.parent is None]
    assert root.name == "RUN shops"
    assert of(root, "cicd.pipeline.result") == "failure"
    assert root.status.status_code is StatusCode.ERROR
    for span in spans:
        assert of(span, "cicd.pipeline.run.id") == RUN
        if span is not root:
            assert span.parent is not None
            above = by_id[span.parent.span_id]
            assert above.start_time
            assert above.end_time
            assert span.start_time
            assert span.end_time
            assert above.start_time <= span.start_time <= span.end_time <= above.end_time, span.name
    sold = one(spans, "sell one")
    assert by_id[sold.parent.span_id if sold.parent else 0].name == "sell"
    assert of(sold, "cicd.pipeline.task.run.result") == "failure"
    assert of(one(spans, "close"), "cicd.pipeline.task.run.result") == "success"


def test_attempts_have_the_ids_that_their_jobs_were_told_and_lead_to_the_one_before() -> None:
    spans = folded(recorded.failing())
    again = one(spans, "sell one attempt", agent="shop_1", item="1", attempt=2)
    first = one(spans, "sell one attempt", agent="shop_1", item="1", attempt=1)
    for span, number in ((first, 1), (again, 2)):
        named = str(AttemptId(InstanceId("sell", "sell one", "shop_1", "1"), number))
        assert f"{id_of(span):016x}" == span_id(RUN, named)
    assert [link.context.span_id for link in again.links] == [id_of(first)]
    assert of(first, "octogram.will_retry") is True
    assert of(first, "error.type") == "exit"
    assert of(again, "cicd.pipeline.task.run.result") == "success"
    assert of(again, "cicd.worker.name") == "shop_1"


def test_what_agents_began_by_themselves_took_as_long_as_they_say() -> None:
    place = recorded.job("open", "fill", "shop_1")
    events = recorded.numbered(
        [
            *recorded.started(),
            ev.StageStarted(stage="open"),
            ev.JobStarted(**recorded.job("open", "fill", "shop_2")),
            ev.JobStarted(**place),
            ev.JobFinished(**place, duration_s=0.2),
        ]
    )
    events[-2].at_s = events[-1].at_s  # both are told at once
    span = one(folded(events), "fill attempt", agent="shop_1")
    assert span.start_time
    assert span.end_time
    assert round((span.end_time - span.start_time) / 1e9, 6) == 0.2


def test_results_by_the_way_an_attempt_ended() -> None:
    def ended(item: int, **more: Any) -> ev.JobFinished:
        return ev.JobFinished(**recorded.job("open", "fill", "shop_1", item), **more)

    late = Failure("timeout", "it took too long")
    events = [
        ended(1, state="skipped", reason="`when` is false"),
        ended(2, state="cancelled", failure=Failure("cancelled", "the run was stopped")),
        ended(3, state="failed", failure=late),
        ended(4, state="failed", failure=Failure("template", "no such variable"), is_tolerated=True),
        ended(5, state="a state of later versions"),
    ]
    spans = folded(recorded.numbered([*recorded.started(), ev.StageStarted(stage="open"), *events]))
    results = [of(one(spans, "fill attempt", item=f"{n}"), "cicd.pipeline.task.run.result") for n in range(1, 6)]
    assert results == ["skip", "cancellation", "timeout", "failure", "error"]


def test_a_run_that_is_broken_off_ends_its_spans() -> None:
    events = recorded.failing()
    until = next(n for n, event in enumerate(events) if isinstance(event, ev.JobOutput))
    spans = folded(events[:until])
    root = next(span for span in spans if span.parent is None)
    assert of(root, "cicd.pipeline.result") == "error"
    assert {"sell", "sell one", "open"} <= {span.name for span in spans}


def test_a_run_that_goes_on_tells_each_span_once() -> None:
    events = recorded.failing()
    whole = {id_of(span) for span in folded(events)}
    for cut in range(3, len(events), 5):
        before, after = events[:cut], events[cut:]
        told = [id_of(span) for span in folded(after, past=before)]
        assert len(told) == len(set(told))
        assert set(told) <= whole
        # What ended before was told then; all that ended after it is told now.
        ended = {str(AttemptId(e.instance, e.attempt)) for e in after if isinstance(e, ev.JobFinished)}
        assert {int(span_id(RUN, name), 16) for name in ended} <= set(told)
        assert int(span_id(RUN), 16) in told


def test_no_span_ends_before_it_began_when_the_clock_was_set_back_before_the_run_goes_on() -> None:
    events = recorded.failing()
    for cut in range(3, len(events), 5):
        taken_up = ev.RunTakenUp(at_s=events[cut - 1].at_s, number=1, started_wall="2001-01-01T00:00:00.000Z")
        for span in folded([*events[:cut], taken_up, *events[cut:]]):
            assert span.start_time is not None
            assert span.end_time is not None
            assert span.end_time >= span.start_time


def test_hostile_texts_are_bounded_and_legal() -> None:
    name = recorded.HOSTILE + "x" * 100_000
    failed = ev.JobFinished(
        **recorded.job(name, name, name, name), state="failed", failure=Failure(name, name, name), reason=name
    )
    warnings = [ev.WarningGiven(message=name) for _ in range(1000)]
    spans = folded(recorded.numbered([*recorded.started(), ev.StageStarted(stage=name), failed, *warnings]))
    for span in spans:
        assert len(span.name) <= conventions.MOST_CHARACTERS
        assert len(span.events) <= MOST_MOMENTS
        for value in [span.name, span.status.description, *(span.attributes or {}).values()]:
            if isinstance(value, str):
                assert len(value) <= conventions.MOST_CHARACTERS
                assert value.isprintable()
                value.encode()
