"""A console whose frames go to a terminal that can be compared with what the whole screen would be."""

from typing import Any

import pytest
from cell_terminal import CellTerminal
from rich.color import ColorSystem
from textual._compositor import CompositorUpdate

from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.widgets.line_view import LineView


class DrawnConsole:
    """An app, and a terminal that gets what it draws."""

    def __init__(self, app: ConsoleApp, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.terminal = CellTerminal(*size)
        app.console._color_system = ColorSystem.TRUECOLOR
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
                for widget in screen.walk_children():
                    widget._styles_cache.clear()
                    if isinstance(widget, LineView):
                        widget._codes.clear()
                        widget._forget_painted()
        whole = CellTerminal(self.terminal.width, self.terminal.height)
        update = compositor.render_update(full=True, screen_stack=self.app._background_screens)
        assert isinstance(update, CompositorUpdate)
        whole.feed(update.render_segments(self.app.console))
        return self.terminal.differences(whole)
