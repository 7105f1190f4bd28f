"""Imports the program from its one file of code, where a boot has found that; see keeping.py for who writes it.

The boot has this module's code out of the same file, and runs it before there is anything to import with.
"""

from __future__ import annotations

import os
import sys
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Tuple

    Codes = Dict[str, Tuple[str, bytes, List[str]]]


class Compiled:
    """Imports the modules of a bundle from its file of code: one read, in place of some hundred calls of the system.

    codes: of each module that most need, where its source is below the bundle's directory, its code, and what of ours
    it imports; all others are read when the first of them is asked for, by `read`.
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
        return self._spec(name) if name in self._codes else None

    def _spec(self, name: str) -> Any:
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
        """Run a module's code, which is not kept, once all is there that it imports."""
        _inner, code, needed = self._codes.pop(module.__name__)
        for name in needed:
            if name in self._codes:
                self._bring(name)
        exec(loads(code), module.__dict__)

    def _bring(self, name: str) -> None:
        """Import a module, as `import` would: that looks in many places, and takes as long for each as the module."""
        package, _, last = name.rpartition(".")
        if package in self._codes:
            self._bring(package)
        if name not in self._codes:
            return  # the package has it imported
        spec = self._spec(name)
        module = type(sys)(name)  # type: Any
        module.__spec__, module.__loader__, module.__file__ = spec, self, spec.origin
        module.__package__ = spec.parent
        if spec.submodule_search_locations is not None:
            module.__path__ = spec.submodule_search_locations
        sys.modules[name] = module
        try:
            self.exec_module(module)
        except BaseException:
            sys.modules.pop(name, None)
            raise
        if package:
            setattr(sys.modules[package], last, module)
