"""Totals at the end, variables with their past, and the plan as a list of lines."""

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.outline import Outline
from octogram_tui.projection.summary import SLOWEST, Summary
from octogram_tui.projection.variables import Variables
from tools.pretended_run import PretendedRun


def finished(key: str, state: str = "ok", **fields: object) -> ev.JobFinished:
    return ev.JobFinished(instance=InstanceId.parse(key), state=state, **fields)  # type: ignore[arg-type]


def test_summary_counts_slowest_and_failures() -> None:
    summary = Summary()
    for number in range(10):
        summary.apply(finished(f"s/j@a[{number}]", duration_s=float(number)))
    error = {"kind": "exit", "message": "exit 3", "hint": "look"}
    summary.apply(finished("s/j@a[x]", "failed", failure=Failure.from_json(error), will_retry=True, duration_s=0.1))
    summary.apply(finished("s/j@a[x]", "failed", failure=Failure.from_json(error), attempt=2, duration_s=0.1))
    summary.apply(ev.AgentFailed(agent="b", code="net.failed", message="refused"))
    assert summary.counts == {"ok": 10, "failed": 1}
    assert [slow.duration_s for slow in summary.slowest] == [9.0, 8.0, 7.0, 6.0, 5.0][:SLOWEST]
    assert [(f.agent, f.failure.message, f.failure.hint) for f in summary.failures] == [
        ("a", "exit 3", "look"),
        ("b", "refused", ""),
    ]
    summary.apply(ev.JobStarted(instance=InstanceId.parse("s/j@a[x]"), attempt=3, why="rerun"))
    summary.apply(finished("s/j@a[x]", attempt=3))
    assert summary.counts == {"ok": 11, "failed": 0}
    assert [failure.agent for failure in summary.failures] == ["b"]
    summary.apply(ev.RunFinished(exit_code=1, duration_s=4.0, counts={"ok": 11}))
    assert (summary.exit_code, summary.counts) == (1, {"ok": 11})


def test_variables_keep_their_past() -> None:
    variables = Variables()
    variables.apply(ev.RunStarted(run="r", scenario="s", variables={"x": 1, "y": "a"}))
    variables.apply(ev.VariableChanged(at_s=3.0, name="x", value=2, by="s/j@a"))
    variables.apply(ev.VariableChanged(at_s=4.0, name="y", removed=True, by="operator"))
    variables.apply(ev.VariableChanged(at_s=5.0, name="z", value=None, by="operator"))
    assert variables.values == {"x": 2, "z": None}
    assert [(change.value, change.by) for change in variables.by_name["x"].changes] == [(1, "scenario"), (2, "s/j@a")]
    assert variables.by_name["y"].now.removed


def outline_at(run: PretendedRun, at_s: float) -> Outline:
    board = Board()
    for event in run.advance(at_s):
        board.apply(event)
    outline = Outline(board)
    outline.refresh()
    return outline


def labels(outline: Outline) -> list[str]:
    outline.refresh()
    return ["  " * line.depth + line.label for line in outline.lines]


def test_the_running_stage_is_open_and_the_operator_decides_otherwise() -> None:
    run = PretendedRun(3)
    run.begin()
    outline = outline_at(run, 2.0)
    assert labels(outline)[:4] == ["deploy binaries", "  copy binaries", "  unpack", "start nodes"]
    job = outline.board.jobs["deploy binaries", "copy binaries"]
    outline.unfold(job)
    assert labels(outline)[1:5] == ["  copy binaries", "    node-0", "    node-1", "    node-2"]
    outline.fold(outline.board.stages[0])
    assert labels(outline)[:2] == ["deploy binaries", "start nodes"]
    assert not outline.refresh(), "nothing changed"


def test_failed_only_shows_the_way_to_failures() -> None:
    run = PretendedRun(6)
    run.begin()
    outline = outline_at(run, float("inf"))
    outline.failed_only = True
    assert labels(outline) == ["wait until synchronised", "  wait_for_bootstrapped", "    node-2"]
    slow = InstanceId("wait until synchronised", "wait_for_bootstrapped", "node-2")
    run.take(st.RerunRequest("wait until synchronised", instance=slow))
    for event in run.advance(float("inf")):
        outline.board.apply(event)
    assert labels(outline) == []


def test_find_looks_into_folded_rows_and_goes_round() -> None:
    run = PretendedRun(6, fails=False)
    run.begin()
    outline = outline_at(run, 30.0)
    found = outline.find("NODE-3", None)
    assert found is not None
    assert str(found.key) == "deploy binaries/copy binaries@node-3"
    outline.show(found)
    outline.refresh()
    assert outline.index(found) is not None
    again = outline.find("node-3", found)
    assert again is not None
    assert str(again.key) == "deploy binaries/unpack@node-3"
    assert outline.find("node-3", again, backwards=True) is found
    assert outline.find("nothing like it", None) is None


def test_what_is_pointed_at_is_open_only_as_long_as_that() -> None:
    run = PretendedRun(40)
    run.begin()
    outline = outline_at(run, 4.0)
    before = labels(outline)
    row = outline.board.instances[InstanceId("deploy binaries", "unpack", "node-3")]
    outline.point_at(row)
    outline.refresh()
    assert outline.index(row) is not None
    outline.point_at(None)
    assert labels(outline) == before
