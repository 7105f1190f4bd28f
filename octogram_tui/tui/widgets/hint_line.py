"""The line above the keys: the lesson's next step, or a hint for those who are new. Empty for all others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rich.cells import cell_len

from octogram_tui.tui.keymap import ACTIONS
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.bar import Bar, Part
from octogram_tui.tui.widgets.brush import Brush, Piece

LESSON_LINES = 3
HINT_LINES = 2
LEAST_ROWS = 20
"""On fewer rows the panes come first, unless somebody is being taught."""

_CALLS = {action.name: action.call for action in ACTIONS}
_KEY = re.compile(r"\{([^{}]+)\}")


class Word(NamedTuple):
    """A word, or a key."""

    text: str
    style: str
    action: str = ""


class HintLine(Bar):
    """Keys in it can be clicked."""

    is_read_only = False
    """Whether this console only watches: then it is told nothing that it cannot do."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="hint")

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """Say the step, or the hint."""
        lesson, hints = self.model.lesson, self.model.hints
        teaching = lesson.teaching if lesson is not None else None
        if teaching is not None:
            self.over = "banner-info"
            words = list(self._words(teaching.says))
            if teaching.number:
                words.insert(0, Word(f"{teaching.number}.", "strong"))
            if lesson is not None and lesson.step != "end":
                words += self._words("{skip the lesson} skips this.")
            return self._laid(words, width, LESSON_LINES)
        self.over = ""
        if hints is None or self.is_read_only or self.model.is_replay or self.app.size.height < LEAST_ROWS:
            return []
        hint = hints.wanted(self.model.board)
        return self._laid(list(self._words(hint.says)), width, HINT_LINES) if hint is not None else []

    def _words(self, says: str) -> Iterator[Word]:
        """Take a sentence apart; `{name of an action}` becomes its key."""
        for number, part in enumerate(_KEY.split(says)):
            if number % 2:
                yield Word(self.brush.keys.name(part) or f"`{part}`", "key", _CALLS[part])
            else:
                for word in part.split():
                    yield Word(word, "")

    def _laid(self, words: list[Word], width: int, most: int) -> list[list[Piece]]:
        """Lay words over as many lines as they take, up to some."""
        lines: list[list[Part]] = [[]]
        used = 1
        for word in words:
            glued = word.text[:1] in ",.;:"
            cells = cell_len(word.text) + (not glued)
            if used + cells > width and lines[-1]:
                lines.append([])
                used, glued = 1, False
            text = word.text if glued else f" {word.text}"
            lines[-1].append(Part([(text, word.style)], word.action))
            used += cells
        return [self.lay(parts, width, y=y) for y, parts in enumerate(lines[:most])]
