"""The scenario as a source: by its path while the file is what the run goes by, else as the run has it."""

from __future__ import annotations

import os
from typing import Any

from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.dap.messages import Arguments, RequestFailed
from octogram_tui.dap.positions import Positions
from octogram_tui.projection.text import safe

OF_RUN = 1
"""The number of the text as the run has it; there is one of them at a time."""


class Sources:
    """Names the scenario to the client. positions: how that counts in it."""

    def __init__(self, debuggee: Debuggee, positions: Positions) -> None:
        self._debuggee = debuggee
        self.positions = positions
        self._known: tuple[int, tuple[int, int, int], bool] = (-1, (0, 0, 0), True)

    def written(self) -> dict[str, Any]:
        """Write the scenario as a source."""
        path = self._debuggee.opened.scenario
        told: dict[str, Any] = {"name": safe(os.path.basename(path), limit=200), "path": path}
        if not self.is_as_in_file():
            told |= {"sourceReference": OF_RUN, "origin": "as the run has it; the file is another one"}
        return told

    def is_as_in_file(self) -> bool:
        """Tell whether the file is what the run goes by. It is read again only when it, or that text, has changed."""
        try:
            found = os.stat(self._debuggee.opened.scenario)
            changed = (found.st_mtime_ns, found.st_ino, found.st_size)
        except OSError:
            changed = (-1, 0, 0)
        version = self._debuggee.model.source.version
        if self._known[:2] != (version, changed):
            self._known = (version, changed, self._debuggee.is_as_in_file)
        return self._known[2]

    def text(self, asked: Arguments) -> dict[str, Any]:
        """Give the text that is asked for. Raises RequestFailed."""
        source = asked.object("source")
        reference = asked.number("sourceReference", 0) or source.number("sourceReference", 0)
        if not reference and not self._debuggee.is_scenario(source.path("path", "")):
            raise RequestFailed("only the scenario of the run is a source here")
        if reference not in (0, OF_RUN):
            raise RequestFailed(f"there is no source {reference}")
        text = self._debuggee.model.source.text or self._debuggee.file_text()
        if not text:
            raise RequestFailed("there is no copy of the scenario's text")
        return {"content": text, "mimeType": "text/x-yaml"}
