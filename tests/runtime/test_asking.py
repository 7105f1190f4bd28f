"""Asking from outside: who asks is told what came of it, whatever the host does, and everybody else hears nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from octogram_tui.engine.events import RequestRefused, RerunBegun, RunPaused, RunResumed, VariableChanged
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.stimuli import PauseRequest, RerunAllRequest, Stimulus
from octogram_tui.errors import AttachRefused, RequestDenied
from octogram_tui.journal.writer import JournalWriter
from octogram_tui.model.scenario import Scenario
from octogram_tui.runtime.asking import ask
from octogram_tui.runtime.client import Client
from octogram_tui.runtime.control import ControlServer
from octogram_tui.runtime.desk import Desk, Question
from octogram_tui.runtime.driver import Fed
from octogram_tui.runtime.feeding import Feeding
from octogram_tui.runtime.verbs import CheckFile, ForeseeFile, LogQuery, LookAtFile

DEADLINE_S = 60.0


class Run:
    """A control socket with an engine behind it that does what a test wants."""

    def __init__(self, directory: Path) -> None:
        self.path = str(directory / "control")
        self.journal = JournalWriter(directory / "journal.jsonl", run="run", version="0")
        self.server = ControlServer("run", directory / "journal.jsonl", self._take, self._read_log)
        self.queries: list[LogQuery] = []
        self.log: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.asked: asyncio.Queue[tuple[Stimulus, Fed]] = asyncio.Queue()

    async def _read_log(self, query: Question) -> dict[str, Any]:
        assert isinstance(query, LogQuery)
        self.queries.append(query)
        return await self.log

    def _take(self, stimulus: Stimulus, on_fed: Fed) -> None:
        self.asked.put_nowait((stimulus, on_fed))


@pytest.fixture
async def run(tmp_path: Path, defects: list[dict[str, Any]]) -> AsyncIterator[Run]:
    run = Run(tmp_path)
    await run.server.start(tmp_path / "control")
    yield run
    await run.server.close()
    run.journal.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left


async def test_what_came_of_it_is_told_to_who_asked_only(run: Run) -> None:
    run.journal.append([RunResumed(seq=number, at_s=0.0, cause="x" * 1000) for number in range(1, 2000)])
    watcher = await Client.connect(run.path, only_watch=True)
    asking = asyncio.ensure_future(ask(run.path, PauseRequest()))
    async with asyncio.timeout(DEADLINE_S):
        stimulus, on_fed = await run.asked.get()
        assert stimulus == PauseRequest()
        on_fed([RunPaused(), RunPaused()])
        answer = await asking
    assert answer == {"answered": "pause", "problem": "", "led_to": ["run_paused"], "said": [], "up_to": 0}
    await run.server.close()
    assert not [said async for said in watcher.answers() if "answered" in said]
    await watcher.close()


async def test_what_a_request_came_to_is_told_in_words_where_there_are_some(run: Run) -> None:
    asking = asyncio.ensure_future(ask(run.path, RerunAllRequest("failed")))
    async with asyncio.timeout(DEADLINE_S):
        _, on_fed = await run.asked.get()
        begun = RerunBegun(which="failed", message="1 instance runs again on 1 agent")
        on_fed([begun, VariableChanged(name="x", value=1, by="operator", stale=2, fresh=1, failed=0)])
        answer = await asking
    assert answer["said"] == ["1 instance runs again on 1 agent", "x: 2 instances stale, 1 not stale any more"]
    assert answer["led_to"] == ["rerun_begun", "variable_changed"]


async def test_what_the_run_refuses_is_raised(run: Run) -> None:
    asking = asyncio.ensure_future(ask(run.path, PauseRequest()))
    async with asyncio.timeout(DEADLINE_S):
        _, on_fed = await run.asked.get()
        on_fed([RequestRefused(request="pause", message="the run is stopping")])
        with pytest.raises(RequestDenied, match="the run is stopping"):
            await asking


async def test_a_run_that_does_not_answer_is_not_waited_for_for_ever(run: Run) -> None:
    while run.asked.empty():  # it may have taken that long to ask
        with pytest.raises(AttachRefused, match=r"does not answer within 0\.2 s"):
            await ask(run.path, PauseRequest(), within_s=0.2)
    _, on_fed = await run.asked.get()
    async with asyncio.timeout(DEADLINE_S):
        while run.server.is_attended:
            await asyncio.sleep(0)
    on_fed([RunPaused()])  # who asked has gone: nobody is told, and nothing breaks


async def test_a_run_that_ends_meanwhile_says_so_by_hanging_up(run: Run) -> None:
    asking = asyncio.ensure_future(ask(run.path, PauseRequest()))
    async with asyncio.timeout(DEADLINE_S):
        await run.asked.get()
        await run.server.close()
        with pytest.raises(AttachRefused, match="ended before it answered"):
            await asking


async def test_control_is_taken_for_one_request_and_falls_back(run: Run) -> None:
    console = await Client.connect(run.path)
    said = console.answers()
    async with asyncio.timeout(DEADLINE_S):
        assert (await anext(said))["control"]
        with pytest.raises(AttachRefused, match="a console holds control"):
            await ask(run.path, PauseRequest())
        assert run.asked.empty()
        asking = asyncio.ensure_future(ask(run.path, PauseRequest(), takes_control=True))
        _, on_fed = await run.asked.get()
        on_fed([])
        assert (await asking)["led_to"] == []
        heard: list[bool] = []
        while heard[-2:] != [False, True]:
            heard.append((await anext(said))["control"])
    await console.close()


LOG = {"lines": ["one", "two"], "size_bytes": 7, "trouble": ""}


async def test_a_log_is_read_by_whoever_asks_beside_a_console_and_the_run_never_hears_of_it(run: Run) -> None:
    console = await Client.connect(run.path)
    said = console.answers()
    assert (await anext(said))["control"]
    run.log.set_result(LOG)
    async with asyncio.timeout(DEADLINE_S):
        assert await ask(run.path, LogQuery("a", "p", 100)) == {"answered": "log", **LOG}
    assert run.queries == [LogQuery("a", "p", 100)]
    assert run.asked.empty()
    await run.server.close()
    assert not [record async for record in said if "answered" in record]
    await console.close()


async def test_a_console_reads_a_log_while_it_reads_events_one_at_a_time(run: Run) -> None:
    console = await Client.connect(run.path)

    async def listen() -> None:
        async for _ in console.events():
            pass

    listening = asyncio.ensure_future(listen())
    async with asyncio.timeout(DEADLINE_S):
        first = asyncio.ensure_future(console.answer(LogQuery("a", "p")))
        while not run.queries:
            await asyncio.sleep(0)
        assert "one at a time" in (await console.answer(LogQuery("a", "q")))["problem"]
        first.cancel()
        third = asyncio.ensure_future(console.answer(LogQuery("a", "r")))
        await asyncio.sleep(0)
        run.log.set_result(LOG)  # of both: the one that was given up is not taken for the answer to the next
        assert (await third)["lines"] == LOG["lines"]
        assert [query.process for query in run.queries] == ["p", "r"]
    await console.close()
    await listening


async def test_who_leaves_while_a_log_is_read_leaves_nothing(run: Run) -> None:
    while not run.queries:  # it may have taken that long to ask
        with pytest.raises(AttachRefused, match="does not answer"):
            await ask(run.path, LogQuery("a", "p"), within_s=0.2)
    async with asyncio.timeout(DEADLINE_S):
        while not run.log.cancelled():
            await asyncio.sleep(0)


@pytest.mark.parametrize("question", [LookAtFile(), CheckFile(), ForeseeFile()])
async def test_a_run_that_does_not_read_its_scenario_again_says_so(run: Run, question: Question) -> None:
    async def no_log(_: Question) -> dict[str, Any]:
        return {}

    engine = Engine(Scenario("s.yml", ()), RunOptions(run="r"))
    desk = Desk(no_log, None, engine, Feeding(engine, None).aside)
    assert "does not read its scenario again" in (await desk.answer(question))["problem"]


async def test_a_console_that_may_not_act_is_told_at_once_and_not_after_a_time(run: Run) -> None:
    first = await Client.connect(run.path)
    console = await Client.connect(run.path, only_watch=True)
    listening = [asyncio.ensure_future(_heard(client)) for client in (first, console)]
    async with asyncio.timeout(DEADLINE_S):
        assert "holds control" in (await console.answer(LookAtFile()))["problem"]
        assert console.refusals == []
        while (first.consoles, console.consoles) != (2, 2):
            await asyncio.sleep(0)
        await console.close()
        while first.consoles != 1:
            await asyncio.sleep(0)
    await first.close()
    await asyncio.gather(*listening)


async def _heard(console: Client) -> None:
    async for _ in console.events():
        pass
