"""Asks a machine what runs have left there, and has it removed."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from octogram_tui.cuts import ending, ending_bytes
from octogram_tui.errors import LinkLost, TransportError
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.resources import agentd_dir
from octogram_tui.transport.base import Transport
from octogram_tui.transport.preflight import PYTHONS

ANSWER_S = 60.0
MAX_ANSWER_BYTES = 4 << 20

# The first Python that there is runs the text; `--` ends their names.
_SHELL = (
    't=$1; shift; while [ "$1" != -- ]; do p=$1; shift; command -v "$p" >/dev/null 2>&1 || continue; '
    'while [ "$1" != -- ]; do shift; done; shift; exec "$p" -IS -c "$t" "$@"; done; echo "no Python" >&2; exit 127'
)


class Leftover(NamedTuple):
    """One thing on a machine. busy: a daemon uses it, or has it (of a process) to end.

    kind: `program` (of the daemon) or `run` are directories; `process` one of the run that was asked for, by the name
    of its program; `machine` has the name of it as its path; `unknown` is a place of the run that cannot be looked at.
    is_elsewhere: where a new daemon would not look for it.
    """

    kind: str
    path: str
    size_bytes: int = 0
    is_busy: bool = False
    is_gone: bool = False
    is_elsewhere: bool = False
    pid: int = 0
    agent: str = ""


class Question(NamedTuple):
    """What a machine is asked: what to remove; and of one run, which agents were there, and where their files were.

    ends: end the processes of those agents that have no directory any more.
    """

    remove: Sequence[str] = ()
    run: str = ""
    agents: Sequence[str] = ()
    roots: Sequence[str] = ()
    ends: bool = False


async def look(spec: AgentSpec, transport: Transport, question: Question) -> list[Leftover]:
    """Give what is there; what is to be removed, and could be, is gone then. Raises TransportError."""
    mark = secrets.token_hex(8)
    pythons = (spec.python,) if spec.python else PYTHONS
    text = (agentd_dir() / "leftovers.py").read_text("utf-8")
    asked = question._asdict()
    asked.pop("remove")
    words = [text, *pythons, "--", mark, json.dumps(asked), *question.remove]
    answer = _Answer()
    channel = await transport.open(["sh", "-c", _SHELL, "sh", *words], answer)
    try:
        async with asyncio.timeout(ANSWER_S):
            await answer.ended.wait()
    except TimeoutError:
        raise LinkLost(f"{transport.description} did not answer within {ANSWER_S:.0f} s") from None
    finally:
        channel.abort()
    if answer.error is not None:
        raise answer.error
    lines = answer.data.decode("utf-8", "replace").splitlines()
    records = [json.loads(line.partition(mark)[2]) for line in lines if mark in line]
    if not records or records.pop():
        said = ending(" ".join(answer.stderr.decode("utf-8", "replace").split()), 300)
        raise LinkLost(f"{transport.description}: no answer: {said or 'it printed nothing'}")
    return [
        Leftover(
            one["kind"],
            one["path"],
            one.get("bytes", 0),
            one.get("busy", False),
            one.get("gone", False),
            one.get("elsewhere", False),
            one.get("pid", 0),
            one.get("agent", ""),
        )
        for one in records
    ]


class _Answer:
    """Takes what the machine prints, a bounded amount of it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.stderr = bytearray()
        self.error: TransportError | None = None
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        if len(self.data) < MAX_ANSWER_BYTES:
            self.data += data

    def stderr_received(self, data: bytes) -> None:
        self.stderr = bytearray(ending_bytes(self.stderr + data, 4096))

    def channel_closed(self, error: TransportError | None) -> None:
        self.error = error
        self.ended.set()
