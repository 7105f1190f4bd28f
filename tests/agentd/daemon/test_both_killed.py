"""What a daemon and its guard that were killed at once leave: the next daemon ends it, and says what it cannot know."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_harness import Connection, Place, is_alive, until
from test_guard import hide, parent_of, send

from octogram_agentd.processes.brand import LEAST
from octogram_agentd.processes.filenames import RECORD
from octogram_agentd.processes.membership import see
from octogram_agentd.processes.record import LONGEST_BYTES, Record, read_earlier

UNPROVEN = "killed together with its guard: what hid from both may be left"


@pytest.fixture
def connection(place: Place) -> Iterator[Connection]:
    """A connection to the first daemon."""
    first = place.connect()
    yield first
    assert first.bridge.stdout is not None
    if not first.bridge.stdout.closed:
        first.drain()
        first.close()


def kill_both(place: Place, connection: Connection) -> int:
    """Kill a daemon and its guard, neither knowing of the other's end; give the daemon's number."""
    (daemon,) = place.daemons
    guard = parent_of(daemon)
    for pid in (guard, daemon):
        os.kill(pid, signal.SIGSTOP)
    for pid in (guard, daemon):
        os.kill(pid, signal.SIGKILL)
    connection.drain()
    connection.close()
    return daemon


@pytest.mark.fault(30)
def test_the_next_daemon_ends_all_of_it_however_it_hides(place: Place, connection: Connection) -> None:
    marked = connection.ok("own.start", process="p", argv=["sleep", "600"])["pid"]
    bare = connection.ok("own.start", process="bare", argv=["env", "-i", "sleep", "600"])["pid"]
    hidden = hide(connection)
    kill_both(place, connection)
    second = place.connect(epoch=2)
    until(lambda: not any(map(is_alive, [marked, bare, hidden])), "all of it is swept")
    assert second.stop() == []
    assert not place.root.exists()


@pytest.mark.fault(30)
def test_what_cannot_be_known_is_said(place: Place, connection: Connection) -> None:
    marked = connection.ok("own.start", process="p", argv=["sleep", "600"])["pid"]
    bare = connection.ok("own.start", process="bare", argv=["env", "-i", "sleep", "600"])["pid"]  # on record alone
    hidden = hide(connection)
    daemon = kill_both(place, connection)
    without_brand(place)
    try:
        second = place.connect(epoch=2)
        until(lambda: not is_alive(marked) and not is_alive(bare), "both are swept")
        remaining = [(one["pid"], one["name"], one["state"]) for one in second.stop()]
        assert remaining == [(hidden, "sleep", "S"), (daemon, "agentd", UNPROVEN)]
        assert not place.root.exists()
    finally:
        os.kill(hidden, signal.SIGKILL)


def without_brand(place: Place) -> None:
    """Have a record say that no number could be taken that all programs inherit."""
    record = place.root / RECORD
    head, *lines = record.read_text().splitlines()
    assert int(head.split()[3]) >= LEAST
    record.write_text("\n".join([head.rpartition(" ")[0] + " 0", *lines]) + "\n")


@pytest.mark.fault(30)
def test_where_nothing_was_started_nothing_can_be_left(place: Place, connection: Connection) -> None:
    connection.ok("own.noop")
    kill_both(place, connection)
    assert place.connect(epoch=2).stop() == []


@pytest.mark.fault(38, 51)
@pytest.mark.parametrize("what", ["boot", "start"])
def test_a_number_that_is_somebody_else_s_by_now_is_left_alone(place: Place, connection: Connection, what: str) -> None:
    pid = connection.ok("own.start", process="bare", argv=["env", "-i", "sleep", "600"])["pid"]
    kill_both(place, connection)
    without_brand(place)
    record = place.root / RECORD
    head, *lines = record.read_text().splitlines()
    if what == "boot":
        head = head.replace(head.split()[1], "another-start-of-this-machine")
    else:
        lines = [line if line[0] != "=" else f"{line[:-1]}{(int(line[-1]) + 5) % 10}" for line in lines]
    record.write_text("\n".join([head, *lines]) + "\n")
    try:
        os.chdir("/")
        remaining = place.connect(epoch=2).stop()
        assert is_alive(pid)
        assert [one["pid"] for one in remaining][:1] == ([] if what == "boot" else [pid])  # it is at home there
    finally:
        os.kill(pid, signal.SIGKILL)


def test_what_is_not_known_is_said_even_by_the_daemon_after_the_next(place: Place, connection: Connection) -> None:
    connection.ok("own.command", argv=["true"])
    first = kill_both(place, connection)
    without_brand(place)
    place.daemons.clear()
    second = place.connect(epoch=2)
    second.ok("own.command", argv=["true"])
    (daemon,) = place.daemons
    os.kill(daemon, signal.SIGKILL)
    second.drain()
    second.close()
    assert [one["state"] for one in place.connect(epoch=3).stop()] == [UNPROVEN]
    assert first != daemon


def test_the_record_does_not_grow_with_what_has_ended(tmp_path: Path) -> None:
    record = Record(str(tmp_path))
    ours = see(os.getpid())
    assert ours is not None
    record.prepare()
    record.started(0, ours.pid)
    for number in range(1, 20_000):
        record.prepare()
        record.started(number, ours.pid)
        record.ended(number)
    assert (tmp_path / RECORD).stat().st_size < 2 * LONGEST_BYTES
    earlier = read_earlier(str(tmp_path))
    assert earlier is not None
    assert earlier.known == {ours.identity}
    assert earlier.is_of_this_boot


@pytest.mark.fault(34)
@pytest.mark.parametrize(
    "point",
    [
        "agent.message",
        "agent.record.write",
        "agent.spawn.before",
        "agent.spawn.after",
        "agent.record.write:2",
        "agent.finished",
    ],
)
def test_a_daemon_that_dies_anywhere_leaves_nothing_and_starts_nothing_twice(place: Place, point: str) -> None:
    oracle = place.base / "oracle"
    first = place.attach(env={**os.environ, "OCTOGRAM_AGENT_FAULT": point})
    first.hello()
    script = f"echo once >> {oracle}; exec sleep 600"
    first.send("run", id="x#1", procedure="own.start", args={"process": "p", "argv": ["sh", "-c", script]})
    first.drain()
    first.close()
    second = place.connect(epoch=2)
    assert second.stop() == []
    assert (oracle.read_text() if oracle.exists() else "") in ("", "once\n")
    assert oracle.exists() <= (point in ("agent.spawn.after", "agent.record.write:2", "agent.finished"))
    assert not place.root.exists()


@pytest.mark.fault(30, 34)
@pytest.mark.parametrize("point", ["agent.guard.tree", "agent.guard.remove"])
def test_what_a_guard_that_dies_at_its_work_leaves_is_ended_by_the_next_daemon(place: Place, point: str) -> None:
    first = place.attach(env={**os.environ, "OCTOGRAM_AGENT_FAULT": point})
    daemon = first.hello()["pid"]
    hidden = hide(first)
    guard = parent_of(daemon)
    shorter = place.connect(epoch=2, lease_s=2.0)  # once all is there, however busy the machine is
    first.close()
    send(signal.SIGKILL, daemon)
    until(lambda: not is_alive(guard), "the guard dies too")
    shorter.drain()
    shorter.close()
    second = place.connect(epoch=3)
    until(lambda: not is_alive(hidden), "it is swept")
    assert second.stop() == []
    assert not place.root.exists()


@pytest.mark.fault(34)
def test_a_daemon_that_dies_before_it_has_removed_its_directory_leaves_that_to_its_guard(place: Place) -> None:
    first = place.attach(env={**os.environ, "OCTOGRAM_AGENT_FAULT": "agent.remove"})
    first.hello()
    first.ok("own.command", argv=["touch", "there"])
    first.send("stop", grace_s=1)
    first.drain()
    first.close()
    assert place.connect(epoch=2).stop() == []
    assert not place.root.exists()


@pytest.mark.fault(97)
def test_a_disk_that_takes_no_record_stops_no_program(place: Place) -> None:
    first = place.attach(env={**os.environ, "OCTOGRAM_AGENT_FAULT": "agent.record.write:1:ENOSPC"})
    place.daemons.add(first.hello()["pid"])
    assert first.ok("own.command", argv=["echo", "up"])["stdout"] == "up\n"
    assert first.stop() == []


def test_nothing_is_planted_where_nobody_plants_it(place: Place, connection: Connection, tmp_path: Path) -> None:
    assert connection.ok("own.value", expression="__import__('octogram_agentd.faults').faults.IS_IDLE") is True
    assert connection.stop() == []
    counts = tmp_path / "counts"
    second = place.attach(env={**os.environ, "OCTOGRAM_AGENT_FAULT_COUNTS": str(counts)})
    place.daemons.add(second.hello()["pid"])
    second.ok("own.command", argv=["true"])
    assert second.stop() == []
    assert {"agent.spawn.before:1", "agent.spawn.after:1", "agent.record.write:1"} <= set(counts.read_text().split())
