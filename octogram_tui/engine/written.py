"""Which part of a path on the operator's machine the scenario itself has written, and which came of a run.

A template may put into `local_path` what agents have said. The author is taken at their word, wherever it leads; what
an agent says leads no further than into the directory that the author has named before it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from octogram_tui.model.values import Value

_PIECE = re.compile(r"(\{\{.*?\}\}|\{[%#])", re.DOTALL)
_VARIABLE = re.compile(r"\{\{\s*vars\.(\w+)\s*\}\}")


def written_directory(
    text: str, expanded: str, given: Mapping[str, Value], now: Mapping[str, Value], *, is_template: bool
) -> str | None:
    """Give the directory that a path may not leave (empty: the working directory); None when all of it was written.

    text, expanded  as the scenario has it, and what came of that
    given, now      the variables that the run began with, and those that the text was expanded with: one that is still
                    what the operator gave counts as written
    """
    if not is_template:
        return None
    written = ""
    for piece in _PIECE.split(text):
        if not _PIECE.fullmatch(piece):
            written += piece
            continue
        found = _VARIABLE.fullmatch(piece)
        name = found.group(1) if found is not None else ""
        value = given.get(name)
        if not isinstance(value, str | int) or isinstance(value, bool) or now.get(name) != value:
            break
        written += str(value)
    else:
        return None if written == expanded else ""
    directory = written[: written.rfind("/") + 1]
    is_so = expanded.startswith(directory) and posixpath.normpath(directory or ".") not in ("/", "//")
    return directory if is_so else ""
