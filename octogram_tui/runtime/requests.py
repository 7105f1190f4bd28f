"""What a front end may ask of a run, as JSON: the control stimuli and their codec, for the control socket."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from octogram_agentd.wire.lines import MAX_DEPTH, depth
from octogram_tui.engine.stimuli import (
    ConfirmRequest,
    GoRequest,
    PauseRequest,
    RerunRequest,
    SetVariableRequest,
    SkipRequest,
    StepRequest,
    Stimulus,
    StopRequest,
)
from octogram_tui.errors import ExitCode, UsageError
from octogram_tui.model.ids import InstanceId

REQUESTS: dict[str, type[Any]] = {
    "pause": PauseRequest,
    "go": GoRequest,
    "step": StepRequest,
    "confirm": ConfirmRequest,
    "rerun": RerunRequest,
    "skip": SkipRequest,
    "set_variable": SetVariableRequest,
    "stop": StopRequest,
}
"""Every request by its public name."""

TAKE_CONTROL = b'{"request": "take_control"}\n'
WATCH = b'{"request": "watch"}\n'
"""Two requests that are about the connection, not the run: become the console that may act; only look."""

_NAMES = {cls: name for name, cls in REQUESTS.items()}


def encode_request(stimulus: Stimulus) -> bytes:
    """Give a control stimulus as a line. Raises UsageError for one that is not for front ends."""
    name = _NAMES.get(type(stimulus))
    if name is None:
        raise UsageError(f"{type(stimulus).__name__} cannot be asked for")
    record = {"request": name, **{f.name: getattr(stimulus, f.name) for f in fields(REQUESTS[name])}}
    if isinstance(record.get("instance"), InstanceId):
        record["instance"] = str(record["instance"])
    return json.dumps(record).encode() + b"\n"


def decode_request(line: bytes) -> Stimulus:
    """Read a line. Raises UsageError that says what is wrong with it."""
    try:
        if line.count(b"{") + line.count(b"[") > MAX_DEPTH and depth(line) > MAX_DEPTH:
            raise ValueError(f"deeper than {MAX_DEPTH}")
        record = json.loads(line, parse_constant=_refuse_constant)
        cls = REQUESTS[record.pop("request")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"not a request: {line[:80]!r}", hint=f"one of {', '.join(REQUESTS)}") from None
    known = {f.name: f.type for f in fields(cls)}
    unknown = sorted(set(record) - set(known))
    if unknown:
        raise UsageError(f"request {_NAMES[cls]}: unknown field {unknown[0]!r}")
    if isinstance(record.get("instance"), str):
        try:
            record["instance"] = InstanceId.parse(record["instance"])
        except ValueError as error:
            raise UsageError(f"request {_NAMES[cls]}: {error}") from None
    for name, value in record.items():
        wanted = {"str": str, "bool": bool, "int": int}.get(str(known[name]))
        if wanted is not None and type(value) is not wanted:
            raise UsageError(f"request {_NAMES[cls]}: {name} must be of type {known[name]}")
        if name == "exit_code" and value not in set(ExitCode):
            raise UsageError(f"request {_NAMES[cls]}: {value} is no exit code")
    try:
        stimulus: Stimulus = cls(**record)
    except TypeError as error:
        raise UsageError(f"request {_NAMES[cls]}: {error}") from None
    return stimulus


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
