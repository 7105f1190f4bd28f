"""The app of what stands before a run: one screen, which ends with what was chosen on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from octogram_tui.settings import Settings, prepare_textual
from octogram_tui.tui import theme as themes
from octogram_tui.tui.key_file import load_keys
from octogram_tui.tui.lending import editor_command
from octogram_tui.tui.live_keys import Keys
from octogram_tui.tui.model import Model
from octogram_tui.tui.terminal import ConsoleSignals, draw_on_terminal, draws_ascii_only
from octogram_tui.tui.terminal_app import TerminalApp
from octogram_tui.tui.widgets.brush import Brush

Chosen = TypeVar("Chosen")


class EntryApp(TerminalApp[Chosen | None]):
    """Shows one screen. Left without a choice it gives None."""

    TITLE = "octogram-tui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "leave", show=False, system=True, priority=True)]

    def __init__(
        self,
        make_screen: Callable[[EntryApp[Chosen]], Screen[Any]],
        *,
        palette: str = themes.DEFAULT,
        ascii_only: bool = False,
        editor: str = "vi",
        keys: Keys | None = None,
        config_dir: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(css_path=str(themes.stylesheet()), ansi_color=themes.palette(palette, config_dir).theme.ansi)
        self.brush = Brush(themes.palette(palette, config_dir), ascii_only=ascii_only, keys=keys)
        self.set_keymap(self.brush.keys.for_textual())
        self.model = Model()  # of no run: panes of lines want one
        self.clock = clock
        self._editor = editor
        self._make_screen = make_screen
        self._signals: ConsoleSignals | None = None
        self.register_theme(self.brush.palette.theme)
        self.theme = palette

    def get_default_screen(self) -> Screen[Any]:
        """Start with the screen."""
        return self._make_screen(self)

    def on_mount(self) -> None:
        """Say how lines are drawn."""
        self.set_class(self.brush.ascii_only, "-ascii")

    def action_leave(self) -> None:
        """Choose nothing."""
        self.exit(None)

    action_interrupt = action_leave

    def edit_file(self, path: str, line: int, then: Callable[[], None]) -> None:
        """Lend the terminal to the editor. then: what to do when it has ended."""
        self.lend(lambda: editor_command(self._editor, path, line), gone=then)

    def listen_to_signals(self) -> None:
        """Leave on a signal, as on `q`."""
        leave = partial(self.call_later, self.exit_now, None)
        self._signals = ConsoleSignals(self.signals(interrupt=leave, leave=leave), woken=self.background.woken)
        self._signals.install()

    def on_unmount(self) -> None:
        """Give the signals back."""
        if self._signals is not None:
            self._signals.remove()


class Entry(Generic[Chosen]):
    """Opens a screen on the terminal, as the settings have it, and waits for the choice."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def choose(self, make_screen: Callable[[EntryApp[Chosen]], Screen[Any]]) -> Chosen | None:
        """Give what was chosen; None when the screen was left. Raises SettingsError."""
        prepare_textual()
        draw_on_terminal()
        settings = self._settings
        app: EntryApp[Chosen] = EntryApp(
            make_screen,
            palette=themes.WITHOUT_COLOUR if settings.no_color else settings.theme or themes.default(),
            ascii_only=settings.ascii or draws_ascii_only(is_linux_terminal=settings.is_linux_terminal),
            editor=settings.editor,
            keys=load_keys(settings.config_dir, settings.keys),
            config_dir=settings.config_dir,
        )
        app.write_faults_to(settings.state_dir)
        app.call_later(app.listen_to_signals)
        return asyncio.run(app.run_async())
