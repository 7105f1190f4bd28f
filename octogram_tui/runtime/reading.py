"""What an agent reports -> stimuli. Each field is looked at here, since the engine takes a stimulus at its word."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from octogram_tui.cuts import beginning, quoted
from octogram_tui.engine.stimuli import (
    AgentLoadReport,
    AttemptReport,
    OutputReport,
    ProgressReport,
    RecallReport,
    ServiceReport,
    Stimulus,
)
from octogram_tui.model.entries import ProcessEntry
from octogram_tui.model.failure import AGENT_LOST, FAILED, TEMPLATE, Failure
from octogram_tui.model.ids import Execution, parse_execution

Message = dict[str, Any]

END_STATES = ("ok", "failed", "cancelled")
SERVICE_STATES = ("up", "down")
MAX_PORT = 65535
MOST_PORTS = 100
MOST_WORD = 256
MOST_NAME = 4096  # a program's path is a name, too
MOST_SAID = 1000  # of progress: a daemon sends no more
MOST_REASON = 16 * 1024
MAX_KEY_LENGTH = 256
MOST_LOAD = 1000.0
MOST_S = 1e9
MOST = 1 << 53
"""Of whatever is counted: sums of such numbers can still be written, and other programs read them exactly."""


NOTHING_NAMED: Mapping[str, Execution] = {}


def read_report(agent: str, message: Message, named: Mapping[str, Execution] = NOTHING_NAMED) -> Stimulus | None:
    """Give what a message means for the run; None when it is not about the run.

    named: executions by their names, as far as they are known.
    Raises ValueError (or KeyError, OverflowError) when it is not what the protocol says. Whether the agent may speak of
    what it names is for the engine to say, which knows what it was told to do.
    """
    match message["t"]:
        case "finished":
            state = message["state"]
            if state not in END_STATES:
                raise ValueError(f"an attempt cannot end {state!r}")
            error = message.get("error")
            name = message["id"]
            if type(name) is not str:
                raise ValueError(f"not a text: {quoted(name, 80)}")
            return AttemptReport(
                agent,
                named.get(name) or parse_execution(name),
                state,
                message.get("result"),
                None if error is None else _failure(error),
                _duration_s(message.get("duration_s")),
            )
        case "recalled":
            named_two = parse_execution(text_of(message["id"])), parse_execution(text_of(message["after"]))
            return RecallReport(agent, *named_two, message["begun"] is True)
        case "output":
            return OutputReport(
                agent,
                parse_execution(text_of(message["id"])) if message.get("id") else None,
                _lines(message["lines"]),
                _short(message.get("stream", "stdout"), MOST_WORD),
                _short(message.get("process", ""), MOST_NAME),
                count(message.get("dropped")),
                count(message.get("gap")) if message.get("dropped") else 0,
            )
        case "progress":
            return ProgressReport(
                agent, parse_execution(text_of(message["id"])), beginning(text_of(message["text"]), MOST_SAID)
            )
        case "service":
            return ServiceReport(
                agent,
                _short(message["kind"], MOST_WORD),
                _short(message["name"], MOST_NAME),
                _ports(message["ports"]),
                _state(message["state"]),
                beginning(text_of(message.get("reason", "")), MOST_REASON),
                _key(message.get("key", "")),
            )
        case "hb" if "load" in message:
            return _load(agent, message["load"])
    return None


class LogEnd(NamedTuple):
    """The end of a log, or lines that were left out of it.

    size_bytes: of all of it; trouble: why it is not complete, or why there is none; first, following: of lines that
    were left out, which one is the first, and which one comes next; 0: none.
    """

    lines: list[str]
    size_bytes: int
    trouble: str
    first: int = 0
    following: int = 0


def read_log_end(message: Message) -> LogEnd:
    """Give what the answer to `tail` holds. Raises ValueError."""
    lines, trouble = message.get("lines") or [], message.get("error") or ""
    first, following = count(message.get("from")), count(message.get("next"))
    return LogEnd(_lines(lines), count(message.get("size_bytes")), text_of(trouble), first, following)


class Here(NamedTuple):
    """Where an agent's programs begin, and their environment."""

    home: str
    environment: dict[str, str]


def read_here(message: Message) -> Here:
    """Give what the answer to `where` holds. Raises ValueError."""
    environment = message.get("env") or {}
    if not isinstance(environment, dict):
        raise ValueError(f"not an environment: {quoted(environment, 80)}")
    return Here(
        text_of(message.get("home", "")), {text_of(name): text_of(value) for name, value in environment.items()}
    )


def read_remaining(message: Message) -> list[ProcessEntry]:
    """Give which processes the answer to `stop` says are left. Raises ValueError."""
    remaining = message.get("remaining") or []
    if not isinstance(remaining, list) or not all(isinstance(one, dict) for one in remaining):
        raise ValueError(f"not a list of processes: {quoted(remaining, 80)}")
    return [
        {"pid": count(one.get("pid")), "name": text_of(one.get("name", "")), "state": text_of(one.get("state", ""))}
        for one in remaining
    ]


def _load(agent: str, load: object) -> AgentLoadReport:
    """Read how busy a machine is; what it does not tell is -1."""
    if not isinstance(load, dict):
        raise ValueError(f"not a load: {quoted(load, 80)}")
    cpu, memory = (_gauge(load.get(name)) for name in ("cpu", "memory"))
    return AgentLoadReport(agent, cpu, memory, count(load.get("processes")))


def _gauge(value: object) -> float:
    if value is None:
        return -1.0
    return round(min(max(_number(value), 0.0), MOST_LOAD), 2)


def _duration_s(value: object) -> float:
    """Give how long something took; what is not told took no time. Raises ValueError."""
    if value is None:
        return 0.0
    found = value if type(value) is float else _number(value)
    if not 0.0 <= found <= MOST_S:
        raise ValueError(f"not a duration: {quoted(value, 80)}")
    return found


def _number(value: object) -> float:
    """Give a number that can be computed with: neither a truth value, nor text, nor without end. Raises ValueError."""
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int and abs(value) <= MOST:
        return float(value)
    raise ValueError(f"not a number: {quoted(value, 80)}")


def count(value: object) -> int:
    """Give a number that counts something; an absent one counts nothing. Raises ValueError."""
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= MOST:
        raise ValueError(f"not a count: {quoted(value, 80)}")
    return value


def _failure(error: object) -> Failure:
    """Give the failure that an agent tells of. Raises ValueError.

    By some kinds the engine decides (retries, the exit code). Those are for this side to find, whoever else says them.
    """
    failure = Failure.from_json(error)
    return replace(failure, kind=FAILED) if failure.kind in (AGENT_LOST, TEMPLATE) else failure


def text_of(value: object) -> str:
    """Give a text; what came over the wire can be written anywhere. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"not a text: {quoted(value, 80)}")
    return value


def _short(value: object, most: int) -> str:
    """Give a text by which things are told apart. Raises ValueError for one that is longer than any that is used."""
    text = text_of(value)
    if len(text) > most:
        raise ValueError(f"a name of {len(text)} characters: {beginning(text, 80)}")
    return text


def _state(value: object) -> str:
    if value not in SERVICE_STATES:
        raise ValueError(f"a service cannot be {quoted(value, 80)}")
    return str(value)


def _lines(value: object) -> list[str]:
    if not isinstance(value, list):
        raise ValueError(f"not a list of lines: {quoted(value, 80)}")
    try:
        "".join(value)
    except TypeError:
        raise ValueError("a line is not a text") from None
    return value


def _key(value: object) -> str:
    text = text_of(value)
    if not text.isascii() or len(text) > MAX_KEY_LENGTH:
        raise ValueError("not a key")
    return text


def _ports(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ValueError(f"not a map of ports: {quoted(value, 80)}")
    if len(value) > MOST_PORTS:
        raise ValueError(f"{len(value)} ports of one service")
    for name, port in value.items():
        _short(name, MOST_WORD)
        if count(port) > MAX_PORT:
            raise ValueError(f"not a port: {quoted(port, 80)}")
    return dict(value)
