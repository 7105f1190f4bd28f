"""Ports for what cannot be given port 0, and for what is to be refused because nobody listens."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

PROCESSES = 16
"""So many processes of the tests have ports that none of the others gives out."""

SHARE = 700


def free_port() -> int:
    """Give a port that nobody has, and each only once.

    It is below those that the system gives to whoever asks for any: a port of those may be somebody else's by the time
    it is used, for an outgoing connection too.
    """
    while True:
        port = next(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port


def _ports() -> Iterator[int]:
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % PROCESSES
    end = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    first = max(1024, end - PROCESSES * SHARE)
    mine = list(range(first, end))[number::PROCESSES]
    random.Random(os.urandom(8)).shuffle(mine)
    while True:
        yield from mine


_PORTS = _ports()
