"""The procedures, by family. A family is imported when the first of its procedures is asked for."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Type

    from octogram_agentd.procedures.base import Procedure

OLD_NAME = "agentd"  # of this package: files of users may still have it
FAMILIES = {
    "copy": ("octogram_agentd.procedures.builtin.home_files",),
    "builtins": (
        "octogram_agentd.procedures.builtin.running",
        "octogram_agentd.procedures.builtin.home_files",
        "octogram_agentd.procedures.builtin.web_requests",
        "octogram_agentd.procedures.builtin.waiting",
    ),
    "tezos": (
        "octogram_agentd.procedures.octez.nodes",
        "octogram_agentd.procedures.octez.keys",
        "octogram_agentd.procedures.octez.parameters",
        "octogram_agentd.procedures.octez.operations",
        "octogram_agentd.procedures.octez.dal",
        "octogram_agentd.procedures.octez.bakers",
    ),
    "smart_rollup": ("octogram_agentd.procedures.octez.rollups",),
    "internals": ("octogram_agentd.procedures.prometheus",),
}
"""Which modules define the procedures whose names begin with a word."""


def find(name: str) -> Type[Procedure]:
    """Give the class of a procedure. Raises KeyError when there is none of that name."""
    from octogram_agentd.procedures.base import REGISTRY

    found = REGISTRY.get(name)
    if found is None:
        for module in FAMILIES.get(name.split(".")[0], ()):
            __import__(module)
            found = REGISTRY.get(name)
            if found is not None:
                return found
        raise KeyError(name)
    return found


def load_all() -> None:
    """Import every family: what the orchestrator does to check a scenario."""
    for modules in FAMILIES.values():
        for module in modules:
            __import__(module)


def load_own(path: str, source: str) -> None:
    """Define the procedures of a user's own file, whose text came from the orchestrator.

    Raises whatever the text raises. A second load of the same path replaces the first.
    """
    name = "octogram_own_%s" % "".join(c if c.isalnum() else "_" for c in path)
    module = type(sys)(name)
    module.__file__ = path
    sys.modules[name] = module
    try:
        exec(compile(source, path, "exec"), module.__dict__)
    except SystemExit as error:  # it may end itself, and nobody else
        raise RuntimeError("it ends the program (SystemExit: %s)" % error) from error


def why_not_loaded(path: object, error: BaseException) -> str:
    """Say in a sentence why a user's own file could not be loaded, and what to do about it."""
    said = "the procedure file %s could not be loaded: %s: %s" % (path, type(error).__name__, error)
    missing = error.name if isinstance(error, ImportError) else None
    if missing is not None and missing.split(".")[0] == OLD_NAME:
        said += "; this program's package is octogram_agentd: write `from octogram_agentd.procedures.base import ...`"
    return said
