"""Who of a tree is asked to stop: everybody who was there, also who the first look left out; nobody born later."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from octogram_agentd.processes import membership
from octogram_agentd.processes.membership import Ending, Looks, Seen, Tree, see


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


def test_looks_are_shared_and_none_is_older_than_what_was_done_upon_the_last_one() -> None:
    taken: list[int] = []

    def look() -> dict[int, Seen]:
        taken.append(len(taken))
        return {}

    later: list[Callable[[], None]] = []
    looks = Looks(look, later.append)
    first, one = looks.after(0)
    assert [looks.after(0) for _ in range(1000)] == [(first, one)] * 1000
    second, two = looks.after(first)
    assert looks.after(first) == (second, two)
    assert two is not one
    assert len(taken) == 2
    assert len(later) == 1
    later.pop()()  # a turn is over
    third, three = looks.after(0)
    assert third > second
    assert three not in (one, two)
    looks.forget()  # something was started
    assert looks.after(0)[1] is not three
    assert len(taken) == 4


def test_looking_for_many_at_once_takes_one_look_at_each(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 500
    seen = {pid: Seen(pid, f"{pid} (job) S 1 {pid} {pid} " + "0 " * 18) for pid in range(1000, 1000 + 2 * count)}
    read: list[int] = []

    def mark_of(pid: int) -> str:
        read.append(pid)
        return f"place/daemon/owner {pid}/1"

    monkeypatch.setattr(membership, "mark_of", mark_of)
    taken: list[int] = []

    def look() -> dict[int, Seen]:
        taken.append(1)
        return seen

    looks = Looks(look, lambda forget: None)
    for pid in range(1000, 1000 + count):
        assert Tree(f"place/daemon/owner {pid}/1", (pid,), looks).members().keys() == {pid}
        assert Tree(f"place/daemon/owner {pid + count}/", (), looks).members().keys() == {pid + count}
    assert Tree("place/daemon/", (), looks).members().keys() == seen.keys()
    assert (len(taken), len(read)) == (1, 2 * count)
