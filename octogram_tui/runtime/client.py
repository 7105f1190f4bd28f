"""A front end's end of a run's control socket: events in, requests out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from octogram_agentd.wire.lines import MAX_DEPTH, depth
from octogram_tui.engine.events import Event
from octogram_tui.errors import AttachRefused
from octogram_tui.journal import codec
from octogram_tui.runtime.requests import MAX_REQUEST_BYTES, encode_request
from octogram_tui.runtime.verbs import Asked, OnlyWatch, TakeControl, verb_of

READ_BYTES = 64 * 1024
CONNECT_S = 5.0
ANSWER_S = 15.0
JOURNAL_LINES = (b'{"seq":', b'{"v":')  # how those of the journal begin: a run may have written millions of them


class Client:
    """The connection to a run's host. `refusals` collects what the host would not do, for the console to show."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.has_control = False
        self.is_connected = True
        self.refusals: list[str] = []
        self.consoles = 1  # that are attached, this one too
        # What is answered to us alone: the verb that asks for it, and where the answer goes.
        self._asked: tuple[str, asyncio.Future[dict[str, Any]]] | None = None
        self._is_given_up = False  # nobody waits for that answer any more, which comes all the same
        self.control_changed: Callable[[], None] = lambda: None

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
            for record in codec.load_each(lines):
                if "seq" in record:
                    if codec.is_event(record):
                        batch.append(codec.from_dict(record))
                elif "control" in record:
                    self.has_control = bool(record["control"])
                    self.consoles = int(record.get("consoles") or 1)
                    self.control_changed()
                elif "refused" in record:
                    self._take_refusal(str(record["refused"]))
                else:
                    self._take_answer(record)
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
                if self._asked is not None and not self._asked[1].done():
                    self._asked[1].set_result({"problem": "the run went away before it answered"})
                return
            *lines, rest = (rest + data).split(b"\n")
            yield lines

    def send(self, asked: Asked) -> None:
        """Ask for something. The answer is an event."""
        if self.is_connected:
            line = encode_request(asked)
            said = ""
            if len(line) > MAX_REQUEST_BYTES:
                said = f"a request has at most {MAX_REQUEST_BYTES} bytes, and this one would have {len(line)}"
            elif depth(line) > MAX_DEPTH:
                said = f"a request is nested at most {MAX_DEPTH} deep, and a value in it a little less"
            if said:
                self._take_refusal(f"{verb_of(asked).name}: {said}")
            else:
                self._writer.write(line)

    def _take_answer(self, record: dict[str, Any]) -> None:
        if self._asked is not None and record.get("answered") == self._asked[0] and not self._asked[1].done():
            self._asked[1].set_result(record)

    def _take_refusal(self, why: str) -> None:
        """Give it as the answer to what is waited for, else keep it for the console to show."""
        if self._asked is not None and not self._asked[1].done():
            self._asked[1].set_result({"problem": why})
        else:
            self.refusals.append(why)

    async def answer(self, question: Asked) -> dict[str, Any]:
        """Ask, while `events` is read, and give what is answered to us alone.

        {problem}; or of a question what desk.py gives, of all else what control.py tells of its fate.
        """
        if self._asked is not None and not self._asked[1].done():
            if not self._is_given_up:
                return {"problem": "something else is being read for you: one at a time"}
            await asyncio.wait([self._asked[1]], timeout=ANSWER_S)  # else it is taken for the answer to this
        if not self.is_connected:
            return {"problem": "the run went away"}
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked, self._is_given_up = (verb_of(question).name, answer), False
        self.send(question)
        try:
            # Not `wait_for`, which is given up a turn after who waits for it: until then the next is refused.
            await asyncio.wait([answer], timeout=ANSWER_S)
            return answer.result() if answer.done() else {"problem": "the run does not answer"}
        finally:
            self._is_given_up = not answer.done()

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
