"""A front end's end of a run's control socket: events in, requests out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from octogram_tui.engine.events import Event
from octogram_tui.errors import AttachRefused
from octogram_tui.journal import codec
from octogram_tui.runtime.requests import encode_request
from octogram_tui.runtime.verbs import Asked, LogQuery, OnlyWatch, TakeControl

READ_BYTES = 256 * 1024
CONNECT_S = 5.0
LOG_S = 15.0
JOURNAL_LINES = (b'{"seq":', b'{"v":')  # how those of the journal begin: a run may have written millions of them


class Client:
    """The connection to a run's host. `refusals` collects what the host would not do, for the console to show."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.has_control = False
        self.is_connected = True
        self.refusals: list[str] = []
        self._log: asyncio.Future[dict[str, Any]] | None = None  # that was asked for

    @classmethod
    async def connect(cls, path: str, *, only_watch: bool = False) -> Client:
        """Join a run, to act on it or to look only. Raises AttachRefused when its host does not answer."""
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_unix_connection(path)
        except (OSError, TimeoutError) as error:
            text = getattr(error, "strerror", None) or type(error).__name__
            raise AttachRefused(f"the run does not answer at {path}: {text}") from error
        client = cls(reader, writer)
        if only_watch:
            client.send(OnlyWatch())
        return client

    async def events(self) -> AsyncIterator[list[Event]]:
        """Give what the run has stated, from its first event on, in batches; ends with the connection."""
        async for lines in self._lines():
            batch: list[Event] = []
            for line in lines:
                record = json.loads(line)
                if "seq" in record:
                    batch.append(codec.from_dict(record))
                elif "control" in record:
                    self.has_control = bool(record["control"])
                elif "refused" in record:
                    self.refusals.append(str(record["refused"]))
                elif record.get("answered") == "log" and self._log is not None and not self._log.done():
                    self._log.set_result(record)
            if batch:
                yield batch

    async def answers(self) -> AsyncIterator[dict[str, Any]]:
        """Give what the host says to this client alone, and none of the run's events; ends with the connection."""
        async for lines in self._lines():
            for line in lines:
                if not line.startswith(JOURNAL_LINES):
                    yield json.loads(line)

    async def _lines(self) -> AsyncIterator[list[bytes]]:
        rest = b""
        while True:
            try:
                data = await self._reader.read(READ_BYTES)
            except ConnectionError:
                data = b""
            if not data:
                self.is_connected = False
                return
            *lines, rest = (rest + data).split(b"\n")
            yield lines

    def send(self, asked: Asked) -> None:
        """Ask for something. The answer is an event."""
        if self.is_connected:
            self._writer.write(encode_request(asked))

    async def read_log(self, query: LogQuery) -> dict[str, Any]:
        """Read the end of a log at its agent, while `events` is read: {problem} or {lines, size_bytes, trouble}."""
        if self._log is not None and not self._log.done():
            return {"problem": "another log is being read: one at a time"}
        self._log = asyncio.get_running_loop().create_future()
        self.send(query)
        try:
            return await asyncio.wait_for(self._log, LOG_S)
        except TimeoutError:
            return {"problem": "the run does not answer"}

    def take_control(self) -> None:
        """Become the console that may act."""
        self.send(TakeControl())

    def only_watch(self) -> None:
        """Leave control to others."""
        self.send(OnlyWatch())

    async def close(self) -> None:
        """Hang up; the run goes on."""
        self.is_connected = False
        self._writer.close()
        try:
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            pass
