"""How the rows of a run ended at last, and what they gave: read from its events."""

from __future__ import annotations

from pathlib import Path

import pytest

from octogram_tui.engine.events import (
    EntryRegistered,
    Event,
    JobFinished,
    JobFresh,
    JobStale,
    JobStarted,
    RunStarted,
    ScenarioReloaded,
    VariableChanged,
)
from octogram_tui.errors import RunNotRestored
from octogram_tui.journal import carried
from octogram_tui.journal.outcomes import Outcomes
from octogram_tui.model.carried import WENT_WELL, CarriedUpdate
from octogram_tui.model.ids import InstanceId


def row(name: str) -> InstanceId:
    return InstanceId.parse(name)


def ended(name: str, state: str = "ok", **more: object) -> Event:
    return JobFinished(instance=row(name), attempt=1, item=None, state=state, **more)  # type: ignore[arg-type]


def outcomes(*events: Event) -> Outcomes:
    found = Outcomes()
    found.take(events)
    return found


def test_what_went_well_is_kept_with_what_it_set_in_order() -> None:
    found = outcomes(
        ended("s/j@a"),
        VariableChanged(name="x", value=1, by="s/j@a"),
        ended("s/k@a[i]"),
        EntryRegistered(name="m", entry="i", value=2, by="s/k@a[i]"),
        VariableChanged(name="y", removed=True, by="s/j@a"),
        VariableChanged(name="by hand", value=1, by="operator"),
        ended("s/bad@a", "failed"),
    )
    assert found.well() == {
        row("s/j@a"): (CarriedUpdate("x", 1), CarriedUpdate("y", None, is_removed=True)),
        row("s/k@a[i]"): (CarriedUpdate("m", 2, "i"),),
    }
    assert (found.failed, found.by_hand) == ({row("s/bad@a")}, {"by hand"})


@pytest.mark.parametrize(
    ("state", "more", "is_well"),
    [
        ("ok", {}, True),
        ("failed", {"is_tolerated": True}, True),
        ("failed", {"will_retry": True}, False),
        ("cancelled", {}, False),
        ("skipped", {"reason": "operator"}, True),
        ("skipped", {"reason": f"{WENT_WELL}r"}, True),
        ("skipped", {"reason": "when: vars.x"}, False),
        ("skipped", {"reason": "it needs vars.x, which is not set: s/j@a"}, False),
    ],
)
def test_which_ends_are_good(state: str, more: dict[str, object], is_well: bool) -> None:
    assert (row("s/j@a") in outcomes(ended("s/j@a", state, **more)).well()) is is_well


def test_the_last_attempt_counts_and_what_is_stale_does_not() -> None:
    started = JobStarted(instance=row("s/j@a"), attempt=2, item=None, procedure="p", arguments={}, why="rerun")
    again = outcomes(ended("s/j@a"), VariableChanged(name="x", value=1, by="s/j@a"), started)
    assert again.well() == {}
    again.take([ended("s/j@a"), VariableChanged(name="x", value=2, by="s/j@a")])
    assert again.well() == {row("s/j@a"): (CarriedUpdate("x", 2),)}
    again.take([JobStale(stage="s", job="j", reason="edited", instances=["s/j@a"])])
    assert again.well() == {}
    again.take([JobFresh(stage="s", job="j", instances=["s/j@a"])])
    assert list(again.well()) == [row("s/j@a")]


def test_the_scenario_in_force_at_last_and_the_variables_at_first() -> None:
    begun = RunStarted(run="r", scenario="s", digest="one", started_wall="", version="", variables={"x": 1})
    found = outcomes(begun, ScenarioReloaded(digest="two"))
    assert (found.digest, found.variables) == ("two", {"x": 1})


def test_what_is_kept_beside_a_run_is_read_back(tmp_path: Path) -> None:
    rows = {row('s/j@a[odd "item" #2]'): (CarriedUpdate("x\u2028", {"a": [1, None]}, "\ud800"),), row("s/k@a"): ()}
    carried.keep(tmp_path, rows)
    assert carried.find(tmp_path) == rows
    assert (tmp_path / carried.CARRIED).stat().st_mode & 0o77 == 0
    for damage in ("", "[]", '{"rows": {"s/j@a": [[]]}}', '{"rows": {"nonsense": []}}'):
        (tmp_path / carried.CARRIED).write_text(damage)
        with pytest.raises(RunNotRestored, match="is damaged"):
            carried.find(tmp_path)
    (tmp_path / carried.CARRIED).unlink()
    with pytest.raises(RunNotRestored, match="cannot read"):
        carried.find(tmp_path)
