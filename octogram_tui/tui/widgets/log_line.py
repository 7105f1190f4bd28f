"""How a line of a log looks: a sign for what went to stderr, when, who, and the text with what was searched for."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from zlib import crc32

from rich.cells import cell_len

from octogram_tui.projection.ansi import recoloured
from octogram_tui.projection.logbook import Line
from octogram_tui.tui.format import stamp
from octogram_tui.tui.widgets.brush import CUT, Brush, Piece, cells_of, fit_name, window
from octogram_tui.tui.widgets.log_rows import LogRows
from octogram_tui.tui.widgets.log_tab import LogTab

NAME_CELLS = 16
NAME_STYLES = 6
RULE_CELLS = 400

Times = Literal["", "run", "day"]
"""Which times stand before lines: none, that since the run's start, or that of the day."""
NEXT_TIMES: dict[Times, Times] = {"": "run", "run": "day", "day": ""}


class LogPainter:
    """Draws lines. `started_s` is when the run began, by the clock; None where that is not known."""

    def __init__(self, brush: Brush) -> None:
        self.brush = brush
        self.times: Times = ""
        self.started_s: float | None = None
        self.name_cells = 0

    def measure(self, tab: LogTab, width: int) -> int:
        """Make room for the names of a log; returns the cells that stand before each text."""
        longest = tab.longest_name(lambda name: cell_len(self.brush.text(name, limit=NAME_CELLS)))
        self.name_cells = min(longest, NAME_CELLS, width // 4)
        return cells_of(self._prefix(0.0, "", ""))

    def paint(self, tab: LogTab, number: int, width: int, rows: LogRows | None = None, part: int = 0) -> list[Piece]:
        """Draw a line, or, with `rows`, one part of it."""
        line = tab.lines[number]
        if line.stream in ("gap", "attempt"):
            return self._rule(line, width)
        prefix = self._prefix(line.at_s, tab.name_of(line.origin), line.stream)
        pieces = self.brush.output(line.text, "stderr" if line.stream == "stderr" else "")
        if tab.search is not None:
            spans = tab.search.spans("".join(text for text, _ in pieces))
            is_here = number + tab.view.removed == tab.match
            pieces = overlaid(pieces, spans, "match-here" if is_here else "match")
        if rows is not None:
            begin, end = rows.span("".join(text for text, _ in pieces), part)
            if part:
                prefix = [prefix[0], (" " * cells_of(prefix[1:]), "")]
            return [*prefix, *_between(pieces, begin, end)]
        room = width - cells_of(prefix)
        seen = window(pieces, tab.left, room)
        if cells_of(pieces) > tab.left + room:
            seen = [*window(seen, 0, room - 1), (CUT, "faint")]
        return [*prefix, *seen]

    def text_cells(self, line: Line) -> int:
        """How many cells the text of a line takes."""
        return cell_len(self.brush.line(line.text))

    def plain(self, tab: LogTab, line: Line, *, has_colours: bool = False) -> str:
        """Write the whole of a line for the clipboard, a file or a pager, with what is shown before it."""
        if line.stream in ("gap", "attempt"):
            return self._rule_text(line)
        parts = [self.when(line.at_s)] if self.times else []
        parts += [self.brush.text(tab.name_of(line.origin))] if self.name_cells else []
        text = recoloured(line.text, ascii_only=self.brush.ascii_only) if has_colours else self.brush.line(line.text)
        return " ".join([*parts, text])

    def room(self, width: int) -> int:
        """How many cells there are for the text."""
        return max(1, width - cells_of(self._prefix(0.0, "", "")))

    @property
    def prefix_characters(self) -> int:
        """With how many characters a row begins that only goes on with a line."""
        return cells_of(self._prefix(0.0, "", ""))

    def when(self, at_s: float) -> str:
        """Say when, in the manner that is chosen."""
        if self.times == "day" and self.started_s is not None:
            return datetime.fromtimestamp(self.started_s + at_s).strftime("%H:%M:%S.%f")[:-3]
        return stamp(at_s)

    def _prefix(self, at_s: float, name: str, stream: str) -> list[Piece]:
        sign = self.brush.pick("╎", ":") if stream == "stderr" else " "
        pieces: list[Piece] = [(sign, "stderr")]
        if self.times:
            pieces.append((self.when(at_s) + " ", "time"))
        if self.name_cells:
            style = f"name-{crc32(name.encode('utf-8', 'replace')) % NAME_STYLES + 1}"
            pieces.append((fit_name(self.brush.text(name), self.name_cells) + " ", style))
        return pieces

    def _rule(self, line: Line, width: int) -> list[Piece]:
        """A line across for what is no output."""
        text = f" {self._rule_text(line)}"
        if line.stream == "gap":
            return [(text, "gap")]
        return [(text + "-" * min(RULE_CELLS, max(0, width - cell_len(text))), "accent")]

    def _rule_text(self, line: Line) -> str:
        text = self.brush.text(line.text)
        if line.stream == "gap":
            return f"--- {text} ---"
        when = stamp(line.at_s)
        if self.started_s is not None:
            when = datetime.fromtimestamp(self.started_s + line.at_s).strftime("%H:%M:%S")
        return f"---- {text}, {when} ----"


def overlaid(pieces: list[Piece], spans: list[tuple[int, int]], style: str) -> list[Piece]:
    """Give some characters of pieces another style."""
    if not spans:
        return pieces
    found: list[Piece] = []
    at = 0
    for begin, end in spans:
        found += _between(pieces, at, begin)
        found.append(("".join(text for text, _ in _between(pieces, begin, end)), style))
        at = end
    return [*found, *_between(pieces, at, None)]


def _between(pieces: list[Piece], begin: int, end: int | None) -> list[Piece]:
    """Take the characters from one place to another."""
    taken: list[Piece] = []
    at = 0
    for text, style in pieces:
        if end is not None and at >= end:
            break
        part = text[max(0, begin - at) : None if end is None else end - at]
        if part:
            taken.append((part, style))
        at += len(text)
    return taken
