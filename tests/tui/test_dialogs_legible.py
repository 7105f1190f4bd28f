"""What stands in a dialog of the debugger is within its frame on any screen, and where it is cut a mark says so."""

from typing import Any

import pytest
from console_app import console, until
from debugged_drive import DebuggedBehind
from textual.pilot import Pilot

from octogram_tui.engine.stimuli import BreakRequest
from octogram_tui.tui.app import ConsoleOutcome
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.screens.dialogs import DialogText
from octogram_tui.tui.widgets.brush import cells_of
from tools.debugged_run import SCENARIO

OPENED = (
    "edit_arguments", "edit_variable", "breakpoints", "new_breakpoint", "evaluate", "rerun_menu", "back_to_stage",
    "ask_verb", "changed_variables", "break('log')", "break('variable')", "clear_breakpoints", "about", "leave",
)  # fmt: skip


def wrong_in(screen: Dialog[Any]) -> list[str]:
    """Say what is outside of the frame, or cut without a mark."""
    found = []
    frame = screen.query_one(".dialog")
    size = screen.app.size
    if not (0 <= frame.region.x and frame.region.right <= size.width and frame.region.bottom <= size.height):
        found.append(f"the frame {frame.region} on {size}")
    inner = frame.content_region
    for text in screen.query(DialogText):
        if not text.display or not text.lines or not text.region:
            continue
        is_scrolled = frame.show_vertical_scrollbar
        if text.region.right > inner.right or (
            text.region.bottom > inner.bottom and not is_scrolled and size.height > 10
        ):
            found.append(f"{text.region} is not within {inner}: {text.lines}")
        for y, line in enumerate(text.lines):
            drawn = text.render_line(y).text.rstrip()
            if cells_of(line) > text.size.width and not drawn.endswith(("…", "...", "~", ">")):
                found.append(f"cut without a mark: {drawn!r}")
    return found


@pytest.mark.parametrize("is_ascii", [False, True])
async def test_every_dialog_of_the_debugger_fits_its_screen(is_ascii: bool) -> None:
    source: Any = DebuggedBehind(SCENARIO)
    app = console(source, history=source, ascii_only=is_ascii)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.model.head.seq == source.run.events[-1].seq)
        screen = app.run_screen
        assert screen is not None
        for number in range(1, 30):
            source.send(BreakRequest(f"measure/judge@n_{number}", condition="vars.level > 2 and vars.limit < 30"))
        await until(pilot, lambda: app.model.head.seq == source.run.events[-1].seq)
        wrong = []
        for name in OPENED:
            await screen.perform(name)
            await until(pilot, lambda: isinstance(app.screen, Dialog))
            dialog = app.screen
            assert isinstance(dialog, Dialog)
            for width, height in ((80, 24), (60, 20), (30, 10)):
                await resized(pilot, width, height)
                wrong += [f"{name} at {width}x{height}: {each}" for each in wrong_in(dialog)]
            dialog.dismiss(None)
            await until(pilot, lambda: app.screen is screen)
            await resized(pilot, 80, 24)
        assert not wrong, "\n".join(wrong)


async def resized(pilot: Pilot[ConsoleOutcome], width: int, height: int) -> None:
    await pilot.resize_terminal(width, height)
    await pilot.pause()
