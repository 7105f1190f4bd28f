"""A daemon for `transport: command` that behaves as its first word says: misbehaving_agent.py HOW BOOT...

It answers greetings and stops as a daemon does, and to its first `run` as no daemon does.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

OUT = sys.stdout.buffer
Message = dict[str, Any]


def bytes_of(message: Message) -> bytes:
    return json.dumps(message).encode() + b"\n"


def forged(own: str) -> Iterator[bytes]:
    """All that can be said of another agent's job."""
    other = own.replace("@evil", "@good")
    for said in (
        {"t": "finished", "state": "ok", "result": {"stdout": "FORGED"}},
        {"t": "finished", "state": "failed", "error": {"kind": "exit", "message": "FORGED"}},
        {"t": "finished", "state": "cancelled", "error": {"kind": "cancelled", "message": "FORGED"}},
        {"t": "output", "stream": "stdout", "lines": ["FORGED"], "bytes": 10},
        {"t": "progress", "text": "FORGED"},
        {"t": "service", "kind": "node", "name": "FORGED", "ports": {"rpc": 1}, "state": "up"},
    ):
        yield bytes_of({**said, "id": other})


def for_ever(message: Message) -> Callable[[str], Iterator[bytes]]:
    def say(own: str) -> Iterator[bytes]:
        line = bytes_of({**message, "id": own})
        while True:
            yield line

    return say


def ever_new(message: Message, field: str, text: str) -> Callable[[str], Iterator[bytes]]:
    """Something is called otherwise each time; at a pace that is within its allowance."""

    def say(own: str) -> Iterator[bytes]:
        for number in range(4_000):
            yield bytes_of({**message, "id": own, field: f"{number}{text}"})

    return say


def gaps(own: str) -> Iterator[bytes]:
    for number in range(20_000):
        yield bytes_of({"t": "output", "id": own, "lines": [], "dropped": 1})
        if number % 100 == 0:
            time.sleep(0.06)


def once(line: bytes) -> Callable[[str], Iterator[bytes]]:
    return lambda own: iter([line])


def backwards(own: str) -> Iterator[bytes]:
    """Numbers in no order."""
    for seq in (3, 2, 9, 1):
        yield bytes_of({"t": "finished", "seq": seq, "id": own, "state": "ok", "result": seq})


HOW: dict[str, Callable[[str], Iterator[bytes]]] = {
    "forged": forged,
    "backwards": backwards,
    "log lines without credit": for_ever({"t": "output", "stream": "stdout", "lines": ["x" * 1000] * 100, "bytes": 0}),
    "log lines that count as none": for_ever({"t": "output", "stream": "stdout", "lines": [""], "bytes": 0}),
    "progress": for_ever({"t": "progress", "text": "x" * 900}),
    "services": ever_new({"t": "service", "kind": "process", "ports": {"a": 1}, "state": "up"}, "name", "n" * 900),
    "reasons": ever_new(
        {"t": "service", "kind": "http", "name": "n", "ports": {}, "state": "down"}, "reason", "r" * 9000
    ),
    "processes": ever_new({"t": "output", "lines": ["x"], "bytes": 9}, "process", "p" * 900),
    "gaps": gaps,
    "signs of life": for_ever({"t": "hb", "n": 1, "load": {"cpu": 0.5}}),
    "ends": for_ever({"t": "finished", "state": "ok", "result": "x" * 100_000}),
    "unknown": for_ever({"t": "news", "what": "x" * 1000}),
    "a line without end": lambda own: iter(lambda: b"x" * 65536, b""),
    "no number": lambda own: iter(
        [b'{"t":"finished","seq":1,"id":"%s","state":"ok","duration_s":1e999,"result":{}}\n' % own.encode()]
    ),
    "deep": once(b'{"t":"finished","result":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"),
}


def main() -> None:
    how = HOW[sys.argv[1]]
    found = re.search(r"OCTO ([0-9a-f]+) none", " ".join(sys.argv[2:]))
    assert found is not None
    OUT.write(b'OCTO %s {"need":false}\n' % found[1].encode())
    OUT.flush()
    seq = 0
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message["t"] == "hello":
            answer: Message = {"t": "welcome", "proto": [1, 1], "pid": os.getpid(), "home": "/", "birth": "b", "rx": 1}
            OUT.write(bytes_of({**answer, "rx": 0} if message["rx"] is None else answer))
            if message["rx"] is not None:
                say(how, "s/j@evil#1")
        elif message["t"] == "run":
            say(how, message["id"])
            seq += 1
            OUT.write(bytes_of({"t": "finished", "seq": seq, "id": message["id"], "state": "ok", "result": {}}))
        elif message["t"] == "stop":
            seq += 1
            OUT.write(bytes_of({"t": "stopped", "seq": seq, "remaining": []}))
        OUT.flush()


def say(how: Callable[[str], Iterator[bytes]], own: str) -> None:
    for line in how(own):
        OUT.write(line)
    OUT.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(0)  # it was shut out
