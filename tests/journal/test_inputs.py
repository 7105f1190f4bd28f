"""What a run was fed is written beside its events, and read as it was."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from octogram_tui.engine.events import JobFinished, JobOutput, RunStarted, WarningGiven
from octogram_tui.engine.stimuli import (
    AgentEndReport,
    AgentUpReport,
    AttemptReport,
    BeginRequest,
    BreakRequest,
    EditReport,
    OutputReport,
    RerunAllRequest,
    SetArgumentsRequest,
    SetVariableRequest,
    SkipRequest,
    Stimulus,
    TimerReport,
)
from octogram_tui.engine.timers import RetryDue, RunTimer, WaitOver
from octogram_tui.errors import Problem
from octogram_tui.journal import codec, inputs, reader
from octogram_tui.journal.history import JournalHistory
from octogram_tui.journal.writer import JournalWriter
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import AttemptId, ErrandId, InstanceId
from octogram_tui.model.scenario import Scenario
from octogram_tui.model.values import Value

INSTANCE = InstanceId("st/age", "j@b", "a[1]", "it]em\n")
ATTEMPT = AttemptId(INSTANCE, 3)
SCENARIO = Scenario(path="s.yml", stages=(), digest="abc")
SCENARIOS = {"abc": SCENARIO}

FED: list[Stimulus] = [
    BeginRequest("2026-01-01T00:00:00Z", "here"),
    AgentUpReport("a", home="/h", pid=3, birth="b", is_same=True, knows=(ATTEMPT, ErrandId("x", "a", 1))),
    AgentEndReport("a", is_clean=False, remaining=({"pid": 3, "name": "sleep"},)),
    AttemptReport("a", ATTEMPT, "failed", {"x": math.inf}, Failure("", "", "", {"y": [1]}), 0.123456789),
    TimerReport(RetryDue(INSTANCE)),
    TimerReport(WaitOver(ATTEMPT)),
    TimerReport(RunTimer.COLLECT),
    BreakRequest("*/j", "failed", condition="vars.x", is_once=True),
    SetArgumentsRequest(INSTANCE, {"a": None, "b": {"c": -math.inf}}),
    SetVariableRequest("x", "\ud800"),
    RerunAllRequest("stale", instances=(INSTANCE,), inputs="then"),
    SkipRequest(INSTANCE),
    EditReport(SCENARIO, is_asked=True),
    EditReport(None, (Problem("f", 1, 2, "m"),)),
]


@pytest.mark.parametrize("stimulus", FED, ids=lambda stimulus: type(stimulus).__name__)
def test_it_is_read_as_it_was(stimulus: Stimulus) -> None:
    """Every field comes back exactly; a scenario is named by what it contains."""
    record = inputs.record_of(stimulus, 1.5, 7, [])
    assert record is not None
    read = codec.load(codec.dump(record))
    assert (read["seq"], read["at_s"], read["type"]) == (7, 1.5, "input")
    assert inputs.stimulus_of(read, SCENARIOS.__getitem__) == stimulus


def test_what_is_not_known_is_refused() -> None:
    """A newer program may have fed what this one does not know: nothing is guessed."""
    with pytest.raises(ValueError, match="Unheard"):
        inputs.stimulus_of({"fed": "UnheardRequest"}, SCENARIOS.__getitem__)
    with pytest.raises(ValueError, match="colour"):
        inputs.stimulus_of({"fed": "PauseRequest", "with": {"colour": 1}}, SCENARIOS.__getitem__)


def told(**more: object) -> JobFinished:
    """The end of the attempt, told because its agent reported it."""
    given = {"instance": INSTANCE, "attempt": 3, "cause": f"AttemptReport {ATTEMPT}", **more}
    return JobFinished(**given)  # type: ignore[arg-type]


def test_an_end_that_its_event_tells_in_full_is_written_once() -> None:
    """No line is there for it, and it is read from the event."""
    result: Value = {"stdout": "x"}
    failure = Failure("exit", "no", "", {"exit_code": 1})
    for report in (
        AttemptReport("a[1]", ATTEMPT, "ok", result, None, 0.25),
        AttemptReport("a[1]", ATTEMPT, "failed", None, failure, 0.25),
    ):
        event = told(state=report.state, result=report.result, failure=report.failure, duration_s=0.25)
        assert inputs.record_of(report, 1.0, 5, [event]) is None
        assert inputs.told(codec.decode(codec.encode(event))) == report


@pytest.mark.parametrize(
    ("report", "event"),
    [
        (AttemptReport("a[1]", ATTEMPT, "cancelled"), told(state="failed")),
        (AttemptReport("a[1]", ATTEMPT, "ok", {}), told(state="failed")),
        (AttemptReport("other", ATTEMPT, "ok"), told()),
        (AttemptReport("a[1]", ATTEMPT, "ok", math.inf), told(result=math.inf)),
        (AttemptReport("a[1]", ATTEMPT, "failed", {"kept": 1}), told(state="failed", will_retry=True)),
        (AttemptReport("a[1]", ATTEMPT, "ok"), WarningGiven(message="another agent's")),
    ],
)
def test_an_end_that_came_out_otherwise_is_written(report: AttemptReport, event: JobFinished) -> None:
    """Where the event says something else than the agent did, both are there."""
    assert inputs.record_of(report, 1.0, 5, [event]) is not None


def test_what_only_passes_through_leaves_no_line() -> None:
    """Log lines are in their event, and move nothing."""
    report = OutputReport("a", ATTEMPT, ["x"])
    assert inputs.record_of(report, 1.0, 5, [JobOutput(agent="a", lines=["x"])]) is None
    assert inputs.record_of(report, 1.0, 5, [WarningGiven(message="not believed")]) is not None


def test_who_reads_events_passes_over_it(tmp_path: Path) -> None:
    """Each input stands before its events; readers of events do not see it, from whatever place they read."""
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path, run="r", version="1")
    events = [RunStarted(seq=1, run="r", scenario="s"), *(WarningGiven(seq=n, at_s=n / 8, message="w") for n in (2, 3))]
    records = [
        record
        for stimulus, seq in ((BeginRequest("t"), 0), (SkipRequest(INSTANCE), 1), (SkipRequest(INSTANCE), 1))
        if (record := inputs.record_of(stimulus, 0.0, seq, []))
    ]
    writer.append(events, records)
    last = inputs.record_of(SkipRequest(INSTANCE), 1.0, 3, [])
    assert last is not None
    writer.append([], [last])
    writer.close()
    lines = [line if isinstance(line, dict) else line.seq for line in reader.read_lines(path)]
    for line in lines:
        assert not isinstance(line, dict) or line.pop("crc")
    assert lines == [
        records[0],
        1,
        *records[1:],
        2,
        3,
        last,
    ]
    assert [event.seq for event in reader.read(path)] == [1, 2, 3]
    assert [event.seq for event in JournalHistory(path).after(0)] == [1, 2, 3]
    assert JournalHistory(path).seq_at(2.0) == 3
    found = reader.last_event(path)
    assert found is not None
    assert found.seq == 3
