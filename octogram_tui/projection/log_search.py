"""A text that is looked for in a log: in which lines it is, where in them, and which of those one stands at."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable


class LogSearch:
    """Keeps the numbers of the lines that hold a text, from the first line on and as lines come and go.

    Capitals count only when the text has some. shown: how a line reads on the screen, which is what is searched.
    """

    def __init__(self, needle: str, shown: Callable[[str], str]) -> None:
        self.needle = needle
        self.numbers: list[int] = []  # absolute: they stay true while lines are let go
        self._is_exact = needle != needle.lower()
        self._pattern = re.compile(re.escape(needle), 0 if self._is_exact else re.IGNORECASE)
        self._shown = shown

    def take(self, texts: Iterable[str], first: int) -> None:
        """Look through lines that came; `first` is the number of the first of them."""
        needle, is_exact, shown, pattern = self.needle, self._is_exact, self._shown, self._pattern
        numbers = self.numbers
        for number, text in enumerate(texts, first):
            if not text.isascii() or not text.isprintable():
                if pattern.search(shown(text)) is not None:
                    numbers.append(number)
            elif needle in (text if is_exact else text.lower()):
                numbers.append(number)

    def anew(self) -> LogSearch:
        """Look for the same among other lines."""
        return LogSearch(self.needle, self._shown)

    def forget(self, before: int) -> None:
        """Let go of lines that are not there any more."""
        del self.numbers[: bisect_left(self.numbers, before)]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Say where in a line, as it is shown, the text is."""
        return [found.span() for found in self._pattern.finditer(text)]

    def place(self, number: int) -> int:
        """Say the how manieth of its lines a line is, from 1 on; 0 when it is none of them."""
        at = bisect_left(self.numbers, number)
        return at + 1 if at < len(self.numbers) and self.numbers[at] == number else 0

    def after(self, number: int) -> int | None:
        """Give the next line that has it, around the end."""
        if not self.numbers:
            return None
        at = bisect_right(self.numbers, number)
        return self.numbers[at % len(self.numbers)]

    def before(self, number: int) -> int | None:
        """Give the line before that has it, around the beginning."""
        if not self.numbers:
            return None
        return self.numbers[bisect_left(self.numbers, number) - 1]
