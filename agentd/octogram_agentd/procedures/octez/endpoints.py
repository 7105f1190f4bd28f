"""From a URI argument to the URL of a node's RPC server."""

from __future__ import annotations

from octogram_agentd.network.endpoint import Endpoint
from octogram_agentd.procedures.base import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence

    from octogram_agentd.procedures.base import Uri
    from octogram_agentd.procedures.context import Context


def parse_endpoint(text: str) -> str:
    """Bring an endpoint to the form SCHEME://HOST:PORT; the port is required, a path is left out.

    Raises ProcedureFailed.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    try:
        found = Endpoint.parse(rest.partition("/")[0])
        if scheme not in ("http", "https") or not found.host:
            raise ValueError("it needs a host, and http or https")
    except ValueError as error:
        raise ProcedureFailed(
            "%r is no endpoint: %s, as in http://HOST:8732 or AGENT://NODE" % (text, error), kind="refused"
        ) from None
    return "%s://%s" % (scheme, found)


def endpoint(context: Context, uri: Uri, kind: str) -> str:
    """Give the RPC endpoint of a node of a kind (node, dal_node, rollup_node).

    Raises ProcedureFailed kind `service` when this agent runs no such node, or it is down, with the reason.
    """
    if uri.owned is None:
        return parse_endpoint(uri.remote or "")
    ports = context.service(kind, uri.owned)
    return context.to_reach(ports["rpc"]).url


def peers(context: Context, uris: Sequence[Uri], kind: str) -> List[str]:
    """Give where peers of a kind (node, dal_node) are, as HOST:PORT. Raises ProcedureFailed."""
    return [_peer(context, uri, kind) for uri in uris]


def _peer(context: Context, uri: Uri, kind: str) -> str:
    if uri.owned is not None:
        return str(context.to_reach(context.service(kind, uri.owned)["net"]))
    text = uri.remote or ""
    try:
        # A host alone is left to the program, which has a usual port.
        return str(Endpoint.parse(text)) if ":" in text else text
    except ValueError as error:
        raise ProcedureFailed(
            "peers: %r is no peer: %s" % (text, error),
            kind="refused",
            hint="write HOST:PORT, or AGENT://NAME for one of this run",
        ) from None


def own_path(context: Context, uri: Uri, field: str) -> str:
    """Give the path of something that must lie on this agent. Raises ProcedureFailed when it does not."""
    if uri.owned is None:
        raise ProcedureFailed(
            "%s must be on the agent that runs the job, not at %s" % (field, uri.remote),
            kind="refused",
            hint="write %s: self://PATH, and bring it there with `copy` first if need be" % field,
        )
    return context.path(uri.owned)
