"""An app whose looks are the user's: colours, keys, and the palette in which both are chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.app import ReturnType
from textual.command import CommandPalette
from textual.widgets._toast import ToastHolder

from octogram_tui import filing
from octogram_tui.errors import SettingsError
from octogram_tui.projection.text import safe
from octogram_tui.tui import theme as themes
from octogram_tui.tui.command_palette import Palette
from octogram_tui.tui.key_file import FILE, load_keys, template
from octogram_tui.tui.lending import editor_command
from octogram_tui.tui.live_keys import Keys
from octogram_tui.tui.terminal_app import TerminalApp
from octogram_tui.tui.widgets.brush import Brush


class LooksApp(TerminalApp[ReturnType]):
    """Has a brush that all draw with.

    config_dir   where the user's own themes and keys are
    chosen_keys  the preset that was asked for, whatever the file says; empty for the file's
    """

    brush: Brush
    config_dir: Path | None = None
    chosen_keys = ""
    editor = "vi"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._palette: Palette | None = None  # while it is open

    def sync(self) -> None:
        """Draw what changed."""
        raise NotImplementedError

    def way(self, action: str) -> str:
        """Say how an action is done now: by its key, or in the palette."""
        return self.brush.way(action)

    # The palette

    def action_command_palette(self) -> None:
        """Every verb by name."""
        if not isinstance(self.screen, CommandPalette):
            self._palette = Palette(self)
            self.open_dialog(self._palette)

    def on_command_palette_option_highlighted(self, message: CommandPalette.OptionHighlighted) -> None:
        """Show a theme while the palette's cursor stands on it."""
        if self._palette is not None and self._palette is self.screen:
            self._palette.show_theme_of(message.highlighted_event.option)

    def on_command_palette_closed(self, message: CommandPalette.Closed) -> None:
        """Show the theme that there was, unless one was chosen."""
        if self._palette is not None and not message.option_selected:
            self._palette.put_back()
        self._palette = None

    # Colours

    def clear_notifications(self) -> None:
        """Take what is told in passing off the screen; the library leaves its frames, which are blank rows."""
        super().clear_notifications()
        for holder in self.screen.query(ToastHolder):
            holder.remove()

    def action_use_theme(self, name: str) -> None:
        """Change the colours."""
        self.brush.use(palette := themes.palette(name, self.config_dir))
        self.register_theme(palette.theme)
        self.ansi_color = palette.theme.ansi
        self.theme = name
        self.sync()

    def tell_of_theme(self) -> None:
        """Say what cannot be read in a theme of the user's."""
        if said := self.brush.palette.complaints:
            more = f" (and {len(said) - 1} more)" if len(said) > 1 else ""
            self.notify(f"theme {self.brush.palette.name}: {said[0]}{more}", severity="warning", markup=False)

    # Keys

    def action_use_preset(self, name: str) -> None:
        """Change the keys to a preset; the user's own stay over it."""
        if self._load_keys(name):
            self.chosen_keys = name

    def use_keys(self, keys: Keys) -> None:
        """Change what the keys do."""
        self.brush.use_keys(keys)
        self.set_keymap(keys.for_textual())
        self.sync()

    def action_edit_keys(self) -> None:
        """Open the user's own keys in the editor, and take what was written there."""
        folder = self.config_dir
        if folder is None:
            self.notify("there is no configuration directory here", severity="warning", markup=False)
            return
        path = folder / FILE
        try:
            filing.make_private(folder)
            with path.open("x", encoding="utf-8") as file:
                file.write(template(self.brush.keys))
        except FileExistsError:
            pass
        except OSError as error:
            self.notify(f"cannot write {safe(str(path))}: {error.strerror}", severity="warning", markup=False)
            return
        self.notify(f"your keys are in {safe(str(path))}", markup=False)
        self.lend(lambda: editor_command(self.editor, str(path), 0), gone=self.action_reload_keys)

    def action_reload_keys(self) -> None:
        """Take the user's own keys as they are in the file now."""
        self._load_keys(self.chosen_keys)

    def _load_keys(self, preset: str) -> bool:
        try:
            self.use_keys(load_keys(self.config_dir, preset))
        except SettingsError as error:
            self.notify(f"{safe(error.message)}; {safe(error.hint)}", severity="warning", markup=False)
            return False
        return True
