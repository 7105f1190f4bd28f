"""What an agent is given before it has ended what it has: when that is certain, when not, and how it is taken back."""

from __future__ import annotations

from typing import Any

import pytest
from simulation import Simulation, job, named, report, scenario, stage
from test_taken_up_anywhere import cut, go_on, results
from world import World

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import JobFinished, JobHeld, JobInDoubt, JobStarted, WarningGiven
from octogram_tui.engine.stimuli import (
    AgentLossReport,
    AttemptReport,
    BreakRequest,
    EditReport,
    GoRequest,
    OutputReport,
    PauseRequest,
    RecallReport,
    SetVariableRequest,
    StepRequest,
    Stimulus,
    StopRequest,
)
from octogram_tui.journal import terms
from octogram_tui.model.ids import AttemptId
from octogram_tui.model.scenario import ItemsSpec, JobSpec, Scenario, Text, VarUpdate

ITEMS = ItemsSpec((("1..3",),))
X = {"argv": "{{ vars.x }}"}


class Watched(Simulation):
    """A run whose agents answer when a test says so; what they are sent is kept in order."""

    def __init__(self, given: Scenario, **options: Any) -> None:
        super().__init__(given, lambda sent: None, look_ahead=True, **options)
        self.begin()

    def next_of(self, attempt: str) -> str:
        """What an agent holds to begin after an attempt; nothing is empty."""
        return str(self.held[attempt].attempt) if attempt in self.held else ""

    def under_way(self) -> list[str]:
        """What the engine says that runs."""
        return sorted(str(i.attempt_id) for i in self.engine.instances.in_state("running"))

    def unheard(self, stimulus: Stimulus) -> None:
        """Feed without letting agents' answers arrive."""
        self.feed(stimulus)

    def ended(self, attempt: str = "", state: str = "ok") -> Any:
        """An agent ends an attempt, and the run hears of it."""
        if not attempt:
            return super().ended()
        return self.go(report(attempt, state, {}))


def one(*jobs: JobSpec, **more: Any) -> Scenario:
    """One stage on one agent."""
    return scenario(stage("s", *jobs, **more), variables={"x": 1})


def test_an_agent_holds_the_next_job_and_then_the_one_after_it() -> None:
    run = Watched(one(job("j", X), job("k", X), job("items", X, items=ITEMS), job("l")))
    order = ["s/j@a#1", "s/k@a#1", "s/items@a[1]#1", "s/items@a[2]#1", "s/items@a[3]#1", "s/l@a#1"]
    for attempt, following in zip(order, [*order[1:], ""], strict=True):
        assert run.next_of(attempt) == following
        assert run.under_way() == [attempt]
        run.ended(attempt)
    assert [str(sent.attempt) for sent in run.sent] == order
    assert run.started() == order
    assert run.exit_code == 0


@pytest.mark.parametrize(
    ("former", "following", "more"),
    [
        ({"register": "y"}, {}, {}),
        ({"vars_updates": (VarUpdate(Text("y"), Text("1")),)}, {}, {}),
        ({"until": "true"}, {}, {}),
        ({"items": ITEMS, "when": "true"}, {}, {}),
        ({"items": ITEMS, "run_items": "concurrent"}, {}, {}),
        ({"where": "orchestrator"}, {}, {}),
        ({}, {"when": "true"}, {}),
        ({}, {"where": "assertion"}, {}),
        ({}, {"where": "orchestrator"}, {}),
        ({}, {"items": ITEMS, "run_items": "concurrent"}, {}),
        ({}, {"items": ItemsSpec((("{{ nothing }}",),))}, {}),
        ({}, {"args": {"argv": "{{ vars.nothing }}"}}, {}),
        ({}, {"args": {"argv": "{{ vars[agent.name] | default(0) }}"}}, {}),
        ({}, {"args": {"node": "node://other"}}, {}),
        ({}, {}, {"run_jobs": "concurrent"}),
        ({}, {}, {"max_concurrency": 3}),
    ],
    ids=repr,
)
def test_what_is_not_certain_is_not_given_ahead(
    former: dict[str, Any], following: dict[str, Any], more: dict[str, Any]
) -> None:
    args = following.pop("args", {}) if "args" in following else {}
    run = Watched(one(job("j", **former), job("k", args, **following), **more))
    assert not run.held
    assert all(sent.after is None for sent in run.sent)


def test_what_another_job_of_the_stage_may_change_is_not_read_ahead() -> None:
    """But other variables are."""
    last = job("last", register="x")
    run = Watched(one(job("j"), job("k", X), job("l", {"argv": "{{ vars.y | default(0) }}"}), last))
    assert run.next_of("s/j@a#1") == ""
    run.ended("s/j@a#1")
    assert run.next_of("s/k@a#1") == "s/l@a#1"


@pytest.mark.parametrize(
    "asked",
    [PauseRequest(), StepRequest(), BreakRequest("s/k"), BreakRequest("s/j", "after"), SetVariableRequest("x", 2)],
    ids=lambda asked: type(asked).__name__,
)
def test_whatever_an_operator_asks_for_takes_it_back_in_time(asked: Stimulus) -> None:
    """What comes next is as it would be without; while anything holds, or may do so, nothing is given ahead."""
    run = Watched(one(job("j"), job("k", X), job("l")), on_failure="pause")
    assert run.next_of("s/j@a#1") == "s/k@a#1"
    run.go(asked)
    assert not run.held
    run.ended("s/j@a#1")
    if isinstance(asked, SetVariableRequest):
        assert run.sent[-2].arguments == {"argv": "2"}
        assert run.next_of("s/k@a#1") == "s/l@a#1"
    elif isinstance(asked, StepRequest):
        assert run.under_way() == ["s/k@a#1"]
        assert not run.held
    else:
        assert run.under_way() == []
        assert len(run.of(JobHeld)) == 1
        run.go(GoRequest())
        run.go(GoRequest())
        assert run.under_way() == ["s/k@a#1"]
    assert not run.of(WarningGiven)


def test_what_had_begun_already_is_told_to_be_under_way() -> None:
    """With the arguments that it was given; then it is stale, and a warning says that it came too late."""
    run = Watched(one(job("j"), job("k", X), job("l")), on_failure="pause")
    run.ended_there(report("s/j@a#1", "ok", {}))  # it has, and that is on its way
    run.unheard(SetVariableRequest("x", 2))
    run.unheard(PauseRequest())
    run.feed(report("s/j@a#1", "ok", {}))
    assert run.under_way() == ["s/j@a#1"]  # what follows is not known yet
    run.run()
    assert run.under_way() == ["s/k@a#1"]
    assert run.of(JobStarted)[-1].arguments == {"argv": "1"}
    assert "had begun before it could be taken back" in run.of(WarningGiven)[0].message
    assert not run.held
    run.ended("s/k@a#1")
    assert named("s/k@a") in run.engine.instances.stale
    assert [str(e.instance) for e in run.of(JobHeld)] == ["s/l@a"]


def test_its_first_line_says_too_that_it_had_begun() -> None:
    run = Watched(one(job("j"), job("k")), on_failure="pause")
    run.ended_there(report("s/j@a#1", "ok", {}))
    run.unheard(PauseRequest())
    run.feed(report("s/j@a#1", "ok", {}))
    k = AttemptId(named("s/k@a"), 1)
    types = [event.TYPE for event in run.feed(OutputReport("a", k, ["a line"]))]
    assert types == ["job_finished", "job_started", "warning", "job_output"]
    run.run()
    assert run.under_way() == ["s/k@a#1"]


def test_an_agent_that_speaks_of_what_it_cannot_have_begun_is_not_believed() -> None:
    run = Watched(one(job("j"), job("k")))
    k = AttemptId(named("s/k@a"), 1)
    run.go(OutputReport("a", k, ["FORGED"]))
    run.go(report(k, "ok", {}))
    run.go(RecallReport("b", k, AttemptId(named("s/j@a"), 1)))
    assert "job_output" not in run.types
    assert run.under_way() == ["s/j@a#1"]
    run.ended("s/j@a#1")
    assert run.under_way() == ["s/k@a#1"]


def test_after_a_failure_it_does_not_begin_and_comes_when_it_is_its_turn() -> None:
    run = Watched(one(job("items", X, items=ITEMS, retries=1, on_failure="continue"), job("k")))
    for attempt in ("s/items@a[1]#1", "s/items@a[1]#2"):
        assert run.next_of(attempt) == "s/items@a[2]#1"
        run.ended(attempt, "failed")
        assert attempt not in run.held
        if run.timers:
            run.fire(next(iter(run.timers)))
    run.ended("s/items@a[2]#1")
    run.ended("s/items@a[3]#1")
    assert run.started()[2:] == ["s/items@a[2]#1", "s/items@a[3]#1", "s/k@a#1"]


def test_what_follows_on_a_lost_agent_is_in_doubt_too() -> None:
    """It may have begun there: so it does not begin by itself once more."""
    run = Watched(one(job("j"), job("k"), job("l")), on_failure="pause")
    run.go(AgentLossReport("a", "gone"))
    assert run.ended() == ["s/j@a failed", "s/k@a failed"]
    assert [str(e.instance) for e in run.of(JobInDoubt)] == ["s/k@a"]
    assert "right after s/j@a#1" in run.of(JobFinished)[-1].failure.message


def test_what_began_as_the_run_was_stopped_is_cancelled() -> None:
    run = Watched(one(job("j"), job("k"), job("l")))
    run.ended_there(report("s/j@a#1", "ok", {}))
    run.feed(StopRequest("operator", 130))
    run.feed(report("s/j@a#1", "ok", {}))
    run.run()
    assert run.ended() == ["s/j@a ok", "s/k@a cancelled"]
    assert run.exit_code == 130


def test_an_edit_counts_from_what_has_not_begun() -> None:
    run = Watched(one(job("j"), job("k", {"argv": "old"}), job("l", {"argv": "old"})), on_failure="pause")
    run.ended_there(report("s/j@a#1", "ok", {}))
    run.feed(EditReport(one(job("j"), job("k", {"argv": "new"}), job("l", {"argv": "new"}))))
    run.feed(report("s/j@a#1", "ok", {}))
    run.run()
    assert run.of(JobStarted)[-1].arguments == {"argv": "old"}
    assert run.next_of("s/k@a#1") == "s/l@a#1"
    run.ended("s/k@a#1")
    assert run.of(JobStarted)[-1].arguments == {"argv": "new"}
    assert named("s/k@a") in run.engine.instances.stale


def test_what_cannot_be_sent_ahead_is_sent_when_it_is_its_turn() -> None:
    run = Watched(one(job("j"), job("k")))
    del run.held["s/j@a#1"]
    run.go(RecallReport("a", AttemptId(named("s/k@a"), 1), AttemptId(named("s/j@a"), 1)))
    run.ended("s/j@a#1")
    assert [(str(sent.attempt), sent.after is None) for sent in run.sent][-1] == ("s/k@a#1", True)


# -- with a journal, and processes that die


def told(run: Any) -> list[tuple[Any, ...]]:
    """What a journal has of a run, without times and causes, by lane: what happens beside each other has no order."""
    lanes: dict[str, list[Any]] = {}
    for event in run.events:
        instance = getattr(event, "instance", None)
        lane = instance.agent if instance is not None else ""
        lanes.setdefault(lane, []).append((event.TYPE, str(instance), getattr(event, "arguments", None)))
    return sorted(lanes.items())


def whole(given: Scenario, *, look_ahead: bool) -> World:
    """A run without any trouble."""
    return go_on(World(given, outcome, look_ahead=look_ahead).begin())


def test_a_run_comes_to_the_same_with_and_without() -> None:
    """To the last event, but for times."""
    without, with_ahead = whole(PLAIN, look_ahead=False), whole(PLAIN, look_ahead=True)
    assert told(with_ahead) == told(without)
    assert results(with_ahead) == results(without)
    assert [sent for sent in with_ahead.sent if sent.after is not None]


PLAIN = scenario(
    stage("one", job("j", X), job("items", X, items=ITEMS), job("k"), job("l")),
    stage("two", job("m"), job("n", on_failure="continue"), job("o")),
    agents="a b",
    variables={"x": 1},
)


def outcome(sent: SendJob) -> AttemptReport:
    """What an attempt gives: one of them fails."""
    is_bad = str(sent.attempt) == "two/n@b#1"
    return report(sent.attempt, "failed" if is_bad else "ok", {}, {"kind": "exit", "message": "no"} if is_bad else None)


@pytest.mark.fault(56)
def test_it_comes_to_the_same_wherever_its_process_died_with_something_ahead() -> None:
    """At each stimulus its process dies once: nothing is executed twice, and the end is that of the whole run."""
    undisturbed = go_on(World(PLAIN, outcome, look_ahead=True).begin())
    assert sum(sent.after is not None for sent in undisturbed.sent) > 10
    after = 1
    while cut(world := World(PLAIN, outcome, look_ahead=True), after):
        go_on(world.crash().take_up()).checked()
        assert results(world) == results(undisturbed), f"after {after} stimuli"
        after += 1
    assert after > 10


@pytest.mark.fault(56)
@pytest.mark.parametrize("has_begun", [False, True])
@pytest.mark.parametrize("is_same", [False, True])
def test_what_was_out_when_the_process_died_runs_once_at_most(has_begun: bool, is_same: bool) -> None:
    """The daemon has it still, or it was begun there; or the daemon is gone, and nobody can tell."""
    world = World(one(job("j"), job("k"), job("l")), lambda sent: None, look_ahead=True, on_failure="pause").begin()
    if has_begun:
        world.end("s/j@a#1")
    assert world.executed["s/k@a#1"] == int(has_begun)
    world.crash()
    if not is_same:
        world.kill_daemon("a")
    world.take_up().run()
    if is_same:
        if not has_begun:
            assert not world.daemons["a"].held  # it was taken back
            world.end("s/j@a#1")
            world.run()
        assert [str(i.attempt_id) for i in world.engine.instances.in_state("running")] == ["s/k@a#1"]
        world.end("s/k@a#1")
        world.run()
        world.end("s/l@a#1")
        go_on(world)
        assert world.exit_code == 0
    else:
        assert world.ended() == ["s/j@a failed", "s/k@a failed"]
        assert [str(e.instance) for e in world.of(JobInDoubt)] == ["s/j@a", "s/k@a"]
        assert world.executed["s/k@a#1"] == int(has_begun)
    world.checked()


def test_a_run_of_before_there_was_such_a_thing_looks_ahead_at_nothing() -> None:
    """How it was begun has no word of it: its agents may be daemons that know of none."""
    record = {"run": "r", "selection": {"only_stages": [], "tags": []}, "breakpoints": []}
    assert not terms._options(record).look_ahead
