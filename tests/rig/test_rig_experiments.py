"""Experiments as the original's users write them, over machines: one to start from, an attester, and a producer."""

from __future__ import annotations

import re
import signal
import sys
from typing import Any

import pytest
from fixtures_program import ROOT
from fixtures_rig import Finished, Rig

pytestmark = pytest.mark.machines

UPSTREAM = ROOT / "tests" / "samples" / "octez" / "scenarios" / "machines.yml"
SAMPLE = ROOT / "sample_scenarios" / "octez" / "machines.yml"
PLACES = {"10.0.0.1": "alice", "10.0.0.2": "bob", "10.0.0.3": "carol"}


def experiment(rig: Rig, *words: str) -> Finished:
    """Run the sample with these machines, and blocks as short as they can follow."""
    text = SAMPLE.read_text()
    for address, name in PLACES.items():
        text = re.sub(rf"\b{re.escape(address)}\b", rig.machine(name).address, text)
    text = text.replace("local_path: ../stand_ins", f"local_path: {ROOT}/sample_scenarios/stand_ins")
    assert text.count("10.0.0.") == 0
    text += "\ndefaults: {env: {OCTEZ_STAND_IN_BLOCK_DELAY_S: '0.5'}}\n"
    return rig.orchestrate(text, "--var", "levels=2", *words, timeout=110)


def variables(done: Finished) -> dict[str, Any]:
    return {event["name"]: event["value"] for event in done.of("variable_changed")}


@pytest.mark.parametrize(
    ("release", "network", "baker"),
    [
        ("v19", "mainnet", "octez-baker-alpha"),
        ("v22", "mainnet", "octez-baker-alpha"),
        ("v25", "sandbox", "octez-baker"),
    ],
)
def test_slots_are_published_over_three_machines(rig: Rig, release: str, network: str, baker: str) -> None:
    done = experiment(rig, "--var", f"release={release}", "--var", f"network={network}", "--var", f"baker={baker}")
    assert done.code == 0, done.output
    known = variables(done)
    levels = range(known["first_level"], known["last_level"] + 1)
    for level in levels:  # one of them may come too late on a busy machine
        said = done.written(f"publish/slot@0[{level}]")
        late = any(f"too late to publish slot 0 at level {level}" in line for line in said)
        assert known[f"published_0_{level}"] is not late, said
    replaced = [line for line in done.written("start the chain/node@boot_") if "in place of mainnet" in line]
    assert len(replaced) == (network == "mainnet")
    left_out = "dal.blocks_per_epoch is left out: the protocol of the base_file has no such parameter"
    assert (left_out in done.written("serve the programs/parameters@http_server")) is (release != "v19")


def test_an_experiment_of_2023_is_run_as_it_was_written(rig: Rig) -> None:
    """Its binaries come from a bucket, its keys and parameters from the first machine."""
    made = [sys.executable, f"{ROOT}/sample_scenarios/stand_ins/octez.py"]
    rig.orchestrator.run([*made, "install", "/root/bucket", "--release", "v19"])
    found = rig.orchestrator.run([*made, "parameters", "alpha", "--release", "v19", "--constants", "mainnet"]).stdout
    rig.orchestrator.write("/root/src/proto_alpha/parameters/mainnet-parameters.json", found)
    text = UPSTREAM.read_text().replace("BUCKET", f"{rig.orchestrator.address}:8000")
    for number, name in enumerate(PLACES.values(), 1):
        text = text.replace(f"ADDRESS_{number}", rig.machine(name).address)
    # Only the time between blocks is not that of then.
    text += "\ndefaults: {env: {OCTEZ_STAND_IN_BLOCK_DELAY_S: '0.4'}}\n"
    with rig.orchestrator.start(["python3", "-m", "http.server", "8000", "--directory", "/root/bucket"]) as bucket:
        done = rig.orchestrate(text, timeout=110)
        bucket.signal(signal.SIGTERM)
        bucket.end()
    assert done.code == 0, done.output
    slots = [event["result"] for event in done.of("job_finished") if event["job"] == "Slot"]
    assert [slot["published"] for slot in slots] == [
        slot["level"] == target - 1 for slot, target in zip(slots, (15, 16), strict=True)
    ]
    assert done.output.count("warning: ") == 2


def test_from_v23_on_mainnet_stays_mainnet_and_the_failure_says_what_to_do(rig: Rig) -> None:
    done = experiment(rig, "--var", "release=v25", "--var", "baker=octez-baker")
    assert done.code == 1
    ended = done.end("start the chain/activate@boot_")
    assert "signature" in ended["error"]["message"]
    assert "network: sandbox" in ended["error"]["hint"]
    [said] = [line for line in done.written("start the chain/node@boot_") if "stays" in line]
    assert "the network mainnet stays" in said
