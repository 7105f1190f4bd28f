"""The life of an Octez daemon on this agent: make way, start, watch until it is ready, announce."""

from __future__ import annotations

from octogram_agentd.network import ports
from octogram_agentd.procedures.base import ProcedureFailed
from octogram_agentd.procedures.octez import failures
from octogram_agentd.procedures.octez.roster import STOP_ORDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable, Dict, Optional, Sequence

    from octogram_agentd.procedures.context import Context, Process

    Probe = Callable[[], Awaitable[bool]]

READY_TIMEOUT_S = 600.0
_PROBE_TIMEOUT_S = 5.0
_GRACE_S = 60.0  # databases are closed in it
_LAST_LINES = 30


async def make_way(context: Context, process_name: str) -> None:
    """Stop the former process of that name, its whole tree, so that its ports and data directory are free."""
    if context.process(process_name) is not None:
        context.progress("stopping the former %s" % process_name)
        await context.stop(process_name)


async def start(
    context: Context, kind: str, process_name: str, argv: Sequence[str], *, env: Optional[Dict[str, str]] = None
) -> Process:
    """Start a daemon of a kind under supervision."""
    return await context.start(process_name, argv, env=env, stop_grace_s=_GRACE_S, stop_order=STOP_ORDER[kind])


async def wait_ready(
    context: Context,
    process: Process,
    *,
    text: str,
    probe: Optional[Probe] = None,
    waiting_for: str,
    timeout_s: float = READY_TIMEOUT_S,
    used_ports: Sequence[int] = (),
) -> None:
    """Wait until a daemon says that it is ready: in its output, or by its RPC server, whichever comes first.

    Raises ProcedureFailed: kind `exit` as soon as it ends, with its own message; `timeout`.
    """
    try:
        await context.wait_ready(process, log=text, answer=probe, timeout_s=timeout_s, waiting_for=waiting_for)
    except ProcedureFailed as error:
        if error.kind == "exit":
            raise explain_end(process, used_ports) from None
        if error.kind != "timeout":
            raise
        raise ProcedureFailed(
            "%s was not ready after %g s (waiting for %s)" % (process.name, timeout_s, waiting_for),
            kind="timeout",
            hint="its last lines tell more; `ready_timeout` allows for longer",
            last_lines=process.tail(_LAST_LINES),
        ) from None


def explain_end(process: Process, used_ports: Sequence[int] = ()) -> ProcedureFailed:
    """Make the error of a daemon that ended too early; says who has its port when that is the reason."""
    lines = process.tail(_LAST_LINES)
    error = failures.died(process.name, process.exit_code, lines)
    said = "\n".join(lines).lower()
    if any(words in said for words in ("already in use", "eaddrinuse", "node is probably running")):
        for port in used_ports:
            who = ports.holder(port)
            if who:
                error.message += " (port %d is held by %s)" % (port, who)
                error.args = (error.message,)
                break
    return error


async def answer(context: Context, url: str) -> Any:
    """Ask a daemon's RPC server; the JSON of a good answer, None for anything else."""
    try:
        response = await context.http("GET", url, headers={"Accept": "application/json"}, timeout_s=_PROBE_TIMEOUT_S)
        return response.json() if response.status == 200 else None
    except (ProcedureFailed, ValueError):
        return None
