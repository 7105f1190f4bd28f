"""Lines and columns, as a client counts them: from where it says, and columns in code units of UTF-16.

Here lines and columns count from 1, and columns count characters. The protocol's clients count what JavaScript does:
two for each character outside of the basic plane, as most emoji are.
"""

from __future__ import annotations

from octogram_tui.dap.messages import Arguments


class Positions:
    """Counts as one client does. initialized: what it said of that."""

    def __init__(self, initialized: Arguments) -> None:
        self._first_line = 1 if initialized.flag("linesStartAt1", default=True) else 0
        self._first_column = 1 if initialized.flag("columnsStartAt1", default=True) else 0

    def line_out(self, line: int) -> int:
        """Give a line, which counts from 1 here, as the client counts."""
        return line - 1 + self._first_line

    def line_in(self, line: int) -> int:
        """Give a line of the client's as it is counted here."""
        return line + 1 - self._first_line

    def column_out(self, column: int, line: str = "") -> int:
        """Give a column, which counts characters from 1 here, as the client counts. line: the text of the line."""
        before = line[: max(0, column - 1)]
        return column - 1 - len(before) + units(before) + self._first_column

    def column_in(self, column: int, line: str) -> int:
        """Give a column of the client's as it is counted here; one within a character is that character's."""
        left = max(0, column - self._first_column)
        before = line[:left].encode("utf-16-le", "surrogatepass")[: 2 * left]
        return len(before.decode("utf-16-le", "ignore")) + 1


def units(text: str) -> int:
    """Give how long a text is for a client."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
