"""What a run can expect of those before it: pure figures, and no more than is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.journal import timings
from octogram_tui.model.entries import AgentEntry, StageEntry
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.estimate import Expectation, PastRun, Stopwatch
from octogram_tui.tui.model import Model

JOB = InstanceId("build", "j", "a")
PLAN: list[StageEntry] = [
    {"stage": name, "left_out": left_out, "jobs": [{"job": "j"}]}
    for name, left_out in (("build", ""), ("extra", "left out by --stage"), ("test", ""), ("collect", ""))
]
AGENTS: list[AgentEntry] = [{"agent": "a"}]


def past(build: float, test: float, collect: float, *, agents: int = 1, before: float = 2.0) -> PastRun:
    return PastRun(agents, before, {("build", "j"): build, ("test", "j"): test, ("collect", "j"): collect})


def begun(*earlier: PastRun, plan: list[StageEntry] | None = None) -> Expectation:
    expectation = Expectation(earlier)
    expectation.apply(ev.RunStarted(run="r", scenario="s", plan=PLAN if plan is None else plan, agents=AGENTS))
    return expectation


def test_the_rest_is_what_the_stages_to_come_took_before() -> None:
    run = begun(past(10, 20, 5))
    assert run.rest_s(0.0) == 37.0  # with the two seconds in which agents come up
    run.apply(ev.StageStarted(stage="build", at_s=3.0))
    assert run.rest_s(3.0) == 35.0
    assert run.rest_s(7.0) == 31.0
    assert run.rest_s(60.0) == 25.0  # it takes longer than it did: the others are still to come
    run.apply(ev.StageFinished(stage="build", state="ok", at_s=61.0))
    assert run.rest_s(61.0) == 25.0
    assert run.stage_s("test") == 20.0


def test_the_middle_one_of_several_counts_and_those_with_as_many_agents_before_others() -> None:
    assert begun(past(10, 0, 0), past(14, 0, 0), past(900, 0, 0)).stage_s("build") == 14
    assert begun(past(10, 0, 0), past(90, 0, 0, agents=40), past(12, 0, 0)).stage_s("build") == 11
    assert begun(past(90, 0, 0, agents=40)).stage_s("build") == 90


def test_nothing_is_expected_of_what_never_ran() -> None:
    assert begun().rest_s(0.0) is None
    other: list[StageEntry] = [*PLAN, {"stage": "test", "jobs": [{"job": "another"}]}]
    assert begun(past(1, 1, 1), plan=other).rest_s(0.0) is None
    assert begun(past(1, 1, 1), plan=[]).rest_s(0.0) is None
    assert begun(past(1, 1, 1)).stage_s("nothing") is None


@pytest.mark.parametrize(
    "end", [ev.StagesDone(at_s=9.0), ev.StopRequested(by="operator", at_s=9.0), ev.RunFinished(exit_code=0, at_s=9.0)]
)
def test_nothing_is_expected_of_a_run_that_is_over(end: ev.Event) -> None:
    run = begun(past(10, 20, 5))
    run.apply(end)
    assert run.rest_s(9.0) is None


def test_time_in_which_the_run_was_held_is_no_work() -> None:
    run = begun(past(10, 20, 5))
    first: list[ev.Event] = [
        ev.StageStarted(stage="build", at_s=0.0),
        ev.JobStarted(instance=JOB, attempt=1, at_s=0.0),
        ev.RunPaused(at_s=2.0),  # what is in flight works on
        ev.JobFinished(instance=JOB, attempt=1, state="failed", at_s=4.0),
    ]
    for event in first:
        run.apply(event)
    assert run.rest_s(4.0) == run.rest_s(1000.0) == 31.0
    then: list[ev.Event] = [
        ev.RunResumed(mode="step", at_s=1000.0),
        ev.JobStarted(instance=JOB, attempt=2, at_s=1001.0, why="rerun"),
        ev.JobFinished(instance=JOB, attempt=2, state="ok", at_s=1002.5),
        ev.RunResumed(at_s=2000.0),
        ev.StageFinished(stage="build", state="ok", at_s=2001.0, duration_s=2001.0),
    ]
    for event in then:
        run.apply(event)
    kept = run.past()
    assert kept is not None
    assert kept.stages == {("build", "j"): 6.5}


def test_a_run_that_is_held_before_its_start_takes_no_longer_to_come_up() -> None:
    run = begun(past(10, 20, 5))
    run.apply(ev.RunPaused(reason="start", at_s=0.5))
    assert run.rest_s(0.5) == run.rest_s(600.0) == 36.5
    run.apply(ev.RunResumed(at_s=600.0))
    run.apply(ev.StageStarted(stage="build", at_s=600.5))
    run.apply(ev.StageFinished(stage="build", state="ok", at_s=601.0))
    kept = run.past()
    assert kept is not None
    assert kept.before_s == 1.0


def test_what_is_kept_is_what_went_well_and_a_skipped_stage_takes_no_time() -> None:
    watch = Stopwatch()
    for event in (
        ev.RunStarted(run="r", scenario="s", plan=PLAN, agents=AGENTS),
        ev.StageStarted(stage="build", at_s=1.5),
        ev.StageFinished(stage="build", state="ok", at_s=3.0),
        ev.StageFinished(stage="extra", state="skipped", at_s=3.0),  # by the command line: another time it may run
        ev.StageStarted(stage="build", at_s=3.0, rerun=True),
        ev.StageFinished(stage="build", state="ok", at_s=9.0, rerun=True),
        ev.StageFinished(stage="test", state="skipped", at_s=9.0),
        ev.StageStarted(stage="collect", at_s=9.0),
        ev.StageFinished(stage="collect", state="failed", at_s=10.0),
    ):
        watch.apply(event)
    kept = watch.past()
    assert kept == PastRun(1, 1.5, {("build", "j"): 1.5, ("test", "j"): 0.0})
    assert PastRun.read(json.loads(json.dumps(kept.record()))) == kept
    assert Stopwatch().past() is None


def test_a_reloaded_stage_is_expected_anew_and_one_that_ran_stays_as_it_ran() -> None:
    run = begun(past(10, 20, 5))
    run.apply(ev.StageStarted(stage="build", at_s=0.0))
    changed: list[StageEntry] = [
        {"stage": "build", "jobs": [{"job": "j"}, {"job": "k"}]},
        {"stage": "collect", "jobs": [{"job": "j"}]},
    ]
    run.apply(ev.ScenarioReloaded(plan=changed, changes=["x"], at_s=1.0))
    assert run.rest_s(1.0) == 14.0


@pytest.mark.parametrize(
    "record",
    [None, [], {}, {"v": 2}, {"v": 1}, {"v": 1, "agents": "x", "before_s": 0, "stages": []}, {"v": 1, "stages": [{}]}],
)
def test_what_is_damaged_is_not_read(record: object) -> None:
    assert PastRun.read(record) is None


def test_records_are_those_of_the_latest_runs_of_the_scenario(tmp_path: Path) -> None:
    for number in range(8):
        directory = tmp_path / f"2026010{number}-s-aa"
        directory.mkdir()
        scenario = "/other.yml" if number == 6 else "/s.yml"
        (directory / "run.json").write_text(json.dumps({"scenario": scenario}))
        timings.write(directory, {"number": number})
    (tmp_path / "20260107-s-aa" / timings.TIMINGS).write_text("{")
    (tmp_path / "20260105-s-aa" / "run.json").write_text("[]")
    assert timings.of_scenario(tmp_path, "/s.yml", but="20260104-s-aa") == [{"number": n} for n in (3, 2, 1, 0)]
    assert timings.of_scenario(tmp_path / "none", "/s.yml") == []
    timings.write(tmp_path / "none", {})  # nobody misses it


def test_the_console_knows_by_its_own_clock_when_the_run_will_be_done() -> None:
    start = ev.RunStarted(run="r", scenario="s", plan=PLAN, agents=AGENTS, started_wall="1970-01-01T00:01:40Z", seq=1)
    model = Model(clock=lambda: 103.0, past=[past(10, 20, 5)])
    assert Model(past=[past(10, 20, 5)]).estimate_s is None
    model.apply([start, ev.StageStarted(seq=2, stage="build", at_s=1.0)])
    assert (model.now_s, model.estimate_s) == (3.0, 36.0)
    again = Model(clock=lambda: 103.0, past=[past(10, 20, 5)], is_replay=True)
    again.apply([start])
    assert again.estimate_s is None
