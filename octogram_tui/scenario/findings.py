"""Collects everything that is wrong or doubtful about a scenario, each with its place, and names by which to guess.

Nothing here stops at the first problem: reading goes on with whatever can still be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from octogram_tui.cuts import beginning
from octogram_tui.errors import Problem
from octogram_tui.model import scenario as model
from octogram_tui.scenario.tree import Document, ListNode, MapNode, Mark, Place, place_of
from octogram_tui.template.text import text_of


class Findings:
    """The problems of one file; `problems` may be shared by the files of a scenario.

    Places are taken as marks, and looked at only when there is something to say.
    """

    def __init__(self, document: Document, problems: list[Problem] | None = None) -> None:
        self.file = document.file
        self.problems: list[Problem] = [] if problems is None else problems
        self._text = document.text
        self._spellings = document.spellings
        self._doubted = {flaw.place[:2] for flaw in document.doubts}
        self._lines: list[str] | None = None
        for flaw in document.errors:
            self.error(flaw.place, flaw.message, flaw.hint)
        for flaw in document.doubts:
            self.warning(flaw.place, flaw.message, flaw.hint)

    def error(self, place: Mark, message: str, hint: str = "") -> None:
        """Note something that must be put right."""
        self._add(place, message, hint, False)

    def warning(self, place: Mark, message: str, hint: str = "") -> None:
        """Note something that is probably not meant."""
        self._add(place, message, hint, True)

    def mark(self, place: Mark) -> model.Mark:
        """Give a place as the scenario carries it."""
        first = 0 if type(place) is Place else 1
        return model.Mark(self.file, place.line + first, place.column + first)

    def line(self, number: int) -> str:
        """Give a line of the file."""
        if self._lines is None:
            self._lines = model.lines_of(self._text)
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def written(self, place: Mark) -> str:
        """Give how a number, a boolean or `~` is written where its text is another; empty where it is the same."""
        return self._spellings.get(place_of(place)[:2], "") if self._spellings else ""

    def is_doubted(self, place: Mark) -> bool:
        """Tell whether the reading of the scalar at a place has earned a warning already."""
        return place_of(place)[:2] in self._doubted

    def null_hint(self, place: Mark, otherwise: str) -> str:
        """Say what to do about a null; a `~` may have been meant as a text."""
        return f"write '~' in quotes for the text; otherwise {otherwise}" if self.written(place) == "~" else otherwise

    def text_of(self, value: Any, place: Mark) -> str:
        """Give the text of a scalar where a text is due, with a warning when it is not what was written."""
        self.warn_of_text(value, place)
        return text_of(value)

    def warn_of_text(self, value: Any, place: Mark) -> None:
        """Warn when a text that is made of a scalar is not what was written."""
        written = self.written(place)
        if written and not self.is_doubted(place):
            message = f"`{written}` is read as {kind_of(value)}"
            self.warning(place, message, f"write '{written}' in quotes for a text")

    def warn_of_variable(self, value: Any, place: Mark) -> None:
        """The same for what may become a text later; booleans are rarely meant to."""
        if isinstance(value, ListNode):
            for element, where in value.pairs():
                self.warn_of_variable(element, where)
        elif isinstance(value, MapNode):
            for key, element in value.items():
                self.warn_of_variable(element, value.value_place(key))
        elif not isinstance(value, bool):
            self.warn_of_text(value, place)

    def _add(self, place: Mark, message: str, hint: str, is_warning: bool) -> None:
        line, column = place_of(place)[:2]
        self.problems.append(Problem(self.file, line, column, message, hint, self.line(line), is_warning))


def suggestion(name: str, known: Iterable[str]) -> str:
    """Give `; did you mean X?` when something known is nearly the same."""
    candidates = list(known)
    lowered = {candidate.lower(): candidate for candidate in candidates}
    from difflib import get_close_matches

    found = get_close_matches(name.lower(), lowered, 1, 0.6)
    return f"; did you mean `{lowered[found[0]]}`?" if found else ""


def kind_of(value: Any) -> str:
    """Name what a value is, for a person who wrote it."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        text = str(value)
        return f"the number {beginning(text, 40)}"
    if isinstance(value, str):
        return f"the text `{beginning(value, 40)}`"
    return "a list" if isinstance(value, list) else "a map"
