"""What stands below a job: causes before rows, what is much by its state, and only what a filter takes."""

from typing import Any

import pytest
from struck_fleet import JOB, STAGE, stock_is_empty, struck_events

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.filter import parse
from octogram_tui.projection.outline import SHOWN_ROWS, Outline


def outline_of(events: list[ev.Event], *, room: int = 20) -> Outline:
    board = Board()
    for event in events:
        board.apply(event)
    outline = Outline(board)
    outline.room = room
    outline.refresh()
    return outline


def labels(outline: Outline) -> list[str]:
    outline.refresh()
    return ["  " * line.depth + line.label for line in outline.lines]


def two_causes(number: int) -> Failure:
    return Failure("timeout", "no answer for 20 s") if number == 31 else stock_is_empty(number)


def test_causes_come_before_rows_and_what_ended_well_is_one_line() -> None:
    outline = outline_of(struck_events(50, [*range(2, 14), 31], two_causes))
    assert labels(outline) == [
        "deploy",
        "activate protocol",
        "  activate",
        "    12 agents",
        "    node_31",
        "    37 agents",
        "measure",
        "  read",
    ]
    head = outline.lines[3]
    assert (head.row.label, head.message) == ("node_2", "variable `stock_2` is 0, has to be 1 or more")
    assert head.head is not None
    assert head.head.names == "node_2 node_3 +10"


def test_a_small_job_shows_each_row_unless_failures_are_alike() -> None:
    assert labels(outline_of(struck_events(5, (2,))))[2:8] == [
        "  activate",
        *(f"    node_{number}" for number in range(1, 6)),
    ]
    assert labels(outline_of(struck_events(5, (2, 3))))[2:7] == [
        "  activate",
        "    2 agents",
        "    node_1",
        "    node_4",
        "    node_5",
    ]


def test_many_that_are_alike_unfold_and_fold() -> None:
    outline = outline_of(struck_events(50, range(2, 14)))
    head = outline.lines[3].head
    assert head is not None
    outline.unfold(head)
    assert labels(outline)[3:7] == ["    12 agents", "      node_2", "      node_3", "      node_4"]
    again = outline.lines[3].head
    assert again is not None
    outline.fold(again)
    assert labels(outline)[4] == "    38 agents"


def test_what_was_run_again_leaves_its_cluster() -> None:
    outline = outline_of(struck_events(50, range(2, 14)))
    key = InstanceId(STAGE, JOB, "node_2")
    outline.board.apply(ev.JobStarted(instance=key, attempt=2, why="rerun"))
    assert labels(outline)[3:6] == ["    11 agents", "    node_2", "    38 agents"]
    outline.board.apply(ev.JobFinished(instance=key, attempt=2, state="ok"))
    assert labels(outline)[3:5] == ["    11 agents", "    39 agents"]


def test_a_row_among_many_is_shown_apart_and_found() -> None:
    outline = outline_of(struck_events(50, range(2, 14)))
    well = outline.board.instances[InstanceId(STAGE, JOB, "node_40")]
    assert outline.lines[outline.place(well) or 0].label == "38 agents"
    outline.show(well)
    assert labels(outline)[3:6] == ["    12 agents", "    node_40", "    37 agents"]
    assert outline.index(well) == 4
    bad = outline.board.instances[InstanceId(STAGE, JOB, "node_5")]
    outline.show(bad)
    assert labels(outline)[3:8] == ["    12 agents", *(f"      node_{number}" for number in range(2, 6))]
    first = outline.board.instances[InstanceId(STAGE, JOB, "node_2")]
    assert outline.place(first) == 4


def test_failed_only_counts_and_keeps_equal_failures_together() -> None:
    outline = outline_of(struck_events(50, range(2, 14)))
    outline.failed_only = True
    assert labels(outline) == ["activate protocol", "  activate", "    12 agents"]
    assert outline.counted() == (12, 100)


def test_a_filter_narrows_the_plan_and_counts() -> None:
    outline = outline_of(struck_events(50, [*range(2, 14), 31], two_causes))
    outline.narrow(parse("agent:node_2,node_31,node_40"))
    assert labels(outline) == [
        "deploy",
        "  copy",
        "    node_2",
        "    node_31",
        "    node_40",
        "activate protocol",
        "  activate",
        "    node_2",
        "    node_31",
        "    node_40",
    ]
    assert outline.counted() == (6, 100)
    outline.narrow(parse("state:failed !cause:answer"))
    assert labels(outline) == ["activate protocol", "  activate", "    12 agents"]
    outline.narrow(parse("measure"))
    assert labels(outline) == ["measure", "  read"]
    outline.narrow(parse("nothing-like-it"))
    assert labels(outline) == []
    outline.narrow(parse(""))
    assert len(labels(outline)) == 8


def test_items_of_many_agents_are_alike_too() -> None:
    outline = outline_of(struck_events(4, ()))
    board = outline.board
    board.apply(ev.StageStarted(stage="measure", agents=["node_1", "node_2"]))
    board.jobs["measure", "read"].has_items = True
    for agent in ("node_1", "node_2"):
        for item in ("x", "y"):
            key = InstanceId("measure", "read", agent, item)
            board.apply(ev.JobStarted(instance=key, item=item))
            board.apply(
                ev.JobFinished(instance=key, item=item, state="failed", failure=Failure("f", f"no {item} here"))
            )
    assert labels(outline)[-4:] == ["  read", "    4 on 2 agents", "    node_1", "    node_2"]
    head = next(line.head for line in outline.lines if line.head is not None)
    outline.unfold(head)
    assert "      node_1 [y]" in labels(outline)


def test_stages_are_numbered_by_their_place_and_what_is_gone_has_no_number() -> None:
    outline = outline_of(struck_events(3, ()))
    board = outline.board
    plan: list[Any] = [{"stage": name, "jobs": [{"job": "j"}]} for name in ("deploy", "check", "measure")]
    board.apply(ev.ScenarioReloaded(plan=plan, changes=["other stages"]))
    numbers = {stage.name: board.number_of(stage) for stage in board.stages}
    assert numbers == {"deploy": 1, STAGE: None, "check": 2, "measure": 3}


def test_finished_stages_fold_while_the_run_goes_on() -> None:
    outline = outline_of(struck_events(3, ()), room=40)
    assert labels(outline)[:2] == ["deploy", "activate protocol"]
    outline.board.apply(ev.StagesDone())
    assert labels(outline)[:2] == ["deploy", "  copy"], "there is room, and nothing goes on any more"


@pytest.mark.parametrize("filtered", ["", "state:failed"])
def test_bringing_the_list_up_to_date_looks_at_what_changed_only(filtered: str) -> None:
    jobs = [f"j{number:02}" for number in range(12)]
    names = [f"node_{number}" for number in range(SHOWN_ROWS + 100)]
    plan: list[Any] = [{"stage": "s", "jobs": [{"job": job} for job in jobs]}]
    agents: list[Any] = [{"agent": name} for name in names]
    start = ev.StageStarted(stage="s", agents=names)
    outline = outline_of([ev.RunStarted(run="r", scenario="s", plan=plan, agents=agents), start])
    board = outline.board
    for job in jobs:
        failure = Failure("f", "x") if job == "j03" else None
        for name in names:
            key = InstanceId("s", job, name)
            board.apply(ev.JobStarted(instance=key))
            board.apply(ev.JobFinished(instance=key, state="failed" if failure else "ok", failure=failure))
    outline.narrow(parse(filtered))
    outline.refresh()
    outline.counted()
    for change in range(3):
        before = outline.walked
        board.apply(ev.JobStarted(instance=InstanceId("s", "j07", f"node_{change}"), attempt=2, why="rerun"))
        assert outline.refresh()
        outline.counted()
        assert outline.walked - before <= 200 + len(names), "one job's rows, not those of all"
        assert not outline.refresh()
    outline.narrow(parse(""))
    outline.unfold(board.jobs["s", "j07"])
    outline.refresh()
    head = next(line.head for line in outline.lines if line.head is not None and line.head.job.name == "j07")
    outline.unfold(head)
    assert labels(outline)[-1 - 4] == f"      {len(names) - 3 - SHOWN_ROWS} more: a filter finds them"
