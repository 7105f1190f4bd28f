"""A client of the adapter that believes nothing: each answer is to a request, once, and all is framed as told."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from octogram_tui.dap.debuggee import LaunchWanted, Opened
from octogram_tui.dap.framing import MOST_HEADER_BYTES
from octogram_tui.dap.session import Session
from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.engine.events import Event
from octogram_tui.errors import AttachRefused
from octogram_tui.runtime.desk import Question
from octogram_tui.scenario.documents import read_text
from octogram_tui.tui.model import Model
from tools.debugged_run import SCENARIO, DebuggedRun

PATIENCE_S = 60.0
SEEN: list[Callable[[dict[str, Any]], None]] = []
"""Who wants to see every message too."""


class Client:
    """One client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._seq = 0
        self._theirs = 0
        self._waiting: dict[int, tuple[str, asyncio.Future[dict[str, Any]]]] = {}
        self._came = asyncio.Event()
        self.events: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []  # all of them, also those that were taken
        self.is_over = False
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while head := await self._reader.readline():
                assert head.startswith(b"Content-Length: "), head
                assert await self._reader.readline() == b"\r\n"
                self._take(json.loads(await self._reader.readexactly(int(head[16:]))))
        except ConnectionError:
            pass
        finally:
            self.is_over = True
            self._came.set()

    def _take(self, message: dict[str, Any]) -> None:
        for look in SEEN:
            look(message)
        self._theirs += 1
        assert message["seq"] == self._theirs
        if message["type"] == "event":
            self.events.append(message)
            self.told.append(message)
        else:
            command, future = self._waiting.pop(message["request_seq"])
            assert message["command"] == command
            future.set_result(message)
        self._came.set()

    def write(self, data: bytes) -> None:
        """Write what may be no message at all."""
        self._writer.write(data)

    def send(self, command: str, arguments: Any = None) -> asyncio.Future[dict[str, Any]]:
        """Ask, and do not wait."""
        self._seq += 1
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[self._seq] = (command, future)
        message = {"seq": self._seq, "type": "request", "command": command}
        body = json.dumps(message if arguments is None else {**message, "arguments": arguments}).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return future

    async def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Ask, and give the whole answer."""
        return await asyncio.wait_for(self.send(command, arguments), PATIENCE_S)

    async def do(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Ask for what is to be done, and give the body of the answer."""
        answer = await self.ask(command, **arguments)
        assert answer["success"], answer
        body: dict[str, Any] = answer.get("body") or {}
        return body

    async def refused(self, command: str, **arguments: Any) -> str:
        """Ask for what is to be refused, and give why it was."""
        answer = await self.ask(command, **arguments)
        assert not answer["success"], answer
        assert answer["body"]["error"]["variables"]["said"] == answer["message"]
        assert "\n" not in answer["message"]
        return str(answer["message"])

    async def event(self, name: str, **having: Any) -> dict[str, Any]:
        """Wait for an event, and take it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.events:
                    body: dict[str, Any] = event.get("body") or {}
                    if event["event"] == name and all(body.get(key) == value for key, value in having.items()):
                        self.events.remove(event)
                        return body
                assert not self.is_over, (name, having, self.told[-5:])
                self._came.clear()
                await self._came.wait()

    async def output(self, part: str) -> dict[str, Any]:
        """Wait until something is told that has a text in it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.told:
                    if event["event"] == "output" and part in event["body"]["output"]:
                        body: dict[str, Any] = event["body"]
                        return body
                assert not self.is_over, part
                self._came.clear()
                await self._came.wait()

    async def stack(self, thread: int) -> list[dict[str, Any]]:
        """Give a thread's frames."""
        frames: list[dict[str, Any]] = (await self.do("stackTrace", threadId=thread))["stackFrames"]
        return frames

    async def scopes(self, frame: int) -> dict[str, int]:
        """Give the numbers of a frame's scopes."""
        found = await self.do("scopes", frameId=frame)
        return {scope["name"]: scope["variablesReference"] for scope in found["scopes"]}

    async def values(self, reference: int) -> dict[str, dict[str, Any]]:
        """Give what is in a place, by name."""
        found = await self.do("variables", variablesReference=reference)
        return {each["name"]: each for each in found["variables"]}

    async def begin(
        self, command: str = "launch", *, lines: Mapping[int, dict[str, Any]] | None = None, **how: Any
    ) -> Any:
        """Do what clients do first; gives the answer to what was to be set on lines."""
        await self.do("initialize", adapterID="octogram", supportsInvalidatedEvent=True, supportsProgressReporting=True)
        await self.do(command, **how)
        await self.event("initialized")
        if lines is None:
            return None
        wanted = [{"line": line, **more} for line, more in lines.items()]
        return (await self.do("setBreakpoints", source={"path": how["program"]}, breakpoints=wanted))["breakpoints"]

    def read_no_more(self) -> None:
        """Let what comes stay where it is."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    async def hang_up(self) -> None:
        """Go away without a word."""
        self._writer.close()
        await asyncio.wait([self.reading], timeout=PATIENCE_S)


class EngineSource:
    """A run in memory, which does what it is asked as a run's process does."""

    def __init__(self, run: DebuggedRun) -> None:
        self.run = run
        self.has_control = True
        self.is_connected = True
        self.consoles = 1
        self.refusals: list[str] = []
        self.asked: list[object] = []
        self.control_changed: Callable[[], None] = lambda: None
        self._came = asyncio.Event()
        self.closed = asyncio.Event()

    async def events(self) -> AsyncIterator[list[Event]]:
        given = 0
        while self.is_connected:
            self._came.clear()
            batch, given = self.run.events[given:], len(self.run.events)
            if batch:
                yield batch
            if batch and isinstance(batch[-1], ev.RunFinished):
                break
            await self._came.wait()
        self.is_connected = False

    def send(self, stimulus: st.Stimulus) -> None:
        self.run.ask(stimulus)
        self._came.set()

    def state(self, *events: Event) -> None:
        """Have it state what no engine has, all of it at once."""
        last = self.run.events[-1]
        self.run.events += (
            replace(event, seq=last.seq + number, at_s=last.at_s) for number, event in enumerate(events, 1)
        )
        self._came.set()

    def take_control(self) -> None:
        self.has_control = True
        self._came.set()

    def only_watch(self) -> None:
        self.has_control = False

    async def answer(self, question: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        if isinstance(question, Question):
            return await self.run.desk.answer(question)
        if not self.has_control:
            return {"problem": "another console holds control of this run"}
        self.asked.append(question)
        before = len(self.run.events)
        self.send(question)
        came = self.run.events[before:]
        problem = next((event.message for event in came if isinstance(event, ev.RequestRefused)), "")
        return {"problem": problem, "led_to": [], "said": [], "up_to": came[-1].seq if came else 0}

    async def close(self) -> None:
        self.is_connected = False
        self.run.close()
        self._came.set()
        self.closed.set()


class InMemory:
    """Opens that run, whatever is asked for; of any number of agents."""

    def __init__(self, scenario: Path = SCENARIO) -> None:
        self.scenario = scenario
        self.source: EngineSource | None = None
        self.refuses = ""  # to launch another run, for this reason
        self.launched: list[LaunchWanted] = []

    async def launch(self, wanted: LaunchWanted) -> Opened:
        self.launched.append(wanted)
        if self.refuses:
            raise AttachRefused(self.refuses)
        return self._opened(DebuggedRun(self.scenario, breakpoints=(), paused=True).begin())

    async def attach(self, run: str, *, only_watches: bool) -> Opened:
        if run != "last":
            raise AttachRefused(f"there is no run {run!r}", hint="`octogram-tui runs` lists them")
        opened = self._opened(DebuggedRun(self.scenario).begin())
        assert self.source is not None
        self.source.has_control = not only_watches
        return opened._replace(seen=self.source.run.events[-1].seq)

    async def replay(self, run: str) -> Opened:
        raise AttachRefused(f"there is no run {run!r}")

    def _opened(self, run: DebuggedRun) -> Opened:
        self.source = EngineSource(run)
        text = read_text(str(self.scenario))
        model = Model(read_text=lambda *_: text)
        return Opened(self.source, model, "r", str(self.scenario))


@asynccontextmanager
async def in_memory(opener: InMemory) -> AsyncIterator[Client]:
    """Speak with an adapter in this process."""
    mine, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=theirs, limit=MOST_HEADER_BYTES)
    session = Session(reader, writer, opener)
    client = Client(*await asyncio.open_connection(sock=mine, limit=1 << 26))

    async def speak() -> None:
        try:
            await session.run()
        finally:
            writer.close()

    running = asyncio.create_task(speak())
    try:
        yield client
    finally:
        await client.hang_up()
        await asyncio.wait_for(running, PATIENCE_S)
        await client.reading


@asynccontextmanager
async def in_process(command: list[str], environment: Mapping[str, str], cwd: Path) -> AsyncIterator[Client]:
    """Speak with an adapter that is a process of its own; it ends well, whatever became of the run."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=dict(environment),
        cwd=os.fspath(cwd),
        limit=1 << 26,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    client = Client(process.stdout, process.stdin)
    try:
        yield client
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        await client.reading
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
