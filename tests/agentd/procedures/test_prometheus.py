"""A real Prometheus under the daemon's supervision, asked through its HTTP API."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from octez_agent import Agent, Failed, install

from octogram_agentd.procedures.prometheus import config, write_targets

needs_prometheus = pytest.mark.skipif(shutil.which("prometheus") is None, reason="there is no prometheus here")


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    agent = Agent(tmp_path / "root")
    await agent.open()
    yield agent
    await agent.close()


def ask(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=60) as answer:
        return json.load(answer)["data"]


async def eventually(port: int, path: str, is_met: Any) -> Any:
    """Ask until the answer is as it should be."""
    async with asyncio.timeout(60):
        while True:
            answer = await asyncio.to_thread(ask, port, path)
            if is_met(answer):
                return answer
            await asyncio.sleep(0.2)


def targets(agent: Agent) -> list[dict[str, Any]]:
    """Give what the engine would send: the services that are up and have metrics."""
    return [
        {
            "targets": [f"127.0.0.1:{service['ports']['metrics']}"],
            "labels": {"agent": "alice", "node": name, "kind": kind},
        }
        for (kind, name), service in agent.services.items()
        if service["state"] == "up" and "metrics" in service["ports"]
    ]


@needs_prometheus
@pytest.mark.prometheus
async def test_targets_come_up_are_read_and_go(agent: Agent) -> None:
    started = await agent.run("internals.start_prometheus", scrape_interval_s=0.5)
    port = started["port"]
    assert started["url"] == f"http://127.0.0.1:{port}"
    assert agent.services["prometheus", "prometheus"]["ports"] == {"http": port}
    assert ask(port, "targets")["activeTargets"] == []

    install(agent.home, "v25")
    await agent.run("tezos.start_node", name="n", path_node={"owned": "octez-node"}, network="sandbox")
    assert await agent.run("internals.prometheus_targets", targets=targets(agent)) == {"targets": 1}
    found = await eventually(
        port, "targets", lambda data: [target["health"] for target in data["activeTargets"]] == ["up"]
    )
    labels = found["activeTargets"][0]["labels"]
    assert {name: labels[name] for name in ("agent", "node", "kind")} == {"agent": "alice", "node": "n", "kind": "node"}

    query = urllib.parse.urlencode({"query": '{agent="alice",__name__=~"octez_.*"}'})
    series = await eventually(port, f"query?{query}", lambda data: data["result"])
    assert all(one["metric"]["node"] == "n" for one in series["result"])

    await agent.run("builtins.stop_process", name="n")
    await agent.service("node", "n", "down")
    assert await agent.run("internals.prometheus_targets", targets=targets(agent)) == {"targets": 0}
    await eventually(port, "targets", lambda data: data["activeTargets"] == [])


@needs_prometheus
@pytest.mark.prometheus
async def test_a_second_start_replaces_the_first(agent: Agent) -> None:
    await agent.run("internals.start_prometheus")
    again = await agent.run("internals.start_prometheus")
    assert ask(again["port"], "targets")["activeTargets"] == []


@needs_prometheus
@pytest.mark.prometheus
async def test_a_port_that_is_taken_names_its_holder(agent: Agent) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(Failed) as caught:
            await agent.run("internals.start_prometheus", port=port)
    assert f"port {port} (Prometheus) is in use by" in caught.value.message
    assert f"(pid {os.getpid()})" in caught.value.message


@needs_prometheus
@pytest.mark.prometheus
async def test_it_listens_on_every_interface_where_others_reach_the_agent(tmp_path: Path) -> None:
    agent = Agent(tmp_path / "root")
    await agent.open(bind="::")
    try:
        started = await agent.run("internals.start_prometheus")
        assert ask(started["port"], "targets")["activeTargets"] == []
        await agent.run("builtins.http", url={"remote": f"http://[::1]:{started['port']}/-/ready"})
        await agent.run("builtins.http", url={"owned": "prometheus/-/ready"})
    finally:
        await agent.close()


async def test_no_prometheus_on_the_machine(agent: Agent) -> None:
    with pytest.raises(Failed) as caught:
        await agent.run("internals.start_prometheus", program="prometheus-that-nobody-has")
    assert caught.value.error["kind"] == "not_started"
    assert "apt-get install prometheus" in caught.value.hint


async def test_targets_without_a_server(agent: Agent) -> None:
    with pytest.raises(Failed) as caught:
        await agent.run("internals.prometheus_targets", targets=[])
    assert caught.value.error["kind"] == "service"


def test_the_configuration_reads_the_file_of_targets(tmp_path: Path) -> None:
    written = config(0.5)
    assert written["global"]["scrape_interval"] == "500ms"
    files = {job["job_name"]: job["file_sd_configs"][0]["files"] for job in written["scrape_configs"]}
    assert files == {"octogram": ["octogram-targets.json"], "octogram-run": ["octogram-run-targets.json"]}
    node = {"targets": ["h:1"], "labels": {"agent": "a", "kind": "node"}}
    run = {"targets": ["127.0.0.1:2"], "labels": {"agent": "orchestrator", "kind": "orchestrator"}}
    write_targets(str(tmp_path), [node, run])
    assert {entry.name: json.loads(entry.read_text()) for entry in tmp_path.iterdir()} == {
        "octogram-targets.json": [node],
        "octogram-run-targets.json": [run],
    }
