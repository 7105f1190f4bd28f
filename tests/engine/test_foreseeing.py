"""What a change would come to is what it comes to: foreseen, made, and compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import Simulation, job, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.foreseeing import Foreseen, foresee_edit, foresee_set
from octogram_tui.engine.stimuli import (
    AttemptReport,
    EditReport,
    RerunRequest,
    SetVariableRequest,
    StepRequest,
)
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import ItemsSpec, Scenario, Text, VarUpdate

NAMES = ("x", "y", "list", "who")
VALUES = st.sampled_from([0, 1, "1", True, None, "a", "b", ["u", "v"], ["v"], [], {"a": 1}])


@st.composite
def jobs(draw: st.DrawFn, name: str) -> Any:
    """A job that reads this and that."""
    read = draw(st.sampled_from(["vars.x", "vars.y", "vars.list | length", "var('x')", "agent.name", "vars.late"]))
    more: dict[str, Any] = {}
    if draw(st.booleans()):
        more["items"] = ItemsSpec(
            (draw(st.sampled_from([("u", "v"), ("{{ vars.list }}",), ("1..2", "{{ vars.y }}")])),)
        )
    if draw(st.integers(0, 3)) == 0:
        more["when"] = draw(st.sampled_from(["vars.x != 1", "vars.y is defined"]))
    if draw(st.integers(0, 3)) == 0:
        more["vars_updates"] = (VarUpdate(Text("late"), Text("{{ vars.y }}")),)
    return job(name, {"argv": f"{{{{ {read} }}}}"}, **more)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Two stages, whose agents are chosen by a variable at times."""
    names = draw(st.lists(st.sampled_from("jkl"), min_size=1, max_size=3, unique=True))
    stages = [
        stage(name, *[draw(jobs(each)) for each in names], on=draw(st.sampled_from([".*", "a", "{{ vars.who }}"])))
        for name in draw(st.sampled_from([("s",), ("s", "t"), ("t", "s"), ("t", "z", "s")]))
    ]
    variables = {"x": draw(VALUES), "y": draw(VALUES), "list": ["u"], "who": draw(st.sampled_from(["a", "b", ".*"]))}
    return scenario(*stages, agents="a b", variables={**variables, "late": 0})


def failing_at(names: Sequence[str]) -> Any:
    def answer(sent: SendJob) -> AttemptReport:
        is_bad = any(str(sent.attempt).startswith(name) for name in names)
        return report(sent.attempt, "failed", error={"kind": "exit"}) if is_bad else report(sent.attempt, "ok", {})

    return answer


def a_run(of: Scenario, bad: Sequence[str], steps: int | None) -> Simulation:
    """A run that is somewhere: after some steps, at a failure, or at its end."""
    run = Simulation(of, failing_at(bad), on_failure="pause", keep_alive=True, start_paused=steps is not None).begin()
    for _ in range(steps or 0):
        run.go(StepRequest())
    return run


def stale_of(run: Simulation) -> set[InstanceId]:
    return set(run.engine.instances.stale)


def assert_is(seen: Foreseen, was: set[InstanceId], run: Simulation, failed: int | None = None) -> None:
    """Compare what was foreseen with what is."""
    now = stale_of(run)
    assert set(seen.stale) == now - was
    assert set(seen.still) == now & was
    assert set(seen.fresh) == was - now
    reasons = {**seen.stale, **seen.still}
    assert {id_: reasons[id_] for id_ in now} == dict(run.engine.instances.stale)
    if failed is not None:
        assert len(seen.failed) == failed


def rows_of(run: Simulation) -> set[InstanceId] | None:
    """Every row that the scenario gives, found by running each stage again; None when one cannot be."""
    run.answer = lambda sent: report(sent.attempt, "ok", {})
    before = len(run.events)
    for each in run.engine.core.scenario.stages:
        run.go(RerunRequest(each.key))
    events = run.events[before:]
    if any(e.TYPE == "request_refused" or getattr(e, "state", "") == "failed" for e in events):
        return None
    return {e.instance for e in events if e.TYPE in ("job_started", "job_finished")}  # type: ignore[attr-defined]


MANY = settings(max_examples=60, deadline=None)
BAD = st.sampled_from([(), ("s/j",), ("s/j@a", "t/k"), ("s/k@b", "s/j@a[v]")])
STEPS = st.one_of(st.none(), st.integers(0, 6))


@MANY
@given(
    scenarios(), BAD, STEPS, st.lists(st.tuples(st.sampled_from(NAMES), VALUES, st.booleans()), min_size=1, max_size=3)
)
def test_what_setting_a_variable_would_make_stale_is_what_it_makes(
    of: Scenario, bad: Sequence[str], steps: int | None, sets: list[tuple[str, Any, bool]]
) -> None:
    run = a_run(of, bad, steps)
    for name, value, is_removed in sets:
        if is_removed and name not in run.engine.core.variables:
            continue
        was, said = stale_of(run), len(run.events)
        seen = foresee_set(run.engine, name, value, is_removed=is_removed)
        assert (stale_of(run), len(run.events)) == (was, said), "it changes nothing"
        run.go(SetVariableRequest(name, value, is_removed))
        changed = next(e for e in run.events[said:] if e.TYPE == "variable_changed")
        assert_is(seen, was, run, changed.failed)  # type: ignore[attr-defined]


@MANY
@given(scenarios(), scenarios(), BAD, STEPS)
def test_what_an_edit_would_make_stale_is_what_it_makes(
    of: Scenario, edited: Scenario, bad: Sequence[str], steps: int | None
) -> None:
    run = a_run(of, bad, steps)
    was, said = stale_of(run), len(run.events)
    before = dict(run.engine.core.variables)
    seen = foresee_edit(run.engine, edited)
    assert (stale_of(run), len(run.events), run.engine.core.scenario) == (was, said, of), "it changes nothing"
    run.go(EditReport(edited))
    assert_is(seen, was, run)
    after = run.engine.core.variables
    moved = {name: after.get(name) for name in {*before, *after} if before.get(name) != after.get(name)}
    assert {name: value for name, value in seen.variables.items() if before.get(name) != value} == moved


@MANY
@given(scenarios(), st.sampled_from(NAMES), VALUES)
def test_the_rows_that_a_variable_would_bring_and_take_are_those_that_it_does(
    of: Scenario, name: str, value: Any
) -> None:
    run, other = a_run(of, (), None), a_run(of, (), None)
    seen = foresee_set(run.engine, name, value)
    run.go(SetVariableRequest(name, value))
    before, after = rows_of(other), rows_of(run)
    if before is not None and after is not None and not seen.untold:
        assert set(seen.new) == after - before
        assert set(seen.gone) == before - after
