"""What the banner says of nodes that a scheduler gives."""

from __future__ import annotations

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.projection.board import Board
from octogram_tui.tui.needs import _nodes


def board_of(*told: ev.AllocationChanged) -> Board:
    board = Board()
    for number, event in enumerate(told, 1):
        event.seq = number
        board.apply(event)
    return board


@pytest.mark.parametrize("state", ["asked", "granted", "node", "ended"])
def test_what_needs_nobody_is_not_there(state: str) -> None:
    assert _nodes(board_of(ev.AllocationChanged(state=state, message="m"))) is None
    assert _nodes(Board()) is None


def test_the_place_in_the_queue_stands_there_and_can_be_given_up() -> None:
    first = ev.AllocationChanged(state="waiting", job="7", message="Slurm's job 7 waits at place 2", position=2)
    second = ev.AllocationChanged(
        state="waiting", job="7", message="Slurm's job 7 waits at\nplace \x1b[31m1", position=1
    )
    need = _nodes(board_of(first))
    assert need is not None
    assert (need.kind, need.message) == ("info", "Slurm's job 7 waits at place 2.")
    assert [hint.action for hint in need.hints] == ["stop"]
    moved = _nodes(board_of(first, second))
    assert moved is not None
    assert moved.mark != need.mark, "who closed the one has not closed the other"
    assert moved.message.isprintable()


def test_what_is_lost_is_marked_so() -> None:
    need = _nodes(
        board_of(ev.AllocationChanged(state="lost", job="7", message="Slurm's job 7 is lost: it was cancelled"))
    )
    assert need is not None
    assert need.kind == "failed"
