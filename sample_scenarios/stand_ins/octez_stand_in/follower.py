"""Following an L1 node's head, for as long as it takes."""

from __future__ import annotations

import time

from . import events, http_client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator

RETRY_FIRST_S, RETRY_FACTOR, RETRY_MOST_S = 1.0, 1.5, 10.0


def heads(node: http_client.Client, log: events.Log) -> Iterator[Dict[str, Any]]:
    """Yield every head, connecting again whenever the stream ends."""
    delay_s = RETRY_FIRST_S
    while True:
        problem = "the stream of heads was closed"
        try:
            for head in node.lines("GET", "/monitor/heads/main"):
                delay_s = RETRY_FIRST_S
                yield head
        except (http_client.Unreachable, http_client.Refused) as error:
            problem = str(error)
        log.notice("cannot_connect", f"cannot follow {node.base_url} ({problem}), retrying in {delay_s:.1f} seconds")
        time.sleep(delay_s)
        delay_s = min(delay_s * RETRY_FACTOR, RETRY_MOST_S)
