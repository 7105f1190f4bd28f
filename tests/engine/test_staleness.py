"""What is stale after a change: exactly what would run differently now, instance by instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine import staleness
from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import Event, JobFresh, JobStale, VariableChanged
from octogram_tui.engine.stimuli import (
    AttemptReport,
    EditReport,
    GoRequest,
    RerunRequest,
    SetVariableRequest,
    SkipRequest,
)
from octogram_tui.model.scenario import ItemsSpec, Scenario, StageSpec, Text, VarUpdate
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import State


class Looked(Simulation):
    """A run as the console starts it, with the board that folds it."""

    def __init__(self, given: Scenario, answer: Any = None, **options: Any) -> None:
        self.board = Board()
        super().__init__(given, answer, on_failure="pause", keep_alive=True, **options)
        self.begin()

    def feed(self, stimulus: Any) -> list[Event]:
        """Fold everything at once; the engine and the board agree on what is stale."""
        events = super().feed(stimulus)
        for event in events:
            self.board.apply(event)
        shown = {row.key for row in self.board.instances.values() if row.state is State.STALE}
        assert shown == set(self.engine.instances.stale)
        return events

    def set(self, name: str, value: Any) -> list[str]:
        """Set a variable as the operator; gives all that is stale then."""
        self.go(SetVariableRequest(name, value))
        return self.stale

    def edit(self, *stages: StageSpec, **more: Any) -> list[str]:
        """Edit the file; gives all that is stale then."""
        self.go(EditReport(scenario(*stages, **more)))
        return self.stale

    @property
    def stale(self) -> list[str]:
        """What is stale."""
        return sorted(map(str, self.engine.instances.stale))

    @property
    def told(self) -> tuple[int | None, int | None, int | None]:
        """What the latest change of a variable came to: stale, fresh, failed."""
        latest = [e for e in self.of(VariableChanged) if e.by == "operator"][-1]
        return latest.stale, latest.fresh, latest.failed


def run_of(jobs: list[Any], variables: Mapping[str, Any], *, agents: str = "a b", **more: Any) -> Looked:
    """A run of one stage that has come to its end."""
    return Looked(scenario(stage("s", *jobs, **more), agents=agents, variables=variables))


def test_a_variable_makes_stale_what_read_it_and_nothing_else_and_set_back_nothing() -> None:
    run = run_of([job("reads", {"argv": "{{ vars.x }}"}), job("other", {"argv": "{{ vars.y }}"})], {"x": 0, "y": 0})
    assert run.set("x", 1) == ["s/reads@a", "s/reads@b"]
    assert run.told == (2, 0, 0)
    assert run.set("x", 2) == ["s/reads@a", "s/reads@b"]
    assert run.told == (2, 0, 0)
    assert run.set("x", 0) == []
    assert run.told == (0, 2, 0)
    assert [(e.job, e.instances) for e in run.of(JobFresh)] == [("reads", ["s/reads@a", "s/reads@b"])]
    assert run.set("nobody", 1) == []
    assert run.told == (0, 0, 0)


def test_one_agent_s_value_makes_that_agent_s_instances_stale() -> None:
    of_a_map = run_of([job("j", {"argv": "{{ vars.stock[agent.name] }}"})], {"stock": {"a": 0, "b": 0}})
    assert of_a_map.set("stock", {"a": 0, "b": 7}) == ["s/j@b"]
    by_name = run_of([job("j", {"argv": "{{ var('stock_' ~ agent.name) }}"})], {"stock_a": 0, "stock_b": 0})
    assert by_name.set("stock_b", 7) == ["s/j@b"]
    assert by_name.set("stock_b", 0) == []


def test_one_item_of_a_list_makes_that_item_stale() -> None:
    items = ItemsSpec((("{{ vars.list }}",),))
    run = run_of([job("j", {"argv": "{{ item }}"}, items=items)], {"list": ["u", "v", "w"]}, agents="a")
    assert run.set("list", ["u", "x", "w"]) == ["s/j@a[v]"]
    assert run.set("list", ["w", "u", "v", "more"]) == []  # what is new has not run


def test_a_value_that_an_item_reads_makes_that_item_stale() -> None:
    items = ItemsSpec((("u", "v"),))
    run = run_of([job("j", {"argv": "{{ vars.size[item] }}"}, items=items)], {"size": {"u": 1, "v": 1}}, agents="a")
    assert run.set("size", {"u": 1, "v": 2}) == ["s/j@a[v]"]


@pytest.mark.parametrize(
    ("more", "value", "stale"),
    [
        ({"when": "vars.x > 0"}, 2, []),  # it still holds
        ({"when": "vars.x > 0"}, 0, ["s/j@a"]),
        ({"when": "vars.x > 5"}, 9, ["s/j@a"]),  # it was passed over, and would run
        ({"until": Text("vars.x != 7")}, 2, ["s/j@a"]),
        ({"until": Text("var('x') != 7")}, 2, ["s/j@a"]),
        ({"until": Text("var('' ~ 'x') != 7")}, 2, ["s/j@a"]),
        ({"vars_updates": (VarUpdate(Text("z"), Text("{{ vars.x }}")),)}, 2, ["s/j@a"]),
        ({"register": "out_{{ vars.x }}"}, 2, ["s/j@a"]),
        ({"procedure": "assert", "where": "assertion", "args": {"that": ["vars.x > 0"]}}, 2, []),
        ({"procedure": "assert", "where": "assertion", "args": {"that": ["vars.x > 0"]}}, 0, ["s/j@a"]),
        ({"procedure": "wait", "where": "expression", "args": {"expression": "vars.x > 0"}}, 2, []),
        ({"procedure": "wait", "where": "expression", "args": {"expression": "vars.x > 0"}}, 0, ["s/j@a"]),
        ({"args": {"argv": "{{ vars.x is defined }}"}}, 2, []),
        ({"args": {"argv": "{{ vars | length }}"}}, 2, []),
        ({"args": {"argv": "{{ vars.x }}"}}, True, ["s/j@a"]),  # 1 and true are equal, and not the same
    ],
)
def test_each_place_where_a_variable_is_read(more: dict[str, Any], value: Any, stale: list[str]) -> None:
    more = dict(more)
    run = run_of([job("j", more.pop("args", {"argv": "k"}), **more)], {"x": 1}, agents="a")
    assert run.set("x", value) == stale
    assert run.set("x", 1) == []


def test_a_variable_that_is_removed_or_comes_to_be() -> None:
    run = run_of([job("j", {"argv": "{{ vars.x | default('none') }}"})], {}, agents="a")
    assert run.set("x", 1) == ["s/j@a"]
    run.go(SetVariableRequest("x", remove=True))
    assert run.stale == []


def test_what_jobs_do_to_variables_makes_nothing_stale() -> None:
    count = job("count", {"argv": "{{ vars.n }}"}, vars_updates=(VarUpdate(Text("n"), Text("{{ vars.n + 1 }}")),))
    run = run_of([count, job("reads", {"argv": "{{ vars.n }}"})], {"n": 0, "other": 0}, run_agents="sequential")
    assert run.set("other", 1) == []
    assert run.set("n", 10) == ["s/count@a", "s/count@b", "s/reads@a", "s/reads@b"]
    assert run.set("n", 2) == []  # as the course of the run had it


def test_an_edit_makes_stale_what_would_run_differently_and_no_more() -> None:
    def items(*texts: str) -> ItemsSpec:
        return ItemsSpec((texts,))

    text = "{{ 'x' if agent.name == 'b' else 'y' }}"
    before = stage("s", job("text", {"argv": "1"}), job("part", {"argv": "y"}), job("items", items=items("u", "v")))
    run = Looked(scenario(before, agents="a b"))
    assert run.edit(
        stage(
            "s",
            job("text", {"argv": "1"}, retries=3),
            job("part", {"argv": text}),
            job("items", items=items("v", "w")),
        ),
        agents="a b",
    ) == ["s/items@a[u]", "s/items@b[u]", "s/part@b"]
    assert run.edit(before, agents="a b") == []


@pytest.mark.parametrize(
    "change",
    [
        {"procedure": "builtins.shell"},
        {"until": Text("true")},
        {"register": "out"},
        {"vars_updates": (VarUpdate(Text("z"), 1),)},
        {"when": "false"},
        {"items": ItemsSpec((("u",),))},
    ],
)
def test_an_edit_of_what_a_job_does_makes_it_stale(change: dict[str, Any]) -> None:
    run = run_of([job("j", {"argv": "k"})], {}, agents="a")
    assert run.edit(stage("s", job("j", {"argv": "k"}, **change))) == ["s/j@a"]
    assert run.of(JobStale)[0].reason == "its text was edited"


def test_what_its_stage_chooses_an_agent_by_counts_too() -> None:
    args = {"argv": "{{ re[0] }}"}
    run = run_of([job("j", args)], {"who": "a|b", "more": 1}, on="{{ vars.who }}", when="vars.more > 0")
    assert run.set("who", "a") == ["s/j@b"]
    assert run.set("who", "a|b") == []
    assert run.set("more", 0) == ["s/j@a", "s/j@b"]
    assert run.set("more", 1) == []
    assert run.set("who", "(a)|b") == ["s/j@a", "s/j@b"]
    run.set("who", "a|b")
    assert run.edit(stage("s", job("j", args), on="a"), agents="a b", variables={"who": "a|b", "more": 1}) == ["s/j@b"]


def test_what_is_under_way_is_weighed_when_it_has_ended() -> None:
    given = scenario(stage("s", job("j", {"argv": "{{ vars.x }}"})), agents="a b", variables={"x": 0})
    run = Looked(given, lambda sent: None)
    assert run.set("x", 1) == []
    run.go(report("s/j@a#1", "ok"))
    assert run.stale == ["s/j@a"]
    run.set("x", 0)
    run.go(report("s/j@b#1", "ok"))
    assert run.stale == []


def test_what_is_read_at_the_end_is_weighed_as_it_was_then() -> None:
    waiting: dict[str, Any] = {"procedure": "builtins.wait", "where": "expression"}
    given = scenario(
        stage("w", job("for", {"expression": "vars.x > 0"}, **waiting)),
        stage("u", job("until", {}, until=Text("vars.y > 0"))),
        stage("b", job("both", {"argv": "{{ vars.z }}"}, until=Text("vars.z > 0"))),
        variables={"x": 0, "y": 0, "z": 0},
    )
    run = Looked(given, lambda sent: None)
    for name, attempt in (("x", ""), ("y", "u/until@a#1"), ("z", "b/both@a#1")):
        assert not run.set(name, 1)
        if attempt:
            run.go(report(attempt, "ok"))
    assert run.ended() == ["w/for@a ok", "u/until@a ok", "b/both@a ok"]
    assert run.stale == ["b/both@a"], "what it was told had the value of before"
    run.set("x", 2)
    run.set("y", 2)
    assert run.set("z", 0) == ["u/until@a"], "the wait would end as well with that"
    run.set("x", 0)
    assert run.set("y", 1) == ["w/for@a"]


def test_what_runs_again_is_not_stale_any_more() -> None:
    run = run_of([job("j", {"argv": "{{ vars.x }}"})], {"x": 0})
    run.set("x", 1)
    run.go(RerunRequest("s", instance=named("s/j@a")))
    assert run.stale == ["s/j@b"]
    assert run.set("x", 0) == ["s/j@a"]


def test_a_failure_is_not_stale_but_it_is_said_that_it_would_run_differently() -> None:
    def answer(sent: SendJob) -> AttemptReport:
        bad = sent.arguments["argv"] == "0" and sent.agent == "b"
        return report(sent.attempt, "failed" if bad else "ok", error={"kind": "exit"} if bad else None)

    given = scenario(
        stage("s", job("j", {"argv": "{{ vars.x }}"}), job("k", {"argv": ""})), agents="a b", variables={"x": 0}
    )
    run = Looked(given, answer)
    assert run.set("x", 1) == ["s/j@a"]
    assert run.told == (1, 0, 1)
    assert run.board.notices[-1].text == "x 0 -> 1: 1 instance stale, 1 that failed would run differently"
    run.go(RerunRequest("s", instance=named("s/j@b")))
    run.go(GoRequest())
    assert run.set("x", 0) == ["s/j@b"]
    assert run.told == (1, 1, 0)
    assert run.board.notices[-1].text == "x 1 -> 0: 1 instance stale, 1 not stale any more"


def test_what_the_operator_skipped_is_never_stale() -> None:
    given = scenario(stage("s", job("j", {"argv": "{{ vars.x }}"})), variables={"x": 0})
    run = Looked(given, lambda sent: report(sent.attempt, "failed", error={"kind": "exit"}))
    run.go(SkipRequest(named("s/j@a")))
    assert run.set("x", 1) == []


def test_a_template_that_fails_now_is_a_difference_and_one_that_failed_before_too() -> None:
    run = run_of([job("j", {"argv": "{{ vars.x + 1 }}"})], {"x": 1}, agents="a")
    assert run.set("x", "text") == ["s/j@a"]
    stages = run_of([job("j", {"argv": "k"})], {"who": ".*"}, agents="a", on="{{ vars.who }}")
    assert stages.set("who", "(") == ["s/j@a"]
    drawn = run_of([job("j", {"argv": "k"}, items=ItemsSpec((("{{ vars.list }}",),)))], {"list": ["u"]}, agents="a")
    assert drawn.set("list", {"no": "list"}) == ["s/j@a[u]"]


def test_beyond_a_bound_what_reads_a_variable_is_stale_unexpanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staleness, "MOST_EXPANDED", 1)
    monkeypatch.setattr(staleness, "NAMED_AT_ONCE", 1)
    stock = {"a": 0, "b": 0, "c": 0}
    run = run_of([job("j", {"argv": "{{ vars.stock[agent.name] }}"})], {"stock": stock}, agents="a b c")
    assert run.set("stock", {**stock, "b": 1}) == ["s/j@b", "s/j@c"]  # a alone was expanded
    assert [e.instances for e in run.of(JobStale)] == [["s/j@b"], ["s/j@c"]]
