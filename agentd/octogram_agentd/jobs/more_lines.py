"""Answers to whoever wants more of what was printed than was sent: the end of a log, or what was left out."""

from __future__ import annotations

from octogram_agentd.wire.lines import MAX_LINE_BYTES, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from octogram_agentd.jobs.agent import Agent
    from octogram_agentd.jobs.attempts import Attempts
    from octogram_agentd.wire.backlog import Backlog

    Message = Dict[str, Any]

TAIL_BYTES = 64 * 1024  # of a log in one answer


def tail(agent: Agent, attempts: Attempts, message: Message) -> Message:
    """Answer `tail`."""
    name = str(message.get("process"))
    process = agent.supervised.get(name)
    log = process.log if process is not None else attempts.log_of(name)
    answer: Message = {"t": "log", "request": message.get("request"), "lines": [], "size_bytes": 0}
    if log is None:
        answer["error"] = "%s has no log on this agent" % name
        return answer
    size_bytes = min(_number(message["bytes"]) if "bytes" in message else TAIL_BYTES, TAIL_BYTES)
    answer["size_bytes"] = log.size_bytes
    answer["lines"] = log.last_text(size_bytes)
    while len(encode(answer)) > MAX_LINE_BYTES:  # what is no text takes six bytes for one
        size_bytes //= 2
        answer["lines"] = log.last_text(size_bytes)
    if log.trouble:
        answer["error"] = log.trouble
    return answer


def left_out(backlog: Backlog, message: Message) -> Message:
    """Answer `left_out`."""
    name = str(message.get("process") or "")
    found = backlog.left_out(_number(message.get("gap")), max(0, _number(message.get("from"))), name)
    return {"t": "log", "request": message.get("request"), "lines": [], "size_bytes": 0, **found}


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
