"""Listens on a port of this machine, and starts a process of its own for each client that comes: none disturbs another.

Who can debug can run programs as we can. So only our own user, or root, gets in, as with a run's control socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable

from octogram_agentd.network.endpoint import LOOPBACK
from octogram_tui.errors import ExitCode, OctogramError

MOST_CLIENTS = 16
ENDS_S = 40.0
"""So long a client's process has to end the run that it began."""


class PortTaken(OctogramError):
    """The port cannot be had."""

    exit_code = ExitCode.IO


async def serve(port: int, argv: list[str], told: Callable[[int], None]) -> None:
    """Serve until INT, TERM or HUP. argv: what speaks with one client; told: hears the port. Raises PortTaken."""
    loop = asyncio.get_running_loop()
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
        listening.listen(MOST_CLIENTS)
    except OSError as error:
        listening.close()
        raise PortTaken(f"port {port} of {LOOPBACK} cannot be had: {error.strerror}") from None
    listening.setblocking(False)
    end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end.set)
    clients: set[asyncio.Task[None]] = set()
    processes: set[asyncio.subprocess.Process] = set()
    told(listening.getsockname()[1])
    accepting = asyncio.create_task(_accept(listening, argv, clients, processes))
    ending = asyncio.create_task(end.wait())
    try:
        await asyncio.wait([accepting, ending], return_when=asyncio.FIRST_COMPLETED)
    finally:
        accepting.cancel()
        ending.cancel()
        listening.close()
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        if clients:
            await asyncio.wait(clients, timeout=ENDS_S)
    if accepting.done() and not accepting.cancelled():
        accepting.result()


async def _accept(
    listening: socket.socket,
    argv: list[str],
    clients: set[asyncio.Task[None]],
    processes: set[asyncio.subprocess.Process],
) -> None:
    loop = asyncio.get_running_loop()
    while True:
        connection, address = await loop.sock_accept(listening)
        if len(clients) >= MOST_CLIENTS or not _is_ours(address[1], listening.getsockname()[1]):
            print(f"octogram-tui: a client from port {address[1]} was not let in", file=sys.stderr, flush=True)
            connection.close()
            continue
        task = asyncio.create_task(_speak(connection, argv, processes))
        clients.add(task)
        task.add_done_callback(clients.discard)


async def _speak(connection: socket.socket, argv: list[str], processes: set[asyncio.subprocess.Process]) -> None:
    with connection:
        connection.setblocking(True)
        try:
            process = await asyncio.create_subprocess_exec(*argv, stdin=connection.fileno(), stdout=connection.fileno())
        except OSError as error:
            print(f"octogram-tui: a client cannot be spoken with: {error.strerror}", file=sys.stderr, flush=True)
            return
    processes.add(process)
    try:
        await process.wait()
    finally:
        processes.discard(process)


def _is_ours(theirs: int, mine: int) -> bool:
    """Tell whether the other end of a connection is our user's, or root's, as the system has it in its table."""
    here = "".join(f"{int(part):02X}" for part in reversed(LOOPBACK.split(".")))
    wanted = [f"{here}:{theirs:04X}", f"{here}:{mine:04X}"]
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table:
            fields = line.split()
            if fields[1:3] == wanted:
                return int(fields[7]) in (os.geteuid(), 0)
    return False
