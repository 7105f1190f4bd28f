"""Whether files were saved since somebody looked."""

from __future__ import annotations

import os
from collections.abc import Iterable


class Saved:
    """Remembers how files are when it is made; one that comes or goes was saved too."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._stamps = {path: _stamp(path) for path in paths}

    def is_changed(self) -> bool:
        """Tell whether any of them is not as it was."""
        return any(_stamp(path) != stamp for path, stamp in self._stamps.items())


def _stamp(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino
