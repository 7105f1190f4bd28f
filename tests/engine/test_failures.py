"""What a failure means: retries, tolerance, ending early, `always` stages, lost agents, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine.effects import CancelJob, SendJob, StartAgent
from octogram_tui.engine.events import AgentFailed, JobFinished, RunFinished, RunPaused, StageFinished, WarningGiven
from octogram_tui.engine.stimuli import (
    AgentEndReport,
    AgentLossReport,
    AgentUpReport,
    AttemptReport,
    BeginRequest,
    EditReport,
    GoRequest,
    RerunRequest,
    ServiceReport,
    SetVariableRequest,
    SkipRequest,
    StartFailureReport,
    StopRequest,
)
from octogram_tui.engine.timers import RetryDue, RunTimer
from octogram_tui.engine.verdict import PRECEDENCE, exit_code
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.scenario import ItemsSpec, Scenario
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import State


def fails(*names: str, times: int = 99) -> object:
    """Answer: attempts of these jobs fail, at most so many times each."""
    seen: dict[str, int] = {}

    def answer(sent: SendJob) -> AttemptReport | None:
        key = str(sent.attempt).partition("#")[0]
        name = key.split("/")[1].split("@")[0]
        if name in names and seen.get(key, 0) < times:
            seen[key] = seen.get(key, 0) + 1
            return report(sent.attempt, "failed", error={"kind": "exit", "message": "exit status 1"})
        return report(sent.attempt, "ok", {"n": seen.get(key, 0)})

    return answer


def run(given: object, answer: object, **options: object) -> Simulation:
    """A simulation, run to its end."""
    return Simulation(given, answer, **options).begin()  # type: ignore[arg-type]


def test_a_failure_ends_the_run_cancels_siblings_and_runs_always_stages() -> None:
    given = scenario(
        stage("one", job("bad"), job("after"), on="a|b"),
        stage("two", job("j")),
        stage("collect", job("logs"), always=True),
        agents="a b",
    )

    def answer(sent: SendJob) -> AttemptReport | None:
        if str(sent.attempt) == "one/bad@b#1":
            return None
        if str(sent.attempt).startswith("one/bad@a"):
            return report(sent.attempt, "failed", error={"kind": "exit", "message": "no"})
        return report(sent.attempt, "ok")

    simulation = run(given, answer)
    assert simulation.cancelled == ["one/bad@b#1"]
    assert simulation.ended() == ["one/bad@a failed", "one/bad@b cancelled", "collect/logs@a ok", "collect/logs@b ok"]
    assert [(e.stage, e.state) for e in simulation.of(StageFinished)] == [
        ("one", "failed"),
        ("two", "skipped"),
        ("collect", "ok"),
    ]
    assert simulation.exit_code == 1
    end = simulation.events[-1]
    assert isinstance(end, RunFinished)
    assert end.counts == {"failed": 1, "cancelled": 1, "ok": 2}
    assert end.reason == "one/bad@a failed"


def test_retries_make_new_attempts_after_their_delay() -> None:
    given = scenario(stage("s", job("flaky", retries=2, retry_delay_s=3.0)))
    simulation = run(given, fails("flaky", times=2))
    assert simulation.timers == {RetryDue(named("s/flaky@a")): 3.0}
    simulation.fire(RetryDue(named("s/flaky@a")))
    simulation.fire(RetryDue(named("s/flaky@a")))
    assert simulation.started() == ["s/flaky@a#1", "s/flaky@a#2", "s/flaky@a#3"]
    assert [(e.state, e.will_retry) for e in simulation.of(JobFinished)] == [
        ("failed", True),
        ("failed", True),
        ("ok", False),
    ]
    assert simulation.exit_code == 0


def test_a_retry_that_never_comes_leaves_a_failure() -> None:
    given = scenario(stage("s", job("flaky", retries=2, retry_delay_s=3.0), job("bad"), run_jobs="concurrent"))
    simulation = run(given, fails("flaky", "bad"))
    told = [e for e in simulation.of(JobFinished) if e.instance == named("s/flaky@a")]
    assert [(e.attempt, e.state, e.will_retry, e.reason) for e in told] == [
        (1, "failed", True, ""),
        (1, "failed", False, "not tried again: s/bad@a failed"),
    ]
    assert told[1].failure == told[0].failure
    assert simulation.timers == {}
    board = Board()
    for event in simulation.events:
        board.apply(event)
    assert board.instances[named("s/flaky@a")].state is State.FAILED


@pytest.mark.parametrize("how", ["a failure elsewhere", "a breakpoint on what it registers", "Ctrl-C"])
def test_a_retry_that_never_comes_of_what_may_fail_is_tolerated(how: str) -> None:
    flaky = job("flaky", retries=2, retry_delay_s=3.0, on_failure="continue", register="got")
    given = scenario(stage("s", flaky, job("bad" if how != "Ctrl-C" else "slow"), run_jobs="concurrent"))

    def answer(sent: SendJob) -> AttemptReport | None:
        if "slow" in str(sent.attempt):
            return None
        return report(sent.attempt, "failed", {"exit_code": 3}, error={"kind": "exit", "message": "no"})

    breakpoints = ((Breakpoint(when="variable", name="got"), "operator"),) if "breakpoint" in how else ()
    simulation = run(given, answer, breakpoints=breakpoints)
    if how == "Ctrl-C":
        simulation.go(StopRequest("Ctrl-C", 130))
        assert simulation.ended()[-1] == "s/slow@a cancelled"
    told = [e for e in simulation.of(JobFinished) if e.instance == named("s/flaky@a")]
    why = "not tried again: " + ("s/bad@a failed" if how != "Ctrl-C" else "stopped by Ctrl-C")
    assert [(e.attempt, e.state, e.will_retry, e.is_tolerated, e.reason) for e in told] == [
        (1, "failed", True, False, ""),
        (1, "failed", False, True, why),
    ]
    assert simulation.engine.core.variables["got"]["exit_code"] == 3  # type: ignore[index, call-overload]
    end = simulation.events[-1]
    assert isinstance(end, RunFinished)
    assert end.counts == {"tolerated": 1, **({"cancelled": 1} if how == "Ctrl-C" else {"failed": 1})}
    assert simulation.exit_code == (130 if how == "Ctrl-C" else 1)


def test_a_rerun_that_is_stopped_with_the_last_stage_ends_when_its_agent_has_ended_it() -> None:
    given = scenario(
        stage("first", job("slow"), on="a|b", run_agents="sequential"), stage("last", job("bad")), agents="a b"
    )

    def answer(sent: SendJob) -> AttemptReport | None:
        if str(sent.attempt).startswith("last/bad"):
            return report(sent.attempt, "failed", error={"kind": "exit", "message": "no"})
        return report(sent.attempt, "ok") if sent.attempt.number == 1 else None

    simulation = run(given, answer, on_failure="pause")
    simulation.go(RerunRequest("first"))
    assert list(simulation.pending) == ["first/slow@a#2"]
    events = simulation.go(StopRequest("operator", 130))
    ends = [(e.stage, e.state) for e in events if isinstance(e, StageFinished)]
    assert ends == [("last", "failed"), ("first", "failed")]
    assert [str(e.instance) for e in events if isinstance(e, JobFinished)] == ["first/slow@a"]


def test_until_repeats_what_ended_well_and_is_not_enough() -> None:
    given = scenario(stage("s", job("poll", until="res.n >= 2", retries=5)))
    seen = iter(range(9))
    simulation = run(given, lambda sent: report(sent.attempt, "ok", {"n": next(seen)}))
    while simulation.timers:
        simulation.fire(RetryDue(named("s/poll@a")))
    assert [e.state for e in simulation.of(JobFinished)] == ["failed", "failed", "ok"]


def test_a_tolerated_failure_is_told_and_costs_nothing() -> None:
    given = scenario(stage("s", job("bad", on_failure="continue"), job("next")))
    simulation = run(given, fails("bad"))
    assert simulation.ended() == ["s/bad@a failed", "s/next@a ok"]
    assert [e.is_tolerated for e in simulation.of(JobFinished)] == [True, False]
    assert simulation.exit_code == 0
    assert simulation.events[-1].counts == {"tolerated": 1, "ok": 1}  # type: ignore[attr-defined]


def test_what_runs_again_is_counted_once() -> None:
    attempts: list[str] = []

    def answer(sent: SendJob) -> AttemptReport:
        attempts.append(str(sent.attempt))
        return report(sent.attempt, "failed" if str(sent.attempt) == "s/one@a#1" else "ok")

    simulation = run(scenario(stage("s", job("one", on_failure="continue"), job("two"))), answer, keep_alive=True)
    simulation.go(RerunRequest("s"))
    simulation.go(StopRequest("operator", 0))
    assert attempts == ["s/one@a#1", "s/two@a#1", "s/one@a#2", "s/two@a#2"]
    assert simulation.events[-1].counts == {"ok": 2}  # type: ignore[attr-defined]


@pytest.mark.parametrize("order", ["sequential", "concurrent"])
@pytest.mark.parametrize("what", ["the job", "the stage", "the job, behind a new one", "the job, when it has ended"])
def test_what_an_edit_takes_away_and_gives_again_while_it_runs_runs_once(what: str, order: str) -> None:
    def edited(*jobs: str) -> Scenario:
        listed = [stage("s", *map(job, jobs), run_jobs=order)] if jobs else []
        return scenario(stage("first", job("x")), *listed, stage("end", job("wait")))

    given = edited("j", "more", "wait")
    answers = ("/j@", "/x@", "/new@", *(["/more@"] if "ended" in what else []))
    simulation = run(
        given, lambda sent: report(sent.attempt, "ok") if any(a in str(sent.attempt) for a in answers) else None
    )
    simulation.go(EditReport(edited() if what == "the stage" else edited("j", "wait")))
    simulation.go(EditReport(edited("j", "wait", "new", "more") if "new" in what else given))
    for name in ("s/more@a", "s/wait@a", "end/wait@a"):
        simulation.go(report(f"{name}#1", "ok"))
    begun = ["s/j@a", "s/more@a", "s/wait@a", "first/x@a", "end/wait@a", *(["s/new@a"] if "new" in what else [])]
    assert sorted(simulation.started()) == sorted(f"{name}#1" for name in begun)
    assert simulation.events[-1].counts == {"ok": len(begun)}  # type: ignore[attr-defined]


RAN = {"exit_code": 3, "stdout": "half", "stderr": "why"}
EXIT = {"kind": "exit", "message": "exit status 3", "detail": {"exit_code": 3}}


def fails_with(result: object) -> object:
    """Answer: the job `bad` fails and gives this, all others succeed."""

    def answer(sent: SendJob) -> AttemptReport | None:
        if "/bad@" in str(sent.attempt):
            return report(sent.attempt, "failed", result, EXIT)
        return report(sent.attempt, "ok", {"exit_code": 0, "stdout": ""})

    return answer


def test_what_a_tolerated_failure_gave_can_be_reacted_to() -> None:
    given = scenario(
        stage(
            "s",
            job("bad", on_failure="continue", register="bad"),
            job("good", register="good"),
            job("mend", when="vars.bad.failed and vars.bad.exit_code == 3 and not vars.good.failed"),
            job("not needed", when="vars.good.failed"),
        )
    )
    simulation = run(given, fails_with(RAN))
    assert simulation.ended() == ["s/bad@a failed", "s/good@a ok", "s/mend@a ok", "s/not needed@a skipped"]
    error = {"kind": "exit", "message": "exit status 3"}
    assert simulation.engine.core.variables["bad"] == {**RAN, "failed": True, "error": error}
    assert simulation.of(JobFinished)[0].result == RAN


def test_a_tolerated_failure_without_a_result_can_be_asked_the_same() -> None:
    given = scenario(
        stage(
            "s",
            job("bad", on_failure="continue", register="r", items=ItemsSpec((("1..2",),))),
            job("look", {"argv": "{{ vars.r['2'].exit_code }},{{ vars.r['2'].stdout }},{{ vars.r['2'].failed }}"}),
        )
    )
    simulation = run(given, fails_with(None))
    assert simulation.sent[-1].arguments == {"argv": "3,,true"}
    registered = simulation.engine.core.variables["r"]
    assert isinstance(registered, dict)
    assert list(registered) == ["1", "2"]


def test_a_failure_is_registered_by_a_name_that_is_a_template() -> None:
    given = scenario(
        stage("s", job("bad", on_failure="continue", register="{{ agent.name }}_{{ res.exit_code }}_{{ res.failed }}")),
        stage("t", job("bad", on_failure="continue", register="{{ res.nothing }}"), job("next")),
    )
    simulation = run(given, fails_with(RAN))
    assert list(simulation.engine.core.variables) == ["a_3_true"]
    assert ["register: " in warning.message for warning in simulation.of(WarningGiven)] == [True]
    assert simulation.ended()[-1] == "t/next@a ok"


def test_a_failure_that_the_operator_passes_over_is_registered_too() -> None:
    given = scenario(stage("s", job("bad", on_failure="pause", register="r"), job("next", when="vars.r.failed")))
    simulation = run(given, fails_with(RAN))
    assert "r" not in simulation.engine.core.variables
    simulation.go(SkipRequest(named("s/bad@a")))
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/bad@a failed", "s/bad@a skipped", "s/next@a ok"]
    registered = simulation.engine.core.variables["r"]
    assert isinstance(registered, dict)
    assert registered["stderr"] == "why"


def test_what_is_not_enough_is_registered_as_it_was() -> None:
    given = scenario(stage("s", job("j", until="res.n > 5", on_failure="continue", register="r")))
    simulation = run(given, lambda sent: report(sent.attempt, "ok", {"n": 1}))
    found = simulation.engine.core.variables["r"]
    assert isinstance(found, dict)
    assert (found["n"], found["failed"]) == (1, True)


@pytest.mark.parametrize("value", ["false", "0", "no", "", "true", 0, 1, 2.5, None, [], [1], {}, {"a": 1}])
@pytest.mark.parametrize("where", ["job", "stage", "until", "assert"])
def test_a_condition_is_true_or_false_and_nothing_else(value: object, where: str) -> None:
    more: dict[str, object] = {"job": {"when": "vars.x"}, "until": {"until": "vars.x"}}.get(where, {})  # type: ignore[assignment]
    one = job("j", **more)  # type: ignore[arg-type]
    if where == "assert":
        one = job("j", {"that": "vars.x"}, procedure="builtins.assert", where="assertion")
    given = scenario(stage("s", one, **({"when": "vars.x"} if where == "stage" else {})), variables={"x": value})
    simulation = run(given, None)
    failed = [e.failure.message for e in simulation.of(JobFinished)] + [e.reason for e in simulation.of(StageFinished)]
    assert any("a condition is true or false" in message for message in failed)
    assert simulation.exit_code == 3


def test_an_until_that_cannot_be_expanded_is_named() -> None:
    simulation = run(scenario(stage("s", job("j", until="res.nope > 1"))), None)
    assert simulation.of(JobFinished)[0].failure.message.startswith("until: ")


def test_what_is_null_is_waited_for_and_a_text_is_an_error() -> None:
    given = scenario(
        stage("s", job("wait", {"expression": "vars.x"}, where="expression"), on="a"), variables={"x": None}
    )
    simulation = run(given, None)
    assert simulation.ended() == []
    simulation.go(SetVariableRequest("x", "no"))
    assert simulation.ended() == ["s/wait@a failed"]
    assert "the text 'no'" in simulation.of(JobFinished)[0].failure.message


def test_a_template_that_fails_is_not_tried_again() -> None:
    given = scenario(stage("s", job("j", {"argv": "{{ vars.nope }}"}, retries=3)))
    simulation = run(given, None)
    finished = simulation.of(JobFinished)
    assert [(e.state, e.failure.kind) for e in finished] == [("failed", "template")]
    assert "nope" in finished[0].failure.message
    assert simulation.sent == []
    assert simulation.exit_code == 3


def test_items_and_when_that_cannot_be_expanded_fail_their_job() -> None:
    given = scenario(stage("s", job("j", items=ItemsSpec((("{{ vars.nope }}",),)))))
    simulation = run(given, None)
    assert simulation.ended() == ["s/j@a failed"]
    assert simulation.exit_code == 3
    assert run(scenario(stage("s", job("j", when="vars.nope"))), None).ended() == ["s/j@a failed"]


def test_a_stage_whose_pattern_cannot_be_expanded_ends_the_run() -> None:
    simulation = run(scenario(stage("s", job("j"), on="{{ vars.nope }}"), stage("c", job("k"), always=True)), None)
    assert simulation.ended() == ["c/k@a ok"]
    assert simulation.exit_code == 3


def test_failed_jobs_of_always_stages_do_not_keep_the_next_from_running() -> None:
    given = scenario(stage("s", job("bad")), stage("c1", job("bad"), always=True), stage("c2", job("j"), always=True))
    simulation = run(given, fails("bad"))
    assert simulation.ended() == ["s/bad@a failed", "c1/bad@a failed", "c2/j@a ok"]


@pytest.mark.parametrize("end", ["failure", "stop"])
def test_what_a_job_tolerates_is_tolerated_while_the_run_ends_too(end: str) -> None:
    given = scenario(
        stage("s", job("bad")),
        stage("c", job("try", on_failure="continue", register="r"), job("report", when="vars.r.failed"), always=True),
    )
    if end == "failure":
        simulation = run(given, fails("bad", "try"))
    else:
        simulation = run(given, lambda sent: None if "/bad@" in str(sent.attempt) else fails("try")(sent))  # type: ignore[operator]
        simulation.go(StopRequest("SIGINT", 130))
        simulation.go(report("s/bad@a#1", "cancelled"))
    assert simulation.ended()[1:] == ["c/try@a failed", "c/report@a ok"]
    (tolerated,) = (e for e in simulation.of(JobFinished) if e.is_tolerated)
    assert str(tolerated.instance) == "c/try@a"
    assert simulation.exit_code == {"failure": 1, "stop": 130}[end]


@pytest.mark.parametrize("end", ["failure", "loss", "stop"])
def test_what_an_always_stage_does_goes_on_whatever_fails(end: str) -> None:
    given = scenario(
        stage("collect", job("get"), job("pack"), always=True), stage("s", job("j")), stage("c", job("k"), always=True),
        agents="a b",
    )  # fmt: skip
    simulation = run(given, lambda sent: report(sent.attempt, "ok") if "@a" not in str(sent.attempt) else None)
    simulation.answer = lambda sent: report(sent.attempt, "ok")
    if end == "failure":
        simulation.go(report("collect/get@a#1", "failed", error={"kind": "missing", "message": "no such file"}))
    elif end == "loss":
        simulation.go(AgentLossReport("a", "gone", 7))
    else:
        simulation.go(StopRequest("SIGINT", 130))
        simulation.go(report("collect/get@a#1", "ok"))
    assert not simulation.cancelled
    assert [line for line in simulation.ended() if "@b" in line] == [
        "collect/get@b ok", "collect/pack@b ok", "c/k@b ok"
    ]  # fmt: skip
    assert not [line for line in simulation.ended() if line.startswith("s/")]
    assert simulation.exit_code == {"failure": 1, "loss": 7, "stop": 130}[end]


@pytest.mark.parametrize("up", ["a", "b", "c"])
def test_agents_that_do_not_start_are_all_named_before_the_run_ends(up: str) -> None:
    simulation = Simulation(scenario(stage("s", job("j")), agents="a b c"))
    simulation._take_original = simulation._take  # type: ignore[attr-defined]

    def take(effect: object) -> None:
        if isinstance(effect, StartAgent):
            name = effect.agent.name
            simulation.waiting.append(
                AgentUpReport(name)
                if name == up
                else StartFailureReport(name, "net.dns", f"no address for {name}", exit_code=4 if name == "b" else 5)
            )
        else:
            simulation._take_original(effect)  # type: ignore[attr-defined]

    simulation._take = take  # type: ignore[method-assign]
    simulation.go(BeginRequest(""))
    assert [e.agent for e in simulation.of(AgentFailed)] == sorted({"a", "b", "c"} - {up})
    assert simulation.started() == []
    assert simulation.exit_code == 5


def test_a_lost_agent_fails_what_ran_there() -> None:
    given = scenario(stage("s", job("j")), agents="a b")
    simulation = run(given, lambda sent: None)
    simulation.go(AgentLossReport("a", "connection reset"))
    assert simulation.ended() == ["s/j@a failed", "s/j@b cancelled"]
    assert simulation.of(JobFinished)[0].failure.kind == "agent_lost"
    assert simulation.exit_code == 7


def test_what_is_not_clean_dominates() -> None:
    given = scenario(stage("s", job("bad")))
    simulation = Simulation(given, fails("bad"))  # type: ignore[arg-type]
    simulation.begin()
    first, *others = (str(int(code)) for code in PRECEDENCE)
    page = (Path(__file__).parents[2] / "docs/command-line.md").read_text()
    assert f"When several apply: {first}, then {', '.join(others)}." in page
    assert exit_code({1, 10, 5}) == 10
    assert exit_code({5, 6, 4, 7, 8, 1}) == 5
    assert exit_code({6, 4, 7, 8, 1}) == 6
    assert exit_code({4, 7, 8, 1}) == 4
    assert exit_code({7, 8, 1}) == 7
    assert exit_code({8, 1}) == 8
    assert exit_code({1, 130}) == 130
    assert exit_code(set()) == 0


def test_the_time_limit_ends_the_run() -> None:
    simulation = run(scenario(stage("s", job("j"))), lambda sent: None, timeout_s=9.0)
    simulation.fire(RunTimer.LIMIT)
    assert simulation.ended() == ["s/j@a cancelled"]
    assert simulation.exit_code == 8


def test_the_first_stop_collects_and_the_second_does_not() -> None:
    given = scenario(stage("s", job("j")), stage("collect", job("slow"), always=True))
    simulation = run(given, lambda sent: None)
    simulation.go(StopRequest("SIGINT", 130))
    assert list(simulation.pending) == ["collect/slow@a#1"]
    simulation.go(StopRequest("SIGINT", 130, force=True))
    assert simulation.exit_code == 130


def test_collecting_is_bounded() -> None:
    given = scenario(stage("s", job("j")), stage("collect", job("slow"), always=True))
    simulation = run(given, lambda sent: None)
    simulation.go(StopRequest("SIGTERM", 143))
    simulation.fire(RunTimer.COLLECT)
    assert simulation.exit_code == 143


def test_an_agent_that_never_confirms_a_cancellation_does_not_hold_the_run() -> None:
    given = scenario(stage("s", job("bad"), run_jobs="concurrent"), stage("c", job("k"), always=True), agents="a b")
    simulation = run(given, lambda sent: None)
    take = simulation._take
    simulation._take = lambda effect: None if isinstance(effect, CancelJob) else take(effect)  # type: ignore[method-assign]
    simulation.go(report("s/bad@a#1", "failed", error={"kind": "exit", "message": "no"}))
    assert list(simulation.timers) == [RunTimer.CANCEL]
    simulation.fire(RunTimer.CANCEL)
    assert simulation.ended() == ["s/bad@a failed", "s/bad@b cancelled"]
    assert simulation.started()[2:] == ["c/k@a#1", "c/k@b#1"]


def test_a_stop_while_the_run_ends_is_bounded_too() -> None:
    given = scenario(stage("s", job("bad")), stage("c", job("slow"), always=True))
    simulation = run(given, lambda sent: None)
    simulation.go(report("s/bad@a#1", "failed", error={"kind": "exit", "message": "no"}))
    simulation.go(StopRequest("SIGTERM", 143))
    simulation.fire(RunTimer.COLLECT)
    assert simulation.exit_code == 143


def test_a_stop_before_the_run_was_begun_ends_it_before_any_agent_is_started() -> None:
    simulation = Simulation(scenario(stage("s", job("j")), agents="a b"))
    assert simulation.feed(StopRequest("SIGINT", 130)) == []
    simulation.begin()
    assert [event.TYPE for event in simulation.events] == ["run_started", "stop_requested", "run_finished"]
    assert simulation.exit_code == 130


def test_a_stop_before_the_agents_are_up_ends_at_once() -> None:
    simulation = Simulation(scenario(stage("s", job("j"))))
    simulation.feed(BeginRequest(""))
    simulation.go(StopRequest("SIGINT", 130))
    assert simulation.started() == []
    assert simulation.exit_code == 130


def test_a_confirmation_that_nobody_can_give_ends_the_run() -> None:
    simulation = run(scenario(stage("s", job("j"), ask_confirmation=True)), None, confirm="fail")
    assert simulation.started() == []
    assert simulation.exit_code == 11
    assert run(scenario(stage("s", job("j"), ask_confirmation=True)), None, confirm="yes").started() == ["s/j@a#1"]
    skipped = run(scenario(stage("s", job("j"), ask_confirmation=True)), None, confirm="no")
    assert [(e.state, e.reason) for e in skipped.of(StageFinished)] == [("skipped", "not confirmed")]


def test_a_uri_of_a_service_that_nobody_started_says_so() -> None:
    simulation = run(scenario(stage("s", job("j", {"node": "b://n1"})), agents="a b"), None)
    error = simulation.of(JobFinished)[0].failure
    assert error.message == "builtins.command: b://n1: nobody started the Octez node 'n1' on b"
    assert error.hint == "b offers nothing yet"


def test_uris_follow_services_up_and_down() -> None:
    given = scenario(
        stage("one", job("j")),
        stage("two", job("k", {"node": "b://n1", "file": "b://x/y"}), on="a"),
        stage("three", job("l", {"node": "self://n1"}), on="b"),
        stage("four", job("m", {"node": "b://n1"}), on="a"),
        agents="a b",
    )
    simulation = Simulation(
        given,
        lambda sent: None if "/j@" in str(sent.attempt) or "/l@" in str(sent.attempt) else report(sent.attempt, "ok"),
    ).begin()
    simulation.go(ServiceReport("b", "node", "n1", {"rpc": 8732, "metrics": 9}))
    simulation.go(ServiceReport("b", "http", "http", {"http": 80}))
    simulation.go(report("one/j@a#1", "ok"))
    simulation.go(report("one/j@b#1", "ok"))
    sent = {str(s.attempt): s.arguments for s in simulation.sent}
    assert sent["two/k@a#1"] == {
        "node": {"remote": "http://127.0.0.1:8732"},
        "file": {"remote": "http://127.0.0.1:80/x/y", "path": "x/y"},
    }
    assert sent["three/l@b#1"] == {"node": {"owned": "n1"}}
    simulation.go(ServiceReport("b", "node", "n1", {}, "down", "exit status 3"))
    simulation.go(report("three/l@b#1", "ok"))
    assert "is down: exit status 3" in simulation.of(JobFinished)[-1].failure.message


@pytest.mark.fault(75)
def test_what_is_late_or_repeated_changes_nothing() -> None:
    simulation = run(scenario(stage("s", job("j"), job("k"))), lambda sent: None)
    simulation.go(report("s/j@a#1", "ok"))
    before = len(simulation.events)
    simulation.go(report("s/j@a#1", "failed"))
    simulation.go(report("unknown/x@y#3", "ok"))
    simulation.go(AgentEndReport("a"))
    simulation.go(AgentUpReport("a"))
    assert len(simulation.events) == before


def test_a_failure_in_the_console_holds_the_run() -> None:
    given = scenario(stage("s", job("bad"), job("k")), agents="a b")
    simulation = run(given, fails("bad"), on_failure="pause")
    assert simulation.exit_code is None
    pauses = simulation.of(RunPaused)
    assert [p.reason for p in pauses] == ["failure"]
    assert "s/bad@a: exit status 1" in pauses[0].message
