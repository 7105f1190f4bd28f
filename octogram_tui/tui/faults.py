"""What went wrong inside the console itself: each fault is one line for the operator, and a traceback in a file."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from octogram_tui import filing
from octogram_tui.cuts import beginning
from octogram_tui.dataclass import dataclass
from octogram_tui.errors import OctogramError

FILE = "console-faults.log"
AGAIN_S = 10.0
"""A fault that repeats is told again only after so long."""
AT_ONCE = 3
"""So many different faults are told within that time; the file has the others."""
KEPT_BYTES = 1_000_000


@dataclass
class Fault:
    """One kind of fault: what happened, where. It is the same one when the same line raised the same type."""

    where: str
    what: str
    count: int = 0
    told_s: float = float("-inf")


class Faults:
    """Counts faults, writes them down, and says which are worth a word."""

    def __init__(self, folders: Sequence[Path] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self.folders = tuple(folders)
        """Where the file may go: the first that can be written to."""
        self.count = 0
        self.last: Fault | None = None
        self._known: dict[tuple[object, ...], Fault] = {}
        self._told_s: list[float] = []
        self._clock = clock

    def add(self, error: BaseException, where: str) -> str:
        """Take a fault in; gives the line to tell, or nothing when it was told just now."""
        frame = _innermost(error.__traceback__)
        key = (where, type(error), *frame)
        fault = self._known.setdefault(key, Fault(where, said(error)))
        fault.count += 1
        self.count += 1
        self.last = fault
        path = None
        if fault.count == 1 and not isinstance(error, OctogramError):
            path = self._write(error, fault)
        now_s = self._clock()
        self._told_s = [told_s for told_s in self._told_s if now_s - told_s < AGAIN_S]
        if now_s - fault.told_s < AGAIN_S or len(self._told_s) >= AT_ONCE:
            return ""
        fault.told_s = now_s
        self._told_s.append(now_s)
        if isinstance(error, OctogramError):
            return fault.what
        times = f", {fault.count} times" if fault.count > 1 else ""
        return f"{where}: {fault.what}{times}" + (f" (written to {path})" if path else "")

    def _write(self, error: BaseException, fault: Fault) -> Path | None:
        lines = "".join(traceback.format_exception(error))
        text = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {fault.where}: {fault.what}\n{lines}\n"
        for folder in self.folders:
            path = folder / FILE
            try:
                filing.make_private(folder)
                number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                with open(number, "a", encoding="utf-8", errors="backslashreplace") as file:
                    if file.tell() < KEPT_BYTES:
                        file.write(text)
            except OSError:
                continue
            return path
        return None


def said(error: BaseException) -> str:
    """Say in one line what an exception says."""
    if isinstance(error, OctogramError):
        return error.message
    try:
        text = str(error)
    except Exception:  # an exception that cannot even be written
        text = ""
    first = beginning(text.strip().splitlines()[0], 200) if text.strip() else ""
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _innermost(trace: TracebackType | None) -> tuple[str, int]:
    at = ("", 0)
    while trace is not None:
        at = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return at
