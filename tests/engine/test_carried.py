"""A run of what failed in an earlier one: rows that went well are passed over, and give what they gave."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import Simulation, job, report, scenario, stage
from world import World

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import JobFinished, RunStarted
from octogram_tui.engine.stimuli import AttemptReport, RerunRequest
from octogram_tui.journal.outcomes import Outcomes
from octogram_tui.model.scenario import ItemsSpec, Scenario, Text, VarUpdate


def with_values() -> Scenario:
    items = ItemsSpec((("x", "y"),))
    count = VarUpdate(Text("n"), Text("{{ vars.n + 1 }}"))
    return scenario(
        stage(
            "one",
            job("make", register="made_{{ agent.name }}", vars_updates=(count,)),
            job("each", items=items, register="all"),
        ),
        stage("two", job("use", {"v": "{{ vars.made_a.n }} {{ vars.all.y.n }} {{ vars.n }}"}), job("more")),
        stage("collect", job("logs"), always=True),
        agents="a b",
        variables={"n": 0},
    )


def answering(*bad: str) -> object:
    def answer(sent: SendJob) -> AttemptReport:
        if str(sent.attempt).partition("#")[0] in bad:
            return report(sent.attempt, "failed", error={"kind": "exit", "message": "no"})
        return report(sent.attempt, "ok", {"n": len(str(sent.attempt))})

    return answer


def again(first: Simulation, it: Scenario, answer: object, kind: type[Simulation] = Simulation) -> Simulation:
    outcomes = Outcomes()
    outcomes.take(first.events)
    rows = {id_: updates for id_, updates in outcomes.well().items() if id_.stage != "collect"}
    return kind(it, answer, rerun_failed="r0", carried=rows, look_ahead=True).begin()  # type: ignore[arg-type]


def test_only_the_rest_is_executed_and_sees_what_the_others_gave() -> None:
    it = with_values()
    first = Simulation(it, answering("two/use@b"), on_failure="keep_going").begin()  # type: ignore[arg-type]
    second = again(first, it, answering())
    assert second.started() == ["two/use@b#1", "two/more@b#1", "collect/logs@a#1", "collect/logs@b#1"]
    assert second.sent[0].arguments == {"v": "12 15 2"}
    assert dict(second.engine.core.variables) == dict(first.engine.core.variables)
    skipped = {e.reason for e in second.of(JobFinished) if e.state == "skipped"}
    assert skipped == {"it went well in run r0"}
    assert second.of(RunStarted)[0].options == {"rerun_failed": "r0"}
    assert second.exit_code == 0


def test_what_fails_once_more_can_be_repeated_once_more() -> None:
    it = with_values()
    first = Simulation(it, answering("two/use@b"), on_failure="keep_going").begin()  # type: ignore[arg-type]
    third = again(again(first, it, answering("two/more@b")), it, answering())
    assert third.started()[0] == "two/more@b#1"
    assert dict(third.engine.core.variables) == dict(first.engine.core.variables)


def test_a_rerun_by_hand_executes_what_was_passed_over() -> None:
    it = with_values()
    first = Simulation(it, answering("two/use@b"), on_failure="keep_going").begin()  # type: ignore[arg-type]
    outcomes = Outcomes()
    outcomes.take(first.events)
    second = Simulation(it, answering(), carried=outcomes.well(), rerun_failed="r0", keep_alive=True).begin()  # type: ignore[arg-type]
    second.go(RerunRequest("one"))
    assert second.started()[-6:-4] == ["one/make@a#1", "one/make@b#1"]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_failed_the_two_runs_together_execute_everything_well_once(data: st.DataObject) -> None:
    jobs = st.builds(
        lambda n, items, order: [
            job(
                f"j{k}",
                items=ItemsSpec((("x", "y"),)) if items else None,
                run_items=order,
                register=f"v{k}_" + "{{ agent.name }}",
            )
            for k in range(n)
        ],
        st.integers(1, 3),
        st.booleans(),
        st.sampled_from(["sequential", "concurrent"]),
    )
    lists = data.draw(st.lists(jobs, min_size=1, max_size=3))
    it = scenario(*(stage(f"s{n}", *each) for n, each in enumerate(lists)), agents="a b c")
    every = Simulation(it, answering()).begin().ended()  # type: ignore[arg-type]
    names = [line.removesuffix(" ok") for line in every]
    bad = data.draw(st.sets(st.sampled_from(names), min_size=1))
    how = data.draw(st.sampled_from(["abort", "keep_going"]))
    first = Simulation(it, answering(*bad), on_failure=how).begin()  # type: ignore[arg-type]
    second = again(first, it, answering(), World)
    assert isinstance(second, World)
    well = [line.removesuffix(" ok") for line in first.ended() if line.endswith(" ok")]
    executed = [line.removesuffix(" ok") for line in second.ended() if line.endswith(" ok")]
    assert sorted(well + executed) == sorted(names)
    assert second.exit_code == 0
    second.checked()
    second.restored(second.lines[: len(second.lines) // 2])  # raises where anything comes out otherwise
