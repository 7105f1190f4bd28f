"""What the orchestrator does itself, signals, and the end of a run that nobody attends to."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_daemon import DEADLINE_S, Rig

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import StopRequested
from octogram_tui.engine.stimuli import (
    AttemptReport,
    ProgressReport,
    Stimulus,
    StopRequest,
)
from octogram_tui.model.ids import AttemptId
from octogram_tui.runtime.errands import Errands
from octogram_tui.runtime.shutdown import Signals, StopBound

NAME = AttemptId.parse("s/j@one#1")


class Desk:
    """Errands whose copies do what the test says."""

    def __init__(self, directory: Path, link: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ended: asyncio.Future[AttemptReport] = asyncio.get_running_loop().create_future()
        self.began = asyncio.Event()
        self.errands = Errands(str(directory), str(directory / "artifacts"))
        self.link = link
        (directory / "file").write_text("x")
        self._directory = directory
        monkeypatch.setattr("octogram_tui.runtime.files.copy_to", self._copy)
        self.outcome: BaseException | None = None

    async def _copy(self, *_: object, **__: object) -> None:
        self.began.set()
        if self.outcome is not None:
            raise self.outcome
        await asyncio.Event().wait()

    def start(self, timeout_s: float | None = None, link: bool = True, **arguments: Any) -> None:
        given = {"local_path": str(self._directory / "file"), "remote_path": "x", **arguments}
        self.errands.start(
            SendJob("one", NAME, "copy", given, timeout_s, "orchestrator"), self.link if link else None, self._take
        )

    def _take(self, stimulus: Stimulus) -> None:
        if not isinstance(stimulus, ProgressReport):
            assert isinstance(stimulus, AttemptReport)
            self.ended.set_result(stimulus)

    async def end(self) -> tuple[str, str]:
        async with asyncio.timeout(DEADLINE_S):
            ended = await self.ended
        assert ended.attempt == NAME
        return ended.state, ended.failure.kind if ended.failure is not None else ""


@pytest.fixture
async def desk(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    await rig.up()
    return Desk(tmp_path, rig.link, monkeypatch)


async def test_a_copy_that_is_cancelled(desk: Desk) -> None:
    desk.start()
    await desk.began.wait()
    desk.errands.cancel(NAME)
    assert await desk.end() == ("cancelled", "cancelled")
    desk.errands.cancel(NAME)


async def test_a_copy_cancelled_before_its_first_step(desk: Desk) -> None:
    desk.start()
    desk.errands.cancel(NAME)
    assert await desk.end() == ("cancelled", "cancelled")


async def test_a_copy_that_takes_too_long(desk: Desk) -> None:
    desk.start(timeout_s=0.01)
    assert await desk.end() == ("failed", "timeout")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(28, "no space left", "big"), "files"),
        (ValueError("odd"), "bug"),
        (AssertionError(), "bug"),
        (TimeoutError(), "timeout"),
    ],
)
async def test_a_copy_that_fails(desk: Desk, error: BaseException, kind: str) -> None:
    desk.outcome = error
    desk.start()
    assert await desk.end() == ("failed", kind)


async def test_arguments_that_are_missing_end_the_job_too(desk: Desk) -> None:
    desk.start(local_path="\0")
    state, _kind = await desk.end()
    assert state == "failed"


async def test_an_agent_that_is_not_there(desk: Desk) -> None:
    desk.start(link=False)
    assert await desk.end() == ("failed", "agent_lost")


async def test_closing_ends_what_is_under_way(desk: Desk) -> None:
    desk.start()
    await desk.began.wait()
    await desk.errands.close()
    assert await desk.end() == ("cancelled", "cancelled")


async def test_the_first_signal_asks_the_second_forces() -> None:
    asked: list[StopRequest] = []
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)  # held back, and not lost
        signals.listen(asked.append)
        async with asyncio.timeout(DEADLINE_S):
            while not asked:
                await asyncio.sleep(0)
        for number in (signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
            count = len(asked) + 1
            async with asyncio.timeout(DEADLINE_S):
                while len(asked) < count:
                    await asyncio.sleep(0)
    assert [(one.by, one.exit_code, one.force) for one in asked] == [
        ("SIGHUP", 129, False),
        ("SIGTERM", 143, True),
        ("SIGHUP", 129, False),
    ]


def test_the_third_signal_leaves_at_once() -> None:
    program = (
        "import asyncio\nfrom octogram_tui.runtime.shutdown import Signals\n"
        "async def main():\n signals.listen(lambda s: print(s.force, flush=True))\n print('up', flush=True)\n"
        " await asyncio.sleep(1000)\nwith Signals() as signals:\n asyncio.run(main())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said: Callable[[], str] = process.stdout.readline
    assert said() == "up\n"
    for answer in ("False\n", "True\n", ""):
        process.send_signal(signal.SIGINT)
        assert said() == answer
    process.stdout.close()
    assert process.wait(DEADLINE_S) == 130


@pytest.mark.fault(59)
def test_the_second_signal_leaves_when_the_loop_has_not_taken_the_first() -> None:
    program = (
        "import asyncio, time\nfrom octogram_tui.runtime import shutdown\nshutdown.BLOCKED_S = 0.05\n"
        "async def main():\n signals.listen(print, 'parting words')\n print('up', flush=True)\n"
        " while True:\n  time.sleep(0.01)\nwith shutdown.Signals() as signals:\n asyncio.run(main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    while process.poll() is None:  # it takes two, and the loop none of them
        process.send_signal(signal.SIGINT)
        select.select([process.stdout], [], [], 0.1)
    assert process.communicate() == ("", "parting words")
    assert process.returncode == 130


async def test_a_stop_is_forced_when_it_takes_too_long() -> None:
    asked: asyncio.Queue[StopRequest] = asyncio.Queue()
    bound = StopBound(0.01, asked.put_nowait)
    bound.apply([StopRequested(by="SIGTERM")])
    bound.apply([StopRequested(by="SIGTERM")])
    async with asyncio.timeout(DEADLINE_S):
        request = await asked.get()
    assert (request.force, request.exit_code, request.by) == (True, 0, "the limit of 0.01 s for a stop")
    bound.close()


def test_a_signal_once_the_run_is_over_leaves_time_for_the_last_reports() -> None:
    before = signal.getsignal(signal.SIGINT)
    written = []

    async def run() -> None:
        signals.listen(lambda _: None)
        signals.release()
        os.kill(os.getpid(), signal.SIGINT)
        written.append("run")

    with Signals() as signals:
        asyncio.run(run())
        os.kill(os.getpid(), signal.SIGTERM)
        written.append("reports")
        assert 0 < signal.alarm(0) <= 5
    assert written == ["run", "reports"]
    assert signal.getsignal(signal.SIGINT) is before
