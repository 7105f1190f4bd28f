"""A journal as a run's past: events from any place of it, which are read from the file and not kept.

Lines begin with the number of their event and its time, and both only grow: a place is found by halving.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from octogram_tui.engine.events import Event
from octogram_tui.errors import JournalError
from octogram_tui.journal import codec

NEAR_BYTES = 4096
"""A stretch of the file that is no longer than this is read through."""

_HEAD = re.compile(rb'\s*\{\s*"seq":\s*(\d+),\s*"at_s":\s*([-+.\deE]+)')


class JournalHistory:
    """The events of a file, as far as it is whole. It may grow."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def after(self, seq: int) -> Iterator[Event]:
        """Give the events after one, in order, up to the end of the file or to a line that is no event of the run.

        Raises JournalError when the file cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(_place(file, seq))
                last_seq = seq
                for line in file:
                    event = _event(line)
                    if event is None or not line.endswith(b"\n"):
                        if _is_beside(line):
                            continue
                        return
                    if event.seq > last_seq:
                        last_seq = event.seq
                        yield event
        except OSError as error:
            raise JournalError(f"cannot read the journal {self.path}: {error.strerror}") from error

    def seq_at(self, at_s: float) -> int:
        """Give the number of the last event up to a time; 0 when there is none."""
        found = 0
        try:
            with self.path.open("rb") as file:
                file.seek(_place(file, at_s, by_time=True))
                for line in file:
                    head = _HEAD.match(line)
                    if head is None:
                        if _is_beside(line):
                            continue
                        break
                    if float(head[2]) > at_s:
                        break
                    found = int(head[1])
        except (OSError, ValueError):
            return found
        return found


def _place(file: BinaryIO, wanted: float, *, by_time: bool = False) -> int:
    """Find where a line begins that is not after what is wanted, and not far before it."""
    low, high = 0, file.seek(0, 2)
    while high - low > NEAR_BYTES:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()  # the rest of a line
        begin = file.tell()
        head = _HEAD.match(file.readline())
        if begin >= high or head is None or float(head[2 if by_time else 1]) > wanted:
            high = middle
        else:
            low = begin
    return low


def _event(line: bytes) -> Event | None:
    try:
        return codec.decode(line)
    except ValueError:
        return None


def _is_beside(line: bytes) -> bool:
    """Whether a whole line stands beside the events: the header, or what the run was fed."""
    try:
        return line.endswith(b"\n") and not codec.is_event(codec.load(line))
    except ValueError:
        return False
