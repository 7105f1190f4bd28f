"""A daemon with few descriptors: what it has started ends as everywhere, and is never taken to have ended."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from agent_harness import Place, marked, until
from daemon_client import argv_of

from octogram_agentd import signals
from octogram_agentd.kernel import Bell, Kernel
from octogram_agentd.processes.membership import Ending, Seen, Tree, look_below, mark_of, see


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("limit", [37, 38, 39])
def test_more_programs_than_descriptors_all_end(place: Place, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    few = ["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh"]
    monkeypatch.setattr("agent_harness.argv_of", lambda *words: few + argv_of(*words))
    connection = place.connect()
    count = 0
    while (finished := connection.do("own.start", process=f"p{count}", argv=["sleep", "600"]))["state"] == "ok":
        count += 1
    assert finished["error"]["kind"] == "not_started"
    assert count >= 8  # that the ends of their output were held, to be spared wake-ups, has stood in nobody's way
    assert connection.ok("own.stop", process="p0") == {"exit_code": 128 + signals.TERM}
    mark = place.mark()
    assert connection.stop(grace_s=1) == []
    assert marked(mark) == []


def test_what_the_soft_limit_refuses_is_had_up_to_the_hard_one_and_programs_are_given_the_soft_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ["sh", "-c", 'ulimit -Sn 40; exec "$@"', "sh"]
    monkeypatch.setattr("agent_harness.argv_of", lambda *words: few + argv_of(*words))
    connection = place.connect()
    for number in range(30):
        connection.ok("own.start", process=f"p{number}", argv=["sleep", "600"])
    connection.ok("own.command", argv=["sh", "-c", "ulimit -Sn; ulimit -Hn"])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert connection.printed(2) == ["40", "unlimited" if hard == resource.RLIM_INFINITY else str(hard)]
    assert connection.stop(grace_s=1) == []


def test_a_look_that_cannot_be_taken_says_nothing() -> None:
    with no_descriptor_left():
        for look in (lambda: see(os.getpid()), lambda: mark_of(os.getpid()), look_below):
            with pytest.raises(OSError, match="open files") as raised:
                look()
            assert raised.value.errno == errno.EMFILE


def test_ends_what_could_not_be_seen_for_a_while() -> None:
    program = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    looks = []

    class Blinded(Tree):
        def _look(self) -> dict[int, Seen]:
            looks.append(time.monotonic())
            if len(looks) in (1, 2, 4):
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            seen = see(program.pid)
            return {} if seen is None else {program.pid: seen}

    kernel = Kernel()
    ending = Ending(Blinded("nobody's", [program.pid]), Bell(kernel), time.monotonic)
    try:
        assert kernel.run(ending.run(signals.TERM, 60.0)) == []
        assert program.wait(60) == -signals.TERM
    finally:
        kernel.close()
        program.kill()
        program.communicate()


def test_what_a_daemon_without_a_descriptor_leaves_is_ended_by_its_guard(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A procedure of the user's keeps all of them, and what might be let go of has been."""
    few = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"]
    monkeypatch.setattr("agent_harness.argv_of", lambda *words: few + argv_of(*words))
    connection = place.connect()
    for name in ("first", "second"):
        connection.ok("own.start", process=name, argv=["sleep", "600"])
    connection.ok("own.stop", process="first")
    error = connection.fails("own.value", expression="[__import__('os').dup(0) for _ in range(100)]")
    assert (error["kind"], error["message"]) == (
        "limit",
        "own.value met a limit of the agent's machine: too many open files",
    )
    assert connection.fails("own.value", expression="1 / 0")["kind"] == "bug"
    mark = place.mark()
    assert len(marked(mark)) == 1
    remaining = connection.stop(grace_s=0.1)
    assert "open files" in remaining[0]["state"]
    until(lambda: marked(mark) == [], "the guard has ended it")


def test_a_program_that_cannot_be_started_costs_no_descriptor(place: Place) -> None:
    connection = place.connect()
    connection.ok("own.command", argv=["true"])
    count = "len(__import__('os').listdir('/proc/self/fd'))"
    before = connection.ok("own.value", expression=count)
    for wrong in (["true", 5], ["true", "\0"], ["no such program"]):
        connection.fails("own.command", argv=wrong)
    assert connection.ok("own.value", expression=count) == before
    assert connection.stop() == []
