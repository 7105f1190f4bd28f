"""Where each line of a log begins when long lines are wrapped: rows by line, kept while lines come and go."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from rich.cells import cell_len, chop_cells

from octogram_tui.projection.logbook import Line
from octogram_tui.projection.text import SHOWN_CHARACTERS, is_plain
from octogram_tui.tui.widgets.brush import Brush

LEAST_ROOM = 8
"""In fewer cells no text is wrapped: it is cut."""


class LogRows:
    """Rows of lines that are wrapped at `room` cells. A wide character is never halved."""

    def __init__(self, brush: Brush, room: int) -> None:
        self.room = max(LEAST_ROOM, room)
        self._brush = brush
        self._starts = [0]  # the row that each line begins with, and the one that comes next

    @property
    def line_count(self) -> int:
        """How many lines are laid out."""
        return len(self._starts) - 1

    @property
    def count(self) -> int:
        """How many rows they take."""
        return self._starts[-1] - self._starts[0]

    def lay(self, lines: Sequence[Line]) -> None:
        """Lay out lines that came."""
        starts, room = self._starts, self.room
        row = starts[-1]
        for line in lines:
            text = line.text
            length = len(text)
            if length > room or not is_plain(text):
                plain = is_plain(text) and length <= SHOWN_CHARACTERS
                row += -(-length // room) if plain else len(self._chopped(text))
            else:
                row += 1
            starts.append(row)

    def let_go(self, count: int) -> int:
        """Forget the first lines; returns how many rows they took."""
        rows = self._starts[count] - self._starts[0]
        del self._starts[:count]
        return rows

    def at(self, row: int) -> tuple[int, int]:
        """Say which line a row shows, and which part of it."""
        row += self._starts[0]
        line = bisect_right(self._starts, row) - 1
        return line, row - self._starts[line]

    def row_of(self, line: int) -> int:
        """Give the first row of a line."""
        return self._starts[line] - self._starts[0]

    def span(self, text: str, part: int) -> tuple[int, int]:
        """Say which characters of a line, as it is shown, a part of it has."""
        if is_plain(text):
            return part * self.room, (part + 1) * self.room
        parts = _chopped(text, self.room)
        begin = sum(len(each) for each in parts[:part])
        return begin, begin + (len(parts[part]) if part < len(parts) else 0)

    def _chopped(self, raw: str) -> list[str]:
        return _chopped(self._brush.line(raw), self.room)


def _chopped(text: str, room: int) -> list[str]:
    return chop_cells(text, room) if cell_len(text) > room else [text]
