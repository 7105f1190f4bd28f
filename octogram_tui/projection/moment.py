"""What a line of the scenario stands for at this moment: as the chosen row was given it, or would be given it now."""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

from octogram_tui.errors import TemplateError
from octogram_tui.model.values import Value
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.projection.source import Source
from octogram_tui.projection.variables import Variables
from octogram_tui.template.bound import glancing
from octogram_tui.template.environment import evaluate, expand
from octogram_tui.template.scope import make_scope

EXPRESSIONS = frozenset({"when", "until"})
"""Keys whose text is an expression, without braces."""
KEPT = 500
_KEY = re.compile(r"""^\s*(?:- +)*["']?([\w.]+)["']?:\s+(.*)$""")
_NAMES = re.compile(r"""\bvars\.(\w+)|\bvars\[["'](\w+)["']\]|\bvar\(["'](\w+)["']\)""")
_AHEAD = (State.PENDING, State.HELD)


class Said(NamedTuple):
    """What a line stands for. values: by name, the empty name for the line as a whole; is_of_row: the row's alone."""

    values: tuple[tuple[str, Value], ...]
    is_of_row: bool = False


class Folded(Protocol):
    """The folds of the moment that is looked at."""

    @property
    def board(self) -> Board:
        """The state of the run."""
        ...

    @property
    def source(self) -> Source:
        """The scenario's text."""
        ...

    @property
    def variables(self) -> Variables:
        """The variables."""
        ...


class Moment:
    """Asked for the lines that are seen, it looks at each again only when something that it is made of is another."""

    def __init__(self, folds: Folded) -> None:
        self._folds = folds
        self._known: dict[object, Said | None] = {}

    @property
    def _board(self) -> Board:
        return self._folds.board

    @property
    def _source(self) -> Source:
        return self._folds.source

    @property
    def _variables(self) -> Variables:
        return self._folds.variables

    def at(self, line: int, row: InstanceRow | None) -> Said | None:
        """Say what a line is, with a row in mind; None where there is nothing to say."""
        text = self._source.lines[line - 1]
        if not ("{{" in text or _key(text) in EXPRESSIONS) or text.lstrip().startswith("#"):
            return None
        basis = (self._source.version, line, self._variables.version, *((row.key, row.version) if row else ()))
        if basis not in self._known:
            if len(self._known) > KEPT:
                self._known.clear()
            self._known[basis] = self._look(line, text, row)
        return self._known[basis]

    def _look(self, line: int, text: str, row: InstanceRow | None) -> Said | None:
        if row is not None and row.state not in _AHEAD:
            given, is_of_row = self._source.value_at(line, row, self._variables)
            if given is not None and is_of_row:
                return Said((("", given),), is_of_row=True)
        if row is not None and self._is_of(line, row) and not self._source.is_in_block(line - 1):
            foreseen = self._foreseen(text, row)
            if foreseen is not None:
                return foreseen
        return self._named(text)

    def _is_of(self, line: int, row: InstanceRow) -> bool:
        return bool(row.job.line) and row.job.line <= line <= self._source.end_of(row.job.line)

    def _foreseen(self, text: str, row: InstanceRow) -> Said | None:
        """What the row would be given if it began now; `until` is about a result that is not there before it ended."""
        key, written = _key(text), _written(text)
        has_result = row.state not in _AHEAD and row.last is not None
        if key == "until" and not has_result:
            return None
        ask = evaluate if key in EXPRESSIONS else expand
        try:
            with glancing():  # nobody asked for it, and the keys wait
                return Said((("", ask(written, self._scope(row, has_result=has_result))),), is_of_row=True)
        except TemplateError:
            return None  # half of a text, something that is not there yet, or that may take long

    def _scope(self, row: InstanceRow, *, has_result: bool) -> dict[str, Value]:
        agent = self._board.agents.get(row.agent)
        return make_scope(
            self._variables.values,
            agent=row.agent,
            address=agent.address if agent is not None else "",
            item=row.item,
            result=row.last.result if has_result and row.last is not None else None,
            has_result=has_result,
        )

    def _named(self, text: str) -> Said | None:
        """The variables that are written in the line."""
        names = dict.fromkeys(next(filter(None, found)) for found in _NAMES.findall(text))
        values = [
            (name, variable.now.value)
            for name in names
            if (variable := self._variables.by_name.get(name)) is not None and not variable.now.removed
        ]
        if not values:
            return None
        if len(values) == 1 and text.count("{{") == 1 and re.search(r"\{\{\s*vars\.\w+\s*\}\}", text):
            return Said((("", values[0][1]),))
        return Said(tuple(values))


def _key(text: str) -> str:
    found = _KEY.match(text)
    return found[1] if found is not None else ""


def _written(text: str) -> str:
    """Give the scalar of a line, as far as it is one that stands there whole."""
    found = _KEY.match(text)
    written = (found[2] if found is not None else text.strip().removeprefix("- ")).strip()
    if len(written) > 1 and written[0] == written[-1] and written[0] in "'\"":
        written = written[1:-1].replace("''", "'")
    return written
