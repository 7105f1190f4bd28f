"""The lines of a plain log: harmless, in colour where allowed, written in one piece."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Literal, TextIO

from octogram_tui.dataclass import dataclass
from octogram_tui.projection.text import coloured, printed, safe
from octogram_tui.report import phrases
from octogram_tui.streams import lacks_signs

if TYPE_CHECKING:
    from octogram_tui.report.service import Service

QUIET, NORMAL, VERBOSE = -1, 0, 1
Shows = Literal["stream", "prefixed", "grouped", "failed"]
"""Which lines of the jobs' output are shown: as they come, bare or with whose they are; by job; of failures only."""


@dataclass(frozen=True, slots=True)
class Style:
    """How lines look. level: QUIET (failures and the end), NORMAL, or VERBOSE (all else too).

    output: what is shown of the jobs' output; empty: of failures, or with VERBOSE as it comes, prefixed
    service: the CI service that reads them; words: states are words, not signs, for who listens to them
    """

    level: int = NORMAL
    color: bool = False
    ascii_only: bool = False
    output: Shows | Literal[""] = ""
    service: Service | None = None
    timestamps: bool = False
    words: bool = False

    @property
    def shows(self) -> Shows:
        """Give what is shown of the jobs' output."""
        return self.output or ("prefixed" if self.level >= VERBOSE else "failed")


@dataclass(slots=True)
class PlainLog:
    """Makes lines of a style, and writes them in one piece. A reader that goes away is not waited for."""

    stream: TextIO
    style: Style
    is_broken: bool = False
    stamp: str = ""  # what each line begins with
    _pending: list[str] = field(default_factory=list)

    def text(self, value: object) -> str:
        """Make text from outside harmless."""
        return phrases.disarmed(safe(value, ascii_only=self.style.ascii_only))

    def output(self, line: str) -> str:
        """Make a line of a program's output harmless: with its own colours where colour is on, else without."""
        if self.style.color:
            return phrases.disarmed(coloured(line, ascii_only=self.style.ascii_only))
        return self.text(printed(line))

    def mark(self, state: str) -> str:
        """Give the sign of a state, in its colour."""
        # Letters that the stream lacks are replaced where it is written; the signs are ours to choose.
        is_plain = self.style.words or self.style.ascii_only or lacks_signs(self.stream)
        sign = (phrases.WORDS if is_plain else phrases.GLYPHS).get(state, "?")
        return self.colored(sign, phrases.COLORS.get(state, ""))

    def colored(self, text: str, code: str) -> str:
        """Colour a text of ours, when colour is allowed."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.style.color and code else text

    def add(self, line: str) -> None:
        """Write a line with the next flush. No CI service takes it for a command, whatever it begins with or holds.

        Its texts are harmless each; what they make together may not be.
        """
        self._pending.append(f"{self.stamp}{phrases.unobeyed(phrases.disarmed(line))}")

    def order(self, commands: Sequence[str]) -> None:
        """Write lines that the CI service is to obey: they have to begin as they are."""
        self._pending.extend(commands)

    @property
    def has_pending(self) -> bool:
        """Whether something was added since the last flush."""
        return bool(self._pending)

    def quote(self, lines: Sequence[str], indent: str = "    ") -> None:
        """Write lines of output, marked as such."""
        for line in lines:
            self.add(f"{indent}| {self.output(line)}".rstrip())

    def drop(self) -> None:
        """Forget what was added."""
        self._pending.clear()

    def flush(self) -> None:
        """Write what was added."""
        lines, self._pending = self._pending, []
        if not lines or self.is_broken:
            return
        try:
            self.stream.write("\n".join(lines) + "\n")
            self.stream.flush()
        except (OSError, ValueError):  # a pipe nobody reads, a terminal that was closed
            self.is_broken = True
            self._discard()

    def _discard(self) -> None:
        """Send what the stream still holds nowhere, or the interpreter complains about it when it ends."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
