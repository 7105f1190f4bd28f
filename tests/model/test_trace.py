"""Where a run stands in a trace: what is read from the surroundings, and what a job gets."""

from __future__ import annotations

import pytest

from octogram_tui.model.ids import AttemptId, ErrandId, InstanceId
from octogram_tui.model.trace import LONGEST, Trace, span_id

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HANDED = f"00-{TRACE}-{SPAN}-01"
ATTEMPT = AttemptId(InstanceId("s", "j", "a", "1"), 2)


def test_jobs_get_the_span_of_their_attempt() -> None:
    environ = {"TRACEPARENT": HANDED, "TRACESTATE": "vendor=1", "BAGGAGE": "build=7"}
    trace = Trace.found(environ, "run", is_told=True)
    assert trace is not None
    given = trace.environment("run", ATTEMPT)
    assert given == {**environ, "TRACEPARENT": f"00-{TRACE}-{span_id('run', str(ATTEMPT))}-01"}
    assert given == trace.environment("run", ATTEMPT), "a replay gives the same"
    errand = trace.environment("run", ErrandId("p", "a", 1))
    assert errand["TRACEPARENT"] == f"00-{TRACE}-{span_id('run')}-01"


def test_without_spans_of_its_own_a_run_hands_on_what_it_was_handed() -> None:
    trace = Trace.found({"TRACEPARENT": HANDED}, "run", is_told=False)
    assert trace is not None
    assert trace.environment("run", ATTEMPT) == {"TRACEPARENT": HANDED}
    assert Trace.found({}, "run", is_told=False) is None


@pytest.mark.parametrize(
    "handed",
    [
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-1",
        "\udcff\x1b]0;owned\x07",
    ],
)
def test_what_is_no_trace_is_left_alone(handed: str) -> None:
    assert Trace.found({"TRACEPARENT": handed}, "run", is_told=False) is None
    begun = Trace.found({"TRACEPARENT": handed, "TRACESTATE": "v=1"}, "run", is_told=True)
    assert begun is not None
    assert (begun.parent_id, begun.state) == ("", "")
    assert len(begun.trace_id) == 32
    assert begun != Trace.found({}, "another", is_told=True)


def test_a_later_version_of_the_standard_is_read_as_far_as_it_is_known() -> None:
    trace = Trace.found({"TRACEPARENT": f"cc-{TRACE}-{SPAN}-01-what-ever"}, "run", is_told=True)
    assert trace is not None
    assert trace.parent_id == SPAN


@pytest.mark.parametrize("baggage", ["x" * (LONGEST + 1), "a=\x1b[31m", "a=\udcff", "a=1\nb=2"])
def test_baggage_that_no_job_should_have_is_left_behind(baggage: str) -> None:
    trace = Trace.found({"TRACEPARENT": HANDED, "BAGGAGE": baggage}, "run", is_told=True)
    assert trace is not None
    assert trace.baggage == ""


def test_what_the_run_tells_of_it_is_read_back() -> None:
    trace = Trace.found({"TRACEPARENT": HANDED, "TRACESTATE": "v=1", "BAGGAGE": "b=2"}, "run", is_told=True)
    assert trace is not None
    assert Trace.read(trace.public()) == Trace(TRACE, SPAN, 1, "v=1", "", is_told=True)
    for other in (None, "x", {}, {"id": "x"}, {"id": TRACE, "parent": 7}, {"id": TRACE, "parent": "zz"}):
        found = Trace.read(other)
        assert found is None or found.parent_id == ""
