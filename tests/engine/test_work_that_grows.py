"""Twice as much to do is twice the work, whatever an operator asks for and whatever comes in: counted in calls.

The machine chooses: a run of each shape goes through everything that can be fed to the engine, with arguments that are
drawn for each, once small and once four times as large.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any, Final, get_args, get_type_hints

import pytest
from simulation import Simulation, job, report, scenario, stage

from octogram_tui.engine import results, stimuli
from octogram_tui.engine.stimuli import (
    AgentLossReport,
    BeginRequest,
    EditReport,
    GoRequest,
    RerunAllRequest,
    SetVariableRequest,
    SkipAllRequest,
    StopRequest,
    TakeUpRequest,
)
from octogram_tui.model.ids import AttemptId, InstanceId
from octogram_tui.model.scenario import ItemsSpec, JobSpec, Scenario

FEW, MANY = 40, 160
ROUNDS = 2
MOST: Final = 4.6  # 4, and something for what is looked up in a table that has grown
TOO_FEW = 40 * FEW  # calls: of what is less it cannot be told
KINDS = sorted(set(get_args(stimuli.Stimulus)) - {BeginRequest, TakeUpRequest}, key=lambda kind: kind.__name__)
WORDS: dict[str, tuple[Any, ...]] = {
    "unit": ("", "s", "s/j", "@a0"),
    "row": ("s", "s/j", "t/later"),
    "pattern": ("s", "s/j", "@a1", "*"),
    "condition": ("", "vars.x == 1"),
    "code": ("net.failed",),
    "hits": ("",),
    "name": ("x",),
    "stage": ("s", "t"),
    "job": ("", "j"),
    "agent": ("a0", "a1", "", "a*"),
    "state": ("up",),
    "kind": ("http",),
}
VALUES: dict[Any, tuple[Any, ...]] = {
    bool: (True, False),
    int: (0, 1),
    float: (0.5,),
    str: ("", "told"),
    list[str]: (["told"],),
    dict[str, int]: ({},),
    type(None): (None,),
}


def agents(count: int) -> str:
    return " ".join(f"a{number}" for number in range(count))


def shapes(count: int, more: str) -> Iterator[tuple[str, Callable[[], Scenario]]]:
    """Give runs in which there is so much of one thing. more: a word of their text, so that there is an edit."""
    reads: dict[str, Any] = {"text": f"{more} {{{{ vars.x }}}}"}
    one = job("j", reads, register="out")
    wait: dict[str, Any] = {"where": "expression", "procedure": "builtins.wait"}
    last = stage("t", job("later", reads))
    items = ItemsSpec(((f"1..{count}",),))
    yield "agents", lambda: scenario(stage("s", one), last, agents=agents(count), variables={"x": 1})
    yield (
        "in turn",
        lambda: scenario(stage("s", one, run_agents="sequential"), last, agents=agents(count), variables={"x": 1}),
    )
    yield (
        "items",
        lambda: scenario(
            stage("s", job("j", reads, items=items, run_items="concurrent")), last, agents="a0 a1", variables={"x": 1}
        ),
    )
    yield (
        "items in turn",
        lambda: scenario(stage("s", job("j", reads, items=items)), last, agents="a0 a1", variables={"x": 1}),
    )
    jobs: list[JobSpec] = [one, *(job(f"j{number}", reads) for number in range(count))]
    yield "jobs", lambda: scenario(stage("s", *jobs, run_jobs="concurrent"), last, agents="a0 a1", variables={"x": 1})
    yield "jobs in turn", lambda: scenario(stage("s", *jobs), last, agents="a0 a1", variables={"x": 1})
    yield (
        "stages",
        lambda: scenario(
            stage("s", one),
            *(stage(f"s{number}", one) for number in range(count)),
            last,
            agents="a0 a1",
            variables={"x": 1},
        ),
    )
    waits = [job(f"j{number}", {"expression": "vars.y == 1"}, **wait) for number in range(count)]
    yield (
        "waits",
        lambda: scenario(
            stage("s", *waits, one, run_jobs="concurrent"), last, agents="a0 a1", variables={"x": 1, "y": 0}
        ),
    )


SHAPES = [name for name, _ in shapes(1, "")]


class Walk(Simulation):
    """A run that goes through everything, each step with arguments of its own."""

    def __init__(self, name: str, count: int, **options: Any) -> None:
        self.shape, self.count, self.asked = name, count, options
        self.edits = 0
        self.again()

    def again(self) -> None:
        """Be another run of the same."""
        super().__init__(self.text(), lambda sent: None, **self.asked)

    def text(self) -> Scenario:
        return dict(shapes(self.count, f"text {self.edits}"))[self.shape]()

    def stimulus(self, kind: type, rng: Random) -> Any:
        """Make one of a kind."""
        if kind is EditReport:
            self.edits += 1
            return EditReport(self.text(), is_asked=True)
        if kind is RerunAllRequest:
            return RerunAllRequest(rng.choice(("failed", "stale")), go=rng.random() < 0.5)
        if kind is SkipAllRequest:
            return SkipAllRequest(rng.choice(("failed", "held")))
        hints = get_type_hints(kind)
        return kind(**{name: self.value(name, hint, rng) for name, hint in hints.items()})

    def value(self, name: str, hint: Any, rng: Random) -> Any:
        found = list(self.engine.instances.in_state("held", "stopped", "running", "watching", "retrying", "undecided"))
        some = found[rng.choice((0, -1))].id if found else InstanceId("s", "j", "a0", None)
        if name == "attempt":
            return AttemptId(some, 1)
        if hint is InstanceId or name == "instance":
            return some if hint is InstanceId or rng.random() < 0.5 else None
        if name in WORDS:
            return rng.choice(WORDS[name])
        if typing.get_origin(hint) is typing.Literal:
            return rng.choice(get_args(hint))
        if typing.get_origin(hint) in (types.UnionType, typing.Union):
            return self.value("", get_args(hint)[0], rng)
        if typing.get_origin(hint) is tuple:
            return ()
        return rng.choice(VALUES.get(hint, (None,)))

    def answer_all(self, state: str) -> None:
        """Let what is under way end."""
        sent, self.pending = self.pending, {}
        for effect in sent.values():
            if state == "ok":
                self.waiting.append(report(effect.attempt, "ok", {}))
            else:
                self.waiting.append(report(effect.attempt, "failed", error={"kind": "procedure", "message": "no"}))
        self.run()


def calls_of(work: Callable[[], object]) -> int:
    calls = 0

    def note(*_: Any) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def steps(walk: Walk, seed: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Give what is done, in turn, each with what it is called; a run that is over is followed by another."""
    order = KINDS * ROUNDS
    Random(seed).shuffle(order)
    for number, kind in enumerate(order):
        rng = Random(f"{seed} {number}")
        ends = rng.choice(("ok", "failed"))
        if walk.engine.phase not in ("running", "idle", "starting") or not number:
            walk.again()
            yield "begin", walk.begin
            if rng.random() < 0.75:
                yield "go", partial(walk.go, GoRequest())
                yield f"all end {ends}", partial(walk.answer_all, ends)
        given = walk.stimulus(kind, rng)
        yield repr(given)[:300], partial(walk.go, given)
        if number % 4 == 0:
            yield f"all end {ends}", partial(walk.answer_all, ends)
    yield "stop", partial(walk.go, StopRequest())


@pytest.mark.parametrize("name", SHAPES)
def test_four_times_as_much_is_four_times_the_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.check", lambda engine: None)  # it goes through everything each time
    few, many = (Walk(name, count, start_paused=True, keep_alive=True) for count in (FEW, MANY))
    for (what, small), (_, large) in zip(steps(few, name), steps(many, name), strict=True):
        calls, calls_of_many = calls_of(small), calls_of(large)
        assert calls_of_many < max(TOO_FEW, MOST * calls), (
            f"{what}: {calls} calls, {calls_of_many} of four times as much"
        )


def test_an_agent_with_several_waits_may_be_lost() -> None:
    waits = [job(f"j{number}", {"expression": "vars.y == 1"}, where="expression") for number in range(3)]
    run = Simulation(scenario(stage("s", *waits, run_jobs="concurrent"), agents="a b")).begin()
    run.go(AgentLossReport("a", "gone"))
    assert run.exit_code == 7
    assert {end.split()[0][:-3] for end in run.ended()} == {"s/j0", "s/j1", "s/j2"} or len(run.ended()) == 6


WAITED_FOR = {
    "the same": "vars.done == 1",
    "of an agent": "vars['done_' ~ agent.name] == 1",
    "whatever there is": "vars | length > 2",
    "an item": "vars.counts[item] == 1",
}


@pytest.mark.parametrize("expression", WAITED_FOR.values(), ids=list(WAITED_FOR))
def test_a_wait_ends_when_what_it_waits_for_is_set(expression: str) -> None:
    waits = job(
        "w", {"expression": expression}, where="expression", items=ItemsSpec((("0..1",),)), run_items="concurrent"
    )
    run = Simulation(
        scenario(stage("s", waits), agents="a b", variables={"done": 0, "counts": [0, 0]}), keep_alive=True
    ).begin()
    run.go(SetVariableRequest("other", 1))
    before = len(run.ended())
    for name in ("counts", "done", "done_a", "done_b"):
        run.go(SetVariableRequest(name, [1, 1] if name == "counts" else 1))
    assert before == (4 if "length" in expression else 0)
    assert sorted(run.ended()) == [f"s/w@{agent}[{item}] ok" for agent in "ab" for item in "01"]


@pytest.mark.parametrize(("expression", "times"), [("vars.done == 1", 1), ("vars['done_' ~ agent.name] == 1", 1)])
def test_few_of_those_that_wait_are_asked(expression: str, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one = job("w", {"expression": expression}, where="expression")
    variables = dict.fromkeys(("done", *(f"done_a{number}" for number in range(20))), 0)
    run = Simulation(scenario(stage("s", one), agents=agents(20), variables=variables), keep_alive=True).begin()
    asked: list[str] = []
    holds = results.holds

    def noted(instance: Any, values: Any) -> bool:
        asked.append(str(instance.id))
        return holds(instance, values)

    monkeypatch.setattr(results, "holds", noted)
    run.go(SetVariableRequest("done", 2))
    run.go(SetVariableRequest("done_a7", 2))
    assert len(asked) == times
    run.go(SetVariableRequest("other", 1))
    assert len(asked) == times
