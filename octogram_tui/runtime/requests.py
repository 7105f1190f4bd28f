"""Requests as lines of the control socket: the verbs of the table as JSON, within bounds."""

from __future__ import annotations

import json
from typing import Any

from octogram_agentd.wire.lines import MAX_DEPTH, depth
from octogram_tui.cuts import quoted
from octogram_tui.errors import UsageError
from octogram_tui.runtime.verbs import VERBS, Asked, named, request_of, verb_of

MAX_REQUEST_BYTES = 1024 * 1024
"""So much a run takes in one line; whoever sends it more is hung up on."""


def encode_request(asked: Asked) -> bytes:
    """Give a request as a line. Raises UsageError for what no operator may ask."""
    return json.dumps(encode(asked)).encode() + b"\n"


def decode_request(line: bytes) -> Asked:
    """Read a line, whatever it is. Raises UsageError that says in one line what is wrong with it."""
    return decode(_json(line))


def encode(asked: Asked) -> dict[str, Any]:
    """Write a request for JSON. Raises UsageError for what no operator may ask."""
    verb = verb_of(asked)
    return {"request": verb.name, **{argument.name: value for argument, value in verb.given(asked).items()}}


def decode(record: Any) -> Asked:
    """Read a request from what was JSON, whatever it is. Raises UsageError, in one line."""
    if not isinstance(record, dict) or not isinstance(record.get("request"), str):
        raise UsageError("not a request", hint=f"one of {', '.join(VERBS)}")
    verb = named(record["request"])
    return request_of(verb, {name: value for name, value in record.items() if name != "request"})


def _json(line: bytes) -> Any:
    try:
        if line.count(b"{") + line.count(b"[") > MAX_DEPTH and depth(line) > MAX_DEPTH:
            raise ValueError(f"deeper than {MAX_DEPTH}")
        return json.loads(line)
    except (ValueError, RecursionError):
        raise UsageError(f"not a request: {quoted(line, 80)}", hint="JSON, one request a line") from None
