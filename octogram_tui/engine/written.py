"""Which part of a path on the operator's machine the scenario itself has written, and which came of a run.

A template may put into `local_path` what agents have said. The author is taken at their word, wherever it leads; what
an agent says leads no further than into the directory that the author has named before it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from octogram_tui.model.values import Value

_OPENING = re.compile(r"\{[{%#]")
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
    for piece, is_computed in _pieces(text):
        if not is_computed:
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


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Cut a text where templates begin and end; each piece with whether it is one."""
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        start = opening.start()
        end = text.find("}}", start + 2) + 2 if opening.group() == "{{" else start + 2
        yield text[at:start], False
        if end < 2:  # it never ends
            yield text[start:], True
            return
        yield text[start:end], True
        at = end
    yield text[at:], False
