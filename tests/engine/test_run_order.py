"""Stages, agents, jobs and items run in the order that the language promises, and variables flow as it says."""

from __future__ import annotations

from typing import Any

import pytest
from simulation import Simulation, job, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import (
    AgentReady,
    JobFinished,
    JobStarted,
    RunFinished,
    StageFinished,
    StageStarted,
    VariableChanged,
    WarningGiven,
)
from octogram_tui.engine.schedule import MOST_AT_ONCE
from octogram_tui.engine.stimuli import AttemptReport
from octogram_tui.engine.timers import WaitOver
from octogram_tui.model.ids import AttemptId
from octogram_tui.model.scenario import ItemsSpec, Text, VarUpdate
from octogram_tui.model.selection import Selection


def finish(simulation: Simulation, attempt: str, result: object = None) -> None:
    """Let one pending attempt end well."""
    simulation.pending.pop(attempt)
    simulation.go(report(attempt, "ok", result))


def never(_: SendJob) -> AttemptReport | None:
    """Agents that take jobs and do not answer by themselves."""
    return None


def test_an_empty_scenario_ends_well() -> None:
    simulation = Simulation(scenario()).begin()
    assert simulation.types == ["run_started", "agent_starting", "agent_ready", "agent_stopped", "run_finished"]
    assert simulation.exit_code == 0
    assert [e.seq for e in simulation.events] == list(range(1, len(simulation.events) + 1))


def test_stages_wait_for_every_agent_and_for_each_other() -> None:
    given = scenario(stage("one", job("j")), stage("two", job("k")), agents="a b")
    simulation = Simulation(given).begin()
    order = [(e.TYPE, getattr(e, "stage", "")) for e in simulation.of(AgentReady, StageStarted, StageFinished)]
    assert order == [
        ("agent_ready", ""),
        ("agent_ready", ""),
        ("stage_started", "one"),
        ("stage_finished", "one"),
        ("stage_started", "two"),
        ("stage_finished", "two"),
    ]
    assert simulation.started() == ["one/j@a#1", "one/j@b#1", "two/k@a#1", "two/k@b#1"]


def test_concurrent_agents_do_not_wait_for_each_other_between_jobs() -> None:
    simulation = Simulation(scenario(stage("s", job("j"), job("k")), agents="a b"), never).begin()
    assert list(simulation.pending) == ["s/j@a#1", "s/j@b#1"]
    finish(simulation, "s/j@b#1")
    assert list(simulation.pending) == ["s/j@a#1", "s/k@b#1"]


def test_sequential_agents_come_one_after_the_other_in_byte_order() -> None:
    given = scenario(stage("s", job("j"), run_agents="sequential"), agents="b a B")
    assert Simulation(given).begin().started() == ["s/j@B#1", "s/j@a#1", "s/j@b#1"]


def test_concurrent_jobs_start_together() -> None:
    given = scenario(stage("s", job("j"), job("k"), run_jobs="concurrent"))
    assert list(Simulation(given, never).begin().pending) == ["s/j@a#1", "s/k@a#1"]


def test_items_run_one_by_one_or_together() -> None:
    items = ItemsSpec((("1..3",),))
    one_by_one = Simulation(scenario(stage("s", job("j", items=items))), never).begin()
    assert list(one_by_one.pending) == ["s/j@a[1]#1"]
    together = Simulation(scenario(stage("s", job("j", items=items, run_items="concurrent"))), never).begin()
    assert list(together.pending) == ["s/j@a[1]#1", "s/j@a[2]#1", "s/j@a[3]#1"]


def test_an_empty_range_yields_nothing_and_the_stage_ends() -> None:
    given = scenario(stage("s", job("j", items=ItemsSpec((("5..4",),)))))
    simulation = Simulation(given).begin()
    assert simulation.started() == []
    assert [e.state for e in simulation.of(StageFinished)] == ["ok"]


def test_a_million_items_are_drawn_one_by_one() -> None:
    given = scenario(stage("s", job("j", items=ItemsSpec((("1..1000000",),)))))
    simulation = Simulation(given, never).begin()
    assert list(simulation.pending) == ["s/j@a[1]#1"]


def test_a_million_items_do_not_begin_in_one_step() -> None:
    items = ItemsSpec((("1..1000000",),))
    given = scenario(stage("s", job("j", items=items, run_items="concurrent")))
    simulation = Simulation(given, never).begin()
    assert len(simulation.pending) == MOST_AT_ONCE
    finish(simulation, next(iter(simulation.pending)))
    assert len(simulation.pending) == MOST_AT_ONCE


def test_max_concurrency_bounds_what_runs_at_once_and_loses_nothing() -> None:
    items = ItemsSpec((("1..5",),))
    given = scenario(stage("s", job("j", items=items, run_items="concurrent"), max_concurrency=2), agents="a b")
    simulation = Simulation(given, never).begin()
    seen = []
    while simulation.pending:
        assert len(simulation.pending) <= 2
        attempt = next(iter(simulation.pending))
        seen.append(attempt)
        finish(simulation, attempt)
    assert len(seen) == 10
    assert simulation.exit_code == 0


def test_agents_are_chosen_by_search_and_lend_their_captures() -> None:
    given = scenario(stage("s", job("j", {"argv": "{{ re[2] }}"}), on=r"(node)_(\d+)"), agents="x_node_7y boot")
    simulation = Simulation(given).begin()
    assert simulation.started() == ["s/j@x_node_7y#1"]
    assert simulation.sent[0].arguments == {"argv": "7"}


def test_a_stage_that_matches_nobody_warns_and_is_ok() -> None:
    simulation = Simulation(scenario(stage("s", job("j"), on="nobody"))).begin()
    assert [e.message for e in simulation.of(WarningGiven)] == ["stage s matches no agent (nobody)"]
    assert simulation.exit_code == 0


def test_a_stages_patterns_are_templates_over_the_variables_of_that_moment() -> None:
    update = VarUpdate(Text("who"), Text("b"))
    given = scenario(
        stage("s", job("j", vars_updates=(update,)), on="a"),
        stage("t", job("k"), on="^{{ vars.who }}$"),
        agents="a b",
        variables={"who": "a"},
    )
    assert Simulation(given).begin().started() == ["s/j@a#1", "t/k@b#1"]


def test_a_job_sees_the_variables_of_its_start_and_updates_see_the_latest() -> None:
    count = VarUpdate(Text("n"), Text("{{ vars.n + 1 }}"), "int")
    given = scenario(
        stage(
            "s",
            job("j", {"argv": "{{ vars.n }}"}, items=ItemsSpec((("1..3",),)), vars_updates=(count,)),
            job("k", {"argv": "{{ vars.n }}"}),
        ),
        variables={"n": 0},
    )
    simulation = Simulation(given).begin()
    assert [s.arguments["argv"] for s in simulation.sent] == ["0", "0", "0", "3"]
    assert [e.value for e in simulation.of(VariableChanged)] == [1, 2, 3]


def test_updates_take_results_types_removals_and_computed_names_in_order() -> None:
    updates = (
        VarUpdate(Text("port_{{ agent.name }}"), Text("{{ res.port }}"), "int"),
        VarUpdate(Text("up"), Text("true"), "bool"),
        VarUpdate(Text("text"), Text("{{ vars.port_a }}"), "string"),
        VarUpdate(Text("plain"), 7),
        VarUpdate(Text("tree"), Text('{"x": [1]}'), "json"),
        VarUpdate(Text("gone"), None),
    )
    given = scenario(stage("s", job("j", vars_updates=updates)), variables={"gone": 1})
    simulation = Simulation(given, lambda sent: report(sent.attempt, "ok", {"port": "42"})).begin()
    assert simulation.engine.core.variables == {"port_a": 42, "up": True, "text": "42", "plain": 7, "tree": {"x": [1]}}
    removed = [e.name for e in simulation.of(VariableChanged) if e.removed]
    assert removed == ["gone"]


def test_register_keeps_the_whole_result_by_item() -> None:
    given = scenario(stage("s", job("j", register="one"), job("k", items=ItemsSpec((("x", "y"),)), register="each")))
    simulation = Simulation(given, lambda sent: report(sent.attempt, "ok", {"id": str(sent.attempt)})).begin()
    assert simulation.engine.core.variables["one"] == {"failed": False, "id": "s/j@a#1"}
    assert simulation.engine.core.variables["each"] == {
        "x": {"failed": False, "id": "s/k@a[x]#1"},
        "y": {"failed": False, "id": "s/k@a[y]#1"},
    }


def test_a_template_that_is_a_whole_value_keeps_its_kind_in_a_variable() -> None:
    updates = (
        VarUpdate(Text("flag"), Text("{{ res.exit_code == 1 }}")),
        VarUpdate(Text("whole"), Text("{{ res }}")),
        VarUpdate(Text("said"), Text("{{ res.exit_code }}!")),
        VarUpdate(Text("text"), Text("{{ res.exit_code }}"), "string"),
        VarUpdate(Text("read"), Text("[1]"), "json"),
        VarUpdate(Text("kept"), Text("{{ res }}"), "json"),
        VarUpdate(Text("none"), Text("{{ res.gone }}")),
    )
    result = {"exit_code": 1, "gone": None}
    given = scenario(stage("s", job("j", vars_updates=updates)))
    simulation = Simulation(given, lambda sent: report(sent.attempt, "ok", result)).begin()
    assert simulation.engine.core.variables == {
        "flag": True,
        "whole": result,
        "said": "1!",
        "text": "1",
        "read": [1],
        "kept": result,
        "none": None,
    }
    assert [e.removed for e in simulation.of(VariableChanged) if e.name == "none"] == [False]


def test_a_cast_that_fails_fails_the_job_and_changes_nothing() -> None:
    updates = (VarUpdate(Text("a"), Text("1"), "int"), VarUpdate(Text("b"), Text("x"), "int"))
    simulation = Simulation(scenario(stage("s", job("j", vars_updates=updates)))).begin()
    finished = simulation.of(JobFinished)[0]
    assert (finished.state, finished.failure.kind) == ("failed", "template")
    assert "`b`: 'x' is not an integer" in finished.failure.message
    assert simulation.of(VariableChanged) == []


def test_a_name_that_comes_out_empty_is_none() -> None:
    for keys in ({"register": "{{ none }}"}, {"vars_updates": (VarUpdate(Text("{{ none }}"), Text("x")),)}):
        simulation = Simulation(scenario(stage("s", job("j", **keys)))).begin()
        finished = simulation.of(JobFinished)[0]
        assert (finished.state, finished.failure.kind) == ("failed", "template")
        assert "'{{ none }}' gives no name: a variable needs one" in finished.failure.message


def test_when_is_asked_for_every_instance_and_for_the_stage() -> None:
    given = scenario(
        stage("s", job("j", items=ItemsSpec((("1..3",),)), when="item != 2")),
        stage("t", job("k"), when="vars.x"),
        variables={"x": False},
    )
    simulation = Simulation(given).begin()
    assert simulation.started() == ["s/j@a[1]#1", "s/j@a[3]#1"]
    assert [(str(e.instance), e.reason) for e in simulation.of(JobFinished) if e.state == "skipped"] == [
        ("s/j@a[2]", "when: item != 2")
    ]
    assert [(e.stage, e.state, e.reason) for e in simulation.of(StageFinished)][1] == ("t", "skipped", "when: vars.x")


def test_the_command_line_chooses_stages_and_tags() -> None:
    given = scenario(
        stage("one", job("j")), stage("two", job("j")), stage("three", job("j")), stage("clean", job("j"), always=True)
    )

    def ran(**options: Any) -> list[str]:
        return [e.stage for e in Simulation(given, selection=Selection(**options)).begin().of(StageStarted)]

    assert ran(from_stage="two") == ["two", "three", "clean"]
    assert ran(until_stage="two") == ["one", "two", "clean"]
    assert ran(only_stages=("two",)) == ["two", "clean"]
    assert ran(no_always=True) == ["one", "two", "three"]
    assert ran(until_stage="two", no_always=True) == ["one", "two"]
    assert ran(only_stages=("one", "clean"), no_always=True) == ["one", "clean"]
    tagged = scenario(stage("one", job("j", tags=frozenset({"x"})), job("k")), stage("two", job("j")))
    simulation = Simulation(tagged, selection=Selection(tags=frozenset({"x"}))).begin()
    assert simulation.started() == ["one/j@a#1"]


def test_the_engines_own_procedures_need_no_agent() -> None:
    given = scenario(
        stage(
            "s",
            job("good", {"that": "vars.n > 1", "message": None}, procedure="builtins.assert", where="assertion"),
            job(
                "bad",
                {"that": ["vars.n > 1", "vars.n > 5"], "message": None},
                procedure="builtins.assert",
                where="assertion",
            ),
        ),
        variables={"n": 2},
    )
    simulation = Simulation(given).begin()
    assert simulation.sent == []
    assert simulation.ended() == ["s/good@a ok", "s/bad@a failed"]
    assert simulation.of(JobFinished)[1].failure.message == "does not hold: vars.n > 5"
    assert simulation.exit_code == 1


def test_a_wait_for_an_expression_ends_when_a_variable_makes_it_true() -> None:
    update = VarUpdate(Text("ready"), True)
    waiter = job("wait", {"expression": "vars.ready", "timeout": 5}, procedure="builtins.wait_for", where="expression")
    given = scenario(stage("s", waiter, job("set", vars_updates=(update,)), run_jobs="concurrent"))
    simulation = Simulation(given).begin()
    assert simulation.ended() == ["s/set@a ok", "s/wait@a ok"]
    assert simulation.exit_code == 0


def test_a_wait_for_an_expression_times_out() -> None:
    given = scenario(
        stage(
            "s", job("wait", {"expression": "false", "timeout": 5}, procedure="builtins.wait_for", where="expression")
        )
    )
    simulation = Simulation(given).begin()
    simulation.fire(WaitOver(AttemptId.parse("s/wait@a#1")))
    assert simulation.of(JobFinished)[0].failure.kind == "timeout"
    assert "within 0 s" not in simulation.of(JobFinished)[0].failure.message
    assert simulation.exit_code == 1


def test_the_same_run_gives_the_same_events() -> None:
    given = scenario(stage("s", job("j", items=ItemsSpec((("1..3",),)))), agents="a b c")
    first, second = Simulation(given).begin(), Simulation(given).begin()
    assert first.events == second.events
    assert isinstance(first.events[-1], RunFinished)
    assert len(first.of(JobStarted)) == 9


@pytest.mark.parametrize(
    ("text", "number"),
    [("010", 10), ("08", 8), ("0x1F", 31), ("0o17", 15), ("0b11", 3), ("-1_000", -1000), (" 7\n", 7)],
)
def test_an_integer_is_read_as_items_are(text: str, number: int) -> None:
    updates = (VarUpdate(Text("n"), Text("{{ res.t }}"), "int"),)
    given = scenario(stage("s", job("j", vars_updates=updates)))
    simulation = Simulation(given, lambda sent: report(sent.attempt, "ok", {"t": text})).begin()
    assert simulation.engine.core.variables == {"n": number}


def test_the_name_of_register_is_a_template() -> None:
    given = scenario(
        stage(
            "s", job("j", register="r_{{ agent.name }}"), job("k", items=ItemsSpec((("x",),)), register="k_{{ item }}")
        ),
        agents="a b",
    )
    simulation = Simulation(given, lambda sent: report(sent.attempt, "ok", {"id": str(sent.attempt)})).begin()
    kept = simulation.engine.core.variables
    assert sorted(kept) == ["k_x", "r_a", "r_b"]
    assert kept["r_b"] == {"failed": False, "id": "s/j@b#1"}
    assert isinstance(kept["k_x"], dict)
