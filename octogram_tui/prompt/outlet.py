"""Where lines go: appended, never over others, and past a line that somebody is typing."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import TextIO

QUIET_S = 0.2
"""After so long without a line the prompt is written again: not after each of many."""


class Outlet(io.TextIOBase):
    """A text stream of whole lines. A prompt that stands open is left on its line, and written again below.

    typed: gives what has been typed behind the prompt so far
    """

    def __init__(self, stream: TextIO, prompt: str, typed: Callable[[], str] = str) -> None:
        super().__init__()
        self._stream = stream
        self._prompt = prompt
        self._typed = typed
        self._is_open = False  # somebody may type
        self._is_there = False  # the prompt stands at the end of what was written
        self._again: asyncio.TimerHandle | None = None
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
            self._put(f"\n{text}" if self._is_there else text)
            self._is_there = False
            if self._is_open and self._again is None:
                self._again = asyncio.get_running_loop().call_later(QUIET_S, self._write_prompt)
        return len(text)

    def open_prompt(self, *, writes: bool) -> None:
        """Somebody may type now; `writes`: the prompt is ours to write the first time too."""
        self._is_open = self._is_there = True
        if writes:
            self._put(self._prompt)

    def close_prompt(self) -> None:
        """A line was typed."""
        self._is_open = self._is_there = False
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _write_prompt(self) -> None:
        self._again = None
        self._is_there = True
        self._put(f"{self._prompt}{self._typed()}")

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
