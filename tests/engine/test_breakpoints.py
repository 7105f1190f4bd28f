"""Breakpoints: at which point each is met, what its condition sees, what it says, and what on_failure is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import Answer, Simulation, job, report, scenario, stage

from octogram_tui.engine import breakpoint_table
from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import (
    BreakpointMet,
    BreakpointRemoved,
    BreakpointSet,
    JobHeld,
    JobStarted,
    RequestRefused,
    RunPaused,
    RunResumed,
    StageStarted,
    WarningGiven,
)
from octogram_tui.engine.stimuli import (
    AgentLossReport,
    AttemptReport,
    BackRequest,
    BreakRequest,
    EditReport,
    GoRequest,
    RemoveBreakRequest,
    RerunAllRequest,
    SetVariableRequest,
    StepRequest,
    SwitchBreakRequest,
)
from octogram_tui.engine.timers import RetryDue
from octogram_tui.errors import ExitCode
from octogram_tui.journal import codec
from octogram_tui.journal.breakpoints import KeptBreakpoints
from octogram_tui.model.breakpoint import WHEN, Breakpoint
from octogram_tui.model.ids import AttemptId, InstanceId
from octogram_tui.model.pattern import Pattern
from octogram_tui.model.scenario import ItemsSpec, Scenario, Text, VarUpdate
from octogram_tui.projection.breakpoints import BreakpointList

THREE = ItemsSpec((("1..3",),))


def never(_: SendJob) -> AttemptReport | None:
    """Agents that take jobs and do not answer by themselves."""
    return None


def failing(*kinds: str) -> Answer:
    """Answer: jobs of these names fail, with their names as the kind of failure, and exit status 7."""

    def answer(sent: SendJob) -> AttemptReport:
        name = sent.attempt.instance.job if isinstance(sent.attempt, AttemptId) else ""
        if name in kinds:
            return report(
                sent.attempt, "failed", error={"kind": name, "message": "went wrong", "detail": {"exit_code": 7}}
            )
        return report(sent.attempt, "ok", {"n": 3})

    return answer


def run(given_: Scenario, *points: Breakpoint, answer: Answer | None = None, **options: Any) -> Simulation:
    """Run with breakpoints from the start, as far as it goes."""
    breakpoints = tuple((point, "file") for point in points)
    return Simulation(given_, answer, breakpoints=breakpoints, **options).begin()


def met(simulation: Simulation) -> list[str]:
    """Say which were met where: `2 s/j@a#1`."""
    return [
        f"{e.number} {e.row or e.instance}" + (f"#{e.attempt}" if e.attempt else "")
        for e in simulation.of(BreakpointMet)
    ]


def said(simulation: Simulation) -> list[str]:
    return [e.message for e in simulation.of(BreakpointMet)]


# -- points -------------------------------------------------------------------------------------------------------


def test_it_stops_before_the_rows_that_it_means_and_goes_on_when_told_to() -> None:
    simulation = run(scenario(stage("s", job("j"), job("k"), job("l"))), Breakpoint("s/k"))
    assert simulation.ended() == ["s/j@a ok"]
    assert met(simulation) == ["1 s/k@a"]
    assert [(e.reason, e.message) for e in simulation.of(RunPaused)] == [("breakpoint", "s/k@a: breakpoint 1: before")]
    assert [str(e.instance) for e in simulation.of(JobHeld)] == ["s/k@a"]
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/j@a ok", "s/k@a ok", "s/l@a ok"]
    assert met(simulation) == ["1 s/k@a"]


def test_a_file_of_too_many_is_taken_as_far_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakpoint_table, "MOST", 3)
    simulation = run(scenario(stage("s", job("j"))), *(Breakpoint(f"x{number}") for number in range(5)))
    assert [event.pattern for event in simulation.of(BreakpointSet)] == ["x0", "x1", "x2"]
    assert [event.message for event in simulation.of(WarningGiven)] == [
        "only the first 3 breakpoints are set: there are too many"
    ]


def test_every_item_and_agent_meets_it_once_however_often_the_gate_is_asked() -> None:
    simulation = run(scenario(stage("s", job("j", items=THREE)), agents="a b"), Breakpoint("*", is_on=True))
    for _ in range(10):
        if simulation.exit_code is None:
            simulation.go(GoRequest())
    assert simulation.exit_code == 0
    assert sorted(met(simulation)) == sorted(f"1 s/j@{agent}[{n}]" for agent in "ab" for n in (1, 2, 3))
    assert [e.count for e in simulation.of(BreakpointMet)] == [1, 2, 3, 4, 5, 6]


def test_after_an_attempt_its_result_and_its_updates_are_seen() -> None:
    update = VarUpdate(Text("x"), Text("{{ res.n }}"), "int")
    point = Breakpoint("*", "after", condition="res.n == 3 and vars.x == 3")
    simulation = run(scenario(stage("s", job("j", vars_updates=(update,)), job("k"))), point, answer=failing())
    assert met(simulation) == ["1 s/j@a#1"]
    assert said(simulation) == ["after, res.n == 3 and vars.x == 3 (res.n = 3, vars.x = 3)"]
    assert [(str(e.instance), e.point) for e in simulation.of(JobHeld)] == [("s/j@a", "after")]


def test_failures_are_told_apart_by_kind() -> None:
    given_ = scenario(stage("s", job("exit"), job("timeout")))
    simulation = run(given_, Breakpoint("*", "failed", name="time*"), answer=failing("timeout"))
    assert met(simulation) == ["1 s/timeout@a#1"]
    assert simulation.exit_code is None
    simulation = run(given_, Breakpoint("*", "failed", name="time*"), answer=failing("exit"))
    assert met(simulation) == []
    assert simulation.exit_code == ExitCode.JOB_FAILED


def test_a_failure_can_be_asked_about() -> None:
    point = Breakpoint("*", "failed", condition="res.exit_code == 7 and res.error.kind == 'exit'")
    simulation = run(scenario(stage("s", job("exit"))), point, answer=failing("exit"))
    assert said(simulation) == [
        "failed, res.exit_code == 7 and res.error.kind == 'exit' "
        '(res.error = {"kind": "exit", "message": "went wrong"}, res.exit_code = 7): went wrong'
    ]


def test_an_attempt_that_is_tried_again_is_a_retry_and_no_failure() -> None:
    given_ = scenario(stage("s", job("exit", retries=1)))
    simulation = run(given_, Breakpoint("*", "retried"), Breakpoint("*", "failed"), answer=failing("exit"))
    assert met(simulation) == ["1 s/exit@a#1"]
    simulation.go(GoRequest())
    simulation.fire(next(timer for timer in simulation.timers if isinstance(timer, RetryDue)))
    assert met(simulation) == ["1 s/exit@a#1", "2 s/exit@a#2"]


def test_what_when_passes_over_is_skipped_and_what_the_operator_passes_over_is_not_asked_about() -> None:
    given_ = scenario(stage("s", job("j", when="vars.x > 1"), job("k")), variables={"x": 1})
    simulation = run(given_, Breakpoint("*", "skipped", condition="vars.x == 1"))
    assert met(simulation) == ["1 s/j@a"]
    assert [(str(e.instance), e.point) for e in simulation.of(JobHeld)] == [("s/j@a", "after")]


def test_a_stage_waits_before_it_begins_and_is_met_once() -> None:
    given_ = scenario(stage("s", job("j")), stage("t", job("j")), variables={"x": 1})
    simulation = run(given_, Breakpoint("t", "stage", condition="vars.x == 1"))
    assert [e.stage for e in simulation.of(StageStarted)] == ["s"]
    assert met(simulation) == ["1 t"]
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/j@a ok", "t/j@a ok"]
    assert met(simulation) == ["1 t"]


def test_a_stage_that_the_operator_goes_back_to_is_met_again() -> None:
    given_ = scenario(stage("s", job("j")), stage("t", job("j"), job("k")))
    simulation = run(given_, Breakpoint("t", "stage"), Breakpoint("t/k"))
    simulation.go(GoRequest())
    assert met(simulation) == ["1 t", "2 t/k@a"]
    simulation.go(BackRequest("t"))
    simulation.go(GoRequest())
    simulation.go(GoRequest())
    assert met(simulation) == ["1 t", "2 t/k@a", "1 t", "2 t/k@a"]


def test_a_variable_is_met_when_a_job_gives_it_another_value() -> None:
    jobs = [
        job(name, vars_updates=(VarUpdate(Text(variable), Text(value), "int"),))
        for name, variable, value in (("same", "x", "1"), ("other", "y", "5"), ("new", "x", "2"), ("last", "x", "3"))
    ]
    point = Breakpoint("s/*", "variable", name="x", condition="vars.x == 2")
    simulation = run(scenario(stage("s", *jobs), variables={"x": 1}), point)
    assert met(simulation) == ["1 x#1"]
    assert said(simulation) == ["variable, vars.x == 2 (vars.x = 2): x is 2, was 1"]
    assert simulation.ended() == ["s/same@a ok", "s/other@a ok", "s/new@a ok"]
    simulation.go(SetVariableRequest("x", 2))  # the operator knows what he does
    assert len(met(simulation)) == 1


def test_a_lost_agent_is_met_as_such_and_as_a_failure_of_no_row() -> None:
    given_ = scenario(stage("s", job("j")), agents="a b")
    for point in (Breakpoint("@b", "lost"), Breakpoint("@b", "failed", name="agent_lost")):
        simulation = run(given_, point, answer=never)
        simulation.go(report("s/j@b#1", "ok"))
        simulation.go(AgentLossReport("b", "the machine is gone"))
        assert met(simulation) == ["1 b"]
        assert simulation.exit_code is None
        assert simulation.of(RunPaused)[-1].message == "agent b was lost: the machine is gone"
    simulation = run(given_, Breakpoint("@a", "lost"), answer=never)
    simulation.go(AgentLossReport("b", "the machine is gone"))
    assert met(simulation) == []
    assert simulation.engine.phase != "running"


# -- what on_failure is -------------------------------------------------------------------------------------------


def test_holding_failures_is_breakpoint_1_and_switched_off_a_failure_ends_the_run() -> None:
    given_ = scenario(stage("s", job("exit")))
    simulation = run(given_, answer=failing("exit"), on_failure="pause")
    assert [(e.number, e.pattern, e.when, e.by) for e in simulation.of(BreakpointSet)] == [(1, "*", "failed", "run")]
    assert [(e.reason, e.message) for e in simulation.of(RunPaused)] == [("failure", "s/exit@a: went wrong")]
    simulation.go(SwitchBreakRequest(1, False))
    simulation.go(RerunAllRequest("failed"))
    assert met(simulation) == ["1 s/exit@a#1"]
    assert simulation.exit_code == ExitCode.JOB_FAILED


def test_what_a_job_tolerates_never_trips_it_and_what_it_wants_to_end_the_run_does() -> None:
    tolerated = scenario(stage("s", job("exit", on_failure="continue"), job("k")))
    simulation = run(tolerated, Breakpoint("*", "failed"), answer=failing("exit"), on_failure="pause")
    assert met(simulation) == []
    assert simulation.ended()[-1] == "s/k@a ok"
    simulation = run(tolerated, Breakpoint("*", "after", condition="res.failed"), answer=failing("exit"))
    assert met(simulation) == ["1 s/exit@a#1"]

    fatal = scenario(stage("s", job("exit", on_failure="abort")))
    simulation = run(fatal, answer=failing("exit"), on_failure="pause")
    assert (met(simulation), simulation.exit_code) == ([], ExitCode.JOB_FAILED)
    simulation = run(fatal, Breakpoint("s/exit", "failed"), answer=failing("exit"))
    assert (met(simulation), simulation.exit_code) == (["1 s/exit@a#1"], None)


def test_nothing_stops_a_run_that_is_being_ended() -> None:
    given_ = scenario(stage("s", job("exit")), stage("t", job("j"), always=True))
    points = [Breakpoint("t"), Breakpoint("t", "stage"), Breakpoint("t", "after")]
    simulation = run(given_, *points, answer=failing("exit"))
    assert (met(simulation), simulation.exit_code) == ([], ExitCode.JOB_FAILED)
    assert simulation.ended()[-1] == "t/j@a ok"


# -- conditions, hits, logs ---------------------------------------------------------------------------------------


def test_a_condition_sees_what_the_row_sees() -> None:
    given_ = scenario(stage("s", job("j", items=THREE), on="n_(.*)"), agents="n_1 n_2", variables={"x": 2})
    condition = "item == vars.x and agent.name == 'n_2' and re[1] == '2'"
    simulation = run(given_, Breakpoint("*", condition=condition))
    assert met(simulation) == ["1 s/j@n_2[2]"]
    assert said(simulation) == [f'before, {condition} (agent.name = "n_2", item = 2, vars.x = 2)']


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("vars.levl > 1", "no variable `levl`; did you mean `level`?"),
        ("vars.level", "`vars.level` is the text 'high', and a condition is true or false"),
        ("'a' * 10 ** 10 == ''", "MiB of memory"),
    ],
)
def test_a_condition_that_cannot_be_evaluated_holds_and_says_why(condition: str, why: str) -> None:
    given_ = scenario(stage("s", job("j")), variables={"level": "high"})
    simulation = run(given_, Breakpoint("*", condition=condition))
    assert [str(e.instance) for e in simulation.of(JobHeld)] == ["s/j@a"]
    assert "the condition cannot be evaluated: " in said(simulation)[0]
    assert why in said(simulation)[0]


@given(st.sampled_from(["", "2", "=2", "%2", ">1"]), st.integers(0, 5))
def test_hits_count_the_times_that_the_condition_held(hits: str, items: int) -> None:
    given_ = scenario(stage("s", job("j", items=ItemsSpec((tuple(f"i{n}" for n in range(items)),)))))
    simulation = run(given_, Breakpoint("*", condition="item != 'i0'", hits=hits), keep_alive=True)
    for _ in range(items):
        simulation.go(GoRequest())
    counts = range(1, max(items, 1))
    reached = {"": counts, "2": counts[1:], ">1": counts[1:], "=2": counts[1:2], "%2": counts[1::2]}[hits]
    assert [e.count for e in simulation.of(BreakpointMet)] == list(reached)
    assert len(simulation.of(RunResumed)) == len(reached)


def test_a_log_writes_its_text_and_stops_nothing() -> None:
    points = [
        Breakpoint("*", "after", log="{{ agent.name }}: {{ res.n + vars.x }}"),
        Breakpoint("*", log="{{ vars.levl }}"),
        Breakpoint("*", condition="vars.levl", log="here"),
    ]
    simulation = run(scenario(stage("s", job("j")), variables={"x": 4}), *points, answer=failing())
    assert simulation.exit_code == 0
    assert [(e.number, e.is_log) for e in simulation.of(BreakpointMet)] == [(2, True), (3, True), (1, True)]
    texts = {e.number: e.message for e in simulation.of(BreakpointMet)}
    assert texts[1] == "a: 7"
    assert texts[2].startswith("the log cannot be written: no variable `levl`")
    assert texts[3].startswith("the condition cannot be evaluated: no variable `levl`")


def test_what_is_stepped_is_logged_and_not_stopped() -> None:
    simulation = Simulation(scenario(stage("s", job("j"), job("k"))), start_paused=True, keep_alive=True).begin()
    for request in (BreakRequest("s/j", log="{{ agent.name }} goes"), BreakRequest("s/j"), StepRequest()):
        simulation.go(request)
    assert [(e.number, e.message) for e in simulation.of(BreakpointMet)] == [(1, "a goes")]
    assert simulation.ended() == ["s/j@a ok"]


def test_all_that_are_for_a_place_are_met_and_the_first_is_why() -> None:
    simulation = run(scenario(stage("s", job("j"))), Breakpoint("s"), Breakpoint("s/j"), Breakpoint("@a", log="x"))
    assert met(simulation) == ["1 s/j@a", "2 s/j@a", "3 s/j@a"]
    assert simulation.of(RunPaused)[0].message == "s/j@a: breakpoint 1: before"


def test_what_is_used_once_is_gone_then() -> None:
    simulation = run(scenario(stage("s", job("j"), job("k"))), Breakpoint("*", is_once=True))
    assert [(e.number, e.reason) for e in simulation.of(BreakpointRemoved)] == [(1, "once")]
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/j@a ok", "s/k@a ok"]


# -- the table ----------------------------------------------------------------------------------------------------


def test_they_are_set_changed_switched_and_removed_by_number() -> None:
    simulation = run(scenario(stage("s", job("j"), job("k"), job("l"))), start_paused=True)
    simulation.go(BreakRequest("s/k", condition=" true ", hits=">=2"))
    simulation.go(BreakRequest("s/k", number=1))
    simulation.go(BreakRequest("s/l"))
    simulation.go(BreakRequest("s/l", is_on=False))  # that is there already
    simulation.go(BreakRequest("s/l", number=1))
    assert [e.message for e in simulation.of(RequestRefused)] == ["breakpoint 2 is that already"]
    assert [(e.number, e.pattern, e.condition, e.hits, e.is_off, e.by) for e in simulation.of(BreakpointSet)] == [
        (1, "s/k", "true", "2", False, "operator"),
        (1, "s/k", "", "", False, "operator"),
        (2, "s/l", "", "", False, "operator"),
        (2, "s/l", "", "", True, "operator"),
    ]
    simulation.go(GoRequest())
    assert met(simulation) == ["1 s/k@a"]
    simulation.go(SwitchBreakRequest(0, True))
    simulation.go(RemoveBreakRequest(0))
    simulation.go(GoRequest())
    assert simulation.exit_code == 0


def test_one_that_is_set_at_a_row_that_is_held_holds_it_when_the_others_go() -> None:
    simulation = run(scenario(stage("s", job("j")), agents="a b"), start_paused=True)
    simulation.go(BreakRequest("@b"))
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/j@a ok"]
    assert met(simulation) == ["1 s/j@b"]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (BreakRequest("a\\"), "not a pattern of rows (stage/job@agent[item]): 'a\\\\'"),
        (BreakRequest("*", when="later"), "`when` is one of"),  # type: ignore[arg-type]
        (BreakRequest("*", condition="vars.x >"), "condition: `vars.x >`"),
        (BreakRequest("*", condition="res.n > 1"), "condition: `res` is not known before a row"),
        (BreakRequest("t", when="stage", condition="agent.name == 'a'"), "nothing is known there as `agent`"),
        (BreakRequest("*", log="{{ vars.x"), "log: "),
        (BreakRequest("*", hits="often"), "not a number of hits"),
        (BreakRequest("*", name="x"), "`name` is for failed, retried, variable, not for before"),
        (BreakRequest("n_1", when="lost"), "agents are lost, not rows: write @NAME, not n_1"),
        (BreakRequest("s/j", when="stage"), "stages begin, not rows"),
        (BreakRequest("*", condition="true or " * 600 + "true"), "its texts may have 4000 characters each"),
        (BreakRequest("*", number=7), "there is no breakpoint 7"),
        (SwitchBreakRequest(7, True), "there is no breakpoint 7"),
        (RemoveBreakRequest(0), "there are no breakpoints"),
    ],
)
def test_what_makes_no_sense_is_refused_on_one_line(asked: Any, why: str) -> None:
    simulation = run(scenario(stage("s", job("j"))), start_paused=True)
    simulation.go(asked)
    refused = simulation.of(RequestRefused)
    assert len(refused) == 1
    assert why in refused[0].message
    assert "\n" not in refused[0].message
    assert simulation.of(BreakpointSet) == []


def test_one_that_was_kept_and_makes_no_sense_any_more_is_told_of() -> None:
    simulation = run(scenario(stage("s", job("j"))), Breakpoint("*", condition="vars."), Breakpoint("s/j"))
    assert [e.message.partition(":")[0] for e in simulation.of(WarningGiven)] == ["breakpoint '*' is not set"]
    assert [e.number for e in simulation.of(BreakpointSet)] == [1]


def test_they_survive_edits_by_name_and_take_what_is_new() -> None:
    simulation = run(scenario(stage("s", job("j"), job("k"))), Breakpoint("s/new"), start_paused=True)
    simulation.go(EditReport(scenario(stage("s", job("j"), job("new"), job("k")))))
    simulation.go(GoRequest())
    assert met(simulation) == ["1 s/new@a"]
    simulation.go(BreakRequest("@a", is_on=False))
    simulation.go(EditReport(scenario(stage("s", job("j"), job("newer"), job("k")))))
    simulation.go(EditReport(scenario(stage("s", job("j"), job("newer"), job("k")), agents="b")))
    assert [e.message for e in simulation.of(WarningGiven) if "breakpoint" in e.message] == [
        "breakpoint 1 matches nothing now: no job there is called new; did you mean /newer?"
    ]
    assert [entry.number for entry in simulation.engine.breakpoints.entries()] == [1, 2]


# -- nobody there -------------------------------------------------------------------------------------------------


def test_in_ci_a_breakpoint_may_end_the_run() -> None:
    given_ = scenario(stage("s", job("j"), job("k")), stage("t", job("j"), always=True))
    simulation = run(given_, Breakpoint("s/k"), on_break="fail")
    assert simulation.exit_code == ExitCode.HELD
    assert simulation.ended() == ["s/j@a ok", "t/j@a ok"]
    simulation = run(scenario(stage("s", job("exit"))), answer=failing("exit"), on_failure="pause", on_break="fail")
    assert (met(simulation), simulation.exit_code) == (["1 s/exit@a#1"], ExitCode.JOB_FAILED)


def test_in_ci_a_breakpoint_may_be_told_of_only() -> None:
    given_ = scenario(stage("s", job("j"), job("exit")))
    points = [Breakpoint("s/j"), Breakpoint("s", "stage"), Breakpoint("*", "failed")]
    simulation = run(given_, *points, answer=failing("exit"), on_break="continue")
    assert met(simulation) == ["2 s", "1 s/j@a", "3 s/exit@a#1"]
    assert simulation.exit_code == ExitCode.JOB_FAILED
    assert simulation.of(RunPaused) == []


def test_a_run_without_breakpoints_looks_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = Simulation(scenario(stage("s", job("j", items=THREE))))
    table = simulation.engine.breakpoints
    for point in ("before", "after", "stage", "variable"):
        monkeypatch.setattr(table, point, None)  # to call it would be an error
    assert simulation.begin().exit_code == 0
    assert len(simulation.of(JobStarted)) == 3


def test_all_of_them_are_those_of_the_operator_and_not_what_on_failure_is() -> None:
    simulation = run(scenario(stage("s", job("j"))), start_paused=True, on_failure="pause")
    simulation.go(BreakRequest("s"))
    simulation.go(BreakRequest("*", when="failed", condition="res.exit_code > 1", number=1))
    simulation.go(SwitchBreakRequest(0, False))
    simulation.go(RemoveBreakRequest(0))
    simulation.go(RemoveBreakRequest(0))
    assert [e.message for e in simulation.of(RequestRefused)] == ["there are no breakpoints"]
    [left] = simulation.engine.breakpoints.entries()
    assert (left.number, left.by, left.breakpoint.condition) == (1, "run", "res.exit_code > 1")
    assert left.breakpoint.is_on


def test_a_stage_whose_own_template_is_wrong_is_a_failure_of_no_row() -> None:
    given_ = scenario(stage("s", job("j"), when="vars.nothing"))
    simulation = run(given_, Breakpoint("s", "failed", name="template"))
    assert met(simulation) == ["1 s"]
    assert simulation.exit_code is None
    assert run(given_, Breakpoint("s/j", "failed")).exit_code == ExitCode.SCENARIO


PARTS = st.tuples(
    st.sampled_from(["", "s", "t", "*"]),
    st.sampled_from(["", "/j", "/k", "/*"]),
    st.sampled_from(["", "@a", "@b", "@*"]),
    st.sampled_from(["", "[1]", "[*]"]),
)
POINTS = st.builds(
    Breakpoint,
    PARTS.map("".join),
    st.sampled_from(["before", "after"]),
    condition=st.sampled_from(["", "agent.name == 'a'", "false"]),
    is_on=st.booleans(),
)


@settings(max_examples=40)
@given(st.lists(POINTS, max_size=4), st.sampled_from(["hold", "continue"]))
def test_what_is_met_is_what_a_naive_reference_says_and_everything_runs_once(
    points: list[Breakpoint], on_break: str
) -> None:
    jobs = [job("j", items=ItemsSpec((("1", "2"),))), job("k")]
    simulation = run(scenario(stage("s", *jobs), stage("t", *jobs), agents="a b"), *points, on_break=on_break)
    for _ in range(100):
        if simulation.exit_code is None:
            simulation.go(GoRequest())
    assert simulation.exit_code == 0
    rows = sorted(
        f"{s}/{row}" for s in "st" for agent in "ab" for row in (f"j@{agent}[1]", f"j@{agent}[2]", f"k@{agent}")
    )
    assert sorted(simulation.started()) == sorted(f"{row}#1" for row in rows)
    numbers: dict[Breakpoint, int] = {}
    for written in points:  # one that is there already is that one, on or off as was said last
        point = replace(written, pattern=str(Pattern.parse(written.pattern)))
        same = next((other for other in numbers if replace(other, is_on=point.is_on) == point), point)
        number = numbers.pop(same, len(numbers) + 1)
        numbers[point] = number
    expected = [
        (number, row)
        for point, number in numbers.items()
        for row in rows
        if point.is_on
        and Pattern.parse(point.pattern).matches(InstanceId.parse(row))
        and (not point.condition or (point.condition != "false" and "@a" in row))
    ]
    assert sorted((e.number, str(e.instance)) for e in simulation.of(BreakpointMet)) == sorted(expected)


TEXTS = st.text(alphabet="varsx.{}%|()[]'* 1>@/\\\n\ud800é", max_size=14) | st.sampled_from(
    ["vars.x > 1", "{{ vars.x }}", "item", "{% for i in range(99999999) %}{{ i }}{% endfor %}", "res.n is defined", "("]
)


@given(st.builds(BreakRequest, TEXTS, st.sampled_from(WHEN), TEXTS, TEXTS, TEXTS, TEXTS))
def test_whatever_is_asked_for_is_set_or_refused_on_one_line_and_can_be_met(asked: BreakRequest) -> None:
    simulation = run(scenario(stage("s", job("j")), stage("t", job("k"))), start_paused=True)
    simulation.go(asked)
    refused = [e.message for e in simulation.of(RequestRefused)]
    assert len(refused) + len(simulation.of(BreakpointSet)) == 1
    assert all("\n" not in message for message in refused)
    for _ in range(8):
        simulation.go(GoRequest())
    assert simulation.exit_code == 0
    for event in simulation.events:
        assert b"\n" not in codec.encode(event).rstrip(b"\n")


REQUESTS = st.one_of(
    st.builds(
        BreakRequest,
        st.sampled_from(["s", "/j", "@a"]),
        number=st.integers(0, 3),
        is_once=st.booleans(),
        hits=st.sampled_from(["", "2"]),
    ),
    st.builds(SwitchBreakRequest, st.integers(0, 4), st.booleans()),
    st.builds(RemoveBreakRequest, st.integers(0, 4)),
    st.just(GoRequest()),
)


@given(st.lists(REQUESTS, max_size=10))
@settings(max_examples=40)
def test_the_events_tell_all_of_the_table_and_so_does_what_is_kept(asked: list[Any]) -> None:
    simulation = run(
        scenario(stage("s", job("j", items=THREE))), on_failure="pause", start_paused=True, keep_alive=True
    )
    for request in asked:
        simulation.go(request)
    told = BreakpointList()
    for event in simulation.events:
        told.apply(event)
    table = simulation.engine.breakpoints.entries()
    assert [(one.number, one.breakpoint, one.by) for one in told.listed] == sorted(
        (entry.number, entry.breakpoint, entry.by) for entry in table
    )
    counts = {entry.number: entry.count for entry in table}
    for one in told.listed:  # it is told only of times that its hits ask for
        assert one.count in ([counts[one.number]] if not one.breakpoint.hits else range(counts[one.number] + 1))
    with TemporaryDirectory() as directory:
        kept = KeptBreakpoints(Path(directory), f"{directory}/s.yml")
        kept.apply(simulation.events)
        expected = [one.breakpoint for one in told.listed if one.by == "operator" and not one.breakpoint.is_once]
        assert sorted(map(repr, kept.load())) == sorted(map(repr, expected))
