"""The procedures, by family. A family is imported when the first of its procedures is asked for."""

from __future__ import annotations

import sys

from octogram_agentd.procedures.base import REGISTRY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Type

    from octogram_agentd.procedures.base import Procedure

FAMILIES = {
    "copy": ("octogram_agentd.procedures.files",),
    "builtins": (
        "octogram_agentd.procedures.commands",
        "octogram_agentd.procedures.files",
        "octogram_agentd.procedures.network",
        "octogram_agentd.procedures.control",
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
    exec(compile(source, path, "exec"), module.__dict__)
