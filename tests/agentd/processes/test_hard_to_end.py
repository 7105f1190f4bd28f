"""What is hard to end: what multiplies, is somebody else's, or ends at no signal; and machines that lack something."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from agent_harness import Connection, Place, cmdline, is_alive, resident, until
from daemon_client import argv_of

from octogram_agentd.processes import membership
from octogram_agentd.processes.membership import Ending, Seen, Tree, see

CHAIN = 'touch $0; setsid sh -c "$1" $0 "$1" & exec sleep 0.01'
"""A program that starts itself again, in a new session, and ends: nobody stays long enough to be known."""
IS_ROOT = os.geteuid() == 0


class Bell:
    """What tells that a child has ended: here, time alone."""

    async def wait(self, timeout_s: float) -> None:
        await asyncio.sleep(timeout_s)


class Lasting(Tree):
    """A tree whose one member is seen again and again, whatever was sent to it."""

    def __init__(self, seen: Seen) -> None:
        super().__init__("none of ours")
        self._seen = seen

    def members(self) -> dict[int, Seen]:
        return {self._seen.pid: self._seen}


def ended() -> Seen:
    """Give a process as it was seen before it ended: no signal reaches it."""
    process = subprocess.Popen(["sleep", "60"])
    seen = see(process.pid)
    process.kill()
    process.wait()
    assert seen is not None
    return seen


@pytest.mark.fault(48)
async def test_what_ends_at_no_signal_is_told_of_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "KILL_TIME_S", 0.2)
    seen = ended()
    seen.state = "D"
    remaining = await Ending(Lasting(seen), Bell(), time.monotonic).run(signal.SIGTERM, 0.1)  # type: ignore[arg-type]
    assert remaining == [{"pid": seen.pid, "name": seen.name, "state": "D"}]


@pytest.mark.fault(47)
async def test_what_may_not_be_signalled_is_told_of_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "send", lambda _seen, *_numbers: "EPERM")
    monkeypatch.setattr(membership, "KILL_TIME_S", 60.0)
    seen = ended()
    began_s = time.monotonic()
    remaining = await Ending(Lasting(seen), Bell(), time.monotonic).run(signal.SIGTERM, 0)  # type: ignore[arg-type]
    assert remaining == [{"pid": seen.pid, "name": seen.name, "state": "EPERM"}]
    assert time.monotonic() - began_s < membership.KILL_TIME_S


@pytest.mark.fault(44)
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_starts_itself_again_and_again_is_ended(place: Place, tmp_path: Path, how: str) -> None:
    connection = place.connect()
    sign = tmp_path / "sign"
    for number in range(4):
        argv = ["sh", "-c", CHAIN, str(sign), CHAIN]
        connection.ok("own.start", process=f"p{number}", argv=argv, grace_s=0.1)
    until(sign.exists, "they are under way")
    if how == "stop":
        assert connection.stop(grace_s=0.1) == []
    else:
        os.kill(place.daemons.pop(), signal.SIGKILL)
        connection.drain()
        connection.close()
        second = place.connect(epoch=2)  # not before the guard has ended them
        assert second.stop() == []
    assert [
        pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if str(sign).encode() in cmdline(pid)
    ] == []


@pytest.mark.fault(33)
def test_a_defect_of_one_message_is_no_end(place: Place) -> None:
    connection = place.attach(env={**os.environ, "OCTOGRAM_AGENT_FAULT": "agent.message:2:EIO"})
    place.daemons.add(connection.hello()["pid"])
    connection.ok("own.noop")
    error = connection.fails("own.noop", name="second#1")
    assert error["kind"] == "limit"
    assert "Input/output error".lower() in error["message"]
    connection.ok("own.noop", name="third#1")
    assert connection.stop() == []


@pytest.mark.fault(32)
def test_the_first_to_be_killed_for_memory_is_no_guard(place: Place) -> None:
    connection = place.connect()
    (daemon,) = place.daemons
    guard = int(Path(f"/proc/{daemon}/stat").read_text().rpartition(")")[2].split()[1])
    assert score(guard) <= score(daemon)
    connection.stop()


def score(pid: int) -> int:
    """Give how much of the machine's memory the system would win by killing a process."""
    return int(Path(f"/proc/{pid}/oom_score").read_text())


@pytest.mark.machines
@pytest.mark.fault(96)
def test_in_a_container_whose_first_process_reaps_nobody(place: Place) -> None:
    names = ("--run", "run", "--agent", "agent", "--root", str(place.base))
    argv = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"]
    if not IS_ROOT:
        argv += ["--user", "--map-root-user"]
    connection = Connection([*argv, *argv_of(place.python, "attach", *names)])
    place.connections.append(connection)
    connection.hello()
    script = "(setsid env -i sh -c '(sleep 600 &) ; sleep 600' >/dev/null 2>&1 &) ; echo $$"
    for _ in range(5):
        assert connection.ok("own.command", argv=["sh", "-c", script])["exit_code"] == 0
    count = "[open('/proc/%s/stat' % p).read().split()[2] for p in __import__('os').listdir('/proc') if p.isdigit()]"

    def states() -> list[str]:
        answer = connection.do("own.value", expression=count)
        return answer["result"] or []  # nothing where one went away just then

    until(lambda: len(states()) >= 13, "there are ten that hide, the daemon, its guard and the bridge")
    until(lambda: "Z" not in (states() or "Z"), "who has ended is reaped")
    assert connection.stop() == []


def without(gone: str, path: Path) -> str:
    """Make an interpreter that lacks something from the beginning on."""
    start = f"import os,sys;{gone};exec(sys.argv.pop(1))"
    path.write_text(f'#!/bin/sh\nshift 3\nexec {sys.executable} -ISXutf8 -B -c "{start}" "$@"\n')
    path.chmod(0o700)
    return str(path)


@pytest.mark.fault(95)
@pytest.mark.parametrize("lacking", ["home and language", "small", "pidfd", "prctl"])
def test_a_machine_that_lacks_something(place: Place, tmp_path: Path, lacking: str) -> None:
    env = dict(os.environ)
    if lacking == "home and language":
        del env["HOME"]
        env |= {"LANG": "C", "LC_ALL": "C"}
    elif lacking == "small":
        env |= {f"BIG_{number}": "x" * 100_000 for number in range(8)}
    else:
        gone = {"pidfd": "del os.pidfd_open", "prctl": "sys.modules['_ctypes']=None"}[lacking]
        place.python = without(gone, tmp_path / "python")
    connection = place.attach(env=env)
    place.daemons.add(connection.hello()["pid"])
    pid = connection.ok("own.start", process="p", argv=["sleep", "600"])["pid"]
    assert connection.ok("own.command", argv=["sh", "-c", "sleep 600 >/dev/null 2>&1 & echo up"])["stdout"] == "up\n"
    assert connection.stop() == []
    assert not is_alive(pid)
    until(lambda: not place.root.exists(), "nothing is left")


HIDDEN = (
    "mount -t proc -o hidepid=2,gid=54321 proc /proc && exec setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace "
    '"$@"'
)


@pytest.mark.longfault  # needs root, to hide processes
@pytest.mark.fault(47, 95)
def test_what_the_machine_hides_is_not_taken_as_gone(place: Place) -> None:
    names = ("--run", "run", "--agent", "agent", "--root", str(place.base))
    argv = argv_of(place.python, "attach", *names)
    connection = Connection(["unshare", "--mount", "sh", "-c", HIDDEN, "sh", *argv])
    place.connections.append(connection)
    connection.hello()
    script = "setsid setpriv --reuid=65534 sleep 600 >/dev/null 2>&1 & echo $!"
    pid = int(connection.ok("own.command", argv=["sh", "-c", script])["stdout"])
    until(lambda: os.stat(f"/proc/{pid}").st_uid == 65534, "it is another user's")
    assert connection.ok("own.command", argv=["true"])["exit_code"] == 0
    try:
        assert connection.stop() == [{"pid": pid, "name": "hidden", "state": "hidden"}]
    finally:
        os.kill(pid, signal.SIGKILL)


JUMPING = "import time,itertools as i;s=i.cycle((0,86400,-86400));t=time.time;time.time=lambda:t()+next(s)"


@pytest.mark.fault(39)
def test_a_clock_on_the_wall_that_jumps(place: Place, tmp_path: Path) -> None:
    place.python = without(JUMPING, tmp_path / "python")
    connection = place.connect()
    jumped = connection.ok("own.value", expression="[__import__('time').time() for _ in range(3)]")
    assert max(jumped) - min(jumped) > 100_000
    began_s = time.monotonic()
    assert connection.fails("own.command", argv=["sleep", "600"], limit_s=0.2)["kind"] == "timeout"
    connection.send("run", id="late", procedure="own.sleep", args={}, timeout_s=0.2)
    assert connection.expect("finished", id="late")["error"]["kind"] == "timeout"
    assert 0.4 <= time.monotonic() - began_s < 100  # a jump is a day
    assert 0 <= connection.do("own.noop")["duration_s"] < 100
    assert connection.stop() == []


NONE_LEFT = "import os;os.posix_spawn=lambda *a,**k:(_ for _ in ()).throw(BlockingIOError(11,'none is left'))"


@pytest.mark.fault(49)
def test_where_no_process_is_left_the_daemon_says_so_and_goes_on(place: Place, tmp_path: Path) -> None:
    place.python = without(NONE_LEFT, tmp_path / "python")
    connection = place.connect()
    error = connection.fails("own.command", argv=["true"])
    assert (error["kind"], error["detail"]["errno"]) == ("not_started", "EAGAIN")
    assert "out of processes" in error["hint"]
    connection.ok("own.noop")
    assert connection.stop() == []


@pytest.mark.longfault
@pytest.mark.fault(52)
def test_ten_thousand_short_jobs_leave_nothing_behind(place: Place) -> None:
    connection = place.connect()
    (daemon,) = place.daemons
    after: list[tuple[int, int]] = []
    for number in range(10_000):
        connection.send("run", id=f"j{number}#1", procedure="own.command", args={"argv": ["/bin/true"]})
        if number % 100 == 99:
            # Jobs end in any order: nothing is counted while one of them is still under way.
            ends = [connection.expect("finished", id=f"j{each}#1") for each in range(number - 99, number + 1)]
            assert {end["state"] for end in ends} == {"ok"}
            connection.send("ack", seq=max(end["seq"] for end in ends))
            connection.received.clear()
        if number in (999, 9_999):
            after.append((len(os.listdir(f"/proc/{daemon}/fd")), resident(daemon)))
            assert zombies(daemon) == []
    (files, memory), (files_then, memory_then) = after
    assert files_then == files
    assert memory_then - memory < 8 << 20
    assert connection.stop() == []


def zombies(daemon: int) -> list[int]:
    """Give the children of a process that ended and were not reaped."""
    children = Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split()
    return [int(pid) for pid in children if not is_alive(int(pid))]
