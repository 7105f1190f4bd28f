"""1, 1.0 and true are equal, and not the same: an edit from one to another is an edit."""

from __future__ import annotations

import math
from typing import Any

import pytest
from simulation import Simulation, job, scenario, stage

from octogram_tui.engine.events import ScenarioReloaded
from octogram_tui.engine.stimuli import EditReport, RerunAllRequest
from octogram_tui.model.scenario import Scenario
from octogram_tui.model.values import is_same


def given(value: Any) -> Scenario:
    return scenario(stage("s", job("j", when="vars.x")), variables={"x": value})


def test_a_number_that_should_have_been_true_can_be_edited() -> None:
    simulation = Simulation(given(1), on_failure="pause").begin()
    assert simulation.ended() == ["s/j@a failed"], "a condition is true or false"
    simulation.go(EditReport(given(True)))
    assert simulation.of(ScenarioReloaded)[0].changes == ["variable x changed"]
    simulation.go(RerunAllRequest("failed", go=True))
    assert simulation.ended()[-1] == "s/j@a ok"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, True, False),
        (1, 1.0, False),
        ([0], [False], False),
        ({"a": [1]}, {"a": [True]}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        (math.nan, math.nan, True),
        ([1, "1"], [1, "1"], True),
        (None, False, False),
    ],
)
def test_what_is_the_same(one: Any, other: Any, expected: bool) -> None:
    assert is_same(one, other) is expected
