"""The timeline as it is drawn: by the text of its lines."""

import pytest
from console_app import STARTED_S, StillSource, console, fleet_events, screen_text, settled, until

from octogram_tui.engine import events as ev
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.widgets.sparks import rising
from octogram_tui.tui.widgets.timeline_view import TimelineView, step_for, whole_s


def timeline_of(app: ConsoleApp) -> TimelineView:
    assert app.run_screen is not None
    view = app.run_screen.panes["timeline"]
    assert isinstance(view, TimelineView)
    return view


def lines_of(view: TimelineView, width: int = 80) -> dict[str, str]:
    """The rows by their names."""
    rows = ["".join(text for text, _ in view.paint(index, width)) for index in range(view.count())]
    return {row.label: line for row, line in zip(view._rows, rows, strict=True)}


async def test_bars_stand_where_jobs_ran_with_failures_retries_and_pauses() -> None:
    app = console(StillSource(fleet_events(200.0)))
    app.model._clock = app.model._ticks = lambda: STARTED_S + 30.0
    async with app.run_test(size=(80, 44)) as pilot:
        await settled(pilot)
        await pilot.press("5")
        view = timeline_of(app)
        lines = lines_of(view)
        assert lines["copy binaries"].startswith(" ✓   copy binaries        * ")
        waited = lines["wait_for_bootstrapped"]
        assert waited.index("✗", 3) < waited.index("↻"), "it failed, and was tried again"
        assert waited.rstrip().endswith("s")
        assert "░" in waited
        first, last = (lines[name] for name in ("unpack", "activate"))
        assert first.rindex("▆") < last.index("▆")
        assert "max 12" in screen_text(app)


async def test_ascii_only_has_no_other_sign() -> None:
    app = console(StillSource(fleet_events(200.0)), ascii_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("5", "h")
        assert screen_text(app).isascii()


async def test_nothing_has_run_yet() -> None:
    app = console(StillSource(fleet_events(0.1)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("5")
        assert "nothing has run yet" in screen_text(app)


async def test_the_cursor_asks_about_a_moment_by_key_and_by_mouse() -> None:
    app = console(StillSource(fleet_events(200.0)))
    async with app.run_test(size=(80, 44)) as pilot:
        await settled(pilot)
        await pilot.press("5", "h")
        view = timeline_of(app)
        assert " at once  paused" in "".join(text for text, _ in view.paint_header_line(0, 80))
        row = view.region.y + view.header_lines + 4
        await pilot.click(offset=(view.region.x + view._left(80) + 12, row))
        await until(pilot, lambda: view.column == 12)
        assert view.selected is view._rows[4]
        assert "│0:0" in screen_text(app)
        for _ in range(13):
            await pilot.press("h")
        assert view.column is None, "left of the first moment none is asked about"


async def test_a_stage_is_folded_and_a_row_chosen_in_the_plan_too() -> None:
    app = console(StillSource(fleet_events(200.0)))
    async with app.run_test(size=(80, 44)) as pilot:
        await settled(pilot)
        await pilot.press("5", "g")
        view = timeline_of(app)
        assert app.run_screen is not None
        await until(pilot, lambda: app.run_screen and app.run_screen.plan.selected is view.selected)
        before = view.count()
        await pilot.press("enter")
        assert view.count() == before - 2
        await pilot.press("j")
        assert view.selected is app.model.board.stages[1]


async def test_time_that_passes_draws_again_only_what_moves() -> None:
    now = [0.0]
    events = fleet_events(13.0, agents=6)
    app = console(StillSource(events))
    app.model._clock = app.model._ticks = lambda: STARTED_S + 13.3 + now[0]
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("5")
        view = timeline_of(app)
        assert app.model.board.in_flight
        painted = -1
        while painted != view.painted_lines:  # what the key asked for is drawn when it is its turn
            painted = view.painted_lines
            app.sync()
            await pilot.pause()
        now[0] += 0.25  # less than what changes the scale, more than a cell
        app.sync()
        await pilot.pause()
        assert 0 < view.painted_lines - painted <= 4, "the job that runs, its stage, the cursor"


def test_the_scale_changes_now_and_then_and_fits_what_is_over() -> None:
    scales = {whole_s(number / 10, is_over=False) for number in range(1, 600)}
    assert len(scales) < 90
    assert all(whole_s(now, is_over=False) > now for now in (0.0, 1.0, 59.9, 3_600.0, 1e6))
    assert whole_s(12.5, is_over=True) == 12.5
    assert step_for(200_000) == 259_200


@pytest.mark.parametrize(("share", "sign"), [(0.0, " "), (0.001, "▁"), (0.5, "▄"), (1.0, "█"), (7.0, "█")])
def test_a_share_is_one_sign_and_little_is_not_nothing(share: float, sign: str) -> None:
    assert rising(share, ascii_only=False) == sign
    assert rising(share, ascii_only=True).isascii()
    assert (rising(share, ascii_only=True) == " ") == (share == 0)


async def test_a_run_of_many_instances_costs_the_rows_that_are_seen() -> None:
    events = fleet_events(6.0, agents=300)
    app = console(StillSource(events))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("5")
        view = timeline_of(app)
        assert view.count() < 20, "jobs, whatever the number of their instances"
        assert sum(isinstance(event, ev.JobStarted) for event in events) > 600
        assert all(len(bar.spans.closed) < 100 for bar in app.model.timeline.bars.values())
