"""Secrets announced to a CI service, so that it hides them wherever else they are printed: by other steps, say.

It is the one place where a value leaves unmasked, so it goes to the service or nowhere: a log that this program's user
sends into a file, or through a pipe of his own (`| tee log`), would have the values for everybody who reads that.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator
from typing import TextIO

from octogram_tui.report.service import Service, warn
from octogram_tui.secrecy.masker import Masker
from octogram_tui.secrecy.names import SHORTEST, SHORTEST_LINE
from octogram_tui.settings import CI_SERVICES

MOST_LINES = 500
"""Of a large result that a job has given a secret little would be left in any log."""

_LINE_ENDS = re.compile(r"[\r\n]+")


def announce(masker: Masker, service: Service) -> None:
    """Announce every value that the run knows or comes to know, before anything else is printed."""
    if masker.is_idle:
        return
    stream = None
    if service.prints_masks:
        variable = CI_SERVICES[service.name]
        stream = next((each for each in (sys.stdout, sys.stderr) if is_of_the_service(each, variable)), None)
        if stream is None:
            warn(
                f"{service.name} is not told which texts are secret: what is printed here goes into a file, or through "
                "a pipe, that is not the service's own"
            )
            return
    told: set[str] = set()

    def tell(value: str) -> None:
        for text in worth_hiding(value):
            if text in told or len(told) > MOST_LINES:
                continue
            told.add(text)
            if len(told) > MOST_LINES:
                warn(f"{service.name} is told of {MOST_LINES} secret texts, and of no more")
                continue
            _write(stream, service.mask(text))

    masker.tell_values(tell, of_later_too=stream is not None)


def worth_hiding(value: str) -> list[str]:
    """Give the texts by which a service can find a value: its lines, since it looks at lines.

    A short one would be hidden all over the log, where it stands for other things, and `}` tells nothing of a key.
    """
    lines = [line.strip() for line in _LINE_ENDS.split(value) if line.strip()]
    shortest = SHORTEST if len(lines) == 1 else SHORTEST_LINE
    return [line for line in lines if len(line) >= shortest and not line.startswith("-----")]


def is_of_the_service(stream: TextIO, variable: str) -> bool:
    """Tell whether a stream is a pipe that the service itself reads: that of the process which it started for its step.

    That is the first that has the service's variable, so it is the last of those above us. Where none is to be seen
    (and we are not the first process of a container) the stream is taken for somebody else's.
    """
    try:
        own = os.fstat(stream.fileno())
        if not (stat.S_ISFIFO(own.st_mode) or stat.S_ISSOCK(own.st_mode)):
            return False
        if not os.getppid():
            return True
        step = next((pid for pid in reversed(list(_above())) if _has(pid, variable)), 0)
        theirs = [os.stat(f"/proc/{step}/fd/{number}") for number in (1, 2)]
    except (OSError, ValueError):
        return False
    return (own.st_dev, own.st_ino) in [(each.st_dev, each.st_ino) for each in theirs]


def _above() -> Iterator[int]:
    """Give the processes above this one, the nearest first."""
    pid = os.getppid()
    while pid:
        yield pid
        with open(f"/proc/{pid}/stat", "rb") as file:
            pid = int(file.read().rpartition(b")")[2].split()[1])


def _has(pid: int, variable: str) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return any(each.startswith(f"{variable}=".encode()) for each in file.read().split(b"\0"))
    except OSError:  # it is another user's
        return False


def _write(stream: TextIO | None, lines: list[str]) -> None:
    """Write past what hides secrets in all that is printed."""
    if stream is not None and lines:
        stream.flush()
        stream.buffer.write("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
        stream.buffer.flush()
