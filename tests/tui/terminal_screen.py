"""A console in a pseudo-terminal whose screen is emulated: not which codes were sent, but what one would see."""

import contextlib
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import pexpect
import pyte
from fixtures_program import DEADLINE_S, PYTHONPATH, in_terminal

XTERM = {
    "black": "000000", "red": "cd0000", "green": "00cd00", "brown": "cdcd00", "blue": "0000ee", "magenta": "cd00cd",
    "cyan": "00cdcd", "white": "e5e5e5", "brightblack": "7f7f7f", "brightred": "ff0000", "brightgreen": "00ff00",
    "brightbrown": "ffff00", "brightblue": "5c5cff", "brightmagenta": "ff00ff", "brightcyan": "00ffff",
    "brightwhite": "ffffff", "bfightmagenta": "ff00ff",
}  # fmt: skip


def surroundings() -> dict[str, str]:
    """What a console sees in a terminal of many colours."""
    return {
        **os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", "PYTHONPATH": PYTHONPATH
    }  # fmt: skip


def pretended_run(*arguments: str) -> list[str]:
    """A console on a run that does not happen, to be started where the tools are."""
    return [sys.executable, "-m", "tools.pretended_run", *arguments]


class Cell(NamedTuple):
    """A cell as it is seen; `text` is the word around it, to find it again."""

    ink: str
    ground: str
    row: int
    text: str


class Terminal:
    """Reads what the program writes into an emulated screen. The default colours are white on black.

    shell: one that the program is started by, so that it can be stopped and brought back
    """

    def __init__(
        self, *arguments: str, size: tuple[int, int] = (80, 24), shell: Sequence[str] = (), **environment: str
    ) -> None:
        command = pretended_run(*arguments)
        self.screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self.screen)
        self.child = in_terminal(shell or command, env={**surroundings(), **environment}, size=size)
        if shell:
            self.child.send(shlex.join(command) + "\n")

    @classmethod
    def on(cls, child: pexpect.spawn, size: tuple[int, int]) -> "Terminal":
        """Show what something else than a pretended run writes."""
        self = cls.__new__(cls)
        self.screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self.screen)
        self.child = child
        return self

    def text(self) -> str:
        """Give what stands there; by `display` the library would measure each letter anew."""
        lines = (self.screen.buffer[row] for row in range(self.screen.lines))
        return "\n".join("".join([line[at].data for at in range(self.screen.columns)]) for line in lines)

    def until(self, seen: str, *, gone: str = "") -> None:
        """Read until a text stands on the screen, and another does not."""
        self.when(lambda: seen in self.text() and not (gone and gone in self.text()), f"{seen!r}, without {gone!r}")

    def when(self, condition: Callable[[], object], what: str) -> None:
        """Read until something holds."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come:\n{self.text()}"
            with contextlib.suppress(pexpect.TIMEOUT):
                self.take(self.child.read_nonblocking(65536, timeout=0.2))

    def take(self, text: str) -> None:
        """Show what the program wrote."""
        self._stream.feed(text)

    def read(self, within_s: float) -> None:
        """Read what comes for so long."""
        end = time.monotonic() + within_s
        while (left := end - time.monotonic()) > 0:
            with contextlib.suppress(pexpect.TIMEOUT):
                self._stream.feed(self.child.read_nonblocking(65536, timeout=left))

    def resize(self, columns: int, rows: int) -> None:
        """Be another size."""
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def press(self, keys: str, seen: str, *, gone: str = "") -> None:
        self.child.send(keys)
        self.until(seen, gone=gone)

    def cells(self) -> list[Cell]:
        """Every cell that holds a letter, a digit or a sign."""
        found = []
        for row in range(self.screen.lines):
            line = self.screen.buffer[row]
            written = [line[column].data for column in range(self.screen.columns)]
            for column in range(self.screen.columns):
                cell = line[column]
                if not cell.data.strip() or not (cell.data.isalnum() or cell.data in "✗✓▸∎◦↻»⊝⊘~.,:/"):
                    continue
                ink, ground = _seen(cell.fg, "e5e5e5"), _seen(cell.bg, "000000")
                if cell.reverse:
                    ink, ground = ground, ink
                text = "".join(written[max(0, column - 12) : column + 12])
                found.append(Cell(ink, ground, row, text))
        return found

    def close(self) -> None:
        self.child.close(force=True)


def _seen(colour: str, default: str) -> str:
    return default if colour == "default" else XTERM.get(colour, colour)


@cache
def contrast(one: str, other: str) -> float:
    """The ratio of WCAG, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
