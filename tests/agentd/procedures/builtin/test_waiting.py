"""builtins.sleep, wait_for and the declaration of assert."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import pytest
from real_agent import RealAgent

from octogram_agentd.procedures import find


async def test_sleep(agent: RealAgent) -> None:
    assert await agent.ok("builtins.sleep", seconds=0.01) is None
    attempt, finished = agent.start("builtins.sleep", seconds=1000)
    agent.cancel(attempt)
    assert (await finished).state == "cancelled"


async def test_wait_for_a_port(any_agent: RealAgent) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        _, finished = any_agent.start("builtins.wait_for", port=str(port), timeout=60)
        _, by_name = any_agent.start("builtins.wait_for", port=f"localhost:{port}", timeout=60)
        error = await any_agent.error("builtins.wait_for", port=str(port), timeout=0.1)
        assert error["kind"] == "timeout"
        assert f"nothing accepts connections on port {port} of this machine" in error["message"]
        listener.listen()
        assert (await finished).result == {"seen": f"127.0.0.1:{port}", "groups": []}
        assert (await by_name).result == {"seen": f"localhost:{port}", "groups": []}


async def test_wait_for_a_file(agent: RealAgent) -> None:
    _, finished = agent.start("builtins.wait_for", file="sub/there", timeout=60, every=0.05)
    (agent.home / "sub").mkdir()
    assert not finished.done()
    (agent.home / "sub/there").touch()
    assert (await finished).result == {"seen": f"{agent.home}/sub/there", "groups": []}


async def test_wait_for_http(agent: RealAgent) -> None:
    started = await agent.ok(
        "builtins.start_process",
        argv=[sys.executable, "-m", "http.server", "{{ port.http }}"],
        name="web",
        ports={"http": "fresh"},
        ready={"port": "{{ port.http }}", "timeout": 20},
    )
    url = f"http://127.0.0.1:{started['ports']['http']}/there"
    _, finished = agent.start("builtins.wait_for", http={"owned": "web/there"}, timeout=60, every=0.05)
    error = await agent.error("builtins.wait_for", http={"remote": url}, timeout=0.1)
    assert error["message"] == f"not seen within 0.1 s: 404 {url}"
    (agent.home / "there").touch()
    assert (await finished).result == {"seen": f"200 {url}", "groups": []}
    error = await agent.error("builtins.wait_for", http={"owned": "nobody"}, timeout=0.1)
    assert "no service named nobody" in error["message"]


async def test_wait_for_a_line_of_a_process_that_is_to_come(agent: RealAgent) -> None:
    _, finished = agent.start("builtins.wait_for", log=r"height (\d+) of (\w+)", process="p", timeout=60, every=0.05)
    await agent.ok("builtins.start_process", argv=["sh", "-c", "echo now height 12 of main; exec sleep 1000"], name="p")
    assert (await finished).result == {"seen": "now height 12 of main", "groups": ["12", "main"]}
    again = await agent.ok("builtins.wait_for", log="height", process="p", timeout=60)
    assert again["seen"] == "now height 12 of main"
    await agent.ok("builtins.stop_process", name="p")
    assert (await agent.ok("builtins.wait_for", log="height", process="p", timeout=60))["groups"] == []


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"log": "x", "process": "ghost", "timeout": 0.1}, "timeout", "no process named ghost"),
        ({"log": "x"}, "argument", "log needs `process`"),
        ({"log": "never", "process": "p", "timeout": 0.2}, "timeout", "0.2 s"),
        ({"log": "(", "process": "p", "timeout": 9}, "argument", "not a regular expression"),
        ({"log": "never", "process": "ended", "timeout": 20}, "exit", "ended with exit status 0"),
        ({"port": "x"}, "refused", "is not a port"),
        ({"port": "no-such-host.invalid:1", "timeout": 0.1}, "timeout", "no-such-host.invalid"),
        ({"file": "nothing", "timeout": 0}, "argument", "a timeout of 0 s leaves no time"),
        ({"port": 1, "timeout": -1}, "argument", "a timeout of -1 s leaves no time"),
        ({"log": "x", "process": "p", "timeout": 0}, "argument", "a timeout of 0 s leaves no time"),
        ({"file": "nothing", "timeout": 0.05}, "timeout", "nothing does not exist"),
        ({"expression": "true"}, "argument", "by the orchestrator"),
    ],
)
async def test_waits_that_fail(agent: RealAgent, arguments: dict[str, Any], kind: str, words: str) -> None:
    await agent.ok("builtins.start_process", argv="sleep 1000", name="p")
    await agent.ok("builtins.start_process", argv="true", name="ended")
    error = await agent.error("builtins.wait_for", **arguments)
    assert (error["kind"], words in error["message"]) == (kind, True), error


async def test_waiting_can_be_cancelled(agent: RealAgent) -> None:
    attempt, finished = agent.start("builtins.wait_for", file="never", timeout=1000)
    await asyncio.sleep(0)
    agent.cancel(attempt)
    assert (await finished).state == "cancelled"


def test_assert_is_for_the_engine() -> None:
    declared = find("builtins.assert")
    assert declared.where == "assertion"
    assert declared.short == "that"
    assert {name: field.kind for name, field in declared.fields.items()} == {
        "that": "expression_or_list",
        "message": "str",
    }
