"""The daemons of one agent by kind and name: default names, process names, and ports that a rerun keeps."""

from __future__ import annotations

from octogram_agentd.network import ports
from octogram_agentd.procedures.base import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

    from octogram_agentd.procedures.context import Context

STOP_ORDER = {"baker": 0, "dal_node": 5, "rollup_node": 5, "node": 10}
"""At the end of a run: who needs another is stopped, and gone, before it."""

_DEFAULT_PREFIX = {"node": "node", "dal_node": "octez-dal-node", "rollup_node": "sc-rollup-node"}


class Roster:
    """What one agent knows of the Octez daemons that it was asked to run."""

    def __init__(self) -> None:
        self._given: Dict[Tuple[str, str], str] = {}
        self._counts: Dict[str, int] = {}
        self._processes: Dict[str, Tuple[str, str]] = {}
        self._ports: Dict[Tuple[str, str, str], int] = {}

    def name(self, kind: str, attempt: str, wanted: Optional[str], *, prefix: str = "") -> str:
        """Give a daemon's name: the wanted one, else the next of its kind; a rerun has the one of before."""
        if wanted:
            if "/" in wanted or wanted in (".", "..") or "\0" in wanted:
                raise ProcedureFailed("%r cannot be a daemon's name: it names a directory too" % wanted, kind="refused")
            return wanted
        instance = (kind, attempt.rpartition("#")[0])
        if instance not in self._given:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._given[instance] = "%s%d" % (prefix or _DEFAULT_PREFIX[kind], self._counts[kind])
        return self._given[instance]

    def process_name(self, kind: str, name: str) -> str:
        """Give the name of a daemon's process and data directory: its own, unless another kind has that already."""
        owner = self._processes.setdefault(name, (kind, name))
        if owner == (kind, name):
            return name
        other = "%s.%s" % (name, kind)
        self._processes.setdefault(other, (kind, name))
        return other

    def port(self, context: Context, kind: str, name: str, which: str, wanted: Any) -> int:
        """Give one of a daemon's ports: the wanted one, else that of its former life, else a fresh one.

        Call it when the former process is gone. Raises ProcedureFailed kind `port` when a wanted one is taken.
        """
        key = (kind, name, which)
        if wanted is not None and str(wanted) != "":
            port = ports.number(wanted, "%s_port" % which)
            if not ports.is_free(port):
                raise ports.taken(port, "%s of %s" % (which, name))
        else:
            port = self._ports.get(key, 0)
            if not port or not ports.is_free(port):
                port = context.fresh_port()
        self._ports[key] = port
        return port


def roster(context: Context) -> Roster:
    """Give the roster of an agent."""
    return context.state(Roster)
