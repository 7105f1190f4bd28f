"""A CI service as a reader of plain lines: what it folds, marks and keeps of them, each by its own rules of escaping.

What a service obeys is made here and in the files of the services only; every other line is broken where one of them
would obey it (phrases). Texts that come here are one line each, and harmless to a terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from octogram_tui.report.closing import Closing


class Mark(NamedTuple):
    """A cause of failure, to be pointed at. line: in the scenario's file, 0 when it is not of a line."""

    title: str
    message: str
    file: str
    line: int


class Service:
    """What all have in common: nothing happens. Lines are given for the log; files and programs are used at once.

    at_s, where it is asked for: the time, in seconds since 1970.
    """

    name = ""
    prints_masks = False  # what it is to hide is told in the log

    def place(self, path: str) -> str:
        """Name a file as the service knows it."""
        return os.path.relpath(path)

    def begin(self, run: str) -> list[str]:
        """A run begins."""
        return []

    def open_group(self, title: str, at_s: float) -> list[str]:
        """Begin what can be folded: the lines of a stage."""
        return []

    def unfold_group(self) -> list[str]:
        """Show the open group unfolded: something in it has failed."""
        return []

    def close_group(self, at_s: float) -> list[str]:
        """End it."""
        return []

    def before_end(self, title: str, marks: Sequence[Mark], left_out: int) -> list[str]:
        """Say what comes before the block that ends the log. left_out: how many failures `marks` do not tell of."""
        return []

    def end(self, closing: Closing) -> list[str]:
        """Keep what the service shows apart from the log, and give what comes after the block that ends it."""
        return []

    def mask(self, value: str) -> list[str]:
        """Have the service hide a text wherever else it is printed."""
        return []


def service_of(name: str) -> Service | None:
    """Make the service of a name; None for none."""
    if name == "github":
        from octogram_tui.report.github import GitHub

        return GitHub()
    if name == "gitlab":
        from octogram_tui.report.gitlab import GitLab

        return GitLab()
    if name == "buildkite":
        from octogram_tui.report.buildkite import Buildkite

        return Buildkite()
    if name == "teamcity":
        from octogram_tui.report.teamcity import TeamCity

        return TeamCity()
    return None


def warn(message: str) -> None:
    """Say that a service could not be told something: a run is none the worse for it."""
    from octogram_tui.projection.text import safe
    from octogram_tui.report.phrases import disarmed

    print(f"octogram-tui: {disarmed(safe(message))}", file=sys.stderr)


Tell = Callable[[str], None]
