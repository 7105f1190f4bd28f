"""Who of a tree is asked to stop: everybody who was there, also who the first look left out; nobody born later."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from pathlib import Path

from octogram_agentd.processes.membership import Ending, Seen, Tree, see


class Bell:
    """What tells that a child has ended: here, time alone."""

    async def wait(self, timeout_s: float) -> None:
        await asyncio.sleep(timeout_s)


class Forgetful(Tree):
    """A tree some of whose members are not seen at the first look, as happens in /proc while others end."""

    def __init__(self, processes: list[subprocess.Popen[bytes]], late: set[int]) -> None:
        super().__init__("")
        self._processes = processes
        self._late = late

    def members(self) -> dict[int, Seen]:
        late, self._late = self._late, set()
        for process in self._processes:
            process.poll()
        looks = [see(process.pid) for process in self._processes if process.pid not in late]
        return {seen.pid: seen for seen in looks if seen is not None}


async def end(tree: Tree, grace_s: float) -> None:
    ending = Ending(tree, Bell(), time.monotonic)  # type: ignore[arg-type]
    assert await ending.run(signal.SIGTERM, grace_s) == []


async def test_one_that_the_first_look_left_out_is_asked_too() -> None:
    seen, missed = subprocess.Popen(["sleep", "60"]), subprocess.Popen(["sleep", "60"])
    await asyncio.sleep(0.05)
    await end(Forgetful([seen, missed], {missed.pid}), 20)
    assert [seen.returncode, missed.returncode] == [-signal.SIGTERM, -signal.SIGTERM]


async def test_what_a_member_runs_to_clean_up_is_not_disturbed(tmp_path: Path) -> None:
    script = "trap 'sleep 0.3; echo clean >>out; exit 3' TERM; echo up >out; while :; do sleep 0.05; done"
    process = subprocess.Popen(["sh", "-c", script], cwd=tmp_path, start_new_session=True)
    while not (tmp_path / "out").exists():
        await asyncio.sleep(0.01)
    await end(OfShell(process), 20)
    assert process.returncode == 3
    assert (tmp_path / "out").read_text() == "up\nclean\n"


class OfShell(Tree):
    """The session of a shell that is this process's child."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__("", (process.pid,))
        self._process = process

    def members(self) -> dict[int, Seen]:
        self._process.poll()
        self.mark = "none of ours"
        return super().members()
