"""GitLab: sections of the log, which fold, and say how long each took."""

from __future__ import annotations

import re

from octogram_tui.report.service import Service

_ERASE = "\x1b[0K"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


class GitLab(Service):
    """A section has a name of few signs, once in a log, and a title that is shown.

    Its mark is the one escape sequence that is written without colours: GitLab finds it by that, and by the carriage
    return, which no text of ours has.
    """

    name = "gitlab"

    def __init__(self) -> None:
        self._number = 0
        self._open = ""

    def open_group(self, title: str, at_s: float) -> list[str]:
        """Begin a section."""
        self._number += 1
        words = _NOT_IN_NAMES.sub("_", title.partition(" on ")[0]).strip("_")
        self._open = "_".join(part for part in ("octogram", str(self._number), words) if part)
        return [f"{_ERASE}section_start:{int(at_s)}:{self._open}\r{_ERASE}{title}"]

    def close_group(self, at_s: float) -> list[str]:
        """End it."""
        return [f"{_ERASE}section_end:{int(at_s)}:{self._open}\r{_ERASE}"]
