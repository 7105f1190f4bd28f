"""Edits of the file that wait: told what they come to, in force when somebody asks, and nothing before."""

from __future__ import annotations

from functools import cache

from simulation import Simulation, job, scenario, stage

from octogram_tui.engine.events import EditWaits, Event, ScenarioRejected, ScenarioReloaded
from octogram_tui.engine.stimuli import EditReport, ReloadModeRequest, SetVariableRequest
from octogram_tui.errors import Problem
from octogram_tui.model.scenario import Scenario
from octogram_tui.projection.board import Board


@cache
def edited(*jobs: str, argv: str = "{{ vars.x }}", x: int = 0) -> Scenario:
    given = [job("j", {"argv": argv}), *(job(name) for name in jobs)]
    return scenario(stage("s", *given), agents="a b", variables={"x": x})


class Waiting(Simulation):
    """A run at its end, whose edits wait, with the board that folds it."""

    def __init__(self) -> None:
        self.board = Board()
        super().__init__(edited(), keep_alive=True, on_failure="pause")
        self.begin()
        self.go(ReloadModeRequest("ask"))

    def feed(self, stimulus: object) -> list[Event]:
        events = super().feed(stimulus)  # type: ignore[arg-type]
        for event in events:
            self.board.apply(event)
        waiting = self.engine.edits.waiting
        shown = self.board.waiting_edit
        assert (waiting.digest if waiting else None) == (shown.digest if shown else None)
        return events


def test_an_edit_waits_with_what_it_comes_to_and_is_in_force_when_asked_for() -> None:
    run = Waiting()
    new = edited("k", argv="other")
    run.go(EditReport(new))
    (waits,) = run.of(EditWaits)
    assert waits.changes == ["job s/k added", "job s/j changed"]
    assert (waits.stale, waits.fresh, waits.failed, waits.new, waits.gone) == (2, 0, 0, 2, 0)
    assert run.engine.core.scenario.digest != new.digest
    assert not run.engine.instances.stale
    run.go(EditReport(new, is_asked=True))
    assert run.engine.core.scenario.digest == new.digest
    assert len(run.engine.instances.stale) == 2
    assert run.board.changes == waits.changes


def test_the_same_edit_is_told_once_and_the_next_one_takes_its_place() -> None:
    run = Waiting()
    run.go(EditReport(edited("k")))
    run.go(EditReport(edited("k")))
    run.go(EditReport(edited("l")))
    assert [waits.changes for waits in run.of(EditWaits)] == [["job s/k added"], ["job s/l added"]]
    assert not run.of(ScenarioReloaded)


def test_an_edit_that_is_taken_back_waits_no_more() -> None:
    run = Waiting()
    run.go(EditReport(edited("k")))
    run.go(EditReport(edited()))
    assert run.of(EditWaits)[-1].changes == []
    assert run.board.waiting_edit is None


def test_what_is_wrong_with_the_file_is_told_at_once_and_nothing_waits_then() -> None:
    run = Waiting()
    run.go(EditReport(edited("k")))
    run.go(EditReport(None, (Problem("f.yml", 3, 5, "unknown key `jbos`"),)))
    assert run.of(ScenarioRejected)
    run.go(EditReport(edited("k")))
    assert not run.board.problems
    run.go(EditReport(None, (Problem("f.yml", 3, 5, "unknown key `jbos`"),)))
    run.go(EditReport(edited()))
    assert run.of(ScenarioReloaded)[-1].changes == []


def test_whoever_wants_edits_at_once_again_has_the_one_that_waits() -> None:
    run = Waiting()
    run.go(EditReport(edited(x=5)))
    run.go(SetVariableRequest("y", 1))
    run.go(ReloadModeRequest("now"))
    assert run.engine.core.variables == {"x": 5, "y": 1}
    run.go(EditReport(edited(x=6)))
    assert run.engine.core.variables["x"] == 6
    assert run.board.reload_mode == "now"
