"""What the operator gave by hand: to rows for their next attempts, and what of all of it the file does not have yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from octogram_tui.errors import ScenarioError
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.tui.format import plural, value

if TYPE_CHECKING:
    from octogram_tui.projection.folds import Folds
    from octogram_tui.tui.model import Model

Parts = dict[tuple[str, ...], Any]
"""Values by the names that lead to them: an argument, or a part of one that is a map."""

_ABSENT = object()
_VARIABLE = re.compile(r"\{\{\s*vars\.(\w+)\s*\}\}")
SHOWN = 2


def parts_of(arguments: Mapping[str, Any]) -> Parts:
    """Take arguments that are maps apart."""
    found: Parts = {}
    for name, given in arguments.items():
        if isinstance(given, dict) and given:
            found |= {(name, str(part)): each for part, each in given.items()}
        else:
            found[name,] = given
    return found


def named(parts: Iterable[tuple[str, ...]]) -> str:
    """Name arguments in a line: the first ones, and how many more."""
    names = [".".join(path) for path in parts]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


class ByHand:
    """Answers by what is known at the moment that is looked at; asked for with every look, it thinks once a change."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._root: dict[str, Any] | None = None
        self._root_of: object = None
        self._found: tuple[list[InstanceRow], list[str]] = ([], [])
        self._found_of: object = None

    # For the next attempt

    def waiting(self, row: InstanceRow) -> Parts:
        """Give what a row's next attempt is given, as far as it is another than its latest attempt had."""
        given = parts_of(self._model.edited.of(row.key))
        had = row.last.arguments if row.last is not None else None
        return {path: each for path, each in given.items() if not _is_same(_at(had or {}, path), each)} or given

    def waiting_words(self, row: InstanceRow) -> str:
        """Name what a row's next attempt is given by hand; empty where that is nothing."""
        return f"your {named(self.waiting(row))}" if row.key in self._model.edited.by_instance else ""

    # For the file

    @property
    def _offered(self) -> tuple[list[InstanceRow], list[str]]:
        folds = self._model.shown
        basis = (
            id(folds),
            folds.source.version,
            folds.variables.version,
            folds.edited.version,
            [getattr(folds.board.instances.get(key), "version", 0) for key in folds.edited.taken],
        )
        if basis != self._found_of:
            self._found_of = basis
            rows = [folds.board.instances.get(key) for key in folds.edited.taken]
            self._found = (
                [row for row in rows if row is not None and row.state is State.OK and self.missing(row)],
                self._variables(folds),
            )
        return self._found

    @property
    def rows(self) -> list[InstanceRow]:
        """The rows that ended well with arguments which the file does not have."""
        return self._offered[0]

    @property
    def variables(self) -> list[str]:
        """The variables that were set by hand to what the file does not have."""
        return self._offered[1]

    def _variables(self, folds: Folds) -> list[str]:
        names = sorted(folds.variables.set_by_hand)
        if not names or (root := self._text()) is None:
            return []
        given = root.get("vars")
        there = given if isinstance(given, dict) else {}
        return [each for each in names if not _is_same(there.get(each, _ABSENT), folds.variables.values[each])]

    def missing(self, row: InstanceRow, rendered: Mapping[str, Any] | None = None) -> Parts:
        """Give what a row's latest attempt took along by hand, as far as the text has something else.

        A map is given whole: a part of it that comes of a template, and is what that gave before or of which nobody
        knows what it gives, was not changed.
        rendered: the arguments as the text gives them now, where they were asked for.
        """
        taken, root = self._model.edited.taken.get(row.key), self._text()
        there = _arguments(root, row) if taken and root is not None else None
        if taken is None or there is None:
            return {}
        attempts = [each for each in (row.last, *row.earlier) if each is not None and each.arguments]
        found: Parts = {}
        for path, given in parts_of(taken).items():
            written = _at(there, path)
            if _is_same(written, given):
                continue
            if _is_template(written):
                by_text = [each.arguments or {} for each in attempts if path[0] not in each.reading.edited]
                gave = [_at(each, path) for each in (*by_text, *([rendered] if rendered is not None else []))]
                gave += _filled(written, self._model.variables.values)
                if not gave or any(_is_same(each, given) for each in gave):
                    continue
            found[path] = given
        return found

    def replaced(self, row: InstanceRow, parts: Parts) -> dict[tuple[str, ...], str]:
        """Give the templates in the text that values would take the place of."""
        root = self._text()
        there = (_arguments(root, row) if root is not None else None) or {}
        return {path: str(text) for path in parts if _is_template(text := _at(there, path))}

    def _text(self) -> dict[str, Any] | None:
        """Give the text that is in force, read; once a version, and only when something was given by hand."""
        from octogram_tui.scenario.documents import read_document
        from octogram_tui.scenario.tree import plain

        source = self._model.source
        basis = (id(source), source.version)
        if basis != self._root_of:
            self._root_of = basis
            text = source.text
            try:
                root = plain(read_document("scenario.yml", lambda _: text).root) if text else None
            except ScenarioError:
                root = None
            self._root = root if isinstance(root, dict) else None
        return self._root

    def offer(self) -> str:
        """Say in a few words what can be kept; empty where there is nothing."""
        rows, names = self._offered
        if rows and names:
            return "keep what you gave"
        if rows:
            return "keep arguments"
        if names:
            return f"keep {names[0]}" if len(names) == 1 else f"keep {plural(len(names), 'value')}"
        return ""


def lines_of(parts: Parts) -> list[str]:
    """Write arguments, one a line."""
    return [f"{'.'.join(path)}: {value(given)}" for path, given in parts.items()]


def _arguments(root: Any, row: InstanceRow) -> dict[str, Any] | None:
    from octogram_tui.scenario.edit_arguments import arguments_in

    return arguments_in(root, row.stage.name, row.job.name, row.job.procedure)


def _at(arguments: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = arguments
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            return _ABSENT
        found = found[name]
    return found


def _is_template(written: object) -> bool:
    return isinstance(written, str) and ("{{" in written or "{%" in written)


def _filled(template: str, variables: Mapping[str, Any]) -> list[str]:
    """Put variables into a text; nothing comes of it where other things are to be put into it."""
    text = _VARIABLE.sub(lambda found: str(variables.get(found[1], found[0])), template)
    return [] if "{{" in text or "{%" in text else [text]


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same to who reads them: `3` in a text may be given as a number, and the other way."""
    return one is not _ABSENT and (one == other or str(one) == str(other))
