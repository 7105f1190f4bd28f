"""From a URI argument to the URL of a node's RPC server."""

from __future__ import annotations

from octogram_agentd.network.endpoint import Endpoint
from octogram_agentd.procedures.base import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
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


def own_path(context: Context, uri: Uri, field: str) -> str:
    """Give the path of something that must lie on this agent. Raises ProcedureFailed when it does not."""
    if uri.owned is None:
        raise ProcedureFailed(
            "%s must be on the agent that runs the job, not at %s" % (field, uri.remote),
            kind="refused",
            hint="write %s: self://PATH, and bring it there with `copy` first if need be" % field,
        )
    return context.path(uri.owned)
