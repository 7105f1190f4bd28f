"""The control socket: every console sees all events from the first on, one at a time may act, none can do harm."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from octogram_tui.engine.events import Event, WarningGiven
from octogram_tui.engine.stimuli import PauseRequest, SetVariableRequest, Stimulus, StopRequest
from octogram_tui.errors import AttachRefused
from octogram_tui.journal.writer import JournalWriter
from octogram_tui.runtime import control as control_module
from octogram_tui.runtime.client import Client
from octogram_tui.runtime.control import ControlServer
from octogram_tui.runtime.desk import Question
from octogram_tui.runtime.driver import Fed
from octogram_tui.runtime.requests import MAX_REQUEST_BYTES
from octogram_tui.runtime.verbs import Evaluate

DEADLINE_S = 60.0


async def no_log(_: Question) -> dict[str, Any]:
    return {"problem": "no log"}


class Stage:
    """A server with a journal behind it, and what it was asked for."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "control"
        self.asked: list[Stimulus] = []
        self.journal = JournalWriter(directory / "journal.jsonl", run="run", version="0")
        self.server = ControlServer("run", directory / "journal.jsonl", self._take, no_log)
        self._changed = asyncio.Event()
        self._seq = 0
        self._raw: list[asyncio.StreamWriter] = []

    def _take(self, stimulus: Stimulus, on_fed: Fed) -> None:
        self.asked.append(stimulus)
        self._changed.set()

    def tell(self, message: str) -> None:
        """Let an event happen."""
        self._seq += 1
        self.journal.append([WarningGiven(seq=self._seq, at_s=0.0, message=message)])
        self.server.wake()

    async def asked_for(self, count: int) -> list[Stimulus]:
        async with asyncio.timeout(DEADLINE_S):
            while len(self.asked) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.asked

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(str(self.path), limit=1 << 26)
        self._raw.append(writer)
        return reader, writer

    async def close(self) -> None:
        for writer in self._raw:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        await self.server.close()
        self.journal.close()


@pytest.fixture
async def stage(tmp_path: Path, defects: list[dict[str, Any]]) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    await stage.server.start(stage.path)
    yield stage
    await stage.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left


class Console:
    """A client that reads on, and can be waited for."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.events: list[Event] = []
        self._changed = asyncio.Event()
        self._task = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        async for batch in self.client.events():
            self.events += batch
            self._changed.set()
        self._changed.set()

    @classmethod
    async def join(cls, stage: Stage, *, only_watch: bool = False) -> Console:
        return cls(await Client.connect(str(stage.path), only_watch=only_watch))

    def texts(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, WarningGiven)]

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._changed.clear()
                try:
                    async with asyncio.timeout(0.01):  # control changes without an event
                        await self._changed.wait()
                except TimeoutError:
                    pass

    async def leave(self) -> None:
        await self.client.close()
        await self._task


async def test_the_socket_is_ours_alone(stage: Stage) -> None:
    assert stat.S_IMODE(os.stat(stage.path).st_mode) == 0o600


STRANGER = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with socket.socket(socket.AF_UNIX) as end:
    end.connect(sys.argv[1])
    sys.stdout.write(end.makefile().readline())
    try:
        end.sendall(b'{"verb": "stop"}\\n')
    except BrokenPipeError:
        pass
"""


@pytest.mark.longfault  # needs root, to be another user
async def test_another_user_is_not_let_in_whatever_the_modes_are(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as open_place:
        os.chmod(open_place, 0o755)
        server = ControlServer("run", stage.journal.path, stage._take, no_log)
        await server.start(Path(open_place) / "control")
        os.chmod(f"{open_place}/control", 0o666)
        stranger = await asyncio.create_subprocess_exec(
            sys.executable, "-c", STRANGER, f"{open_place}/control", stdout=asyncio.subprocess.PIPE
        )
        said, _ = await stranger.communicate()
        assert json.loads(said) == {"refused": "this run is another user's"}
        assert stage.asked == []
        await server.close()


async def test_only_our_own_user_and_root_are_let_in(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    user = os.geteuid()
    for seen_as, is_let_in in ((user, True), (user + 1, user == 0)):
        monkeypatch.setattr(os, "geteuid", lambda seen_as=seen_as: seen_as)
        reader, _ = await stage.raw()
        first = json.loads(await reader.readline())
        assert ("control" in first) == is_let_in


async def test_events_from_the_first_one_on(stage: Stage) -> None:
    stage.tell("one")
    console = await Console.join(stage)
    stage.tell("two")
    await console.until(lambda: console.texts() == ["one", "two"])
    late = await Console.join(stage)
    await late.until(lambda: late.texts() == ["one", "two"])
    await console.leave()
    await late.leave()


async def test_consoles_that_went_away_at_once_are_told_nothing(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    consoles = [await Console.join(stage) for _ in range(3)]
    await consoles[0].until(lambda: len(stage.server._clients) == len(consoles))
    for client in stage.server._clients:
        client.writer.transport.abort()
    for _ in range(10):  # from the fifth on, asyncio would say so, in the midst of a run's lines
        stage.server._tell_everybody()
    assert not caplog.records
    for console in consoles:
        await console.leave()


async def test_control_goes_to_the_first_and_then_to_the_next(stage: Stage) -> None:
    first = await Console.join(stage)
    await first.until(lambda: first.client.has_control)
    second = await Console.join(stage)
    second.client.send(PauseRequest())
    await second.until(lambda: second.client.refusals)
    assert not second.client.has_control
    assert stage.asked == []
    await first.leave()
    await second.until(lambda: second.client.has_control)
    second.client.send(PauseRequest())
    assert await stage.asked_for(1) == [PauseRequest()]
    await second.leave()


async def test_control_can_be_taken(stage: Stage) -> None:
    first = await Console.join(stage)
    second = await Console.join(stage)
    await first.until(lambda: first.client.has_control)
    second.client.take_control()
    await second.until(lambda: second.client.has_control)
    await first.until(lambda: not first.client.has_control)
    first.client.send(PauseRequest())
    await first.until(lambda: first.client.refusals)
    first.client.take_control()
    await first.until(lambda: first.client.has_control)
    await first.leave()
    await second.leave()


async def test_who_only_watches_never_holds_control(stage: Stage) -> None:
    watcher = await Console.join(stage, only_watch=True)
    stage.tell("one")
    await watcher.until(lambda: watcher.texts() == ["one"])
    assert stage.server.is_attended is False
    operator = await Console.join(stage)
    await operator.until(lambda: operator.client.has_control and stage.server.is_attended)
    await operator.leave()
    await watcher.until(lambda: not stage.server.is_attended)
    assert not watcher.client.has_control
    await watcher.leave()


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"request":"dance"}',
        b'{"request":["pause"]}',
        b'{"request":"pause","why":1}',
        b'{"request":"stop","by":7,"exit_code":0}',
        b'{"request":"stop","by":"me","exit_code":true}',
        b'{"request":"stop","by":"me","exit_code":4711}',
        b'{"request":"confirm"}',
        b'{"request":"rerun","stage":null}',
        b'{"request":"set_variable","name":"x","value":NaN}',
        b'{"request":"set_variable","name":"x","value":' + b"[" * 100 + b"]" * 100 + b"}",
        b"[" * 100_000,
        b'{"request":"set_variable","name":"x","value":' + b"9" * 5000 + b"}",
    ],
)
async def test_what_makes_no_sense_is_refused(stage: Stage, line: bytes) -> None:
    reader, writer = await stage.raw()
    writer.write(line + b'\n\n{"request":"stop","by":"me","exit_code":0}\n')
    assert await stage.asked_for(1) == [StopRequest("me", 0)]
    answers = [json.loads(await reader.readline()) for _ in range(3)]
    assert sum("refused" in answer for answer in answers) == 1
    writer.close()


async def test_an_endless_request_ends_its_connection_only(stage: Stage) -> None:
    console = await Console.join(stage)
    _reader, writer = await stage.raw()
    writer.write(b"x" * (2 * MAX_REQUEST_BYTES))
    async with asyncio.timeout(DEADLINE_S):
        while len(stage.server._clients) > 1:
            await asyncio.sleep(0.001)
    stage.tell("still here")
    await console.until(lambda: console.texts() == ["still here"])
    await console.leave()


async def test_a_request_cut_off_by_the_end_asks_for_nothing(stage: Stage) -> None:
    _reader, writer = await stage.raw()
    writer.write(b'{"request":"pause"}')
    writer.close()
    console = await Console.join(stage)
    await console.until(lambda: console.client.has_control)
    assert stage.asked == []
    await console.leave()


@pytest.mark.fault(101)
async def test_whoever_does_not_read_costs_no_memory_and_delays_nobody(stage: Stage) -> None:
    slow_reader, slow_writer = await stage.raw()
    slow_reader._transport.pause_reading()  # type: ignore[attr-defined]
    console = await Console.join(stage)
    for number in range(300):
        stage.tell(f"{number}" + "x" * 100_000)
    await console.until(lambda: len(console.events) == 300)
    slow = stage.server._clients[0]
    assert slow.writer.transport.get_write_buffer_size() < 2 * control_module.CHUNK_BYTES + 200_000
    slow_reader._transport.resume_reading()  # type: ignore[attr-defined]
    lines = 0
    async with asyncio.timeout(DEADLINE_S):
        while lines < 302:  # the journal's header and the word on control among them
            lines += (await slow_reader.read(1 << 20)).count(b"\n")
    slow_writer.close()
    await console.leave()


@pytest.mark.fault(101)
async def test_whoever_asks_and_does_not_read_is_not_listened_to(stage: Stage) -> None:
    reader, writer = await stage.raw()
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(b'{"request":"nothing"}\n' * 500_000)
    console = await Console.join(stage)
    for number in range(100):
        stage.tell(str(number))
        await console.until(lambda number=number: len(console.events) == number + 1)
    assert writer.transport.get_write_buffer_size() > 1 << 20
    client = stage.server._clients[0]
    assert client.writer.transport.get_write_buffer_size() < 1 << 20
    await console.leave()


async def test_words_on_control_come_between_events_never_inside_one(stage: Stage) -> None:
    console = await Console.join(stage)
    others: list[asyncio.StreamWriter] = []
    for number in range(40):
        stage.tell("x" * 30_011)
        if number % 4 == 0:
            _, writer = await stage.raw()
            writer.write(b'{"request":"watch"}\n')
            others.append(writer)
        if number % 5 == 0:
            console.client.take_control()
            await asyncio.sleep(0)
    await console.until(lambda: len(console.events) == 40)
    assert {len(text) for text in console.texts()} == {30_011}
    for writer in others:
        writer.close()
    await console.leave()


async def test_the_end_reaches_everybody(stage: Stage) -> None:
    consoles = [await Console.join(stage) for _ in range(3)]
    for console in consoles:
        await console.until(lambda console=console: len(stage.server._clients) == 3)
    stage.tell("the last")
    await stage.server.close()
    for console in consoles:
        await console.until(lambda console=console: not console.client.is_connected)
        assert console.texts() == ["the last"]
        await console.leave()


async def test_a_client_that_takes_nothing_does_not_hold_up_the_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_module, "LAST_WORDS_S", 0.1)
    reader, _writer = await stage.raw()
    assert "control" in json.loads(await reader.readline())
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    for _ in range(300):
        stage.tell("x" * 100_000)
    async with asyncio.timeout(DEADLINE_S):
        await stage.server.close()


async def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path, defects: list[dict[str, Any]]) -> None:
    server = ControlServer("run", tmp_path / "missing", lambda *_: None, no_log)
    await server.start(tmp_path / "control")
    client = await Client.connect(str(tmp_path / "control"))
    async with asyncio.timeout(DEADLINE_S):
        assert [batch async for batch in client.events()] == []
    assert "cannot be read" in client.refusals[0]
    await client.close()
    await server.close()


async def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(AttachRefused, match="does not answer"):
        await Client.connect(str(tmp_path / "nothing"))


async def test_an_answer_is_for_who_asked_it_and_what_is_too_much_is_not_sent(
    tmp_path: Path, defects: list[dict[str, Any]]
) -> None:
    """A host hangs up on a line that is too long, and answers what nobody waits for any more all the same."""
    may_answer, asked = asyncio.Event(), asyncio.Event()

    async def answer(question: Any) -> dict[str, Any]:
        asked.set()
        await may_answer.wait()
        return {"value": question.expression}

    (tmp_path / "journal").touch()
    server = ControlServer("run", tmp_path / "journal", lambda *_: None, answer)
    await server.start(tmp_path / "control")
    client = await Client.connect(str(tmp_path / "control"))
    console = Console(client)
    async with asyncio.timeout(DEADLINE_S):
        too_long = await client.answer(Evaluate("x" * MAX_REQUEST_BYTES))
        assert "at most 1048576 bytes" in too_long["problem"]
        value: Any = 1
        for _ in range(40):
            value = [value]
        assert "nested" in (await client.answer(SetVariableRequest("v", value)))["problem"]
        first = asyncio.ensure_future(client.answer(Evaluate("first")))
        await asked.wait()
        assert "one at a time" in (await client.answer(Evaluate("beside")))["problem"]
        first.cancel()
        await asyncio.wait([first])
        second = asyncio.ensure_future(client.answer(Evaluate("second")))
        await asyncio.sleep(0)
        may_answer.set()
        assert (await second)["value"] == "second"
        may_answer.clear()
        third = asyncio.ensure_future(client.answer(Evaluate("third")))
        asked.clear()
        await asked.wait()
        await server.close()
        assert "went away" in (await third)["problem"]
        assert "went away" in (await client.answer(Evaluate("fourth")))["problem"]
    await console.leave()
