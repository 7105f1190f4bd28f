"""What stands beside what, at every size: nothing overlaps, what was asked for is seen, and the plan stays."""

import pytest

from octogram_tui.tui.layout import Arrangement, Wish, arrange, share
from octogram_tui.tui.views import VIEWS

NAMES = [view.name for view in VIEWS]
FULL = dict.fromkeys(NAMES, 30) | {"log": 10_000}
EMPTY = dict.fromkeys(NAMES, 0)
WIDTHS = [1, 20, 79, 80, 119, 120, 140, 159, 160, 200, 300]
HEIGHTS = [1, 2, 5, 9, 14, 20, 30, 36, 50, 100]


def cells(arrangement: Arrangement) -> int:
    return sum(slot.width * slot.height for slot in arrangement.slots) + sum(rows for _, _, rows in arrangement.rules)


@pytest.mark.parametrize("lines", [FULL, EMPTY, FULL | {"log": 0}, EMPTY | {"plan": 5, "detail": 4, "variables": 2}])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_cell_belongs_to_one_pane_and_what_was_asked_for_is_seen(width: int, lines: dict[str, int]) -> None:
    for height in HEIGHTS:
        for view in NAMES:
            for is_zoomed in (False, True):
                found = arrange(width, height, Wish([view, "plan"], lines, is_zoomed))
                assert view in found.views
                assert len(set(found.views)) == len(found.views)
                assert all(slot.width > 0 and slot.x + slot.width <= width for slot in found.slots)
                assert all(slot.height >= 0 and slot.y + slot.height <= height for slot in found.slots)
                assert cells(found) == width * height
                asked = next(slot for slot in found.slots if slot.view == view)
                assert asked.height > 0
                if height >= 3:
                    assert asked.height - asked.has_title > 0, "only a title is seen"


@pytest.mark.parametrize("view", NAMES)
@pytest.mark.parametrize("width", [120, 159, 160, 240])
def test_the_plan_stays_at_the_left_whatever_is_asked_for(width: int, view: str) -> None:
    for height in HEIGHTS:
        found = arrange(width, height, Wish([view], FULL))
        plan = next(slot for slot in found.slots if slot.view == "plan")
        assert (plan.x, plan.y) == (0, 0)
        assert plan.width >= 46


def test_beside_the_plan_stands_the_log_over_what_is_looked_at_and_others_take_turns_there() -> None:
    def seen(*recent: str, lines: dict[str, int] = FULL) -> tuple[str, ...]:
        return arrange(120, 36, Wish(recent, lines)).views

    assert seen("plan") == ("plan", "log", "detail")
    assert seen("log", "plan") == ("plan", "log", "detail")
    assert seen("detail", "plan") == ("plan", "log", "detail")
    assert seen("agents", "plan") == ("plan", "agents", "log")
    assert seen("plan", "source", "agents") == ("plan", "source", "log")
    assert seen("plan", lines=FULL | {"log": 0}) == ("plan", "detail", "variables")
    assert seen("plan", lines=EMPTY) == ("plan", "detail")


def test_three_columns_give_the_room_of_what_is_empty_to_the_others() -> None:
    def seen(*recent: str, lines: dict[str, int] = FULL) -> tuple[str, ...]:
        return arrange(200, 56, Wish(recent, lines)).views

    everything = ("plan", "source", "agents", "log", "detail", "variables", "timeline")
    assert seen("plan") == everything
    assert seen("plan", lines=FULL | {"timeline": 0, "source": 0}) == ("plan", "variables", "agents", "log", "detail")
    assert seen("plan", lines=FULL | {"log": 0, "variables": 0}) == ("plan", "source", "agents", "detail", "timeline")
    assert seen("log", lines=EMPTY) == ("plan", "log", "detail")


def test_while_little_was_written_the_widest_column_takes_what_would_stand_below_the_plan() -> None:
    lines = FULL | {"plan": 10, "agents": 4, "log": 8, "source": 54}
    for recent in (["plan"], ["source", "plan"]):
        found = arrange(200, 56, Wish(recent, lines))
        assert found.views == ("plan", "variables", "agents", "log", "source", "detail", "timeline")
        assert {slot.x for slot in found.slots if slot.view in ("agents", "log", "source")} == {61}


def test_the_tail_of_the_log_is_docked_where_there_are_rows_for_it() -> None:
    assert arrange(80, 21, Wish(["plan"], FULL)).views == ("plan", "log")
    assert arrange(80, 11, Wish(["plan"], FULL)).views == ("plan",)
    assert [slot.height for slot in arrange(80, 15, Wish(["agents"], FULL)).slots] == [10, 5]
    assert arrange(80, 21, Wish(["log"], FULL)).views == ("log",)
    assert arrange(80, 21, Wish(["plan"], EMPTY)).views == ("plan",)


def test_rows_go_where_they_are_wanted() -> None:
    assert share(20, [100, 100], [1, 1]) == [10, 10]
    assert share(20, [100, 100], [3, 1]) == [15, 5]
    assert share(20, [4, 100], [3, 1]) == [4, 16]
    assert share(20, [100, 1], [1, 1]) == [17, 3]
    assert share(20, [4, 5], [1, 1]) == [4, 16]
    assert share(30, [100, 4, 100], [1, 1, 1]) == [13, 4, 13]
    assert sum(share(5, [100, 100, 100], [5, 1, 1])) == 5
