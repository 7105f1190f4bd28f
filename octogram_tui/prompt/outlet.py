"""Where lines go: appended, never over others, and past a line that somebody is typing."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TextIO


class Outlet(io.TextIOBase):
    """A text stream of whole lines. While a prompt stands open it is left on its line, and written again below.

    typed: gives what has been typed behind the prompt so far
    """

    def __init__(self, stream: TextIO, prompt: str, typed: Callable[[], str] = str) -> None:
        super().__init__()
        self._stream = stream
        self._prompt = prompt
        self._typed = typed
        self._is_open = False
        self._kept: list[str] | None = None  # while the terminal is lent
        self.is_broken = False

    def say(self, *lines: str) -> None:
        """Write lines."""
        self.write("".join(f"{line}\n" for line in lines))

    def write(self, text: str) -> int:
        """Write text that ends with its line."""
        if self._kept is not None:
            self._kept.append(text)
        elif text:
            self._put(f"\n{text}{self._prompt}{self._typed()}" if self._is_open else text)
        return len(text)

    def open_prompt(self, *, writes: bool) -> None:
        """Somebody may type now; `writes`: we write the prompt ourselves."""
        self._is_open = True
        if writes:
            self._put(self._prompt)

    def close_prompt(self) -> None:
        """A line was typed."""
        self._is_open = False

    def lend(self) -> None:
        """Keep what is written until the terminal is back."""
        self._kept = []

    def take_back(self) -> None:
        """Write what was kept."""
        kept, self._kept = self._kept, None
        self.write("".join(kept or ()))

    def _put(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self.is_broken = True
