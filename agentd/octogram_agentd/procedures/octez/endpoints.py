"""From a URI argument to the URL of a node's RPC server."""

from __future__ import annotations

import re

from octogram_agentd.procedures.base import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from octogram_agentd.context import Context
    from octogram_agentd.procedures.base import Uri

_FULL = re.compile(r"(https?)://(.*):(\d+)")
_BARE = re.compile(r"(.*):(\d+)")
_EVERYWHERE = ("0.0.0.0", "127.0.0.1", "::", "")


def parse_endpoint(text: str) -> str:
    """Bring an endpoint to the form SCHEME://HOST:PORT; the port is required, a path is left out.

    Raises ProcedureFailed.
    """
    found = _FULL.match(text)
    if found is not None:
        return "%s://%s:%s" % found.groups()
    found = _BARE.match(text)
    if found is None:
        raise ProcedureFailed(
            "%r is no endpoint: it needs a port, as in http://HOST:8732 or AGENT://NODE" % text, kind="refused"
        )
    return "http://%s:%s" % found.groups()


def loopback(context: Context) -> str:
    """Give the address by which this agent reaches its own servers."""
    return "127.0.0.1" if context.bind in _EVERYWHERE else context.bind


def endpoint(context: Context, uri: Uri, kind: str, *, host: Optional[str] = None) -> str:
    """Give the RPC endpoint of a node of a kind (node, dal_node, rollup_node).

    host: how to write the machine when the node is this agent's own. Raises ProcedureFailed kind `service` when
    this agent runs no such node, or it is down, with the reason.
    """
    if uri.owned is None:
        return parse_endpoint(uri.remote or "")
    ports = context.service(kind, uri.owned)
    return "http://%s:%d" % (host or loopback(context), ports["rpc"])


def own_path(context: Context, uri: Uri, field: str) -> str:
    """Give the path of something that must lie on this agent. Raises ProcedureFailed when it does not."""
    if uri.owned is None:
        raise ProcedureFailed(
            "%s must be on the agent that runs the job, not at %s" % (field, uri.remote),
            kind="refused",
            hint="write %s: self://PATH, and bring it there with `copy` first if need be" % field,
        )
    return context.path(uri.owned)
