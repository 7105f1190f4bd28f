"""Imports the program from its one file of code, where a boot has found that; see keeping.py for who writes it.

The boot has this module's code out of the same file, and runs it before there is anything to import with.
"""

from __future__ import annotations

import os
import sys
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Tuple

    Codes = Dict[str, Tuple[str, bytes]]


class Compiled:
    """Imports the modules of a bundle from its file of code: one read, in place of some hundred calls of the system.

    codes: of each module that most need, where its source is below the bundle's directory, and its code; all others
    are read when the first of them is asked for, by `read`.
    """

    def __init__(self, place: str, codes: Codes, read: Callable[[str, int], Codes]) -> None:
        self._place = place
        self._codes = codes
        self._read = read
        self._has_all = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Say how to import a module; None where that is not ours to do."""
        if not name.startswith("octogram_agentd"):
            return None
        if name not in self._codes and not self._has_all:
            self._has_all = True
            self._codes.update(self._read(self._place, 1))
        if name not in self._codes:
            return None
        origin = self._place + "/" + self._codes[name][0]
        kind = type(sys.__spec__)  # type: Any
        spec = kind(name, self, origin=origin)
        spec.has_location = True
        if origin.endswith("/__init__.py"):
            spec.submodule_search_locations = [os.path.dirname(origin)]
        return spec

    def create_module(self, spec: Any) -> None:
        """Have the module made as any other."""

    def exec_module(self, module: Any) -> None:
        """Run a module's code; it is not kept."""
        exec(loads(self._codes.pop(module.__name__)[1]), module.__dict__)
