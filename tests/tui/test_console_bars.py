"""The lines around the panes: what they say in each state and width, and that what stands there can be clicked."""

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from textual.events import MouseScrollUp
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import ProblemEntry
from octogram_tui.tui.app import ConsoleApp, ConsoleOutcome
from octogram_tui.tui.live_keys import Keys
from octogram_tui.tui.screens.help_screen import HelpScreen
from octogram_tui.tui.widgets.next_up import next_up

AT_FAILURE = 40.0


def lines(app: ConsoleApp) -> list[str]:
    return screen_text(app).splitlines()


async def click(pilot: Pilot[ConsoleOutcome], text: str) -> None:
    """Click where a text stands on the screen first."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    y, line = next((y, line) for y, line in enumerate(lines(app)) if text in line)
    await pilot.click(offset=(line.index(text) + 1, y))
    await pilot.pause()


async def test_at_a_failure_the_keys_that_repair_it_come_first_and_fit_80_columns() -> None:
    async with console(StillSource(fleet_events(AT_FAILURE))).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        keys = lines(app)[-1]
        assert keys.split()[::2][:2] == ["e", "R"]
        for hint in ("e Edit", "R Redo failed", "r Rerun", "S Skip", "Spc Go", "? Help"):
            assert hint in keys
        app.use_keys(Keys({"edit": ("f2",)}))
        app.sync()
        await pilot.pause()
        assert "F2 Edit" in lines(app)[-1]


@pytest.mark.parametrize("width", [20, 40, 79, 80, 120])
async def test_help_keeps_its_place_and_the_state_is_said_at_every_width(width: int) -> None:
    async with console(StillSource(fleet_events(AT_FAILURE))).run_test(size=(width, 24)) as pilot:
        app = await settled(pilot)
        assert "? Help" in lines(app)[-1]
        assert "PAUSED" in lines(app)[0]
        assert lines(app)[0].rstrip().endswith("0:21")


async def test_what_stands_in_the_bars_can_be_clicked() -> None:
    async with console(StillSource(fleet_events(AT_FAILURE))).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        await click(pilot, "agents 12/12")
        assert screen.pane == "agents"
        await click(pilot, "─ Log ")
        assert screen.pane == "log"
        await click(pilot, "✗1")
        assert screen.pane == "plan"
        assert screen.plan.selected is app.model.board.first_failure
        await click(pilot, "? Help")
        assert isinstance(app.screen, HelpScreen)


async def test_the_wheel_scrolls_the_pane_below_it_whatever_has_the_keys() -> None:
    async with console(StillSource(fleet_events(AT_FAILURE, agents=60))).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        log = screen.log_pane
        assert screen.pane == "plan"
        before, plan_before = log.scroll_offset.y, screen.plan.scroll_offset.y
        x, y = log.region.x + 3, log.region.y + 2
        event = MouseScrollUp(None, x, y, 0, -1, 0, False, False, False, screen_x=x, screen_y=y)
        screen._forward_event(event)
        await until(pilot, lambda: log.scroll_offset.y != before or not log.is_following)
        assert screen.plan.scroll_offset.y == plan_before
        assert screen.pane == "plan"


async def test_the_file_is_marked_while_what_is_on_disk_is_refused() -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert "fleet.yml  RUNNING" in lines(app)[0]
        problem: ProblemEntry = {"file": "fleet.yml", "line": 1, "message": "no", "hint": ""}
        source.tell(ev.ScenarioRejected(seq=9000, at_s=7.0, problems=[problem]))
        await until(pilot, lambda: app.model.board.seq == 9000)
        assert "fleet.yml*  RUNNING" in lines(app)[0]


async def test_the_way_is_drawn_by_stages_where_there_is_room() -> None:
    for width, is_drawn in ((100, False), (120, True)):
        async with console(StillSource(fleet_events(AT_FAILURE))).run_test(size=(width, 30)) as pilot:
            app = await settled(pilot)
            assert ("[#########---------]" in lines(app)[0]) is is_drawn  # four of eight


async def test_what_comes_next_is_named_and_the_others_are_counted() -> None:
    async with console(StillSource(fleet_events(6.0, paused=True))).run_test(size=(200, 40)) as pilot:
        app = await settled(pilot)
        board = app.model.board
        first, second, _ = board.queue.first(3)
        assert first.job is second.job
        said = "".join(text for text, _ in next_up(app.model, app.brush, 100)).rstrip()
        assert said.startswith(f"next: {first.job.name} @ {first.agent}, then {second.agent}, ")
        assert said.endswith(f"({len(board.queue) - 3} more)")
        assert said in screen_text(app)
        for width in range(60):
            assert len("".join(text for text, _ in next_up(app.model, app.brush, width))) <= width


async def test_whoever_is_not_alone_is_told_how_many_they_are() -> None:
    source = StillSource(fleet_events(AT_FAILURE))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert "attached" not in lines(app)[0]
        source.consoles = 2
        app.sync()
        await until(pilot, lambda: "attached 2" in lines(app)[0])
        source.has_control = False
        app.sync()
        await until(pilot, lambda: "attached 2" in lines(app)[0] and " ro " in lines(app)[0])
