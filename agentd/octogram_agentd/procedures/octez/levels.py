"""The level of an L1 chain, as its node streams it."""

from __future__ import annotations

import json

from octogram_agentd.procedures.base import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from octogram_agentd.procedures.base import Uri
    from octogram_agentd.procedures.context import Context


def level_in(line: str) -> Optional[int]:
    """Read the level of one line of `monitor/heads/main`; None when the line holds none."""
    try:
        head = json.loads(line)
    except ValueError:
        return None
    level = head.get("level") if isinstance(head, dict) else None
    return level if isinstance(level, int) and not isinstance(level, bool) else None


async def wait_for_level(
    context: Context, endpoint: str, wanted: Optional[int] = None, *, further: int = 0, owned: Optional[Uri] = None
) -> int:
    """Wait until the chain's head has reached `wanted`, or so many levels further than now; give the level reached.

    `owned` is the node's URI, so that one of this agent's own which dies tells why.
    Raises ProcedureFailed: kind `service`, or `http` when the node ends the stream.
    """
    heads = context.http_lines(endpoint + "/monitor/heads/main", headers={"Accept": "application/json"})
    try:
        async for line in heads:
            level = level_in(line)
            if level is None:
                continue
            if wanted is None:
                wanted = level + further
            if level >= wanted:
                return level
            context.progress("level %d, waiting for %d" % (level, wanted))
    finally:
        close = getattr(heads, "close", None)
        if close is not None:  # the stream has no end of its own
            close()
    if owned is not None and owned.owned is not None:
        context.service("node", owned.owned)  # raises, with the reason, when that is why the stream ended
    raise ProcedureFailed("%s closed its stream of heads" % endpoint, kind="http", hint="is the node still running?")


async def current_level(context: Context, endpoint: str, *, owned: Optional[Uri] = None) -> int:
    """Give the level of the chain's head. Raises as wait_for_level does."""
    return await wait_for_level(context, endpoint, 0, owned=owned)
