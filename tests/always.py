"""What has to hold after every test, whatever it was about: looked at here, so that no test can forget it.

No process of ours is left, however it detached; no thread and no descriptor more than before; each attempt in a journal
began once and ended once; what a run keeps is its user's alone. pytest takes this file as a plugin.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import stat
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from octogram_tui.template import bound
from octogram_tui.template.analysis import uses

PR_SET_CHILD_SUBREAPER = 36
LEAVE_S = 30.0
"""For what is about to end anyway."""

OURS = (b"octogram_agentd", b"octogram_tui", b"octogram-tui", b"OCTOGRAM_PROCESS=")
SHARED_CHILDREN: set[int] = set()
SHARED_THREADS: set[threading.Thread] = set()
"""What fixtures of several tests have started."""

OPENED = pytest.StashKey[int]()
"""How many descriptors such fixtures have opened since the test began."""

BEFORE = pytest.StashKey["Before"]()
MORE_DESCRIPTORS = 8
"""What a library may open once and keep: a selector, a null device, a module that is read lazily."""


class Before:
    """How things stood when a test began."""

    def __init__(self) -> None:
        self.children = set(children())
        self.threads = set(threading.enumerate())
        self.descriptors = len(os.listdir("/proc/self/fd"))


def pytest_configure() -> None:
    """Become the parent of whatever the tests start and leave: nothing detaches from its grandparent then."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note how things stand."""
    if bound.is_expected():  # a test of templates must not have the engines of later ones fed in a thread
        bound.forget()
        uses.cache_clear()  # and a later one that has the same template is to meet it as if for the first time
    item.stash[BEFORE] = Before()
    item.session.stash[OPENED] = 0


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """Let what a fixture of several tests starts be there after each of them."""
    count = len(os.listdir("/proc/self/fd"))
    result = yield
    if fixturedef.scope != "function":
        SHARED_CHILDREN.update(children())
        SHARED_THREADS.update(threading.enumerate())
        request.node.session.stash[OPENED] += len(os.listdir("/proc/self/fd")) - count
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, None, None]:
    """Look at what the test has left, once its fixtures are gone."""
    yield
    before = item.stash.get(BEFORE, None)
    if before is None:
        return
    evaluates = bound._here.process  # it serves the thread of the tests as long as that goes on
    if evaluates is not None:
        SHARED_CHILDREN.add(evaluates._pid)
    found = [
        *left_processes(before),
        *left_threads(before),
        *left_descriptors(before.descriptors + item.session.stash[OPENED]),
    ]
    for directory in places(item):
        for info in directory.rglob("run.json"):
            found += [f"{info.parent}: {what}" for what in wrong_in(info.parent)]
    assert not found, "the test leaves: " + "; ".join(found)


def children() -> Iterator[int]:
    """Give the processes that are directly ours, dead ones too."""
    for thread in os.listdir("/proc/self/task"):
        try:
            yield from map(int, Path(f"/proc/self/task/{thread}/children").read_bytes().split())
        except OSError:
            continue


def left_processes(before: Before) -> list[str]:
    """Name processes of the program that came to be ours during the test, and do not end; dead ones are reaped."""
    end_s = time.monotonic() + LEAVE_S
    while True:
        found = [text for pid in set(children()) - before.children - SHARED_CHILDREN if (text := ours(pid))]
        if not found or time.monotonic() > end_s:
            return found
        time.sleep(0.02)


def ours(pid: int) -> str:
    """Tell of a process, if it is the program's, or was started by it."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if not command:  # a dead one, which nobody else waits for: it was somebody's child before
            os.waitpid(pid, os.WNOHANG)
            return ""
        text = command + Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return ""
    is_ours = any(word in text for word in OURS) and b"octogram_tui.template.apart" not in command  # a helper of ours
    return f"process {pid} {command.replace(bytes(1), b' ').decode(errors='replace')[:120]}" if is_ours else ""


def left_threads(before: Before) -> list[str]:
    """Name threads that the test has started, and that go on."""
    new = [
        thread
        for thread in threading.enumerate()
        if thread not in before.threads | SHARED_THREADS and not thread.daemon
    ]
    for thread in new:
        thread.join(30.0)
    return [f"thread {thread.name}" for thread in new if thread.is_alive()]


def left_descriptors(before: int) -> list[str]:
    """Tell of open descriptors that are many more than before."""
    count = len(os.listdir("/proc/self/fd"))
    if count > before + MORE_DESCRIPTORS:
        gc.collect()
        count = len(os.listdir("/proc/self/fd"))
    return [f"{count - before} descriptors"] if count > before + MORE_DESCRIPTORS else []


def places(item: pytest.Item) -> list[Path]:
    """Give the directories of a test's own, where runs may be."""
    found = [Path(os.environ["HOME"])]
    given: dict[str, Any] = getattr(item, "funcargs", {})
    if isinstance(given.get("tmp_path"), Path):
        found.append(given["tmp_path"])
    return [path for path in found if path.is_dir()]


def wrong_in(directory: Path) -> list[str]:
    """Say what does not hold of a run, by its journal and by the modes of its files."""
    journal = directory / "journal.jsonl"
    try:
        lines = journal.read_bytes().split(b"\n")[:-1]
        mode = stat.S_IMODE(journal.stat().st_mode)
    except OSError:
        return []
    found = [] if not mode & 0o077 else [f"the journal has mode {mode:o}"]
    begun: Counter[tuple[str, int]] = Counter()
    ended: Counter[tuple[str, int]] = Counter()
    seq = 0
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if not isinstance(event, dict) or not isinstance(event.get("seq"), int) or event.get("type") == "input":
            continue
        if event["seq"] <= seq:
            found.append(f"event {event['seq']} comes after {seq}")
        seq = event["seq"]
        key = (str(event.get("key")), event.get("attempt") or 0)
        if event.get("type") == "job_started":
            begun[key] += 1
        elif event.get("type") == "job_finished" and event.get("state") != "skipped":
            ended[key] += 1
    found += [f"{key[0]}#{key[1]} began {count} times" for key, count in begun.items() if count > 1]
    found += [f"{key[0]}#{key[1]} ended {count} times" for key, count in ended.items() if count > 1]
    return found
