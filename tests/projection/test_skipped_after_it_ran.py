"""What ran well and is then passed over, as where a rerun is held: its attempt is still there, in copies as well."""

from __future__ import annotations

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.folds import Folds
from octogram_tui.projection.row_states import State

ABOUT = InstanceId("s", "j", "a")


def test_the_result_of_what_ran_stays_when_its_rerun_is_passed_over() -> None:
    folds = Folds()
    folds.apply_all(
        [
            ev.RunStarted(seq=1, run="r", scenario="s", agents=[{"agent": "a"}]),
            ev.JobStarted(seq=2, at_s=1, instance=ABOUT, arguments={"x": 1}),
            ev.JobFinished(seq=3, at_s=2, instance=ABOUT, result={"y": 2}, duration_s=1),
            ev.JobHeld(seq=4, at_s=3, instance=ABOUT, reason="pause"),
            ev.JobFinished(seq=5, at_s=4, instance=ABOUT, state="skipped", reason="operator"),
        ]
    )
    for each in (folds, folds.thawed(folds.frozen())):
        row = each.board.instances[ABOUT]
        assert (row.state, row.note) == (State.SKIPPED, "skipped by the operator")
        assert row.last is not None
        assert (row.last.result, row.last.duration_s, row.last.ended_seq) == ({"y": 2}, 1, 3)
        assert [kept.seq for kept in each.board._detailed] == [2]
