"""What stands beside what: which panes are seen at a size, and where each is. It draws nothing, and knows no widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from octogram_tui.tui.views import BY_NAME, VIEWS

Layout = Literal["single", "tabs", "pair", "columns"]

TAB_COLUMNS = 80
PAIR_COLUMNS = 120
ALL_COLUMNS = 160

DOCK_ROWS = 12
"""On fewer rows for panes the tail of the log is not docked."""
TITLE_ROWS = 10
"""On fewer rows a pane that is alone has no title: its tab says the same."""
STACK_ROWS = 14
"""On fewer rows nothing stands below another pane, but what was asked for."""
BOTTOM_ROWS = 30
"""On fewer rows nothing lies across the whole width."""
THIRD_ROWS = 44
"""From so many rows on, three panes stand above each other."""
SPARE_ROWS = 8
"""What the plan leaves is filled from so many rows on."""
WIDE_SPARE_ROWS = 14
"""So is what the middle of three columns leaves, with what would stand below the plan."""
LEAST_ROWS = 3
"""What stands above or below another pane has at least its title and two lines."""
EMPTY_ROWS = 3
"""What a pane takes that has nothing to show but says why."""


class Slot(NamedTuple):
    """Where a view is: its title, if it has one, is the first of its rows."""

    view: str
    x: int
    y: int
    width: int
    height: int
    has_title: bool = True


class Arrangement(NamedTuple):
    """All that is seen, and the lines between the columns: column, first row, rows."""

    slots: tuple[Slot, ...]
    rules: tuple[tuple[int, int, int], ...] = ()

    @property
    def views(self) -> tuple[str, ...]:
        """What is seen, in the order of the tab key."""
        return tuple(slot.view for slot in self.slots)


class Wish(NamedTuple):
    """What is to be arranged.

    recent  the views that the operator went to, the latest first; the first is always seen
    lines   how many lines each view could fill; 0: it has nothing to show, and gives its room away
    """

    recent: Sequence[str]
    lines: Mapping[str, int]
    is_zoomed: bool = False

    def latest(self, views: Sequence[str]) -> str:
        """Pick the one that the operator went to last; the first as long as he went to none of them."""
        return next((view for view in self.recent if view in views), views[0] if views else "")

    def is_wanted(self, view: str) -> bool:
        """Whether it has something to show, or was asked for."""
        return bool(view) and (view == self.recent[0] or bool(self.lines.get(view)))


def layout_of(width: int, *, is_zoomed: bool = False) -> Layout:
    """Choose an arrangement; a maximised pane is alone."""
    if is_zoomed or width < TAB_COLUMNS:
        return "single"
    return "tabs" if width < PAIR_COLUMNS else "pair" if width < ALL_COLUMNS else "columns"


def arrange(width: int, height: int, wish: Wish) -> Arrangement:
    """Give each view that is seen its place."""
    if width <= 0 or height <= 0:
        return Arrangement(())
    match layout_of(width, is_zoomed=wish.is_zoomed):
        case "single":
            return Arrangement((Slot(wish.recent[0], 0, 0, width, height, height >= TITLE_ROWS),))
        case "tabs":
            return Arrangement(stack(_tabbed(height, wish), wish, 0, 0, width, height, weights=(2, 1)))
        case "pair":
            return _pair(width, height, wish)
    return _columns(width, height, wish)


def _pair(width: int, height: int, wish: Wish) -> Arrangement:
    cells = max(57, min(74, width * 12 // 25))
    beside = _beside(height, wish)
    left = _under_plan(height, wish, [view for view in ("source", "agents", "variables") if view not in beside])
    slots = stack(left, wish, 0, 0, cells, height)
    return Arrangement((*slots, *stack(beside, wish, cells + 1, 0, width - cells - 1, height)), ((cells, 0, height),))


def _under_plan(height: int, wish: Wish, others: Sequence[str]) -> list[str]:
    """The plan, and what fills the room that it leaves."""
    left = height - wish.lines.get("plan", 0) - 1
    other = next((view for view in others if wish.lines.get(view)), "")
    return ["plan", other] if other and left >= SPARE_ROWS else ["plan"]


def _tabbed(height: int, wish: Wish) -> list[str]:
    """One view, and below it the tail of the log."""
    view = wish.recent[0]
    has_dock = height >= DOCK_ROWS and view not in ("log", "detail") and wish.lines.get("log")
    return [view, "log"] if has_dock else [view]


def _beside(height: int, wish: Wish) -> list[str]:
    """What stands beside the plan: log over inspector, or what was asked for over the log."""
    chosen = next((view for view in wish.recent if view != "plan"), "")
    order = dict.fromkeys((chosen, "log", "detail", "variables", "agents"))
    wanted = [view for view in order if view and (view == chosen or wish.is_wanted(view))] or ["detail"]
    room = 1 if height < STACK_ROWS else 2 if height < THIRD_ROWS else 3
    seen = wanted[:room]
    return ["log", *(view for view in seen if view != "log")] if chosen == "detail" and "log" in seen else seen


def _columns(width: int, height: int, wish: Wish) -> Arrangement:
    if height < STACK_ROWS and BY_NAME[wish.recent[0]].place in ("left-too", "bottom"):
        return _pair(width, height, wish)  # neither below the plan nor below everything there is room for it
    left = max(46, min(64, width * 3 // 10))
    right = max(42, min(62, width * 7 // 25))
    bottom = _latest_at("bottom", wish)
    low = 0
    if bottom and (height >= BOTTOM_ROWS or bottom == wish.recent[0]) and wish.is_wanted(bottom):
        low = max(LEAST_ROWS + 1, min(wish.lines.get(bottom, 0) + 1, height // 4, 12))
    high = height - low
    slots: list[Slot] = []
    rules: list[tuple[int, int, int]] = []
    x = 0
    stacked = {column: _stacked(column, high, wish) for column in ("left", "middle", "right")}
    unused = high - sum(1 + wish.lines.get(view, 0) for view in stacked["middle"])
    if len(stacked["left"]) > 1 and unused >= WIDE_SPARE_ROWS:  # little was written yet: the widest column has room
        stacked["middle"] += stacked["left"][1:]
        stacked["left"] = ["plan"]
    spare = [view for view in stacked["right"][1:] if view != wish.recent[0]]
    if stacked["left"] == ["plan"] and len(_under_plan(high, wish, spare)) > 1:
        stacked["left"] += spare
        stacked["right"] = stacked["right"][:1]
    for column, cells in (("left", left), ("middle", width - left - right - 2), ("right", right)):
        slots += stack(stacked[column], wish, x, 0, cells, high)
        x += cells
        if x < width:
            rules.append((x, 0, high))
            x += 1
    if low:
        slots.append(Slot(bottom, 0, high, width, low))
    return Arrangement(tuple(slots), tuple(rules))


def _latest_at(place: str, wish: Wish) -> str:
    return wish.latest([view.name for view in VIEWS if view.place == place])


def _stacked(column: str, height: int, wish: Wish) -> list[str]:
    """What stands in a column: its main view, and another one where there is room for it and it shows something."""
    main = next(view.name for view in VIEWS if view.place == column)
    other = _latest_at(f"{column}-too", wish)
    if not other or not wish.is_wanted(other) or (height < STACK_ROWS and other != wish.recent[0]):
        return [main]
    if not wish.is_wanted(main) and column != "left":
        return [other]
    if height < STACK_ROWS:
        return [other]
    return [other, main] if BY_NAME[other].is_above else [main, other]


def stack(
    views: Sequence[str], wish: Wish, x: int, y: int, width: int, height: int, *, weights: Sequence[int] = ()
) -> tuple[Slot, ...]:
    """Put views above each other; `weights` go before their own."""
    if len(views) == 1:
        return (Slot(views[0], x, y, width, height, height >= TITLE_ROWS),)
    wanted = [1 + (wish.lines.get(view) or EMPTY_ROWS) for view in views]
    if views[0] == "plan" and wanted[0] <= height - SPARE_ROWS:
        rows = [max(LEAST_ROWS, wanted[0])]  # it is not cut for the sake of what fills the rest
        rows += share(height - rows[0], wanted[1:], [1] * len(wanted[1:]))
    else:
        rows = share(height, wanted, weights or [BY_NAME[view].weight for view in views])
    slots = []
    for view, count in zip(views, rows, strict=True):
        slots.append(Slot(view, x, y, width, count))
        y += count
    return tuple(slots)


def share(height: int, wanted: Sequence[int], weights: Sequence[int]) -> list[int]:
    """Deal rows out by weight; what somebody does not want goes to the others, and what nobody wants to the last."""
    least = min(LEAST_ROWS, height // len(wanted))
    rows = [0] * len(wanted)
    left = height
    hungry = list(range(len(wanted)))
    while hungry:
        weight = sum(weights[index] for index in hungry)
        parts = {index: max(least, left * weights[index] // weight) for index in hungry}
        modest = [index for index in hungry if wanted[index] <= parts[index]]
        if not modest:
            for index in hungry[1:]:
                rows[index] = parts[index]
                left -= parts[index]
            rows[hungry[0]] = max(0, left)
            return rows
        for index in modest:
            rows[index] = max(least, wanted[index])
            left -= rows[index]
            hungry.remove(index)
    rows[-1] += max(0, left)
    return rows
