"""Patterns of rows and what they are about; breakpoints and held agents, folded."""

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.pattern import Pattern
from octogram_tui.projection.board import Board
from octogram_tui.projection.places import is_about, pattern_of
from octogram_tui.projection.reach import reach_of
from octogram_tui.projection.rows import Group, Row

NAMES = ["n_1", "n_2"]
STRANGE = InstanceId("a/b", "c@d*", "e[f", "g]h")


def board_of(*more: ev.Event) -> Board:
    board = Board()
    plan = [{"stage": "one", "jobs": [{"job": "a"}, {"job": "b"}]}, {"stage": "two", "jobs": [{"job": "c"}]}]
    for event in (
        ev.RunStarted(run="r", scenario="s", plan=plan, agents=[{"agent": name} for name in NAMES]),  # type: ignore[arg-type]
        ev.StageStarted(stage="one", agents=NAMES),
        *(ev.JobHeld(instance=InstanceId("one", "a", name)) for name in NAMES),
        ev.JobHeld(instance=InstanceId("one", "b", "n_1", "x"), item="x"),
        *more,
    ):
        board.apply(event)
    return board


def rows(board: Board) -> list[Row]:
    found: list[Row] = []
    for stage in board.stages:
        found.append(stage)
        for job in stage.children:
            assert isinstance(job, Group)
            found += [job, *job.children, *(leaf for leaf in job.below() if leaf not in job.children)]
    return found


def test_the_pattern_of_a_row_is_about_it_and_what_holds_it_alone() -> None:
    board = board_of()
    for row in rows(board):
        pattern = Pattern.parse(pattern_of(row))
        assert str(pattern) == pattern_of(row)
        assert is_about(pattern, row)
        about = {each.full_name for each in rows(board) if is_about(pattern, each)}
        above = {row.full_name}
        parent = row.parent
        while parent is not None and parent.parent is not None:
            above.add(parent.full_name)
            parent = parent.parent
        assert about == above


def test_a_name_with_signs_of_patterns_is_meant_as_it_stands() -> None:
    board = board_of(ev.JobHeld(instance=STRANGE, item="g]h"))
    row = board.instances[STRANGE]
    pattern = Pattern.parse(pattern_of(row))
    assert pattern.matches(STRANGE)
    assert not pattern.matches(STRANGE._replace(job="c@dx"))
    assert is_about(pattern, row)


@pytest.mark.parametrize("text", ["*", "@n_1", "*@n_1"])
def test_what_is_about_everything_is_looked_for_at_no_row(text: str) -> None:
    board = board_of()
    assert not [row for row in rows(board) if is_about(Pattern.parse(text), row)]


@pytest.mark.parametrize(
    ("text", "reach"),
    [("*", (3, 2)), ("one/*@n_1", (2, 1)), ("*/c", (1, 2)), ("one/x", (0, 2)), ("@n_9", (3, 0)), ("three", (0, 2))],
)
def test_how_much_a_pattern_is_about(text: str, reach: tuple[int, int]) -> None:
    found = reach_of(board_of(), Pattern.parse(text))
    assert found == reach
    assert bool(found) is (0 not in reach)


def test_breakpoints_are_set_changed_met_and_removed() -> None:
    board = board_of(
        ev.BreakpointSet(number=1, pattern="*", when="failed", by="run"),
        ev.BreakpointSet(number=2, pattern="one/a", condition="vars.x"),
        ev.BreakpointMet(number=2, message="vars.x (x = 1)", count=1),
        ev.BreakpointSet(number=2, pattern="one/a", condition="vars.x", is_off=True),
        ev.BreakpointSet(number=3, pattern="one/b", log="here"),
        ev.BreakpointMet(number=3, message="here", count=4, is_log=True),
    )
    stops = board.stops
    assert [(row.number, row.count, row.breakpoint.is_on) for row in stops.breakpoints.listed] == [
        (1, 0, True),
        (2, 1, False),
        (3, 4, True),
    ]
    assert stops.met is not None
    assert stops.met.number == 2, "a text that was written stopped nothing"
    assert board.notices[-1].text == "breakpoint 3: here"
    assert [row.number for row in stops.at(board.jobs["one", "a"])] == [2]
    version = stops.version
    board.apply(ev.BreakpointRemoved(number=2))
    assert list(stops.breakpoints.by_number) == [1, 3]
    assert stops.version != version


def test_an_agent_is_held_or_let_go_by_itself_else_as_all() -> None:
    board = board_of(ev.AgentHeld(agent="n_1", reason="operator"))
    assert [board.is_agent_held(name) for name in NAMES] == [True, False]
    board.apply(ev.RunPaused())
    board.apply(ev.AgentReleased(agent="n_1"))
    assert [board.is_agent_held(name) for name in NAMES] == [False, True]
    board.apply(ev.AgentReleased(agent="n_1", follows=True))
    assert [board.is_agent_held(name) for name in NAMES] == [True, True]
    board.apply(ev.HoldModeChosen(mode="alone"))
    assert board.stops.mode == "alone"
