"""What somebody waits for may come true by an edit of the scenario's file as well."""

from __future__ import annotations

from simulation import Simulation, job, scenario, stage

from octogram_tui.engine.stimuli import EditReport, ReloadModeRequest
from octogram_tui.model.scenario import Scenario


def waits(expression: str, **variables: object) -> Scenario:
    wait = job("w", {"expression": expression}, procedure="builtins.wait", where="expression")
    return scenario(stage("s", wait), variables=variables)


def test_a_wait_ends_when_the_file_gives_the_variable_another_value() -> None:
    simulation = Simulation(waits("vars.x == 3", x=0)).begin()
    simulation.go(EditReport(waits("vars.x == 3", x=3)))
    assert simulation.ended() == ["s/w@a ok"]


def test_a_wait_ends_when_the_file_takes_the_variable_away() -> None:
    simulation = Simulation(waits("vars.x is not defined", x=0)).begin()
    simulation.go(EditReport(waits("vars.x is not defined")))
    assert simulation.ended() == ["s/w@a ok"]


def test_a_wait_ends_when_an_edit_that_waited_is_asked_for() -> None:
    simulation = Simulation(waits("vars.x == 3", x=0)).begin()
    simulation.go(ReloadModeRequest("ask"))
    simulation.go(EditReport(waits("vars.x == 3", x=3)))
    assert not simulation.ended()
    simulation.go(ReloadModeRequest("now"))
    assert simulation.ended() == ["s/w@a ok"]
