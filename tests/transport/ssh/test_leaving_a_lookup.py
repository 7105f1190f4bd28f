"""Whoever leaves is not held up by a command of the configuration, nor by a name that nobody knows yet."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fixtures_program import wait_for

from octogram_tui.transport.unawaited import AT_ONCE, LeavingLoop, Unawaited

LONG_S = 600


def test_a_run_that_is_refused_does_not_wait_for_what_its_login_waits_for(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    (tmp_path / "config").write_text(f'Match exec "echo $$ >{pid}; exec sleep {LONG_S}"\n  User somebody\n')
    (tmp_path / "s.yml").write_text(
        "agents: [{name: a, address: 127.0.0.1, port: 1}]\n"
        "stages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]\n"
    )
    command = [sys.executable, "-m", "octogram_tui", "s.yml", "--headless", "--ssh-config", "config"]
    run = subprocess.run(
        [*command, "--junit", "nowhere/report.xml"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        timeout=LONG_S / 10,
        check=False,
    )
    wait_for(lambda: pid.exists() and pid.read_text().endswith("\n"))  # it was there, and may only come to say so now
    os.kill(int(pid.read_text()), signal.SIGTERM)
    assert run.returncode == 74
    assert "cannot write nowhere/report.xml" in run.stderr


def test_a_loop_is_closed_while_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answered = threading.Event(), threading.Event()

    def silent(*_: object, **__: object) -> list[object]:
        asked.set()
        answered.wait(LONG_S)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)

    async def leave() -> None:
        looking = asyncio.ensure_future(asyncio.get_running_loop().create_connection(asyncio.Protocol, "name.test", 1))
        while not asked.is_set():
            await asyncio.sleep(0.001)
        looking.cancel()

    with asyncio.Runner(loop_factory=LeavingLoop) as runner:
        runner.run(leave())
    assert not answered.is_set()
    answered.set()


async def test_so_many_at_a_time_each_tells_what_came_of_it() -> None:
    threads, running, most = Unawaited(), 0, 0
    lock = threading.Lock()

    def work(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if number == 3:
            error: Exception | None = ValueError("three")
        else:
            error = None
        with lock:
            running -= 1
        if error is not None:
            raise error
        return number

    found = await asyncio.gather(*(threads.call(work, n) for n in range(AT_ONCE * 2)), return_exceptions=True)
    assert isinstance(found.pop(3), ValueError)
    assert found == [n for n in range(AT_ONCE * 2) if n != 3]
    assert most <= AT_ONCE
