"""The gate and what operators do at it: pause, step, confirm, rerun, skip, variables, keeping the agents alive."""

from __future__ import annotations

from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import (
    ConfirmationAsked,
    JobFinished,
    JobHeld,
    JobStarted,
    RequestRefused,
    RunFinished,
    RunPaused,
    StageFinished,
    StagesDone,
    StageStarted,
)
from octogram_tui.engine.stimuli import (
    AttemptReport,
    ConfirmRequest,
    GoRequest,
    PauseRequest,
    RerunRequest,
    SetVariableRequest,
    SkipRequest,
    StepRequest,
    StopRequest,
)
from octogram_tui.model.scenario import ItemsSpec


def never(_: SendJob) -> AttemptReport | None:
    """Agents that take jobs and do not answer by themselves."""
    return None


def failing_once(name: str) -> object:
    """Answer: the first attempt of a job fails on every agent."""

    def answer(sent: SendJob) -> AttemptReport:
        if f"/{name}@" in str(sent.attempt) and str(sent.attempt).endswith("#1"):
            return report(sent.attempt, "failed", error={"kind": "exit", "message": "exit status 1"})
        return report(sent.attempt, "ok")

    return answer


def console(given: object, answer: object = None, **options: object) -> Simulation:
    """A run as the console starts it."""
    options = {"on_failure": "pause", "keep_alive": True, "confirm": "ask", **options}
    return Simulation(given, answer, **options).begin()  # type: ignore[arg-type]


def test_a_run_may_start_paused_and_go() -> None:
    simulation = console(scenario(stage("s", job("j"), job("k"))), start_paused=True)
    assert [(str(e.instance), e.reason) for e in simulation.of(JobHeld)] == [("s/j@a", "start")]
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/j@a ok", "s/k@a ok"]


def test_a_pause_holds_what_has_not_begun_and_lets_the_rest_drain() -> None:
    simulation = console(scenario(stage("s", job("j"), job("k")), agents="a b"), never)
    simulation.go(PauseRequest())
    assert simulation.of(RunPaused)[0].in_flight == 2
    simulation.go(report("s/j@a#1", "ok"))
    assert [str(e.instance) for e in simulation.of(JobHeld)] == ["s/k@a"]
    simulation.go(GoRequest())
    assert "s/k@a#1" in simulation.pending


def test_a_step_lets_one_dispatch_through() -> None:
    simulation = console(scenario(stage("s", job("j"), job("k")), agents="a b"), start_paused=True)
    simulation.go(StepRequest())
    assert simulation.started() == ["s/j@a#1"]
    simulation.go(StepRequest())
    assert simulation.started() == ["s/j@a#1", "s/j@b#1"]
    assert [str(e.instance) for e in simulation.of(JobHeld)] == ["s/j@a", "s/j@b", "s/k@a", "s/k@b"]


def test_a_step_in_an_open_run_shuts_the_gate_behind_itself() -> None:
    simulation = console(scenario(stage("s", job("j"), job("k"), job("l"))), never)
    simulation.go(StepRequest())
    simulation.go(report("s/j@a#1", "ok"))
    simulation.go(report("s/k@a#1", "ok"))
    assert simulation.started() == ["s/j@a#1", "s/k@a#1"]
    assert simulation.of(JobHeld)[-1].reason == "step"


def test_concurrent_items_hold_one_at_a_time_so_that_a_million_cost_nothing() -> None:
    items = ItemsSpec((("1..1000000",),))
    simulation = console(scenario(stage("s", job("j", items=items, run_items="concurrent"))), start_paused=True)
    assert len(simulation.of(JobHeld)) == 1


def test_a_failure_holds_its_lane_until_a_rerun_ends_well() -> None:
    simulation = console(scenario(stage("s", job("bad"), job("k"))), failing_once("bad"))
    assert simulation.engine.is_waiting
    simulation.go(RerunRequest("s", instance=named("s/bad@a")))
    assert simulation.started() == ["s/bad@a#1", "s/bad@a#2"]
    assert [e.why for e in simulation.of(JobStarted)] == ["first", "rerun"]
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/bad@a failed", "s/bad@a ok", "s/k@a ok"]
    assert simulation.of(StagesDone)[0].exit_code == 0
    assert [e.state for e in simulation.of(StageFinished)] == ["ok"]


def test_going_on_with_a_failure_unresolved_is_refused_when_nothing_else_can_move() -> None:
    simulation = console(scenario(stage("s", job("bad"), job("k"))), failing_once("bad"))
    simulation.go(GoRequest())
    assert "s/bad@a failed: rerun or skip it first" in simulation.of(RequestRefused)[0].message


def test_other_lanes_go_on_while_one_has_failed_and_the_run_holds_again() -> None:
    def answer(sent: SendJob) -> AttemptReport:
        bad = str(sent.attempt) == "s/j@a#1"
        error = {"kind": "exit", "message": "no"} if bad else None
        return report(sent.attempt, "failed" if bad else "ok", error=error)

    simulation = console(scenario(stage("s", job("j"), job("k")), agents="a b"), answer)
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/j@a failed", "s/j@b ok", "s/k@b ok"]
    assert [e.reason for e in simulation.of(RunPaused)] == ["failure", "failure"]


def test_a_rerun_uses_the_variables_of_now_and_so_do_the_jobs_after_it() -> None:
    given = scenario(
        stage("s", job("bad", {"argv": "{{ vars.x }}"}), job("k", {"argv": "{{ vars.x }}"})), variables={"x": "old"}
    )
    simulation = console(given, failing_once("bad"))
    simulation.go(SetVariableRequest("x", "new"))
    simulation.go(RerunRequest("s", instance=named("s/bad@a")))
    simulation.go(GoRequest())
    assert [s.arguments["argv"] for s in simulation.sent] == ["old", "new", "new"]


def test_what_is_held_sees_a_variable_that_the_operator_sets() -> None:
    given = scenario(stage("s", job("j", {"argv": "{{ vars.x }}"})), variables={"x": "old"})
    simulation = console(given, start_paused=True)
    simulation.go(SetVariableRequest("x", "new"))
    simulation.go(GoRequest())
    assert simulation.sent[0].arguments["argv"] == "new"
    simulation.go(SetVariableRequest("nope", remove=True))
    assert "no variable 'nope'" in simulation.of(RequestRefused)[-1].message


def test_a_failed_row_may_be_skipped_and_so_may_a_held_one() -> None:
    simulation = console(scenario(stage("s", job("bad"), job("k"))), failing_once("bad"))
    simulation.go(SkipRequest(named("s/bad@a")))
    simulation.go(SkipRequest(named("s/k@a")))
    assert [(str(e.instance), e.state, e.reason) for e in simulation.of(JobFinished)][1:] == [
        ("s/bad@a", "skipped", "operator"),
        ("s/k@a", "skipped", "operator"),
    ]
    assert simulation.of(StagesDone)
    simulation.go(SkipRequest(named("s/k@a")))
    assert simulation.of(RequestRefused)


def test_finished_parts_run_again_as_new_attempts() -> None:
    items = ItemsSpec((("1..2",),))
    given = scenario(stage("s", job("j", items=items), job("k")), stage("t", job("l")), agents="a b")
    simulation = console(given)
    before = len(simulation.started())
    simulation.go(RerunRequest("s", "j", "a", named("s/j@a[2]")))
    simulation.go(RerunRequest("s", "k"))
    simulation.go(RerunRequest("t"))
    assert simulation.started()[before:] == ["s/j@a[2]#2", "s/k@a#2", "s/k@b#2", "t/l@a#2", "t/l@b#2"]
    assert [(e.stage, e.rerun) for e in simulation.of(StageStarted)] == [("s", False), ("t", False), ("t", True)]


def test_a_rerun_that_resolves_a_failure_lets_the_lane_go_on() -> None:
    simulation = console(scenario(stage("s", job("bad"), job("k"))), failing_once("bad"))
    simulation.go(RerunRequest("s", "bad"))
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/bad@a failed", "s/bad@a ok", "s/k@a ok"]


def test_a_rerun_of_a_job_that_fails_again_keeps_the_lane_where_it_is() -> None:
    def answer(sent: SendJob) -> AttemptReport:
        bad = "/bad@" in str(sent.attempt) and not str(sent.attempt).endswith("#3")
        return report(sent.attempt, "failed" if bad else "ok", error={"kind": "exit"} if bad else None)

    simulation = console(scenario(stage("s", job("bad"), job("k"))), answer)
    simulation.go(RerunRequest("s", "bad"))
    simulation.go(RerunRequest("s", instance=named("s/bad@a")))
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/bad@a failed", "s/bad@a failed", "s/bad@a ok", "s/k@a ok"]


def test_the_current_stage_starts_over_when_it_is_rerun() -> None:
    given = scenario(stage("s", job("j"), job("bad"), job("k")), stage("t", job("l")))
    simulation = console(given, failing_once("bad"))
    simulation.go(RerunRequest("s"))
    simulation.go(GoRequest())
    assert simulation.started() == ["s/j@a#1", "s/bad@a#1", "s/j@a#2", "s/bad@a#2", "s/k@a#1", "t/l@a#1"]
    assert simulation.of(StagesDone)


def test_reruns_that_make_no_sense_are_refused() -> None:
    simulation = console(scenario(stage("s", job("j")), stage("t", job("k"))), never)
    simulation.go(RerunRequest("t"))
    simulation.go(RerunRequest("s", "j"))
    simulation.go(RerunRequest("nope"))
    assert [e.message for e in simulation.of(RequestRefused)] == [
        "stage t has not run yet",
        "it runs right now",
        "the scenario has no stage 'nope'",
    ]


def test_a_rerun_of_what_there_is_not_is_refused_and_runs_nothing_else() -> None:
    items = ItemsSpec((("1..2",),))
    simulation = console(scenario(stage("s", job("j")), stage("t", job("k", items=items))))
    before = len(simulation.started())
    simulation.go(RerunRequest("s", instance=named("t/k@a[1]")))
    simulation.go(RerunRequest("t", "j", instance=named("t/k@a[1]")))
    simulation.go(RerunRequest("t", "nope"))
    simulation.go(RerunRequest("t", instance=named("t/k@a[3]")))
    simulation.go(RerunRequest("t", instance=named("t/k@a")))
    simulation.go(RerunRequest("s", instance=named("s/j@a[1]")))
    assert simulation.started()[before:] == []
    assert [e.message for e in simulation.of(RequestRefused)] == [
        "t/k@a[1] is another row than its stage, job and agent say",
        "t/k@a[1] is another row than its stage, job and agent say",
        "stage t has no job 'nope'",
        "there is no t/k@a[3] now",
        "there is no t/k@a now",
        "there is no s/j@a[1] now",
    ]
    simulation.go(RerunRequest("t", instance=named("t/k@a[2]")))
    assert simulation.started()[before:] == ["t/k@a[2]#2"]


def test_a_rerun_in_the_running_stage_takes_agents_that_are_through_with_the_job() -> None:
    def answer(sent: SendJob) -> AttemptReport | None:
        return None if str(sent.attempt) in ("s/j@b#1", "s/k@a#1") else report(sent.attempt, "ok")

    simulation = console(scenario(stage("s", job("j"), job("k")), agents="a b"), answer)
    simulation.go(RerunRequest("s", "j", "a"))
    assert simulation.started() == ["s/j@a#1", "s/j@b#1", "s/k@a#1", "s/j@a#2"]
    simulation.go(RerunRequest("s", "k", "b"))
    assert simulation.of(RequestRefused)[-1].message == "it has not run there yet"


def test_a_confirmation_waits_and_its_answer_counts() -> None:
    given = scenario(stage("s", job("j"), ask_confirmation=True), stage("t", job("k")))
    simulation = console(given)
    assert [e.stage for e in simulation.of(ConfirmationAsked)] == ["s"]
    assert simulation.engine.is_waiting
    simulation.go(ConfirmRequest("s", answer=False))
    assert simulation.started() == ["t/k@a#1"]
    agreed = console(given)
    agreed.go(GoRequest())
    assert agreed.started() == ["s/j@a#1", "t/k@a#1"]
    agreed.go(ConfirmRequest("s", answer=True))
    assert "does not wait for a confirmation" in agreed.of(RequestRefused)[0].message


def test_agents_are_kept_alive_until_the_operator_stops_the_run() -> None:
    simulation = console(scenario(stage("s", job("j"))))
    assert simulation.exit_code is None
    assert simulation.engine.is_waiting
    simulation.go(StopRequest("operator", 130))
    assert simulation.exit_code == 0


def test_ctrl_c_after_the_last_stage_is_the_end_and_no_failure() -> None:
    simulation = console(scenario(stage("s", job("j"))))
    simulation.go(StopRequest("SIGINT", 130))
    assert simulation.exit_code == 0


def test_a_failed_job_reported_after_all_stages_counts_in_the_exit_code() -> None:
    simulation = console(scenario(stage("s", job("bad", on_failure="abort"))), failing_once("bad"))
    assert simulation.exit_code == 1


def test_a_stage_tells_how_long_it_lasted_and_how_much_of_that_it_was_held() -> None:
    simulation = console(scenario(stage("s", job("bad"), job("k")), stage("t", job("l"))), failing_once("bad"))
    simulation.at_s += 30.0
    simulation.answer = never
    simulation.go(RerunRequest("s", "bad"))
    simulation.at_s += 5.0
    simulation.go(report("s/bad@a#2", "ok"))
    simulation.at_s += 10.0
    simulation.go(GoRequest())
    for attempt in ("s/k@a#1", "t/l@a#1"):
        simulation.go(report(attempt, "ok"))
    simulation.at_s += 7.0
    simulation.go(StopRequest("operator", 130))
    first, second = simulation.of(StageFinished)
    assert (round(first.duration_s, 1), round(first.paused_s, 1)) == (45.0, 40.0)
    assert (round(second.duration_s, 1), second.paused_s) == (0.0, 0.0)
    finished = simulation.of(RunFinished)[0]
    assert (round(finished.duration_s, 1), round(finished.paused_s, 1)) == (52.0, 47.0)
