"""TeamCity: service messages for blocks, build problems, the status, and the tests of a JUnit report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from octogram_tui.cuts import beginning
from octogram_tui.report.service import Mark, Service

if TYPE_CHECKING:
    from octogram_tui.report.closing import Closing

DESCRIPTION = 4000
"""So many characters TeamCity takes of the description of a problem."""


class TeamCity(Service):
    """Its messages are `##teamcity[name key='value' ...]`, wherever in a line."""

    name = "teamcity"

    def __init__(self) -> None:
        self._open: list[str] = []

    def begin(self, run: str) -> list[str]:
        """Give the name of the run to the steps that follow."""
        return [message("setParameter", name="octogram.run", value=run)]

    def open_group(self, title: str, at_s: float) -> list[str]:
        """Begin a block, whose end has to name it."""
        self._open.append(title)
        return [message("blockOpened", name=title)]

    def close_group(self, at_s: float) -> list[str]:
        """End it."""
        return [message("blockClosed", name=self._open.pop())] if self._open else []

    def before_end(self, title: str, marks: Sequence[Mark], left_out: int) -> list[str]:
        """Make problems of the build of what failed."""
        lines = []
        for number, mark in enumerate(marks):
            more = f" (and {left_out} more failures)" if left_out and not number else ""
            place = f" ({mark.file}:{mark.line})" if mark.line else ""
            text = beginning(f"{mark.message}{place}{more}", DESCRIPTION)
            lines.append(message("buildProblem", description=text, identity=_identity(mark)))
        return lines

    def end(self, closing: Closing) -> list[str]:
        """Have the JUnit report read, whose cases become tests; and say in the list of builds how it ended."""
        lines = []
        junit = closing.files.get("junit")
        if junit and os.path.isfile(junit):
            lines.append(message("importData", type="junit", path=os.path.abspath(junit)))
        # What it says by itself (`Exit code 1`, counts of tests) stays, and this comes before it.
        lines.append(message("buildStatus", text=f"{closing.headline}; {{build.status.text}}"))
        return lines


def message(kind: str, /, **values: str) -> str:
    """Write a service message."""
    written = " ".join(f"{key}='{escaped(value)}'" for key, value in values.items())
    return f"##teamcity[{kind} {written}]"


def escaped(text: str) -> str:
    """Escape a value; what is not ASCII by its number, so that no encoding on the way changes it."""
    return "".join(_ESCAPES.get(sign) or (sign if sign.isascii() else _numbered(sign)) for sign in text)


def _numbered(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"|0x{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _identity(mark: Mark) -> str:
    """Name a problem by where it is, so that it is the same one in the next build."""
    import hashlib

    named = "\0".join((mark.file, mark.title)).encode("utf-8", "replace")
    return f"octogram-{hashlib.blake2s(named, digest_size=16).hexdigest()}"


_ESCAPES = {
    "|": "||",
    "'": "|'",
    "[": "|[",
    "]": "|]",
    "\n": "|n",
    "\r": "|r",
    "\x85": "|x",
    "\u2028": "|l",
    "\u2029": "|p",
}
