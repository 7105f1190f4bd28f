"""Edits of the scenario's files: each one is seen once, none of them ends the watch."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from octogram_tui.engine.stimuli import EditReport, Stimulus
from octogram_tui.model.scenario import Scenario
from octogram_tui.runtime import watch
from octogram_tui.scenario.load import load_scenario

DEADLINE_S = 60.0
TEXT = """
agents: [{name: one, transport: local}]
stages:
  - name: NAME
    jobs: [{name: j, builtins.command: ['true']}]
"""


class Desk:
    """A scenario that is being edited."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.save("first")
        self.loads = 0
        self.takes_at_once = True
        self.seen: list[str] = []
        self.problem: Exception | None = None
        self._changed = asyncio.Event()
        scenario = load_scenario(str(path)).scenario
        self.in_force = scenario.digest
        self.files = watch.ScenarioFiles(scenario, self._load, self._take, lambda: self.in_force)
        self.task = asyncio.ensure_future(watch.watch_scenario(self.files))

    def _load(self) -> Scenario:
        try:
            if self.problem is not None:
                raise self.problem
            return load_scenario(str(self.path)).scenario
        finally:
            self.loads += 1  # last: who waits for it changes what is read here

    def _take(self, stimulus: Stimulus) -> None:
        assert isinstance(stimulus, EditReport)
        if stimulus.scenario is not None and self.takes_at_once | stimulus.is_asked:
            self.in_force = stimulus.scenario.digest
        self.seen.append(stimulus.scenario.stages[0].name if stimulus.scenario else stimulus.problems[0].message)
        self._changed.set()

    def save(self, name: str) -> None:
        self.path.write_text(TEXT.replace("NAME", name))

    async def until(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while len(self.seen) < count:
                assert not self.task.done()
                self._changed.clear()
                await self._changed.wait()

    async def settled(self) -> None:
        """Wait until the first look, which the watch begins with, is over."""
        async with asyncio.timeout(DEADLINE_S):
            while not self.loads:
                await asyncio.sleep(0.01)


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(watch, "LOOK_MS", 100)
    monkeypatch.setattr(watch, "DEBOUNCE_MS", 50)
    (tmp_path / "folder").mkdir()
    desk = Desk(tmp_path / "folder" / "s.yml")
    yield desk
    desk.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await desk.task


async def test_an_edit_before_the_watch_has_begun(desk: Desk) -> None:
    desk.save("second")
    await desk.until(1)
    assert desk.seen == ["second"]


async def test_a_file_replaced_by_a_rename(desk: Desk) -> None:
    await desk.settled()
    for name in ("second", "third"):
        new = desk.path.with_suffix(".new")
        new.write_text(TEXT.replace("NAME", name))
        os.rename(new, desk.path)
        await desk.until(1 + (name == "third"))
    assert desk.seen == ["second", "third"]


@pytest.mark.fault(70)
async def test_a_file_half_written_and_then_whole(desk: Desk) -> None:
    await desk.settled()
    desk.path.write_text("agents: [{name: one, tra")
    await desk.until(1)
    desk.save("second")
    await desk.until(2)
    assert desk.seen[1] == "second"


async def test_a_file_that_is_saved_while_it_is_read_is_refused_by_nobody(desk: Desk) -> None:
    """Most editors empty a file, and then write it."""
    await desk.settled()
    desk.task.cancel()

    def load() -> Scenario:
        desk.path.write_text("")
        try:
            return load_scenario(str(desk.path)).scenario
        finally:
            desk.save("third")

    usual, desk.files._load = desk.files._load, load
    desk.save("second")
    await desk.files.look()
    assert desk.seen == []
    desk.files._load = usual
    await desk.files.look()
    assert desk.seen == ["third"]


async def test_a_change_that_no_tick_tells_from_the_one_before_is_not_lost(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.settled()
    desk.task.cancel()
    now_ns = desk.path.stat().st_mtime_ns + (1 << 40)
    monkeypatch.setattr("octogram_tui.runtime.watch.time.time_ns", lambda: now_ns)

    def save(name: str) -> None:
        desk.path.write_text(TEXT.replace("NAME", name))
        os.utime(desk.path, ns=(now_ns, now_ns))

    save("third")
    looking = asyncio.ensure_future(desk.files.look())
    await asyncio.sleep(0)
    save("ninth")  # within the same tick, and as long as the other
    now_ns += watch.SETTLED_NS
    await looking
    assert desk.seen == ["ninth"]


@pytest.mark.fault(71)
async def test_a_file_deleted_and_back(desk: Desk) -> None:
    await desk.settled()
    desk.path.unlink()
    await desk.until(1)
    desk.save("first")
    await desk.until(2)
    assert desk.seen[1] == "first", "what was rejected is over, although nothing changed"


def directory(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.fault(71)
@pytest.mark.parametrize(
    ("put", "says"), [(directory, "directory"), (loop, "cannot be read"), (pipe, "not a regular file")]
)
async def test_what_is_no_file_any_more_is_told_and_the_file_is_taken_when_it_is_back(
    put: Callable[[Path], None], says: str, desk: Desk
) -> None:
    await desk.settled()
    first = desk.in_force
    desk.path.unlink()
    put(desk.path)
    await desk.until(1)
    while says not in desk.seen[-1]:  # it may have been looked at between the two
        await desk.until(len(desk.seen) + 1)
    assert desk.in_force == first
    desk.path.rename(desk.path.with_suffix(".away"))
    count = len(desk.seen)
    desk.save("second")
    while desk.seen[-1] != "second":
        await desk.until(count := count + 1)


@pytest.mark.fault(71)
async def test_a_file_that_may_not_be_read_any_more_is_told(desk: Desk) -> None:
    await desk.settled()
    first = desk.in_force
    desk.problem = PermissionError(13, "Permission denied")
    desk.save("second")
    await desk.until(1)
    assert "Permission denied" in desk.seen[0]
    assert desk.in_force == first


@pytest.mark.fault(71)
async def test_a_folder_deleted_and_back(desk: Desk) -> None:
    await desk.settled()
    shutil.rmtree(desk.path.parent)
    await desk.until(1)
    desk.path.parent.mkdir()
    desk.save("second")
    await desk.until(2)
    assert desk.seen[1] == "second"
    desk.save("third")
    await desk.until(3)


async def test_a_file_saved_unchanged_is_no_edit(desk: Desk) -> None:
    await desk.settled()
    for _ in range(3):
        desk.save("first")
        await asyncio.sleep(0.06)
    desk.save("second")
    await desk.until(1)
    assert desk.seen == ["second"]


@pytest.mark.fault(73)
async def test_a_hundred_saves_are_few_parses(desk: Desk) -> None:
    await desk.settled()
    loop = asyncio.get_running_loop()
    before, began_s = desk.loads, loop.time()
    for number in range(100):
        desk.save(f"n{number}")
        await asyncio.sleep(0.002)
    async with asyncio.timeout(DEADLINE_S):
        while desk.seen[-1:] != ["n99"]:
            await asyncio.sleep(0.01)
    assert desk.loads - before <= (loop.time() - began_s) * 1000 / watch.DEBOUNCE_MS + 2


async def test_a_loader_that_fails_in_its_own_way(desk: Desk) -> None:
    await desk.settled()
    desk.problem = RuntimeError("oops")
    desk.save("second")
    await desk.until(1)
    assert "oops" in desk.seen[0]
    desk.problem = None
    desk.save("third")
    await desk.until(2)
    assert desk.seen[1] == "third"


async def test_without_watches_the_files_are_looked_at(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(watch, "_until_changed", refuse)
    await desk.settled()
    desk.save("second")
    await desk.until(1)
    assert desk.seen == ["second"]


async def test_who_does_not_want_to_wait_has_the_file_read_now_and_is_told_what_came_of_it(desk: Desk) -> None:
    await desk.settled()
    desk.task.cancel()
    assert await desk.files.take() == "the file is what the run goes by"
    desk.save("second")
    assert await desk.files.take() == "the run takes it up"
    assert desk.seen == ["second"]
    desk.path.write_text("stages: [")
    said = await desk.files.take()
    assert said.startswith("the file is refused: 1 problem: line 2: ")
    assert len(desk.seen) == 2
    desk.save("second")
    assert await desk.files.take() == "the run takes it up", "the refusal is over"


async def test_a_check_reads_the_file_and_the_run_hears_of_nothing(desk: Desk) -> None:
    await desk.settled()
    desk.task.cancel()
    assert await desk.files.check() == ((), "1 stage, 1 agent, no errors; it is what the run goes by")
    desk.save("second")
    assert await desk.files.check() == ((), "1 stage, 1 agent, no errors; the run does not go by it yet")
    desk.path.write_text("stages: [")
    problems, said = await desk.files.check()
    assert (problems[0].line, said.startswith("1 problem: line 2: ")) == (2, True)
    assert desk.seen == []


async def test_an_edit_that_waits_is_not_what_the_run_goes_by_until_it_is_asked_for(desk: Desk) -> None:
    await desk.settled()
    desk.task.cancel()
    desk.takes_at_once = False
    desk.save("second")
    await desk.files.look()
    assert (await desk.files.check())[1].endswith("the run does not go by it yet")
    assert await desk.files.take() == "the run takes it up"
    assert desk.seen == ["second", "second"]
    assert await desk.files.take() == "the file is what the run goes by"
