"""A run that waits for an operator, and nobody comes; a control socket that cannot be made; a watch that fails."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from octogram_tui.engine.options import RunOptions
from octogram_tui.errors import ExitCode, JournalError
from octogram_tui.runtime import host as host_module
from octogram_tui.runtime.client import Client
from octogram_tui.runtime.host import Host, HostSettings
from octogram_tui.scenario.load import load_scenario

DEADLINE_S = 60.0
EMPTY = "agents: [{name: one, transport: local}]\nstages: [{name: s, jobs: [{name: j, builtins.command: ['true']}]}]\n"


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defects: list[dict[str, Any]]) -> Callable[..., Host]:
    """Give a function that makes hosts of one small run."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "s.yml"
    path.write_text(EMPTY)

    def make(options: dict[str, Any] | None = None, **settings: Any) -> Host:
        given = {"run_dir": tmp_path, "socket": tmp_path / "control", "lease_s": 30.0, **settings}
        return Host(load_scenario(str(path)).scenario, RunOptions("run", **(options or {})), HostSettings(**given))

    return make


async def test_a_run_that_nobody_attends_to_ends(make: Callable[..., Host]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        assert await make({"start_paused": True}, linger_s=0.2).run() == ExitCode.HELD


HELD = """agents: [{name: one, transport: local}]
stages: [{name: s, jobs: [{name: j, builtins.command: ['false'], on_failure: pause}]}]
"""
ASKS = """agents: [{name: one, transport: local}]
stages: [{name: s, ask_confirmation: true, jobs: [{name: j, builtins.sleep: 0}]}]
"""
WRONG = """agents: [{name: one, transport: local}]
stages: [{name: s, with_agents: '{{ vars.a.b }}', jobs: [{name: j, builtins.sleep: 0}]}]
vars: {a: {}}
"""


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (HELD, {}),
        (HELD, {"on_failure": "pause"}),
        (ASKS, {"confirm": "ask"}),
        (WRONG, {"on_failure": "pause"}),
        (EMPTY, {"keep_alive": True}),
        (EMPTY, {"start_paused": True}),
    ],
)
async def test_whatever_a_run_waits_for_it_ends_when_nobody_comes(
    make: Callable[..., Host], tmp_path: Path, text: str, options: dict[str, Any]
) -> None:
    (tmp_path / "s.yml").write_text(text)
    async with asyncio.timeout(DEADLINE_S):
        assert await make(options, linger_s=0.1).run() == ExitCode.HELD


async def test_a_run_with_a_console_waits_on(make: Callable[..., Host], tmp_path: Path) -> None:
    opened = asyncio.Event()
    running = asyncio.ensure_future(make({"keep_alive": True}, linger_s=0.1).run(opened.set))
    async with asyncio.timeout(DEADLINE_S):
        await opened.wait()
        client = await Client.connect(str(tmp_path / "control"))
        seen: list[str] = []
        async for batch in client.events():
            seen += [event.TYPE for event in batch]
            if "stages_done" in seen:
                break
        await asyncio.wait([running], timeout=0.5)
        assert not running.done()
        await client.close()
        assert await running == ExitCode.HELD


async def test_a_run_whose_directory_is_removed_is_no_success(
    make: Callable[..., Host], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    async with asyncio.timeout(DEADLINE_S):
        assert await make(run_dir=run_dir).run(lambda: shutil.rmtree(run_dir)) == ExitCode.IO
    assert "was removed or moved" in capsys.readouterr().err


async def test_no_control_socket_no_run(make: Callable[..., Host], tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot make the run's control socket"):
        await make(socket=tmp_path / ("x" * 200)).run()


async def test_a_watch_that_fails_costs_the_run_nothing(
    make: Callable[..., Host], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(host_module, "watch_scenario", fail)
    async with asyncio.timeout(DEADLINE_S):
        assert await make(reload=lambda: None).run() == 0
    assert "edits of the scenario are not seen any more: ZeroDivisionError: oops" in capsys.readouterr().err
