"""The way through all that failed: every cause once, what stands first, around the end."""

from typing import Any

from struck_fleet import JOB, STAGE, stock_is_empty, struck_events

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.rows import AgentRow
from octogram_tui.projection.walk import Walk


def three_causes(number: int) -> Failure:
    return {31: Failure("timeout", "no answer"), 40: Failure("net", "refused")}.get(number) or stock_is_empty(number)


def board_of(events: list[ev.Event]) -> Board:
    board = Board()
    for event in events:
        board.apply(event)
    return board


def key(number: int) -> InstanceId:
    return InstanceId(STAGE, JOB, f"node_{number}")


def again(board: Board, number: int, *, state: str = "ok", failure: Failure | None = None) -> None:
    attempt = board.instances[key(number)].attempt + 1
    board.apply(ev.JobStarted(instance=key(number), attempt=attempt, why="rerun"))
    board.apply(ev.JobFinished(instance=key(number), attempt=attempt, state=state, failure=failure))


def steps(walk: Walk, count: int, chosen: Any = None) -> list[tuple[str, str, str]]:
    said = []
    for _ in range(count):
        found = walk.next(chosen)
        assert found is not None
        stop, number, of = found
        said.append((f"{number} of {of}", stop.who, stop.fate or stop.cause))
    return said


def test_each_press_goes_to_another_cause_and_around() -> None:
    walk = Walk(board_of(struck_events(50, [*range(2, 14), 31, 40], three_causes)))
    first = ("1 of 3", "12 agents", "variable `stock_2` is 0, has to be 1 or more")
    second = ("2 of 3", "activate @ node_31", "no answer")
    assert steps(walk, 4) == [first, second, ("3 of 3", "activate @ node_40", "refused"), first]
    assert steps(walk, 1, key(31)) == [("3 of 3", "activate @ node_40", "refused")]
    assert steps(walk, 1, key(5)) == [second], "from a row of the first cause one comes to the second"


def test_from_another_pane_the_one_that_is_chosen_is_shown_first() -> None:
    walk = Walk(board_of(struck_events(50, [2, 3, 31], three_causes)))
    found = walk.next(key(2), stays=True)
    assert found is not None
    assert found[1] == 1
    assert walk.next(key(2)) is not found


def test_what_was_repaired_or_skipped_is_still_there() -> None:
    board = board_of(struck_events(50, [2, 3, 4, 31, 40], three_causes))
    again(board, 2)
    again(board, 3)
    again(board, 31, state="failed", failure=Failure("net", "reset"))
    board.apply(ev.JobFinished(instance=key(40), state="skipped", attempt=1))
    assert steps(Walk(board), 5) == [
        ("1 of 5", "activate @ node_4", "variable `stock_4` is 0, has to be 1 or more"),
        ("2 of 5", "activate @ node_31", "reset"),
        ("3 of 5", "2 agents", "repaired by attempt 2"),
        ("4 of 5", "activate @ node_31", "run again as attempt 2"),
        ("5 of 5", "activate @ node_40", "skipped"),
    ]


def test_when_all_is_repaired_there_is_still_something_to_see() -> None:
    board = board_of(struck_events(5, [2]))
    again(board, 2)
    assert not board.failures
    assert steps(Walk(board), 2) == [("1 of 1", "activate @ node_2", "repaired by attempt 2")] * 2
    assert Walk(board_of(struck_events(5, []))).next(None) is None


def test_agents_that_are_not_there_are_stops_too() -> None:
    board = board_of(struck_events(5, [2]))
    for number in (3, 4):
        board.apply(ev.AgentLost(agent=f"node_{number}", message="nothing was heard for 15 s"))
    walk = Walk(board)
    assert steps(walk, 2)[1] == ("2 of 2", "2 agents", "nothing was heard for 15 s")
    found = walk.next(None)
    assert found is not None
    assert not isinstance(found[0].subject, AgentRow), "and around"


def test_a_stop_is_kept_when_others_come_and_go() -> None:
    board = board_of(struck_events(50, [2, 3, 31, 40], three_causes))
    walk = Walk(board)
    assert steps(walk, 2)[1][1] == "activate @ node_31"
    again(board, 2)
    again(board, 3)
    assert steps(walk, 1) == [("2 of 3", "activate @ node_40", "refused")]
