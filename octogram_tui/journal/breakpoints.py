"""The breakpoints that are kept for a scenario's file, from one run to the next, in the user's state directory.

One small file for each scenario. It is read and written anew, under a lock, for every change, so that runs of the same
scenario at the same time keep each other's. What cannot be read or written is told of, and stops nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import cast

from octogram_tui import filing, records
from octogram_tui.cuts import quoted
from octogram_tui.engine.breakpoint_table import BY_KEPT
from octogram_tui.engine.events import BreakpointRemoved, BreakpointSet, Event
from octogram_tui.model.breakpoint import WHEN, Breakpoint, When
from octogram_tui.model.values import Value

DIRECTORY = "breakpoints"
MOST_BYTES = 4 * 1024 * 1024
_VERSION = 1
_FIELDS = {f.name: type(f.default) for f in fields(Breakpoint)}


class _Newer(Exception):
    """A file of a newer program, in which other things may stand than we know."""


class KeptBreakpoints:
    """Those of one scenario."""

    def __init__(self, state_dir: Path, scenario: str) -> None:
        self._directory = state_dir / DIRECTORY
        self._scenario = os.path.realpath(scenario)
        self._path = self._directory / f"{hashlib.sha256(os.fsencode(self._scenario)).hexdigest()[:24]}.json"
        self._of_number: dict[int, Breakpoint] = {}  # those of this run that are kept
        self._tell: Callable[[str], None] | None = None
        self._trouble = ""
        self._is_told = False
        self._is_recalling = False

    def load(self) -> list[Breakpoint]:
        """Give those that are kept."""
        found: list[Breakpoint] = []
        with self._telling("read"):
            if not self._path.exists():
                self._follow_rename()
            found = self._read()
        return found

    def tell_to(self, tell: Callable[[str], None]) -> None:
        """Call this with a sentence, once, when something cannot be read or written, or could not be before."""
        self._tell = tell
        self._say(self._trouble)

    def apply(self, events: Sequence[Event]) -> None:
        """Keep what the operator does of a run's breakpoints: what was used once, and the run's own, is not kept."""
        for event in events:
            if isinstance(event, BreakpointSet):
                self._set(event)
            elif isinstance(event, BreakpointRemoved):
                old = self._of_number.pop(event.number, None)
                if old is not None:
                    self._change(old, None)

    def recall(self, events: Sequence[Event]) -> None:
        """Learn which ones a run has that was taken up again: what it did of them is in the file, and may be old."""
        self._is_recalling = True
        self.apply(events)
        self._is_recalling = False

    def _set(self, event: BreakpointSet) -> None:
        given = {name: getattr(event, name) for name in _FIELDS if name != "is_on"}
        new = Breakpoint(**given, is_on=not event.is_off)
        old = self._of_number.pop(event.number, None)
        is_kept = event.by in ("operator", BY_KEPT) and not new.is_once
        if is_kept:
            self._of_number[event.number] = new
        if old is not None or (is_kept and event.by != BY_KEPT):
            self._change(old, new if is_kept else None)

    # -- the file -------------------------------------------------------------------------------------------------

    def _change(self, old: Breakpoint | None, new: Breakpoint | None) -> None:
        """Put one in another one's place; without an old one add it, without a new one take it away."""
        if self._is_recalling:
            return
        with self._telling("kept"), self._locked():
            kept = self._read()
            if new == old and new in kept:
                return
            places = [place for place, one in enumerate(kept) if one == old] or [
                place for place, one in enumerate(kept) if old is not None and one.place == old.place
            ]
            if new in kept:
                new = None  # another run has added it
            if places and new is not None:
                kept[places[0]] = new
            elif places:
                del kept[places[0]]
            elif new is not None:
                kept.append(new)
            self._write(kept)

    def _read(self) -> list[Breakpoint]:
        """Give what the file holds; one that is damaged is put aside, so that a new one can be kept. Raises OSError."""
        try:
            return self._parsed()
        except _Newer as newer:
            raise OSError(0, str(newer)) from None
        except (ValueError, RecursionError) as error:
            name, why = os.path.basename(self._scenario), str(error) or type(error).__name__
            damaged = self._path.with_suffix(".damaged")
            os.replace(self._path, damaged)
            self._say(f"the breakpoints kept for {name} cannot be read: {why}; what there was is {damaged}")
            return []

    def _parsed(self) -> list[Breakpoint]:
        """Give what the file holds. Raises OSError; ValueError when it is damaged."""
        try:
            with open(self._path, "rb") as file:
                data = file.read(MOST_BYTES)
        except FileNotFoundError:
            return []
        record = json.loads(data)
        if not isinstance(record, dict) or not isinstance(record.get("breakpoints"), list):
            raise ValueError("it is not a list of breakpoints")
        version = record.get("v", _VERSION)
        if isinstance(version, int) and version > _VERSION:
            raise _Newer("a newer octogram-tui wrote it; it is left as it is")
        return [_from_record(one) for one in record["breakpoints"]]

    def _write(self, kept: Sequence[Breakpoint]) -> None:
        record = {
            "v": _VERSION,
            "scenario": os.fsencode(self._scenario).decode(errors="backslashreplace"),
            "file": _mark(self._scenario),
            "breakpoints": [_as_record(one) for one in kept],
        }
        filing.write_whole(self._path, json.dumps(record, indent=1).encode("ascii") + b"\n", mode=0o600)

    def _follow_rename(self) -> None:
        """Take over what is kept for a file that was renamed to this one: the same file, whose old name is gone."""
        mark = _mark(self._scenario)
        if mark is None or not self._directory.is_dir():
            return
        for path in sorted(self._directory.glob("*.json")):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                record = records.load(path)
                former = record.get("scenario")
                if record.get("file") == mark and isinstance(former, str) and not os.path.lexists(former):
                    os.rename(path, self._path)
                    return

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        filing.make_private(self._directory)
        fd = os.open(self._directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with contextlib.suppress(OSError):  # not every file system has locks
                fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """Tell of a file that cannot be read or written; the run goes on without."""
        try:
            yield
        except OSError as error:
            name = os.path.basename(self._scenario)
            self._say(f"the breakpoints of {name} cannot be {what}: {self._path}: {error.strerror or error}")

    def _say(self, trouble: str) -> None:
        self._trouble = self._trouble or trouble
        if self._trouble and self._tell is not None and not self._is_told:
            self._is_told = True
            self._tell(self._trouble)


def _mark(path: str) -> list[int] | None:
    """Say which file a path names, whatever it is called."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_dev, found.st_ino]


def _as_record(one: Breakpoint) -> dict[str, Value]:
    return {name: value for name in _FIELDS if (value := getattr(one, name)) != getattr(Breakpoint(), name)}


def _from_record(record: object) -> Breakpoint:
    """Read one; what a newer program added is left out. Raises ValueError."""
    if not isinstance(record, dict):
        raise ValueError("it is not a list of breakpoints")
    given = {name: record[name] for name in _FIELDS if name in record}
    for name, value in given.items():
        if type(value) is not _FIELDS[name]:
            raise ValueError(f"{name} is {quoted(value, 40)}")
        if isinstance(value, str):
            value.encode()
    if given.get("when", "before") not in WHEN:
        raise ValueError(f"when is {quoted(given['when'], 40)}")
    given["when"] = cast("When", given.get("when", "before"))
    return Breakpoint(**given)
