"""What runs in the process that evaluates apart: one evaluation after the other, each at its bounds.

At the bound of time the system ends the process; without memory it ends itself, since nobody knows what is left then.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
from contextlib import suppress

from octogram_tui.template.environment import evaluated_here, explain
from octogram_tui.template.process import IDLE, MEMORY_BYTES, OUT_OF_MEMORY
from octogram_tui.template.requests import Request, decode, encode_error, encode_missing, encode_value
from octogram_tui.template.sandbox import Missing
from octogram_tui.template.scope import VisibleVariables
from octogram_tui.template.share import OF_THIS_PROCESS

IDLE_S = 600.0
PAGE_BYTES = resource.getpagesize()


def main() -> None:
    """Answer what comes over standard input until nothing does, then end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    OF_THIS_PROCESS.is_lifted = True
    gc.freeze()
    _bound_memory()
    link = socket.socket(fileno=0)
    link.settimeout(IDLE_S)
    with suppress(OSError, EOFError):
        while True:
            size = int.from_bytes(_received(link, 4), "big")
            try:
                answer = _answer(_received(link, size))
                link.sendall(len(answer).to_bytes(4, "big") + answer)
            except MemoryError:
                os._exit(OUT_OF_MEMORY)
    os._exit(IDLE)


def _answer(data: bytes) -> bytes:
    request = decode(data)
    signal.setitimer(signal.ITIMER_PROF, request.cpu_s)
    try:
        return encode_value(evaluated_here(request.kind, request.text, request.scope, request.braces))
    except MemoryError:
        raise
    except Missing as error:
        if error.is_from_scope:
            return encode_missing("name", str(error.name))
        if isinstance(error.owner, VisibleVariables):
            return encode_missing("variable", str(error.name))
        return _said(error, request)
    except Exception as error:
        return _said(error, request)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _said(error: Exception, request: Request) -> bytes:
    return encode_error(explain(error, request.text, request.scope))


def _received(link: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = link.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _bound_memory() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    taken = 256 << 20
    with suppress(OSError), open("/proc/self/statm", encoding="ascii") as file:
        taken = int(file.read().split()[0]) * PAGE_BYTES
    with suppress(OSError, ValueError):  # not every system has it
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_BYTES, taken + MEMORY_BYTES))
