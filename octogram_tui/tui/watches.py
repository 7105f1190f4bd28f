"""Expressions that the operator watches: their values at each hold, and what changed since the hold before.

They are kept beside what else is kept of a scenario's file, and never in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from octogram_tui import filing, records
from octogram_tui.tui.format import value as shown

MOST_WATCHES = 50
MOST_KEPT = 50
"""How many expressions are remembered, for `up`."""
MOST_SCOPES = 200


_OWN = re.compile(r"\b(agent|re|item|res)\b")
"""What is another in each scope: an expression without it is the same in all of them."""


def place_of(state_dir: Path, scenario: str) -> Path:
    """Name where the watches of a scenario's file are kept, as its breakpoints are."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(scenario))).hexdigest()[:24]
    return state_dir / "watches" / f"{name}.json"


class Watch:
    """An expression. What it was is known of each scope in which it was looked at: a row, an agent, or the run."""

    __slots__ = ("expression", "is_changed", "problem", "text", "version", "was")

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.text = ""  # the value as it is shown; empty before the first look
        self.problem = ""
        self.was = ""  # at the hold before
        self.is_changed = False
        self.version = 0


class Watches:
    """The list of one scenario's file. path: where it is kept; None keeps nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.items: list[Watch] = []
        self.history: list[str] = []
        self.version = 0
        self.hold = 0  # counts the holds
        self._has_moved = False
        self._values: dict[tuple[str, str], tuple[int, str, str]] = {}  # by expression and scope: hold, value, before
        self._read()

    def follow(self, *, is_still: bool) -> None:
        """Take note of what the run does: it stands at a hold when it has moved, and moves no more."""
        if self._has_moved and is_still:
            self.hold += 1
        self._has_moved = not is_still

    def add(self, expression: str) -> bool:
        """Watch an expression; False when it is watched already, or there are too many."""
        is_known = any(watch.expression == expression for watch in self.items)
        if is_known or len(self.items) >= MOST_WATCHES:
            return False
        self.items.append(Watch(expression))
        self._keep()
        return True

    def remove(self, watch: Watch) -> None:
        """Watch it no more."""
        self.items = [each for each in self.items if each is not watch]
        self._keep()

    def remember(self, expression: str) -> None:
        """Keep an expression that was evaluated, the latest last."""
        self.history = [*[each for each in self.history if each != expression][1 - MOST_KEPT :], expression]
        self._keep()

    def take(self, watch: Watch, scope: str, answer: dict[str, Any]) -> None:
        """Take in what an expression is now, in a scope."""
        problem = str(answer.get("problem") or "")
        text = "" if problem else shown(answer.get("value"))
        said = text or problem
        scope = scope if _OWN.search(watch.expression) else ""
        hold, held, before = self._values.get((watch.expression, scope), (self.hold, "", ""))
        if self._has_moved:  # on the way to the next hold: it is held against the one before
            before = held
        else:
            before = held if hold != self.hold else before
            if len(self._values) > MOST_SCOPES * max(1, len(self.items)):
                self._values.clear()
            self._values[watch.expression, scope] = self.hold, said, before
        is_changed = bool(before) and before != said
        new = (text, problem, before, is_changed)
        if new != (watch.text, watch.problem, watch.was, watch.is_changed):
            watch.text, watch.problem, watch.was, watch.is_changed = new
            watch.version += 1
            self.version += 1

    def _keep(self) -> None:
        self.version += 1
        if self._path is None:
            return
        record = {"watches": [watch.expression for watch in self.items], "history": self.history}
        try:
            filing.make_private(self._path.parent)
            filing.write_whole(self._path, json.dumps(record, indent=1).encode() + b"\n", mode=0o600)
        except OSError:
            self._path = None  # they are there as long as this console is

    def _read(self) -> None:
        if self._path is None:
            return
        try:
            record = records.load(self._path)
            watches, history = record["watches"], record["history"]
            self.items = [Watch(each) for each in watches if isinstance(each, str)][:MOST_WATCHES]
            self.history = [each for each in history if isinstance(each, str)][-MOST_KEPT:]
        except (OSError, ValueError, RecursionError, LookupError, TypeError):
            return
