"""Asks where a text is to be written, and writes it: never over a file without another word."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Key, Paste
from textual.widgets import Input

from octogram_tui.filing import write_whole
from octogram_tui.tui.format import plural
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.screens.dialogs import TITLE_ROWS, DialogText, room_of
from octogram_tui.tui.widgets.brush import Brush, Piece, fit
from octogram_tui.tui.widgets.typed_line import TypedLine

LABEL_CELLS = 7
NAME_CHARACTERS = 60


def file_name(title: str, suffix: str = ".log") -> str:
    """Make a name out of a title, that no file here has yet."""
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-.") or "output"
    stem = words[:NAME_CHARACTERS]
    names = [f"{stem}{suffix}", *(f"{stem}-{number}{suffix}" for number in range(2, 1000))]
    return next((name for name in names if not os.path.lexists(name)), names[0])


class SaveForm(Dialog[str]):
    """Gives where the text was written, or None for nowhere. Enter writes; a file that is there takes another enter."""

    def __init__(self, brush: Brush, title: str, text: str | Callable[[Path], str], name: str) -> None:
        super().__init__()
        self.brush = brush
        self._text_for = (lambda _: text) if isinstance(text, str) else text  # by where it is to go
        self._problem = ("", "")  # a name, and what is wrong with it
        self._asked = ""  # the path over which another enter writes
        self._is_writing = False
        self.path_field = TypedLine(name, id="save-path")
        self.heading = DialogText(brush, [[(title, "strong")]])
        self.says = DialogText(brush, [])

    def compose(self) -> ComposeResult:
        """A line to fill in, and what it says to that."""
        with Vertical(classes="dialog", id="prompt"):
            yield self.heading
            yield Horizontal(DialogText(self.brush, [[(fit("file", LABEL_CELLS), "dim")]]), self.path_field)
            yield self.says

    def on_mount(self) -> None:
        """Take the keys."""
        self.set_focus(self.path_field)
        self.path_field.cursor_position = len(self.path_field.value)
        self._say()

    def on_resize(self) -> None:
        """Say it in what room there is."""
        self.heading.display = self.app.size.height >= TITLE_ROWS
        self._say()

    def on_input_changed(self, _: Input.Changed) -> None:
        """What was said was about another name."""
        self._say()

    @property
    def path(self) -> Path:
        """Where it is to be written."""
        return Path(self.path_field.value.strip()).expanduser()

    def _say(self) -> None:
        room = room_of(self.app.size.width)
        lines = self._text_for(self.path).count("\n") + 1
        line: Piece = (fit(f"enter: write {plural(lines, 'line')}   esc: never mind", room).rstrip(), "faint")
        name, problem = self._problem
        if problem and name == self.path_field.value:
            line = (fit(self.brush.text(problem), room).rstrip(), "failed")
        elif self._asked and self._asked == self.path_field.value:
            line = (fit("that file is there: enter again writes over it", room).rstrip(), "retrying")
        self.says.show([[line]])

    async def take_input(self, event: Key | Paste) -> bool:
        """Type, write, or leave."""
        key = event.key if isinstance(event, Key) else ""
        if key == "escape":
            self.dismiss(None)
        elif key == "enter":
            self._write()
        else:
            return await self.path_field.take_input(event)
        return True

    def _write(self) -> None:
        typed = self.path_field.value
        if not typed.strip():
            self._problem = (typed, "type the name of a file")
        elif self.path.is_dir():
            self._problem = (typed, f"{typed} is a directory")
        elif os.path.lexists(self.path) and self._asked != typed:
            self._asked = typed
        elif not self._is_writing:
            self._is_writing = True
            self.run_worker(self._written(typed, self.path), exclusive=True)
        self._say()

    async def _written(self, typed: str, path: Path) -> None:
        try:
            data = (self._text_for(path) + "\n").encode("utf-8", "replace")
            await asyncio.to_thread(write_whole, path, data)
        except OSError as error:
            self._problem = (typed, f"cannot write {path}: {error.strerror or error}")
        except ValueError as error:  # a name that cannot be one
            self._problem = (typed, f"cannot write there: {error}")
        else:
            self.dismiss(str(path))
            return
        self._is_writing = False
        self._say()
