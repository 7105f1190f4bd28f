"""What stands in a dialog of the debugger is within its frame on any screen, and where it is cut a mark says so."""

from typing import Any

import pytest
from console_app import console, until
from debugged_drive import DebuggedBehind
from textual.events import Resize
from textual.geometry import Size

from octogram_tui.engine.stimuli import BreakRequest
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.screens.dialogs import DialogText
from octogram_tui.tui.widgets.brush import cells_of
from tools.debugged_run import DebuggedRun

OPENED = (
    "edit_arguments", "edit_variable", "breakpoints", "new_breakpoint", "evaluate", "rerun_menu", "back_to_stage",
    "ask_verb", "changed_variables", "break('log')", "break('variable')", "clear_breakpoints", "about", "leave",
)  # fmt: skip


RUN = DebuggedRun().begin()
for number in range(1, 30):
    RUN.ask(BreakRequest(f"measure/judge@n_{number}", condition="vars.level > 2 and vars.limit < 30"))


def wrong_in(screen: Dialog[Any]) -> list[str]:
    """Say what is outside of the frame, or cut without a mark."""
    found = []
    frame = screen.query_one(".dialog")
    size = screen.app.size
    if not (frame.region.x >= 0 and frame.region.right <= size.width and frame.region.bottom <= size.height):
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


SIZES = [(80, 24), (60, 20), (30, 10)]


@pytest.mark.parametrize("name", OPENED)
async def test_every_dialog_of_the_debugger_fits_its_screen(name: str) -> None:
    source: Any = DebuggedBehind(RUN)
    app = console(source, history=source, ascii_only=len(name) % 2 == 0)
    async with app.run_test(size=SIZES[0]) as pilot:
        await until(pilot, lambda: app.model.head.seq == RUN.events[-1].seq)
        assert app.run_screen is not None
        await app.run_screen.perform(name)
        await until(pilot, lambda: isinstance(app.screen, Dialog))
        dialog = app.screen
        assert isinstance(dialog, Dialog)
        for width, height in SIZES:
            app.post_message(Resize(Size(width, height), Size(width, height)))
            await until(pilot, lambda size=(width, height): dialog.size == size)  # type: ignore[misc]
            assert wrong_in(dialog) == []
