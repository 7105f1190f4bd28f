"""`register` over items: what is new is told, and costs the same however large the map is."""

from __future__ import annotations

from typing import Any

import pytest
from simulation import job, report, scenario, stage
from world import Journalled

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import BreakpointMet, EntryRegistered, JobStarted, RunStarted, VariableChanged
from octogram_tui.engine.stimuli import AttemptReport, BackRequest, SetVariableRequest
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.scenario import ItemsSpec, Text, VarUpdate
from octogram_tui.projection.variables import Variables


def of_items(count: int, **more: Any) -> Any:
    return job("j", items=ItemsSpec(((f"1..{count}",),)), register="out", **more)


def answered(sent: SendJob) -> AttemptReport:
    return report(sent.attempt, "ok", {"exit_code": 0, "stdout": f"of {sent.attempt}"})


def folded(run: Journalled) -> dict[str, Any]:
    fold, plain = Variables(), dict[str, Any]()
    for event in run.events:
        fold.apply(event)
        if isinstance(event, RunStarted):
            plain = dict(event.variables)
        elif isinstance(event, VariableChanged):
            plain[event.name] = event.value
        elif isinstance(event, EntryRegistered):
            plain[event.name] = event.over(plain.get(event.name))
    assert fold.values == plain == dict(run.engine.core.variables) == dict(run.restored().engine.core.variables)
    return plain


def bytes_each(count: int) -> float:
    run = Journalled(scenario(stage("s", of_items(count))), answered).begin()
    return sum(len(line) for line in run.lines) / count


def test_the_journal_of_an_entry_is_as_long_in_a_large_map() -> None:
    assert bytes_each(400) < 1.1 * bytes_each(40)


def test_no_map_is_copied_while_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    from octogram_tui.model.variables import Grown

    copies: list[int] = []
    monkeypatch.setattr(Grown, "value", lambda grown: copies.append(grown.size))
    setter = VarUpdate(name=Text("last"), value=Text("{{ item }}"))
    watched = ((Breakpoint(pattern="*/*", when="variable", name="other"), "operator"),)
    Journalled(
        scenario(stage("s", of_items(50, vars_updates=(setter,))), agents="a b c"), answered, breakpoints=watched
    ).begin()
    assert copies == []


@pytest.mark.parametrize("before", [None, "a text", {"1": "was there", "z": 1}, []])
def test_entries_come_to_what_there_is(before: Any) -> None:
    given = {} if before is None else {"out": before}
    run = Journalled(
        scenario(stage("s", of_items(3)), agents="a b", variables=given), answered, keep_alive=True
    ).begin()
    out = folded(run)["out"]
    assert list(out) == (["1", "z", "2", "3"] if isinstance(before, dict) else ["1", "2", "3"])
    assert out["3"] == {"failed": False, "exit_code": 0, "stdout": "of s/j@b[3]#1"}
    sizes = [event.size for event in run.of(EntryRegistered)]
    assert sizes == ([2, 2, 3, 3, 4, 4] if isinstance(before, dict) else [1, 1, 2, 2, 3, 3])


def test_a_job_sees_the_map_as_it_was_when_it_began() -> None:
    reads = job("k", {"argv": "{{ vars.out | length }}"}, items=ItemsSpec((("1..3",),)), register="out")
    run = Journalled(
        scenario(stage("s", of_items(2)), stage("t", reads), agents="a b"), answered, keep_alive=True
    ).begin()
    assert [event.arguments["argv"] for event in run.of(JobStarted) if event.job == "k"] == ["2"] * 6
    assert folded(run)["out"].keys() == {"1", "2", "3"}


def test_going_back_and_setting_by_hand_give_maps_that_grow_on() -> None:
    run = Journalled(scenario(stage("s", of_items(2)), stage("t", of_items(4))), answered, keep_alive=True).begin()
    assert len(folded(run)["out"]) == 4
    run.go(SetVariableRequest("out", {"by": "hand"}))
    assert folded(run)["out"] == {"by": "hand"}
    run.go(BackRequest("t"))
    assert folded(run)["out"].keys() == {"1", "2"}


def test_a_breakpoint_on_a_variable_is_met_by_an_entry_that_is_another() -> None:
    met = ((Breakpoint(pattern="*/*", when="variable", name="out"), "operator"),)
    run = Journalled(scenario(stage("s", of_items(2)), variables={"out": {}}), answered, breakpoints=met).begin()
    (held,) = run.of(BreakpointMet)
    assert 'out is {"1": {"failed": false' in held.message
