"""Evaluating at a point of the run: each scope has its names, and looking changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine import kept_results
from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.kept_results import KeptResults
from octogram_tui.engine.looking import expected, look
from octogram_tui.engine.stimuli import AttemptReport, GoRequest, SetVariableRequest
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import ItemsSpec

ITEMS = ItemsSpec((("u", 2),))


def answered(sent: SendJob) -> AttemptReport | None:
    if sent.attempt.instance.job == "runs":  # type: ignore[union-attr]
        return None
    if sent.attempt.instance.job == "fails":  # type: ignore[union-attr]
        error = {"kind": "exit", "message": "no", "detail": {"exit_code": 3}}
        return report(sent.attempt, "failed", {"stdout": "out"}, error)
    return report(sent.attempt, "ok", {"level": 7, "exit_code": 0})


def a_run(**options: Any) -> Simulation:
    first = stage("one", job("well", items=ITEMS), job("fails"), on="n_(.*)", run_jobs="concurrent")
    second = stage("two", job("later", items=ITEMS), on="n_(.*)")
    given = scenario(first, second, agents="n_1 other", variables={"x": 1, "list": [1, 2]})
    return Simulation(given, answered, on_failure="pause", keep_alive=True, **options).begin()


@pytest.mark.parametrize(
    ("expression", "instance", "agent", "value"),
    [
        ("vars.x + 1", "", "", 2),
        ("{{ vars.list }}", "", "", [1, 2]),
        ("vars", "", "", {"x": 1, "list": [1, 2]}),
        ("agent.name ~ vars.x", "", "other", "other1"),
        ("agent", "", "other", {"name": "other", "address": "127.0.0.1", "labels": {}}),
        ("item", "one/well@n_1[2]", "", 2),
        ("item", "one/well@n_1[u]", "", "u"),
        ("re[1]", "one/well@n_1[u]", "", "1"),
        ("res.level > 6", "one/well@n_1[u]", "", True),
        ("res.error.kind ~ res.exit_code ~ res.stdout", "one/fails@n_1", "", "exit3out"),
        ("re[1] ~ item", "two/later@n_1[2]", "", "12"),
        ("item is none", "one/fails@n_1", "", True),
    ],
)
def test_an_expression_has_the_names_of_where_it_is_asked(
    expression: str, instance: str, agent: str, value: object
) -> None:
    run = a_run()
    before = len(run.events)
    assert look(run.engine, expression, named(instance) if instance else None, agent) == value
    assert len(run.events) == before


@pytest.mark.parametrize(
    ("expression", "instance", "agent", "said"),
    [
        ("", "", "", "there is nothing to evaluate"),
        ("vars.y", "", "", "no variable `y`"),
        ("1 +", "", "", "expected"),
        ("res", "two/later@n_1[2]", "", "two/later@n_1[2] has given nothing, or that is kept no more"),
        ("1", "no/no@no", "", "the scenario has no job no/no"),
        ("1", "", "nobody", "there is no agent 'nobody'"),
        ("'x' * 100000000", "", "", "would have more than 4194304 characters"),
    ],
)
def test_what_has_no_value_is_said_in_a_line(expression: str, instance: str, agent: str, said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        look(a_run().engine, expression, named(instance) if instance else None, agent)
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_what_is_under_way_is_looked_at_with_what_it_saw_and_a_failure_with_what_it_would_see() -> None:
    given = scenario(stage("s", job("runs"), job("fails"), run_jobs="concurrent"), variables={"x": 1})
    run = Simulation(given, answered, on_failure="pause").begin()
    run.go(SetVariableRequest("x", 2))
    assert look(run.engine, "vars.x", named("s/runs@a")) == 1
    assert look(run.engine, "vars.x", named("s/fails@a")) == 2


def test_what_is_held_is_looked_at_with_what_it_will_see() -> None:
    run = a_run(start_paused=True)
    run.go(SetVariableRequest("x", 5))
    assert look(run.engine, "vars.x ~ item", named("one/well@n_1[u]")) == "5u"
    run.go(GoRequest())
    assert look(run.engine, "res.level", named("one/well@n_1[u]")) == 7


def test_results_are_kept_within_bounds_and_the_oldest_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_results, "MOST_RESULTS", 3)
    monkeypatch.setattr(kept_results, "MOST_CHARS", 10)
    kept = KeptResults()
    ids = [InstanceId("s", "j", str(n)) for n in range(5)]
    for id_ in ids:
        kept.keep(id_, {"stdout": "xx"}, None)
    assert [kept.find(id_) is not None for id_ in ids] == [False, False, True, True, True]
    kept.keep(ids[3], {"stdout": "x" * 8}, None)
    assert [kept.find(id_) is not None for id_ in ids] == [False, False, False, True, True]
    kept.keep(ids[4], {"stdout": "x" * 11}, None)  # too much for itself: what it gave before is not true any more
    assert [kept.find(id_) is not None for id_ in ids] == [False, False, False, True, False]


def test_what_a_next_attempt_would_be_given_is_rendered_with_what_it_would_see() -> None:
    run = a_run()
    run.go(SetVariableRequest("x", 7))
    fails = InstanceId("one", "fails", "n_1")
    arguments, templates = expected(run.engine, fails)
    assert arguments == run.engine.core.scenario.stages[0].jobs[1].arguments.expand({}, lambda *_: {})
    assert templates == {}
    with pytest.raises(TemplateError, match="no job one/gone"):
        expected(run.engine, InstanceId("one", "gone", "n_1"))
