"""What agents say about their load: read with care, and told seldom."""

from typing import Any

import pytest

from octogram_tui.engine.stimuli import AgentLoadReport
from octogram_tui.runtime.load import LEAST_S, STEP, LoadGauge
from octogram_tui.runtime.reading import MOST_LOAD, read_report


def test_a_sign_of_life_may_bring_the_load_and_need_not() -> None:
    assert read_report("a", {"t": "hb", "n": 1}) is None, "as older daemons say it"
    load = {"cpu": 0.123, "memory": 0.5, "processes": 3, "later": "more"}
    assert read_report("a", {"t": "hb", "n": 1, "load": load}) == AgentLoadReport("a", 0.12, 0.5, 3)
    assert read_report("a", {"t": "hb", "n": 1, "load": {}}) == AgentLoadReport("a", -1.0, -1.0, 0)
    assert read_report("a", {"t": "hb", "load": {"cpu": 1e9}}) == AgentLoadReport("a", MOST_LOAD, -1.0, 0)


@pytest.mark.parametrize("load", [7, [0.1], {"cpu": "nan"}, {"cpu": True}, {"cpu": float("inf")}, {"processes": -1}])
def test_a_load_that_is_none_breaks_the_protocol(load: Any) -> None:
    with pytest.raises(ValueError, match="not a"):
        read_report("a", {"t": "hb", "load": load})


def test_a_load_is_told_when_it_changed_by_a_step_and_not_often() -> None:
    gauge = LoadGauge()
    told = [
        (0.0, 0.5, True),  # the first
        (1.0, 9.0, False),  # too early
        (LEAST_S, 0.5 + STEP / 2, False),  # about the same
        (LEAST_S, 0.5 + STEP * 2, True),
        (LEAST_S + 1, 0.1, False),
        (LEAST_S * 2, 0.1, True),
    ]
    for at_s, cpu, expected in told:
        assert gauge.is_news(AgentLoadReport("a", cpu, 0.2, 0), at_s) is expected, (at_s, cpu)
    assert gauge.is_news(AgentLoadReport("a", 0.1, 0.2, 1), LEAST_S * 9), "another process"
    assert gauge.is_news(AgentLoadReport("a", 0.1, 0.9, 1), LEAST_S * 10), "other memory"
