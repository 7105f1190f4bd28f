"""The driver when something of ours fails: no more dispatch, agents stopped and clean, the right exit code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fake_daemon import DEADLINE_S
from played_run import Play

from octogram_tui.engine.effects import ArmTimer, DisarmTimer
from octogram_tui.engine.events import Event
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.stimuli import BeginRequest, SetVariableRequest, Stimulus, StopRequest, TimerReport
from octogram_tui.engine.timers import RetryDue
from octogram_tui.errors import EngineBug, ExitCode, JournalError
from octogram_tui.model.ids import InstanceId

SCENARIO = """
agents: [{name: one, transport: local}, {name: two, transport: local}]
stages:
  - name: work
    jobs: [{name: first, builtins.command: ['true']}, {name: second, builtins.command: ['true']}]
"""


@pytest.fixture
async def play(tmp_path: Path, defects: list[dict[str, Any]]) -> AsyncIterator[Callable[..., Play]]:
    made: list[Play] = []
    path = tmp_path / "s.yml"
    path.write_text(SCENARIO)

    def make(check: Callable[[Engine], None] | None = None) -> Play:
        made.append(Play(path, check))
        return made[-1]

    yield make
    for one in made:
        await one.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left


async def test_a_run_that_goes_well(play: Callable[..., Play]) -> None:
    run = play()
    seen: list[str] = []
    run.bus.subscribe(lambda events: seen.extend(event.TYPE for event in events))
    assert await run.run() == 0
    assert seen == run.journal.types()
    assert seen[-1] == "run_finished"
    assert sorted(run.stops) == ["one", "two"]


@pytest.mark.parametrize("kind", ["run_started", "agent_ready", "job_started", "job_finished", "stage_finished"])
async def test_a_journal_that_fails_ends_the_run_with_its_agents_clean(play: Callable[..., Play], kind: str) -> None:
    run = play()
    run.journal.fails_at = kind
    assert await run.run() == ExitCode.IO
    assert isinstance(run.driver.failure, JournalError)
    assert kind not in run.journal.types()
    if kind != "run_started":
        assert sorted(run.stops) == ["one", "two"]
    assert run.driver.unclean == {}


async def test_nothing_is_done_that_the_journal_does_not_know(play: Callable[..., Play]) -> None:
    run = play()
    run.journal.fails_at = "job_started"
    assert await run.run() == ExitCode.IO
    assert run.ran == []


@pytest.mark.parametrize("error", [EngineBug("impossible", []), ZeroDivisionError("oops"), RecursionError()])
async def test_an_engine_that_fails(play: Callable[..., Play], error: Exception) -> None:
    def check(engine: Engine) -> None:
        if run.ran:
            raise error

    run = play(check)
    assert await run.run() == ExitCode.BUG
    assert run.driver.failure is error
    assert sorted(run.stops) == ["one", "two"]


async def test_agents_that_do_not_confirm_are_named(play: Callable[..., Play]) -> None:
    run = play()
    run.confirms = False
    run.journal.fails_at = "job_started"
    assert await run.run() == ExitCode.IO
    assert sorted(run.driver.unclean) == ["one", "two"]
    assert "no confirmation" in run.driver.unclean["one"]


async def test_an_effect_that_cannot_be_carried_out(play: Callable[..., Play], monkeypatch: pytest.MonkeyPatch) -> None:
    run = play()
    monkeypatch.setattr(run.driver, "_make_link", lambda _: 1 / 0)
    assert await run.run() == ExitCode.BUG
    assert isinstance(run.driver.failure, ZeroDivisionError)


async def test_force_still_works_when_the_engine_does_not(play: Callable[..., Play]) -> None:
    run = play()
    run.confirms = False
    run.journal.fails_at = "job_started"
    run.driver.submit(BeginRequest("now"))
    async with asyncio.timeout(DEADLINE_S):
        while len(run.stops) < 2:
            await asyncio.sleep(0)
        run.driver.submit(StopRequest("SIGINT", 130, force=True))
        assert await run.driver.done == ExitCode.IO
    assert len(run.stops) == 4


async def test_a_report_that_fails_is_left_out(play: Callable[..., Play], capsys: pytest.CaptureFixture[str]) -> None:
    run = play()
    seen: list[str] = []
    run.bus.subscribe(lambda events: [][1])
    run.bus.subscribe(lambda events: seen.extend(event.TYPE for event in events))
    assert await run.run() == 0
    assert seen[-1] == "run_finished"
    assert capsys.readouterr().err.count("a report failed") == 1


async def test_timers_are_replaced_and_disarmed(play: Callable[..., Play], monkeypatch: pytest.MonkeyPatch) -> None:
    run = play()
    fired: list[object] = []

    def note(stimulus: Stimulus) -> None:
        assert isinstance(stimulus, TimerReport)
        assert isinstance(stimulus.timer, RetryDue)
        fired.append(stimulus.timer.instance.job)

    monkeypatch.setattr(run.driver, "submit", note)
    carry_out = run.driver._carry_out
    carry_out(ArmTimer(RetryDue(InstanceId("s", "a", "a")), 3600.0))
    carry_out(ArmTimer(RetryDue(InstanceId("s", "a", "a")), 0.001))
    carry_out(ArmTimer(RetryDue(InstanceId("s", "b", "a")), 0.001))
    carry_out(DisarmTimer(RetryDue(InstanceId("s", "b", "a"))))
    carry_out(DisarmTimer(RetryDue(InstanceId("s", "c", "a"))))
    carry_out(ArmTimer(RetryDue(InstanceId("s", "d", "a")), 0.002))
    async with asyncio.timeout(DEADLINE_S):
        while "d" not in fired:
            await asyncio.sleep(0.001)
    assert fired == ["a", "d"]


async def test_who_asks_is_told_once_the_journal_has_what_came_of_it(play: Callable[..., Play]) -> None:
    run, broken = play(), play()
    broken.journal.fails_at = "variable_changed"
    told: list[tuple[Play, list[str]]] = []
    for one in (run, broken):

        def tell(events: Sequence[Event], one: Play = one) -> None:
            assert one.journal.events[0] is events[0]
            told.append((one, [event.TYPE for event in events]))

        one.driver.submit(SetVariableRequest("x", 1), tell)
        await one.run()
    assert told == [(run, ["variable_changed"])]
