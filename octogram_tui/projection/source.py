"""The scenario's text as the run knows it, which rows of the plan stand on which line, and what its templates are."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping

from octogram_tui.engine import events as ev
from octogram_tui.model.scenario import lines_of
from octogram_tui.model.values import Value
from octogram_tui.projection.board import Board
from octogram_tui.projection.rows import Group, InstanceRow, Kind, Row
from octogram_tui.projection.variables import Variables
from octogram_tui.projection.yaml_text import block_lines, key_path

ReadText = Callable[[str, bool], str | None]
"""Gives the text of a version of the scenario, by its digest and whether the run began with it; None without a copy."""

_VARIABLE = re.compile(r"\{\{\s*vars\.(\w+)\s*\}\}")


def no_text(_digest: str, _is_first: bool) -> None:
    """Stand for a run of which no copy was kept."""


class Source:
    """The fold: the text of the version that is in force. It is read when somebody looks, once a version."""

    def __init__(self, board: Board, read: ReadText = no_text) -> None:
        self.version = 0  # grows when another text is in force
        self.reloads = 0
        self._board = board
        self._read = read
        self._known: dict[tuple[str, bool], list[str]] = {}  # texts that were read, for all moments of the run
        self._first = self._digest = ""
        self._lines: list[str] | None = None
        self._former: dict[str, list[str]] = {}  # by digest
        self._blocks: frozenset[int] = frozenset()
        self._places: list[tuple[int, Group]] = []
        self._places_of = -1
        self._templates: dict[tuple[str, ...], str] = {}
        self._templates_of: object = None

    def __getstate__(self) -> dict[str, object]:
        """Copy which text it is, and not the text."""
        unread = {"_read": no_text, "_known": {}, "_lines": None, "_blocks": frozenset()}
        return {**self.__dict__, **unread, "_places": [], "_places_of": -1, "_templates": {}, "_templates_of": None}

    def share_texts(self, other: Source) -> None:
        """Read texts from where another moment of the same run does, each of them once."""
        self._read, self._known = other._read, other._known

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        if isinstance(event, ev.RunStarted):
            self._first = self._digest = event.digest
        elif isinstance(event, ev.ScenarioReloaded):
            self.reloads += event.digest != self._digest  # it is the same when a refused edit was taken back
            self._digest = event.digest
        else:
            return
        self._lines = None
        self.version += 1

    @property
    def lines(self) -> list[str]:
        """The lines as they are in the file, without their ends; none when there is no copy."""
        if self._lines is None:
            which = (self._digest, self._digest == self._first)
            if which not in self._known:
                self._known[which] = _lines_of(self._read(*which))
            self._lines = self._known[which]
            self._blocks = block_lines(self._lines)
        return self._lines

    @property
    def text(self) -> str:
        """The text that is in force, as it was read from the file; empty when there is no copy."""
        return self._read(self._digest, self._digest == self._first) or ""

    @property
    def is_read(self) -> bool:
        """Whether the text of this version was read."""
        return self._lines is not None

    def block(self, digest: str, first: int, last: int) -> list[str]:
        """Give lines of a version of the text, from one to another (0: the last); none when there is no copy."""
        if not first:
            return []
        if digest not in self._former:
            text = self._read(digest, digest == self._first) or ""
            self._former[digest] = lines_of(text.removeprefix("\ufeff")) if text else []
        lines = self._former[digest][first - 1 : last or None]
        while lines and not lines[-1].strip():
            lines = lines[:-1]
        return lines

    def is_in_block(self, index: int) -> bool:
        """Tell whether a line is the text of a block scalar."""
        return index in self._blocks

    # Lines and rows

    @property
    def places(self) -> list[tuple[int, Group]]:
        """The stages and jobs that have a line, by line; a stage before the jobs that stand on its line."""
        if self._places_of != self._board.structure_version:
            self._places_of = self._board.structure_version
            stages = (stage for stage in self._board.stages if not stage.is_gone)
            found = [group for stage in stages for group in _with_jobs(stage) if group.line and not group.is_gone]
            self._places = sorted(((group.line, group) for group in found), key=lambda place: place[0])
        return self._places

    def row_at(self, line: int) -> Group | None:
        """Give the stage or job that a line belongs to; None above the first."""
        at = bisect_right(self.places, line, key=lambda place: place[0])
        return self.places[at - 1][1] if at else None

    def on(self, line: int) -> list[Group]:
        """Give the stages and jobs that begin on a line."""
        end = bisect_right(self.places, line, key=lambda place: place[0])
        begin = bisect_right(self.places, line - 1, key=lambda place: place[0])
        return [group for _, group in self.places[begin:end]]

    def end_of(self, line: int) -> int:
        """Give the last line of what begins on a line, or before it."""
        at = bisect_right(self.places, line, key=lambda place: place[0])
        return self.places[at][0] - 1 if at < len(self.places) else len(self.lines)

    # What templates are now

    def value_at(self, line: int, row: Row | None, variables: Variables) -> tuple[Value, bool]:
        """Say what the template of a line is now, None when that cannot be known, and whether the row was given it.

        What the chosen instance was given counts; else, for a plain variable, what it is now.
        """
        text = self.lines[line - 1]
        if "{{" not in text:
            return None, False
        given = self._argument(line, row)
        if given is not None:
            return given, True
        named = _VARIABLE.findall(text)
        variable = variables.by_name.get(named[0]) if len(named) == 1 and text.count("{{") == 1 else None
        return None if variable is None or variable.now.removed else variable.now.value, False

    def templates(self, job: Group) -> Mapping[tuple[str, ...], str]:
        """Give the templates among a job's arguments, by the names that lead to each."""
        if self._templates_of != (job.key, self.version, self._board.structure_version):
            self._templates_of = (job.key, self.version, self._board.structure_version)
            last = min(self.end_of(job.line), len(self.lines)) if job.line else 0
            self._templates = {}
            for line in range(max(1, job.line), last + 1):
                if "{{" in self.lines[line - 1] and not self.is_in_block(line - 1):
                    path = self._argument_path(line, job)
                    if path:
                        text = self.lines[line - 1].split(":", 1)[1]
                        self._templates[tuple(path)] = text.strip().strip("'\"")
        return self._templates

    def _argument(self, line: int, row: Row | None) -> Value:
        if not isinstance(row, InstanceRow) or row.last is None or not row.last.arguments or not row.job.line:
            return None
        if not row.job.line <= line <= self.end_of(row.job.line) or self.is_in_block(line - 1):
            return None
        path = self._argument_path(line, row.job)
        found: Value = row.last.arguments
        for name in path:
            if not isinstance(found, dict) or name not in found:
                return None
            found = found[name]
        return found if path and not isinstance(found, (dict, list)) else None

    def _argument_path(self, line: int, job: Group) -> list[str]:
        path = key_path(self.lines, line - 1, job.line - 1)
        return path[path.index(job.procedure) + 1 :] if job.procedure in path else []


def _lines_of(text: str | None) -> list[str]:
    lines = lines_of(text.removeprefix("\ufeff")) if text else []
    return lines[:-1] if lines and not lines[-1] else lines


def _with_jobs(stage: Group) -> list[Group]:
    return [stage, *(child for child in stage.children if isinstance(child, Group) and child.kind is Kind.JOB)]
