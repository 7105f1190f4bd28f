"""An edited scenario: what has not begun follows it, what ran may be stale, and nothing runs by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import (
    AgentStarting,
    JobStale,
    RunPaused,
    RunStarted,
    ScenarioRejected,
    ScenarioReloaded,
    StagesDone,
    VariableChanged,
    WarningGiven,
)
from octogram_tui.engine.stimuli import AttemptReport, EditReport, GoRequest, RerunRequest, SetVariableRequest
from octogram_tui.errors import Problem
from octogram_tui.model.scenario import OwnProcedures, Scenario
from octogram_tui.projection.board import Board


def never(_: SendJob) -> AttemptReport | None:
    """Agents that take jobs and do not answer by themselves."""
    return None


def console(given: object, answer: object = None) -> Simulation:
    """A run as the console starts it."""
    return Simulation(given, answer, on_failure="pause", keep_alive=True).begin()  # type: ignore[arg-type]


@pytest.mark.fault(70)
def test_a_wrong_edit_is_told_and_changes_nothing() -> None:
    simulation = console(scenario(stage("s", job("j"))), never)
    simulation.go(EditReport(None, (Problem("f.yml", 3, 5, "unknown key `jbos`", "did you mean `jobs`?"),)))
    problems = simulation.of(ScenarioRejected)[0].problems
    assert (problems[0]["line"], problems[0]["message"]) == (3, "unknown key `jbos`")
    simulation.go(report("s/j@a#1", "ok"))
    assert simulation.of(StagesDone)


def test_the_same_text_again_is_no_event() -> None:
    given = scenario(stage("s", job("j")))
    simulation = console(given, never)
    simulation.go(EditReport(given))
    assert simulation.of(ScenarioReloaded) == []


def test_a_refused_edit_that_is_taken_back_is_told() -> None:
    given = scenario(stage("s", job("j")))
    simulation = console(given, never)
    simulation.go(EditReport(None, (Problem("f.yml", 3, 5, "unknown key `jbos`"),)))
    simulation.go(EditReport(given))
    assert [event.changes for event in simulation.of(ScenarioReloaded)] == [[]], "whoever looks sees that it is right"
    simulation.go(EditReport(given))
    assert len(simulation.of(ScenarioReloaded)) == 1


def test_stages_that_have_not_begun_follow_the_edit() -> None:
    simulation = console(scenario(stage("s", job("j")), stage("t", job("k", {"argv": "old"}))), never)
    edited = scenario(stage("s", job("j")), stage("new", job("n")), stage("t", job("k", {"argv": "new"}), job("l")))
    simulation.go(EditReport(edited))
    event = simulation.of(ScenarioReloaded)[0]
    assert event.changes == ["stage new added", "job t/l added", "job t/k changed"]
    assert [s["stage"] for s in event.plan] == ["s", "new", "t"]
    for attempt in ("s/j@a#1", "new/n@a#1", "t/k@a#1", "t/l@a#1"):
        simulation.go(report(attempt, "ok"))
    assert simulation.started() == ["s/j@a#1", "new/n@a#1", "t/k@a#1", "t/l@a#1"]
    assert simulation.sent[2].arguments == {"argv": "new"}
    assert simulation.of(JobStale) == []


def test_the_running_stage_follows_the_edit_in_what_its_lanes_have_not_begun() -> None:
    simulation = console(scenario(stage("s", job("j"), job("k"))), never)
    simulation.go(EditReport(scenario(stage("s", job("j"), job("k", {"argv": "x"}), job("l")))))
    for attempt in ("s/j@a#1", "s/k@a#1", "s/l@a#1"):
        simulation.go(report(attempt, "ok"))
    assert [s.arguments for s in simulation.sent] == [{}, {"argv": "x"}, {}]


def test_a_failed_row_runs_again_with_its_new_text() -> None:
    def answer(sent: SendJob) -> AttemptReport:
        bad = sent.arguments.get("argv") == "wrong"
        return report(sent.attempt, "failed" if bad else "ok", error={"kind": "exit"} if bad else None)

    simulation = console(scenario(stage("s", job("j", {"argv": "wrong"}), job("k"))), answer)
    simulation.go(EditReport(scenario(stage("s", job("j", {"argv": "right"}), job("k")))))
    assert simulation.started() == ["s/j@a#1"]
    simulation.go(RerunRequest("s", instance=named("s/j@a")))
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/j@a failed", "s/j@a ok", "s/k@a ok"]


def test_what_ran_is_stale_when_its_text_its_stage_or_its_variables_changed() -> None:
    before = scenario(
        stage("s", job("text", {"argv": "1"}), job("same")),
        stage("t", job("k")),
        stage("u", job("reads", {"argv": "{{ vars.x }}"}), job("not")),
        variables={"x": 1},
    )
    simulation = console(before)
    simulation.go(
        EditReport(
            scenario(
                stage("s", job("text", {"argv": "2"}), job("same")),
                stage("t", job("k"), on="b"),
                stage("u", job("reads", {"argv": "{{ vars.x }}"}), job("not")),
                variables={"x": 2},
            )
        )
    )
    assert [(e.stage, e.job, e.reason) for e in simulation.of(JobStale)] == [
        ("s", "text", "its text was edited"),
        ("t", "k", "its stage chooses other agents now"),
        ("u", "reads", "variable x was changed"),
    ]
    assert len(simulation.started()) == 5


def test_variables_of_the_file_come_in_unless_the_run_changed_them() -> None:
    simulation = console(scenario(stage("s", job("j")), variables={"kept": 1, "set": 1, "gone": 1}), never)
    simulation.go(SetVariableRequest("kept", 7))
    simulation.go(EditReport(scenario(stage("s", job("j")), variables={"kept": 2, "set": 2, "new": 3})))
    assert simulation.engine.core.variables == {"kept": 7, "set": 2, "new": 3}
    assert [e.by for e in simulation.of(VariableChanged)] == ["operator", "scenario", "scenario", "scenario"]
    assert "kept was changed during the run" in simulation.of(WarningGiven)[0].message


def test_new_agents_are_launched_and_old_ones_stay() -> None:
    simulation = console(scenario(stage("s", job("j")), stage("t", job("k")), agents="a b"), never)
    simulation.go(EditReport(scenario(stage("s", job("j")), stage("t", job("k")), agents="a c")))
    assert [e.agent for e in simulation.of(AgentStarting)] == ["a", "b", "c"]
    assert "agent b is no longer in the scenario" in simulation.of(WarningGiven)[0].message
    simulation.go(report("s/j@a#1", "ok"))
    simulation.go(report("s/j@b#1", "ok"))
    assert {s.agent for s in simulation.sent} == {"a", "b", "c"}


def test_labels_of_new_agents_are_told_and_those_of_known_ones_stay() -> None:
    def labelled(**labels: str) -> Scenario:
        plain = scenario(stage("s", job("j")), agents=" ".join(labels))
        agents = tuple(replace(agent, labels={"group": ["all", labels[agent.name]]}) for agent in plain.agents)
        return replace(plain, agents=agents, digest=str(labels))

    simulation = console(labelled(a="web", b="db"), never)
    assert [each["labels"] for each in simulation.of(RunStarted)[0].agents] == [
        {"group": ["all", "web"]},
        {"group": ["all", "db"]},
    ]
    simulation.go(EditReport(labelled(a="db", b="db", c="web")))
    [reloaded] = simulation.of(ScenarioReloaded)
    assert [(each["agent"], each["labels"]) for each in reloaded.agents] == [("c", {"group": ["all", "web"]})]
    [warned] = simulation.of(WarningGiven)
    assert warned.message.startswith("the labels of a stay as they are")
    board = Board()
    for event in simulation.events:
        board.apply(event)
    assert {name: agent.labels for name, agent in board.agents.items()} == {
        "a": ("group=all", "group=web"),
        "b": ("group=all", "group=db"),
        "c": ("group=all", "group=web"),
    }


def test_stages_added_after_the_end_wait_for_the_operator() -> None:
    simulation = console(scenario(stage("s", job("j"))))
    simulation.go(EditReport(scenario(stage("s", job("j")), stage("t", job("k")))))
    assert simulation.started() == ["s/j@a#1"]
    assert simulation.of(RunPaused)[-1].reason == "reload"
    simulation.go(GoRequest())
    assert simulation.started() == ["s/j@a#1", "t/k@a#1"]
    assert len(simulation.of(StagesDone)) == 2


def test_an_edit_of_own_procedures_is_said_to_reach_no_agent() -> None:
    given = scenario(stage("s", job("j")))
    before = replace(given, own_procedures=(OwnProcedures("mine.py", "x = 1", ("my.one",)),))
    after = replace(given, own_procedures=(OwnProcedures("mine.py", "x = 2", ("my.one",)),), digest="edited")
    simulation = Simulation(before, keep_alive=True).begin()
    events = simulation.go(EditReport(after))
    (warning,) = [e for e in events if isinstance(e, WarningGiven)]
    assert "mine.py" in warning.message
    assert "new run" in warning.message


def test_an_edit_that_was_refused_and_is_taken_back_is_told() -> None:
    given = scenario(stage("s", job("j")))
    simulation = console(given, never)
    simulation.go(EditReport(None, (Problem("f.yml", 3, 5, "unknown key `jbos`"),)))
    simulation.go(EditReport(given))
    events = simulation.of(ScenarioReloaded)
    assert [event.changes for event in events] == [[]], "else the problem would stand for ever"
    assert [entry["stage"] for entry in events[0].plan] == ["s"]
    simulation.go(EditReport(given))
    assert len(simulation.of(ScenarioReloaded)) == 1, "and once"


@pytest.mark.fault(72)
def test_an_edit_that_removes_what_runs_is_told_and_lets_it_go_on() -> None:
    """A job under way, its variable and its agent are gone from the file: the attempt ends as it would have."""
    given = scenario(stage("s", job("j"), job("k")), agents="a b", variables={"x": 1})
    simulation = console(given, never)
    simulation.go(EditReport(scenario(stage("s", job("k")), agents="a")))
    event = simulation.of(ScenarioReloaded)[0]
    assert "job s/j removed" in event.changes
    assert [e.agent for e in simulation.of(WarningGiven)] == ["b"]
    assert simulation.engine.in_flight == 2
    for agent in "ab":
        simulation.go(report(f"s/j@{agent}#1", "ok"))
        simulation.go(report(f"s/k@{agent}#1", "ok"))
    assert simulation.cancelled == []
    assert sorted(simulation.ended()) == ["s/j@a ok", "s/j@b ok", "s/k@a ok", "s/k@b ok"]
