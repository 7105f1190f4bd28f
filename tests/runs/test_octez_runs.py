"""Runs with Octez's daemons as a user starts them: Prometheus beside them, nodes that die, Ctrl-C in the middle."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sys
import urllib.parse
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fixtures_program import ROOT, Place, events_so_far, wait_for
from ports import free_port

STAND_INS = ROOT / "sample_scenarios" / "stand_ins"
SCENARIOS = Path(__file__).parent / "scenarios"
SAMPLES = ROOT / "sample_scenarios" / "octez"

WATCHED = f"""
agents: [{{name: alice, transport: local}}]
prometheus_agent: {{name: watcher, transport: local}}
stages:
  - name: node
    jobs:
      - copy: {{local_path: '{STAND_INS}', remote_path: stand_ins}}
        name: bring
      - name: install
        builtins.command: '{sys.executable} stand_ins/octez.py install . --release v25 --python {sys.executable}'
      - name: node
        tezos.start_node: {{name: node, path_node: self://octez-node, network: sandbox}}
      - name: wait
        builtins.wait_for: {{file: go, timeout: 100}}
"""


def events(place: Place) -> list[dict[str, Any]]:
    """Give the events so far."""
    return events_so_far(place.home / "events.jsonl")


def is_down(event: dict[str, Any]) -> bool:
    """Tell whether a service ended."""
    return event["type"] == "service_announced" and event.get("state") == "down"


def let_go(place: Place) -> None:
    """Let the run go on."""
    next(place.home.glob(".octogram/runs/*/alice/home")).joinpath("go").write_text("")


def ask(url: str, path: str, **parameters: str) -> Any:
    """Ask Prometheus's HTTP API."""
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=60) as answer:
        return json.load(answer)["data"]


def has_value(url: str, query: str, wanted: str) -> bool:
    """Tell whether a query has this one answer."""
    return [series["value"][1] for series in ask(url, "query", query=query)["result"]] == [wanted]


@pytest.mark.prometheus
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="there is no prometheus here")
def test_prometheus_reads_the_nodes_and_the_run_itself(place: Place) -> None:
    port = free_port()
    run = place.start(
        str(place.write("watched.yml", WATCHED)),
        "--headless",
        "--events",
        "events.jsonl",
        "--metrics",
        "run.prom",
        "--metrics-port",
        str(port),
    )
    services = {"node", "prometheus"}
    wait_for(lambda: services <= {e["kind"] for e in events(place) if e["type"] == "service_announced"})
    service = next(e for e in events(place) if e["type"] == "service_announced" and e["kind"] == "prometheus")
    url = f"http://{service['address']}:{service['ports']['http']}"

    def healths() -> dict[str, str]:
        return {t["labels"]["kind"]: t["health"] for t in ask(url, "targets")["activeTargets"]}

    wait_for(lambda: healths() == {"node": "up", "orchestrator": "up"}, describe=lambda: str(healths()))
    for query, wanted in (
        ('up{agent="alice",node="node",kind="node"}', "1"),
        ('octogram_agents_up{agent="orchestrator"}', "2"),
        ('octogram_jobs_total{stage="node",job="install",state="ok"}', "1"),
    ):
        wait_for(partial(has_value, url, query, wanted), describe=partial(str, query))
    assert ask(url, "series", **{"match[]": '{agent="alice",__name__=~"octez_.*"}'})
    let_go(place)
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 0, out
    assert f"Prometheus reads the metrics of this run: {url}\n" in out
    assert "octogram_run_exit_code 0.0" in (place.home / "run.prom").read_text()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", service["ports"]["http"])) != 0


@pytest.mark.parametrize(
    ("program", "said", "hint"),
    [
        (None, "there is no program prometheus on the machine of the agent watcher", "apt-get install prometheus"),
        (
            "echo 'listen tcp 0.0.0.0:9090: bind: address already in use' >&2; exit 1",
            "(exit status 1): listen tcp 0.0.0.0:9090: bind: address already in use",
            "another port is chosen",
        ),
    ],
    ids=["missing", "cannot bind"],
)
def test_a_prometheus_that_cannot_be_ends_the_run_before_anything_else_starts(
    program: str | None, said: str, hint: str, place: Place
) -> None:
    tools = place.home / "tools"
    tools.mkdir()
    for tool in ("sh", "python3"):
        (tools / tool).symlink_to(sys.executable if tool == "python3" else "/bin/sh")
    if program is not None:
        (tools / "prometheus").write_text(f"#!/bin/sh\n{program}\n")
        (tools / "prometheus").chmod(0o755)
    place.extra["PATH"] = str(tools)
    done = place.run(str(place.write("watched.yml", WATCHED)), "--headless", "--events", "events.jsonl")
    assert done.returncode == 6, done.stdout + done.stderr
    assert said in done.stdout
    assert hint in done.stdout
    assert "alice" not in {e.get("agent") for e in events(place) if e["type"].startswith("agent_st")}


def test_a_node_that_dies_fails_the_jobs_that_need_it_with_its_reason(place: Place) -> None:
    run = place.start(
        str(SCENARIOS / "dying_node.yml"),
        "--headless",
        "--events",
        "events.jsonl",
        "--var",
        f"stand_ins={STAND_INS}",
        "--var",
        f"python={sys.executable}",
    )
    wait_for(lambda: any(is_down(e) and e["kind"] == "node" for e in events(place)))
    let_go(place)
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 1, out
    assert "service node node on alice is down: " in out
    failed = next(e for e in events(place) if e["type"] == "job_finished" and e["state"] == "failed")
    assert failed["job"] == "in step"
    assert failed["error"]["kind"] == "service"
    for said in ("126", "the context is broken"):
        assert said in failed["error"]["message"]
        assert said in out


def test_an_interrupt_in_the_middle_stops_bakers_before_nodes_and_leaves_nothing(place: Place) -> None:
    run = place.start(str(SAMPLES / "sandbox.yml"), "--headless", "--events", "events.jsonl", "--var", "levels=50")
    wait_for(lambda: any(e["type"] == "job_finished" and e["job"] == "slots" for e in events(place)))
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 130, out
    downs = [e["kind"] for e in events(place) if is_down(e)]
    assert downs == ["baker", "dal_node", "node"]
    assert [e["is_clean"] for e in events(place) if e["type"] == "agent_stopped"] == [True]
    place.wait_clean()
    assert not list(Path(place.home).glob(".octogram/runs/*/alice/home"))
