"""Requests as lines of the control socket: the verbs of the table as JSON, within bounds."""

from __future__ import annotations

import json
from typing import Any

from octogram_agentd.wire.lines import MAX_DEPTH, depth
from octogram_tui.errors import UsageError
from octogram_tui.runtime import verbs
from octogram_tui.runtime.verbs import Asked


def encode_request(asked: Asked) -> bytes:
    """Give a request as a line. Raises UsageError for what no operator may ask."""
    return json.dumps(verbs.encode(asked)).encode() + b"\n"


def decode_request(line: bytes) -> Asked:
    """Read a line, whatever it is. Raises UsageError that says in one line what is wrong with it."""
    return verbs.decode(_json(line))


def _json(line: bytes) -> Any:
    try:
        if line.count(b"{") + line.count(b"[") > MAX_DEPTH and depth(line) > MAX_DEPTH:
            raise ValueError(f"deeper than {MAX_DEPTH}")
        return json.loads(line)
    except (ValueError, RecursionError):
        raise UsageError(f"not a request: {line[:80]!r}", hint="JSON, one request a line") from None
