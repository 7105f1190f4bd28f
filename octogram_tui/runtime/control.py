"""The control socket of a run: the journal's lines outward, requests inward. A Unix socket of the same user's.

Each client reads the journal's file at its own pace, so a slow console costs no memory here and delays nobody.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from octogram_tui.engine.events import CourseMovedBack, Event, RequestRefused, RerunBegun, VariableChanged
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.errors import UsageError
from octogram_tui.projection.stale import consequences, went_back
from octogram_tui.runtime.desk import Question
from octogram_tui.runtime.driver import Fed
from octogram_tui.runtime.requests import MAX_REQUEST_BYTES, decode_request
from octogram_tui.runtime.verbs import OnlyWatch, TakeControl, verb_of

CHUNK_BYTES = 256 * 1024
_CREDENTIALS = struct.Struct("3i")  # process, user, group

LAST_WORDS_S = 2.0  # for a console to take the end of the journal


class ControlServer:
    """Serves the consoles of one run. The first to come holds control; the others watch until it leaves."""

    def __init__(
        self,
        run: str,
        journal: Path,
        submit: Callable[[Stimulus, Fed], None],
        answer: Callable[[Question], Awaitable[dict[str, Any]]],
    ) -> None:
        self._run = run
        self._journal = journal
        self._submit = submit
        self._answer_of = answer
        self._loop = asyncio.get_running_loop()
        self._clients: list[_Client] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_ended = False

    @property
    def is_attended(self) -> bool:
        """Whether a console is there that may act."""
        return self._controller() is not None

    async def start(self, path: Path) -> None:
        """Listen. Raises OSError."""
        previous = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, str(path), limit=MAX_REQUEST_BYTES)
        finally:
            os.umask(previous)

    def wake(self) -> None:
        """The journal has grown."""
        for client in self._clients:
            client.news.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not _is_admitted(writer):
            writer.write(json.dumps({"refused": "this run is another user's"}).encode() + b"\n")
            writer.close()
            return
        if self.is_ended:  # it was let in just before the door was shut
            writer.transport.abort()
            return
        client = _Client(writer)
        self._clients.append(client)
        self._tell_everybody()
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        sender = self._loop.create_task(self._send_journal(client), name="journal to a console")
        try:
            while line := await reader.readline():
                self._take(client, line)
                await writer.drain()  # whoever does not read the answers is not listened to
        except (ConnectionError, ValueError):  # the latter for a line without end
            pass  # a console that went away, or speaks another language: its run goes on without it
        finally:
            self._clients.remove(client)
            self._tell_everybody()
            if not self.is_ended:
                sender.cancel()
            tasks = [sender]
            if client.reading is not None:
                client.reading.cancel()
                tasks.append(client.reading)
            await asyncio.wait(tasks)
            writer.close()
            self._tasks.discard(task)

    def _controller(self) -> _Client | None:
        return next((client for client in self._clients if not client.only_watches), None)

    def _tell_everybody(self) -> None:
        for client in self._clients:
            self._tell_control(client)

    def _tell_control(self, client: _Client) -> None:
        record: dict[str, object] = {
            "control": client is self._controller(),
            "run": self._run,
            "pid": os.getpid(),
            "consoles": len(self._clients),
        }
        self._tell(client, record)

    def _tell(self, client: _Client, message: dict[str, object]) -> None:
        if not client.writer.is_closing():  # it went away, and was not taken off the list yet
            client.writer.write(json.dumps(message).encode() + b"\n")

    def _take(self, client: _Client, line: bytes) -> None:
        if not line.strip():
            return
        try:
            asked = decode_request(line)
        except UsageError as error:
            self._tell(client, {"refused": error.message})
            return
        if verb_of(asked).needs_control and client is not self._controller():
            self._tell(client, {"refused": "another console holds control of this run"})
        elif isinstance(asked, TakeControl):
            self._clients.remove(client)
            self._clients.insert(0, client)
            client.only_watches = False
            self._tell_everybody()
        elif isinstance(asked, OnlyWatch):
            client.only_watches = True
            self._tell_everybody()
        elif isinstance(asked, Question):
            if client.reading is not None and not client.reading.done():
                problem = "something else is being read for you: one at a time"
                self._tell(client, {"answered": verb_of(asked).name, "problem": problem})
            else:
                client.reading = self._loop.create_task(self._answer(client, asked), name="answer to a console")
        else:
            self._submit(asked, partial(self._tell_fate, client, verb_of(asked).name))

    def _tell_fate(self, client: _Client, verb: str, events: Sequence[Event]) -> None:
        """Tell who asked what came of it; whoever is told by the events does not need it."""
        if client not in self._clients:
            return
        problem = next((event.message for event in events if isinstance(event, RequestRefused)), "")
        said = [line for event in events if (line := _said_of(event))]
        led_to = list(dict.fromkeys(event.TYPE for event in events))
        up_to = events[-1].seq if events else 0
        self._tell(client, {"answered": verb, "problem": problem, "led_to": led_to, "said": said, "up_to": up_to})

    async def _answer(self, client: _Client, question: Question) -> None:
        self._tell(client, {"answered": verb_of(question).name, **await self._answer_of(question)})

    async def _send_journal(self, client: _Client) -> None:
        """Send the file from its start, then whatever is appended, until the run has ended and all is sent."""
        fd = -1
        rest = b""  # of a line: answers to requests are written between lines, never into one
        try:
            fd = os.open(self._journal, os.O_RDONLY | os.O_CLOEXEC)
            while True:
                client.news.clear()
                is_last = self.is_ended
                while data := os.read(fd, CHUNK_BYTES):
                    lines, end, rest = (rest + data).rpartition(b"\n")
                    client.writer.write(lines + end)
                    await client.writer.drain()
                if is_last:
                    break
                await client.news.wait()
        except ConnectionError:
            pass
        except OSError as error:  # the console has to know why it sees nothing
            self._tell(client, {"refused": f"the journal cannot be read: {error.strerror}"})
        finally:
            if fd >= 0:
                os.close(fd)
        client.writer.close()

    async def close(self) -> None:
        """Send everybody the end of the journal, then hang up. Bounded in time."""
        self.is_ended = True
        if self._server is not None:
            self._server.close()
        self.wake()
        await self._wait_for_clients(LAST_WORDS_S)
        for client in list(self._clients):
            client.writer.transport.abort()
        await self._wait_for_clients(LAST_WORDS_S)

    async def _wait_for_clients(self, timeout_s: float) -> None:
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=timeout_s)


def _said_of(event: Event) -> str:
    """Say what a request came to, where the event tells more than its type."""
    if isinstance(event, RerunBegun):
        return event.message
    if isinstance(event, VariableChanged) and event.stale is not None:
        return f"{event.name}: {consequences(event)}"
    if isinstance(event, CourseMovedBack):
        return went_back(event)
    return ""


def _is_admitted(writer: asyncio.StreamWriter) -> bool:
    """Tell whether the other end is ours, or root's, whatever the modes of the socket and its directory have become."""
    end = writer.get_extra_info("socket")
    _, user, _ = _CREDENTIALS.unpack(end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return user in (os.geteuid(), 0)


class _Client:
    """One console."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.news = asyncio.Event()
        self.only_watches = False
        self.reading: asyncio.Task[None] | None = None  # what it asked for
