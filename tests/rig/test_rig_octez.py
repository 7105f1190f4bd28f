"""An Octez network of stand-ins over machines, and a real Prometheus on another one that reads all of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fixtures_program import ROOT
from fixtures_rig import Finished, Rig

pytestmark = [pytest.mark.machines, pytest.mark.prometheus]

NETWORK = (Path(__file__).parent / "scenarios" / "octez_network.yml").read_text()
STAND_INS = str(ROOT / "sample_scenarios" / "stand_ins")


def listeners(done: Finished, agent: str) -> set[tuple[str, int]]:
    """Give what an agent's machine listened on, but for SSH: hosts and ports, as `ss` writes them."""
    lines = done.end(f"look around/listeners@{agent}")["result"]["stdout"].splitlines()
    ends = [line.split()[3].rpartition(":") for line in lines]
    return {(host, int(port)) for host, _, port in ends if port != "22"}


@pytest.mark.parametrize("version", [4, 6])
def test_a_network_of_nodes_over_machines(rig: Rig, version: int) -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("no prometheus on this machine")
    text = NETWORK.replace("STAND_INS", STAND_INS)
    for name in ("alice", "bob", "carol", "gate"):
        address = rig.machine(name).address_in("lan", version)
        text = text.replace(f"ON_{name.upper()}", f"[{address}]" if version == 6 else address)
        text = text.replace(name.upper(), address)
    done = rig.orchestrate(text, "--verbose")
    assert done.code == 0, done.output
    assert done.end("publish/slot@producer")["result"]["published"] is True
    machines = {"boot": {"boot"}, "attester": {"attester"}, "producer": {"producer", "operator"}}
    for seen_by, owners in {**machines, "onlooker": {"prometheus"}}.items():
        announced = [event for event in done.of("service_announced") if event["agent"] in owners]
        files = {port for event in announced if event["kind"] == "http" for port in event["ports"].values()}
        ports = {port for event in announced for port in event.get("ports", {}).values()}
        found = listeners(done, seen_by)
        assert {port for _, port in found} == ports, "all of a service, and nothing else"
        assert {port for host, port in found if host == "*"} == ports - files, "files are there for other agents only"
    targets = done.end("look/what Prometheus reads@attester")["result"]["json"]["data"]["activeTargets"]
    read = {(target["labels"]["agent"], target["labels"]["kind"]) for target in targets}
    assert read == {
        ("boot", "node"),
        ("attester", "node"),
        ("attester", "dal_node"),
        ("producer", "dal_node"),
        ("operator", "rollup_node"),
    }
