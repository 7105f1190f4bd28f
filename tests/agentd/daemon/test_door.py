"""The way back to a daemon: only to the one that was there, through a socket that may have been removed meanwhile."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest
from agent_harness import Connection, Place, is_alive, until

from octogram_agentd.daemon import attach, birth, door
from octogram_agentd.daemon.home import HomeUnusable


def again(place: Place, welcome: dict[str, str], **hello: object) -> tuple[Connection, dict[str, object]]:
    """Come back to a daemon that was there."""
    connection = place.attach("--birth", welcome["birth"], "--at", welcome["home"])
    answer = connection.hello(birth=welcome["birth"], **hello)  # type: ignore[arg-type]
    place.daemons.add(answer["pid"])
    return connection, answer


@pytest.fixture
def there(place: Place) -> tuple[Connection, dict[str, str]]:
    """Have a daemon, and what it said of itself."""
    connection = place.attach()
    welcome = connection.hello()
    place.daemons.add(welcome["pid"])
    return connection, welcome


@pytest.mark.fault(35)
def test_a_removed_socket_is_made_again(place: Place, there: tuple[Connection, dict[str, str]]) -> None:
    first, welcome = there
    pid = first.ok("own.start", process="p", argv=["sleep", "600"])["pid"]
    (place.root / "sock").unlink()
    first.bridge.kill()
    first.drain()
    first.close()
    second, answer = again(place, welcome, epoch=2, rx=2)
    assert answer["birth"] == welcome["birth"]
    assert is_alive(pid)
    second.ok("own.noop")
    second.stop()
    assert not is_alive(pid)


def inode_of(path: Path) -> int | None:
    """Give a file's inode; None in the moment in which there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


@pytest.mark.fault(35)
def test_what_stands_in_the_sockets_place_is_removed(place: Place, there: tuple[Connection, dict[str, str]]) -> None:
    first, welcome = there
    (place.root / "sock").unlink()
    with socket.socket(socket.AF_UNIX) as foreign:
        os.chdir(place.root)
        foreign.bind("sock")
        os.chdir("/")
        foreign.listen()
        first.close()
        inode = (place.root / "sock").stat().st_ino
        until(lambda: inode_of(place.root / "sock") not in (None, inode), "it is ours again")
    second, answer = again(place, welcome, epoch=3, rx=0)
    assert answer["birth"] == welcome["birth"]
    second.stop()


@pytest.mark.fault(35)
@pytest.mark.parametrize("lives", [True, False])
def test_a_directory_in_the_sockets_place_is_put_aside(
    place: Place, there: tuple[Connection, dict[str, str]], lives: bool
) -> None:
    first, welcome = there
    if not lives:
        os.kill(int(welcome["pid"]), signal.SIGKILL)
        first.drain()
    (place.root / "sock").unlink()
    (place.root / "sock").mkdir()
    (place.root / "sock" / "inner").touch()
    first.close()
    second, answer = again(place, welcome, epoch=2, rx=0)
    assert (answer["birth"] == welcome["birth"]) is lives
    second.stop()
    until(lambda: not place.root.exists(), "it goes with the rest")


@pytest.mark.fault(28, 35)
def test_a_killed_daemon_is_replaced_in_its_own_place(place: Place, there: tuple[Connection, dict[str, str]]) -> None:
    first, welcome = there
    os.kill(int(welcome["pid"]), signal.SIGKILL)
    first.drain()
    first.close()
    second, answer = again(place, welcome, epoch=2, rx=0)
    assert answer["birth"] != welcome["birth"]
    assert answer["home"] == welcome["home"]
    second.stop()


@pytest.mark.fault(4, 35)
@pytest.mark.longfault
def test_no_second_daemon_while_the_first_lives(place: Place, there: tuple[Connection, dict[str, str]]) -> None:
    first, welcome = there
    os.kill(int(welcome["pid"]), signal.SIGSTOP)  # so that it cannot make its socket again
    for name in ("sock", "lock"):
        (place.root / name).unlink()
    try:
        bridge = place.attach("--birth", welcome["birth"], "--at", welcome["home"])
        assert bridge.bridge.stdin is not None
        assert bridge.bridge.wait(60) == attach.EXIT_NOT_KNOWN
        bridge.close()
        others = subprocess.run(["ls", str(place.base / "run")], capture_output=True, text=True, check=True)
        assert others.stdout.split() == ["agent"]
    finally:
        os.kill(int(welcome["pid"]), signal.SIGCONT)
    until((place.root / "sock").exists, "it makes its socket again")
    first.close()
    second, answer = again(place, welcome, epoch=2, rx=0)
    assert answer["birth"] == welcome["birth"]
    second.stop()


@pytest.mark.fault(31)
def test_nobody_waits_for_long_at_the_door_of_a_daemon_that_stands_still(
    place: Place, there: tuple[Connection, dict[str, str]]
) -> None:
    first, welcome = there
    os.kill(int(welcome["pid"]), signal.SIGSTOP)
    waiting = []
    refused = ""
    try:
        while not refused:  # as many as a listener keeps
            try:
                waiting.append(door.dial(str(place.root)))
            except OSError as error:
                refused = str(error)
    finally:
        os.kill(int(welcome["pid"]), signal.SIGCONT)
        for sock in waiting:
            sock.close()
    first.ok("own.noop")
    first.stop()


@pytest.mark.fault(38, 51)
def test_who_has_ended_for_sure() -> None:
    own = birth.new()
    pid, start, unique, boot, host = own.split(":", 4)
    assert not birth.has_ended(own)
    assert birth.has_ended(":".join([pid, str(int(start) + 1), unique, boot, host])), "its number is another's by now"
    assert birth.has_ended(":".join([pid, start, unique, "another", host])), "the machine was started again"
    assert not birth.has_ended(":".join([pid, start, unique, "another", "elsewhere"])), "nothing is seen from here"
    assert not birth.has_ended("1.b")
    assert not birth.has_ended("")
    with subprocess.Popen(["true"]) as child:
        child.wait()
    assert birth.has_ended(":".join([str(child.pid), start, unique, boot, host]))


def test_a_machine_may_be_named_with_any_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    named = list(os.uname())
    named[1] = os.fsdecode(b"b\xffb")
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(named))
    assert birth.host() == "b?b"
    assert birth.new().encode().endswith(b":b?b")
    assert not birth.has_ended(birth.new())


def test_a_machine_that_makes_no_more_processes_says_so(tmp_path: Path) -> None:
    def begin(_root: str, lock_fd: int, *_: object) -> NoReturn:
        os.close(lock_fd)
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    with pytest.raises(HomeUnusable, match="no process can be made for the daemon: Resource temporarily"):
        attach._start([str(tmp_path / "r")], "r", "a", "", 0, begin)
