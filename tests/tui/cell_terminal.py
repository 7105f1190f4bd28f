"""A terminal that knows as much as a console's frames need: what they leave on it, cell by cell."""

import re
from typing import NamedTuple

from rich.cells import cell_len

PARTS = re.compile(r"\x1b\[([0-9;:?]*)([A-Za-z])|\x1b\]8;[^;]*;([^\x1b\a]*)(?:\x1b\\|\a)|([^\x1b])")
SEEN_ON_NOTHING = {"underline", "reverse", "strike", "overline"}
SWITCHES = {
    1: "bold", 2: "dim", 3: "italic", 4: "underline", 5: "blink", 7: "reverse", 8: "conceal", 9: "strike", 21: "double",
    53: "overline",
}  # fmt: skip


class Look(NamedTuple):
    """What a cell is drawn with."""

    ink: str = ""
    ground: str = ""
    how: frozenset[str] = frozenset()
    link: str = ""


class Cell(NamedTuple):
    """What stands in a cell: of a wide sign, the second has no text."""

    text: str
    look: Look


BLANK = Cell(" ", Look())


class CellTerminal:
    """Takes what is written, and forgets nothing of it."""

    def __init__(self, width: int, height: int) -> None:
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Be of another size, and empty: who was resized is drawn anew."""
        self.width, self.height = width, height
        self.rows = [[BLANK] * width for _ in range(height)]
        self._x = self._y = 0
        self._look = Look()

    def feed(self, text: str) -> None:
        """Obey."""
        for match in PARTS.finditer(text):
            codes, command, link, sign = match.groups()
            if sign is not None:
                self._put(sign)
            elif link is not None:
                self._look = self._look._replace(link=link)
            elif command == "H":
                y, x = (int(part or 1) for part in (codes.split(";") if codes else ("1", "1")))
                self._y, self._x = y - 1, x - 1
            elif command == "m":
                self._style([int(code or 0) for code in codes.split(";")])
            else:
                raise AssertionError(f"nobody knows {match.group()!r}")

    def _put(self, sign: str) -> None:
        if sign in "\r\n":
            self._x = 0
            self._y += sign == "\n"
            return
        assert sign >= " ", f"{sign!r} on the screen"
        if not 0 <= self._y < self.height:
            return
        row, x, cells = self.rows[self._y], self._x, cell_len(sign)
        if not cells:
            at = max((at for at in range(min(x, self.width)) if row[at].text), default=None)
            if at is not None:
                row[at] = row[at]._replace(text=row[at].text + sign)
            return
        if x + cells > self.width:
            return
        for at in range(x, x + cells):  # half of a wide sign is nothing
            if not row[at].text and at and at == x:
                row[at - 1] = row[at - 1]._replace(text=" ")
            if at + 1 < self.width and not row[at + 1].text and at == x + cells - 1:
                row[at + 1] = row[at + 1]._replace(text=" ")
        row[x] = Cell(sign, self._look)
        if cells == 2:
            row[x + 1] = Cell("", self._look)
        self._x += cells

    def _style(self, codes: list[int]) -> None:
        look, left = self._look, list(codes)
        while left:
            code = left.pop(0)
            if code == 0:
                look = Look(link=look.link)
            elif code in (38, 48):
                count = 3 if left.pop(0) == 2 else 1
                colour = ",".join(str(left.pop(0)) for _ in range(count))
                look = look._replace(ink=colour) if code == 38 else look._replace(ground=colour)
            elif code in SWITCHES:
                look = look._replace(how=look.how | {SWITCHES[code]})
            elif 30 <= code <= 37 or 90 <= code <= 97 or code == 39:
                look = look._replace(ink="" if code == 39 else f"own{code}")
            elif 40 <= code <= 47 or 100 <= code <= 107 or code == 49:
                look = look._replace(ground="" if code == 49 else f"own{code - 10}")
            else:
                raise AssertionError(f"nobody knows {codes}")
        self._look = look

    def differences(self, other: "CellTerminal") -> list[str]:
        """Say which rows are seen to differ, and from where on."""
        found = []
        for y, (one, two) in enumerate(zip(self.rows, other.rows, strict=True)):
            for x, cells in enumerate(zip(one, two, strict=True)):
                if _seen(cells[0]) != _seen(cells[1]):
                    texts = ["".join(cell.text for cell in row) for row in (one, two)]
                    found.append(f"{x},{y}: {cells[0]} is {cells[1]}\n  {texts[0]}\n  {texts[1]}")
                    break
        return found


def _seen(cell: Cell) -> Cell:
    """Leave out of a blank what nobody sees of it."""
    look = cell.look
    if cell.text != " ":
        return cell
    how = look.how & SEEN_ON_NOTHING
    return Cell(" ", look._replace(how=how, ink=look.ink if how else "", link=""))
