"""The guard of a daemon: nothing outlives either of them, however it hides, whichever of them is killed or stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from agent_harness import Connection, Place, is_alive, until
from daemon_client import argv_of

from octogram_agentd.daemon.lease import MOST_GUARDS

HIDING = "(env -i setsid sleep 600 >/dev/null 2>&1 & echo $!)"


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])


def hide(connection: Connection) -> int:
    """Have a program of the agent scrub its environment and its session, and outlive its parent."""
    return int(connection.ok("own.command", argv=["sh", "-c", HIDING])["stdout"])


def send(number: signal.Signals, daemon: int) -> None:
    """Send a signal to a daemon whose lease is short: on a machine that stands still it is over before that."""
    with suppress(ProcessLookupError):
        os.kill(daemon, number)


def stopped(connection: Connection) -> list[dict[str, Any]]:
    """Hear that the daemon ends, and let it go."""
    said = connection.expect("stopped")
    connection.send("ack", seq=said["seq"])
    remaining: list[dict[str, Any]] = said["remaining"]
    return remaining


@pytest.fixture
def started(place: Place) -> Iterator[tuple[Connection, int, list[int]]]:
    """A daemon with a plain process and one that hides: its connection, its number, and theirs."""
    connection = place.connect()
    plain = connection.ok("own.start", process="p", argv=["sleep", "600"])["pid"]
    pids = [plain, hide(connection)]
    yield connection, next(iter(place.daemons)), pids
    assert connection.bridge.stdout is not None
    if not connection.bridge.stdout.closed:
        connection.drain()
        connection.close()
    for pid in filter(is_alive, pids):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.fault(28, 32, 43)
def test_nothing_outlives_a_killed_daemon(place: Place, started: tuple[Connection, int, list[int]]) -> None:
    connection, daemon, pids = started
    connection.ok("own.command", argv=["touch", "kept"])
    os.kill(daemon, signal.SIGKILL)
    until(lambda: not any(map(is_alive, pids)), "the guard has ended all of it", 30)
    second = place.connect(epoch=2)
    assert (place.root / "home" / "kept").exists()
    assert second.stop() == []
    assert not place.root.exists()


def test_the_next_daemon_waits_until_the_guard_has_ended_all(
    place: Place, started: tuple[Connection, int, list[int]]
) -> None:
    _, daemon, pids = started
    guard = parent_of(daemon)
    os.kill(guard, signal.SIGSTOP)
    os.kill(daemon, signal.SIGKILL)
    bridge = place.attach()
    bridge.send("hello")
    until(lambda: Path(f"/proc/{bridge.bridge.pid}/stat").exists(), "somebody comes for the directory")
    assert is_alive(pids[1])
    os.kill(guard, signal.SIGCONT)
    bridge.drain()  # a daemon came up, and refused the greeting
    assert not any(map(is_alive, pids))
    bridge.close()
    until(lambda: not place.root.exists(), "the daemon that nobody greeted ends")


@pytest.mark.fault(28)
def test_a_directory_that_nobody_comes_for_goes_with_the_lease(place: Place) -> None:
    first = place.connect()
    pid = hide(first)
    connection = place.connect(epoch=2, lease_s=2.0)
    first.close()
    send(signal.SIGKILL, next(iter(place.daemons)))
    connection.drain()
    connection.close()
    until(lambda: not place.root.exists(), "the guard removes the directory")
    assert not is_alive(pid)


def test_a_directory_that_is_to_be_kept_is_kept(place: Place) -> None:
    first = place.connect()
    first.ok("own.command", argv=["touch", "kept"])
    connection = place.connect(epoch=2, lease_s=2.0, keep=True)
    first.close()
    send(signal.SIGKILL, next(iter(place.daemons)))
    connection.drain()
    connection.close()
    until(lambda: not (place.root / "lock").exists(), "the guard has left")
    assert (place.root / "home" / "kept").exists()


@pytest.mark.fault(31)
def test_a_daemon_that_stands_still_beyond_its_lease_is_ended(
    place: Place, started: tuple[Connection, int, list[int]]
) -> None:
    _, daemon, pids = started
    second = place.connect(epoch=2, lease_s=0.5)
    send(signal.SIGSTOP, daemon)
    until(lambda: not any(map(is_alive, [daemon, *pids])), "the guard acts")
    until(lambda: not place.root.exists(), "the directory is gone")
    second.drain()
    second.close()


@pytest.mark.fault(31)
def test_a_daemon_that_stands_still_for_less_goes_on(place: Place, started: tuple[Connection, int, list[int]]) -> None:
    connection, daemon, pids = started
    os.kill(daemon, signal.SIGSTOP)
    until(lambda: Path(f"/proc/{daemon}/stat").read_text().rpartition(")")[2].split()[0] == "T", "it stands still")
    os.kill(daemon, signal.SIGCONT)
    connection.ok("own.noop")
    assert all(map(is_alive, pids))
    assert connection.stop() == []
    assert not any(map(is_alive, pids))


@pytest.mark.fault(29)
def test_a_killed_guard_is_replaced(place: Place, started: tuple[Connection, int, list[int]]) -> None:
    connection, daemon, pids = started
    first = parent_of(daemon)
    os.kill(first, signal.SIGKILL)
    until(lambda: guards(place) not in ([], [first]), "there is another one")
    connection.ok("own.noop")
    pids.append(hide(connection))
    assert all(map(is_alive, pids))
    os.kill(daemon, signal.SIGKILL)
    until(lambda: not any(map(is_alive, pids)), "the new guard has ended all of it", 30)
    assert place.connect(epoch=2).stop() == []
    until(lambda: not guards(place), "no guard is left")


@pytest.mark.fault(29)
def test_a_new_guard_leaves_with_its_daemon(place: Place, started: tuple[Connection, int, list[int]]) -> None:
    connection, daemon, pids = started
    os.kill(parent_of(daemon), signal.SIGKILL)
    connection.ok("own.noop")
    until(lambda: len(guards(place)) == 1, "there is another one")
    assert connection.stop() == []
    assert not any(map(is_alive, pids))
    until(lambda: not guards(place), "it has left")


@pytest.mark.fault(29)
def test_nothing_goes_on_where_every_guard_is_killed(place: Place, started: tuple[Connection, int, list[int]]) -> None:
    connection, _daemon, pids = started
    killed: set[int] = set()
    while not any(message["t"] == "stopped" for message in connection.received):
        for guard in set(guards(place)) - killed:
            os.kill(guard, signal.SIGKILL)
            killed.add(guard)
        with suppress(BrokenPipeError):  # it has said its last word, and does not wait for ever until that is read
            connection.send("where", request=len(killed))
        connection.read()
    assert stopped(connection) == []
    assert not any(map(is_alive, pids))
    assert len(killed) == MOST_GUARDS


def test_a_signal_to_the_guard_is_one_to_the_daemon(place: Place, started: tuple[Connection, int, list[int]]) -> None:
    connection, daemon, pids = started
    os.kill(parent_of(daemon), signal.SIGTERM)
    assert stopped(connection) == []
    until(lambda: not any(map(is_alive, [daemon, *pids])), "all have ended")


def test_a_guard_ends_with_its_daemon(place: Place, started: tuple[Connection, int, list[int]]) -> None:
    connection, daemon, _ = started
    guard = parent_of(daemon)
    assert connection.stop() == []
    until(lambda: not is_alive(guard), "the guard is gone")


def test_with_who_started_it_a_killed_daemon_leaves_nothing(place: Place) -> None:
    script = "import subprocess,sys;subprocess.Popen(sys.argv[1:]);sys.stdin.read()"
    names = ("--run", "run", "--agent", "agent", "--root", str(place.base))
    words = argv_of(place.python, "attach", *names, "--parent-watch")
    parent = subprocess.Popen([sys.executable, "-c", script, *words], stdin=subprocess.PIPE)
    until(lambda: (place.root / "home").exists(), "the daemon is there")
    until(lambda: guards(place), "its guard is there")
    (guard,) = guards(place)
    (daemon,) = [int(word) for word in Path(f"/proc/{guard}/task/{guard}/children").read_text().split()]
    parent.kill()
    with contextlib.suppress(ProcessLookupError):  # it may have seen already that its parent is gone
        os.kill(daemon, signal.SIGKILL)
    parent.communicate()
    until(lambda: not place.root.exists(), "the guard has left")


def guards(place: Place) -> list[int]:
    """Give the guards of this place's daemons, by the name that they show."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            is_guard = Path(f"/proc/{name}/comm").read_text() == "octogram-guard\n"
            if is_guard and str(place.base).encode() in Path(f"/proc/{name}/cmdline").read_bytes():
                found.append(int(name))
        except OSError:
            pass
    return found
