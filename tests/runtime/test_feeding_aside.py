"""While a template is evaluated that takes long, the run's process goes on: heartbeats, signals, consoles."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fake_daemon import DEADLINE_S
from played_run import Play

from octogram_tui.engine.looking import look
from octogram_tui.engine.machine import Outcome
from octogram_tui.engine.stimuli import BeginRequest, StopRequest
from octogram_tui.runtime.feeding import Feeding
from octogram_tui.template import bound, process

SCENARIO = """
agents: [{name: one, transport: local}]
stages:
  - name: work
    jobs:
      - {name: slow, builtins.command: ['{{ range(10**9) | sum }}'], on_failure: continue}
      - {name: last, builtins.command: ['true']}
"""


@pytest.fixture
async def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Play]:
    """Give a run whose first job's template does not end, and nobody has patience with."""
    monkeypatch.setattr(process, "CPU_S", 60.0)
    path = tmp_path / "s.yml"
    path.write_text(SCENARIO)
    play = Play(path)
    yield play
    await play.close()


async def is_evaluating(play: Play) -> None:
    """Wait until it is under way, which only a loop that goes on can tell."""
    async with asyncio.timeout(DEADLINE_S):
        while play.driver._aside is None or play.driver.engine.phase != "running":
            await asyncio.sleep(0)


@pytest.mark.fault(57, 81)
async def test_the_loop_goes_on_and_a_stop_is_obeyed_at_once(play: Play) -> None:
    play.driver.submit(BeginRequest("now"))
    await is_evaluating(play)
    play.driver.submit(StopRequest("SIGINT", 130))
    async with asyncio.timeout(30):  # and not the sixty seconds that it may take
        assert await play.driver.done == 130
    assert play.ran == []


async def test_a_stop_counts_for_what_the_thread_has_yet_to_begin(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    feeding, engine = Feeding(play.driver.engine, None), play.driver.engine
    is_free, unwanted = threading.Event(), list[bool]()

    def feed(*_: object) -> Outcome:
        engine.core.turn = bound.begin_turn()
        unwanted.append(engine.core.turn.is_unwanted())
        return Outcome([], [], bound.end_turn())

    monkeypatch.setattr(engine, "feed", feed)
    bound.expect()
    before = asyncio.ensure_future(feeding.aside(is_free.wait))
    fed = asyncio.ensure_future(feeding.feed_aside([(BeginRequest("now"), None)] * 2, 0.0))
    await asyncio.sleep(0)
    bound.give_up()
    is_free.set()
    await before
    await fed
    await feeding.feed_aside([(BeginRequest("now"), None)], 0.0)
    feeding.close()
    assert unwanted == [True, True, False]


async def test_who_looks_at_the_engine_waits_its_turn(play: Play) -> None:
    bound.expect()
    engine = play.driver.engine
    assert await play.driver.aside(lambda: look(engine, "('%s' % 1) * 3")) == "111"


async def test_what_waits_for_the_disk_waits_for_what_is_fed_aside(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "CPU_S", 0.1)
    bound.expect()
    told: list[int] = []
    play.driver.submit(BeginRequest("now"))
    play.driver.when_safe(lambda: told.append(len(play.journal.events)))
    assert told == []
    await is_evaluating(play)
    play.journal.synced_seq = 10**9
    play.driver.synced()
    assert await asyncio.wait_for(play.driver.done, DEADLINE_S) == 0
    assert told
    assert play.ran == ["work/last@one#1"]
