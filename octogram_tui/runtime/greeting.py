"""What both sides say of themselves when a connection begins: our hello, and the daemon's welcome."""

from __future__ import annotations

from typing import Any, NamedTuple

from octogram_agentd import PROTOCOL
from octogram_agentd.network.endpoint import host_to_bind
from octogram_agentd.wire.lines import MAX_LINE_BYTES, encode
from octogram_tui.cuts import quoted
from octogram_tui.errors import BootstrapFailed
from octogram_tui.model.ids import Execution, parse_execution
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.runtime.reading import Message, count, text_of
from octogram_tui.runtime.terms import LinkSettings

HOLDS_SINCE = [1, 3]  # the protocol in which an agent may be given what is to begin after something else


class Welcome(NamedTuple):
    """A daemon's answer to our greeting. birth names it; knows: its attempts that it has heard of.

    holds: it understands what is to begin after something else; one of an older build would begin it at once.
    """

    pid: int
    home: str
    host: str
    python: str
    birth: str
    rx: int
    tx: int
    taken: int
    knows: tuple[Execution, ...]
    holds: bool


def hello(
    spec: AgentSpec,
    settings: LinkSettings,
    *,
    address: str,
    epoch: int,
    seen: int | None,
    taken: int | None,
    birth: str,
) -> bytes:
    """Write our greeting. Raises BootstrapFailed when it is too long to be read."""
    line = encode(
        {
            "t": "hello",
            "proto": list(PROTOCOL),
            "run": settings.run,
            "agent": spec.name,
            "epoch": epoch,
            "lease_s": settings.lease_s,
            "rx": seen,
            "taken": taken,
            "birth": birth,
            "token": settings.token,
            "address": address,
            "env": dict(spec.env),
            "procedures": settings.procedures,
            "keep": settings.keep,
            "bind": host_to_bind(address),
        }
    )
    if len(line) > MAX_LINE_BYTES:
        raise BootstrapFailed(
            f"agent {spec.name}: its greeting has {len(line)} bytes, and the limit is {MAX_LINE_BYTES}",
            hint="procedures of your own and `env` travel in it: make them shorter",
            code="boot.greeting",
        )
    return line


def read_welcome(agent: str, message: Message) -> Welcome:
    """Read the answer. Raises ValueError for what makes no sense, where it is the agent's fault.

    One that names itself by no birth is known by its process, and by when its machine was started.
    """
    pid = count(message.get("pid"))
    return Welcome(
        pid,
        text_of(message.get("home") or ""),
        text_of(message.get("host") or ""),
        text_of(message.get("python") or ""),
        text_of(message.get("birth") or f"{pid}.{message.get('boot')}"),
        count(message.get("rx")),
        count(message.get("tx")),
        count(message.get("taken")),
        _known(agent, message.get("knows") or {}),
        [count(number) for number in message.get("proto") or ()] >= HOLDS_SINCE,
    )


def _known(agent: str, states: Any) -> tuple[Execution, ...]:
    """Give the attempts that a daemon says it has heard of, as far as they are its own."""
    if not isinstance(states, dict):
        raise ValueError(f"not attempts with their states: {quoted(states, 80)}")
    return tuple(execution for execution in map(parse_execution, states) if execution.agent == agent)
