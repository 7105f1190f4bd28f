"""A console whose frames go to a terminal that can be compared with what the whole screen would be."""

import asyncio
import gc
from typing import Any

import pytest
from cell_terminal import CellTerminal
from rich.color import ColorSystem
from rich.style import Style
from textual._compositor import CompositorUpdate
from textual.strip import Strip
from textual.widget import Widget

from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.widgets.line_view import LineView


def _forget_codes() -> None:
    """Have no style keep how it was written for the colours of another test's terminal: the library keeps the first."""
    gc.unfreeze()
    for one in gc.get_objects():
        if type(one) is Style:
            one._ansi = None
        elif type(one) is Strip:
            one._render_cache = None


LOOKS = 100
"""So many are taken until a screen that is about to be drawn must have been."""


class DrawnConsole:
    """An app, and a terminal that gets what it draws."""

    def __init__(self, app: ConsoleApp, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.terminal = CellTerminal(*size)
        app.console._color_system = ColorSystem.TRUECOLOR
        _forget_codes()
        shown = app._display

        def display(screen: Any, renderable: Any) -> None:
            if isinstance(renderable, CompositorUpdate) and not app._batch_count:
                self.terminal.feed(renderable.render_segments(app.console))
            shown(screen, None)

        monkeypatch.setattr(app, "_display", display)

    def differences(self, *, anew: bool) -> list[str]:
        """Say where the terminal is not as one frame of all would be. anew: made of nothing that anybody has kept."""
        compositor = self.app.screen._compositor
        if compositor._dirty_regions or compositor.size != self.app.size:
            return [f"not drawn yet: {compositor.size}, {self.app.size}, {compositor._dirty_regions}"]
        if anew:
            for screen in self.app.screen_stack:
                for widget in screen.walk_children(Widget):
                    widget._styles_cache.clear()
                    if isinstance(widget, LineView):
                        widget._codes.clear()
                        widget._forget_painted()
        whole = CellTerminal(self.terminal.width, self.terminal.height)
        update: Any = compositor.render_update(full=True, screen_stack=self.app._background_screens)
        whole.feed(update.render_segments(self.app.console))
        return self.terminal.differences(whole)

    async def settled_differences(self, *, anew: bool = False, turns: int = 25) -> list[str]:
        """Say so once all that is under way must have been drawn. turns: of the loop, before each look."""
        said: list[str] = []
        for _ in range(LOOKS):
            for _ in range(turns):
                await asyncio.sleep(0)
            self.app.screen._on_timer_update()
            said = self.differences(anew=anew)
            if not said:
                break
            await asyncio.sleep(0.02)
        return said
