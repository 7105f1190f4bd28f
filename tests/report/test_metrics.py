"""`--metrics` and `--metrics-port`: what they say of a run, and how the file and the port behave."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import recorded
from ports import free_port
from prometheus_client.parser import text_string_to_metric_families
from recorded import HOSTILE

from octogram_tui.engine import events as ev
from octogram_tui.errors import JournalError, UsageError
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.text import visible
from octogram_tui.report import metrics as module
from octogram_tui.report import metrics_server, targets
from octogram_tui.report.metrics import MetricsReport, RunMetrics
from octogram_tui.report.targets import TargetsReport

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: bytes | str) -> Samples:
    """Read what Prometheus would read."""
    families = text_string_to_metric_families(text.decode() if isinstance(text, bytes) else text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(found: Samples, name: str, **labels: str) -> float | None:
    """Give the value of one series; None when there is none."""
    return found.get((name, frozenset(labels.items())))


def folded(events: list[ev.Event], *, by_agent: bool = False) -> Samples:
    """Fold a run."""
    metrics = RunMetrics(by_agent=by_agent)
    metrics.apply(events)
    return samples(metrics.text())


def received(client: socket.socket) -> bytes:
    """Give what comes until nothing more does."""
    try:
        return client.recv(100)
    except ConnectionError:
        return b""


def test_a_run_that_fails() -> None:
    found = folded(recorded.failing())
    selling = {"stage": "sell", "job": "sell one"}
    assert value(found, "octogram_jobs_total", stage="open", job="fill", state="ok") == 2
    for state in ("ok", "retried", "failed", "cancelled"):
        assert value(found, "octogram_jobs_total", **selling, state=state) == 1
    assert value(found, "octogram_job_duration_seconds_count", **selling) == 4
    assert value(found, "octogram_job_duration_seconds_sum", **selling) == 15.75
    assert value(found, "octogram_job_duration_seconds_bucket", **selling, le="5.0") == 3
    assert value(found, "octogram_jobs_running") == 0
    assert value(found, "octogram_agents") == 2
    assert value(found, "octogram_agents_up") == 0
    assert value(found, "octogram_run_exit_code") == 1
    assert value(found, "octogram_run_duration_seconds") == 15
    assert not any(name.endswith("_created") for name, _ in found)


def test_a_run_that_goes_on() -> None:
    events = recorded.failing()
    until = next(n for n, event in enumerate(events) if isinstance(event, ev.JobOutput))
    found = folded(events[:until])
    assert value(found, "octogram_agents_up") == 2
    assert value(found, "octogram_jobs_running") == 1
    assert value(found, "octogram_run_exit_code") is None
    info = next(dict(labels) for name, labels in found if name == "octogram_run_info")
    assert info["run"] == "20261123-031409-shops-x7"
    assert info["scenario"] == "shops.yml"


def test_services_and_agents_that_go() -> None:
    found = folded(recorded.succeeding()[:-8])
    assert value(found, "octogram_services_up", kind="http") == 0
    assert value(folded(recorded.unreachable()[:5]), "octogram_agents_up") == 1


def test_the_agents_of_jobs_are_told_when_asked_for() -> None:
    found = folded(recorded.failing(), by_agent=True)
    assert value(found, "octogram_jobs_total", stage="sell", job="sell one", agent="shop_2", state="failed") == 1


def test_labels_stay_few_and_legal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_JOBS", 2)
    hostile = 'a"\\\n\udcff'
    found = folded(
        [
            ev.JobFinished(instance=InstanceId(hostile, f"job {n}", "a", f"{n}"), item=n, state="skipped")
            for n in range(5)
        ]
    )
    stages = {dict(labels)["stage"]: count for (name, labels), count in found.items() if name == "octogram_jobs_total"}
    assert stages == {'a"\\\n�': 1, "(other)": 3}
    assert value(found, "octogram_jobs_total", stage="(other)", job="(other)", state="skipped") == 3


async def test_the_file_follows_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_EVERY_S", 0.01)
    path = tmp_path / "run.prom"
    report = MetricsReport.open(str(path), None)
    assert path.exists()
    events = recorded.succeeding()
    report.apply(events[:5])
    async with asyncio.timeout(60):
        while value(samples(path.read_text()), "octogram_agents_up") != 2:
            await asyncio.sleep(0.01)
    report.apply(events[5:])
    report.close()
    assert value(samples(path.read_text()), "octogram_run_exit_code") == 0
    assert [file.name for file in tmp_path.iterdir()] == ["run.prom"]


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(JournalError, match=r"cannot write metrics to .*nowhere"):
        MetricsReport.open(str(tmp_path / "nowhere" / "run.prom"), port)
    with socket.socket() as probe:  # and the port was let go
        probe.bind(("127.0.0.1", port))


async def test_a_pipe_gets_the_metrics_once_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_EVERY_S", 0.0)
    os.mkfifo(tmp_path / "pipe")
    report = MetricsReport.open(str(tmp_path / "pipe"), None)  # nobody reads yet, and nothing waits for that
    report.apply(recorded.succeeding())
    assert report._file is not None
    assert not report._file.is_waiting
    reading = asyncio.create_task(asyncio.to_thread((tmp_path / "pipe").read_text))
    await asyncio.to_thread(report.close)
    assert value(samples(await reading), "octogram_run_exit_code") == 0
    assert (tmp_path / "pipe").is_fifo()
    assert [file.name for file in tmp_path.iterdir()] == ["pipe"]


async def test_a_link_is_followed_every_time(tmp_path: Path) -> None:
    (tmp_path / "link.prom").symlink_to("run.prom")
    report = MetricsReport.open(str(tmp_path / "link.prom"), None)
    report.close()
    assert (tmp_path / "link.prom").is_symlink()
    assert samples((tmp_path / "run.prom").read_text())


def test_a_directory_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "pipe").mkdir()
    with pytest.raises(JournalError, match=r"cannot write metrics to .*: it is a directory"):
        MetricsReport.open(str(tmp_path / "pipe"), None)


def test_the_port_answers_while_the_run_lasts(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(metrics_server._Handler, "timeout", 0.2)
    port = free_port()
    report = MetricsReport.open(None, port)
    with pytest.raises(UsageError, match=f"--metrics-port {port}: cannot listen on 127.0.0.1:{port}: "):
        MetricsReport.open(None, port)
    report._metrics.apply(recorded.started())
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        assert value(samples(answer.read()), "octogram_agents_up") == 2
    with ExitStack() as clients:  # who says nothing is sent away in the end, and who comes too many at once
        crowd = [clients.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(40)]
        for one in crowd[::2]:
            one.send(b"GET /metrics HTTP/1.1\r\nX: ")
        for one in crowd[1:]:
            assert b"200 OK" not in received(one)
        crowd[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        assert b"octogram_agents_up" in answer.read()
    report.close()
    assert capfd.readouterr().err == ""
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_the_targets_of_a_hundred_agents_follow_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "WRITE_EVERY_S", 0.0)
    path = tmp_path / "t.json"
    report = TargetsReport.open(str(path))

    async def told(events: list[ev.Event], count: int) -> list[dict[str, Any]]:
        report.apply(events)
        async with asyncio.timeout(60):
            while len(found := json.loads(path.read_text())) != count:
                await asyncio.sleep(0)
        groups: list[dict[str, Any]] = found
        return groups

    assert await told(recorded.started(), 0) == []
    ports = {"rpc": 8732, "metrics": 9932}
    up: list[ev.Event] = [
        ev.ServiceAnnounced(agent=f"n_{n}", kind="node", name=f"{HOSTILE}{n}", ports=ports, address=f"fd00::{n}")
        for n in range(100)
    ]
    up.append(ev.ServiceAnnounced(agent="n_1", kind="http", name="http", ports={"http": 80}, address="fd00::1"))
    first = (await told(up, 100))[0]
    assert first["targets"] == ["[fd00::0]:9932"]
    assert first["labels"] == {
        "agent": "n_0",
        "node": visible(f"{HOSTILE}0"),
        "kind": "node",
        "run": "20261123-031409-shops-x7",
        "scenario": "shops",
    }
    gone: list[ev.Event] = [
        ev.AgentLost(agent="n_3", message="gone"),
        ev.ServiceAnnounced(agent="n_4", kind="node", name=f"{HOSTILE}4", ports=ports, state="down", reason="exit 1"),
    ]
    left = {group["labels"]["agent"] for group in await told(gone, 98)}
    assert not left & {"n_3", "n_4"}
    await told([ev.RunFinished(exit_code=0)], 0)
    report.close()
    assert json.loads(path.read_text()) == []
    assert [file.name for file in tmp_path.iterdir()] == ["t.json"]
    with pytest.raises(UsageError, match=r"--metrics-targets -: Prometheus reads no file of that name"):
        TargetsReport.open("-")
