"""What people get wrong with Tezos scenarios, through the whole program: it says what, and a way out."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

from fixtures_program import ROOT, Place, events_of

SCENARIOS = Path(__file__).parent / "scenarios"
STAND_INS = ROOT / "sample_scenarios" / "stand_ins"


def errors_of(place: Place, scenario: str, *words: str) -> dict[str, dict[str, Any]]:
    """Run a scenario whose jobs may fail; give the errors by job. Plain lines carry every message and every hint."""
    done = place.run(
        str(SCENARIOS / scenario),
        "--headless",
        "--events",
        "events.jsonl",
        "--var",
        f"stand_ins={STAND_INS}",
        "--var",
        f"python={sys.executable}",
        *words,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    events = events_of((place.home / "events.jsonl").read_text())
    errors = {event["job"]: event["error"] for event in events if event["type"] == "job_finished" and "error" in event}
    for error in errors.values():
        assert error["message"] in done.stdout
        assert not error.get("hint") or f"hint: {error['hint']}" in done.stdout
    return errors


def assert_explained(errors: dict[str, dict[str, Any]], expected: dict[str, tuple[str, str]]) -> None:
    """Compare errors with what their message and hint have to contain."""
    assert set(errors) == set(expected)
    for name, (message, hint) in expected.items():
        assert message in errors[name]["message"], name
        assert hint in errors[name].get("hint", ""), name


def test_programs_ports_and_files(place: Place) -> None:
    with socket.socket() as holder:
        holder.bind(("0.0.0.0", 0))
        holder.listen()
        port = holder.getsockname()[1]
        errors = errors_of(place, "bad_programs.yml", "--var", f"port={port}")
    assert_explained(
        errors,
        {
            "missing": ("bin/nothing cannot be used: No such file or directory", "bring it to this agent first"),
            "not executable": ("bin/plain: Permission denied", "chmod +x"),
            "wrong architecture": (
                "bin/foreign: it is built for aarch64, and this machine is ",
                "built for this machine",
            ),
            "port in use": (f"port {port} (rpc of d) is in use by ", "leave the port out"),
            "unknown network": ("octez-node: option '--network': invalid value 'moonnet'", "a built-in name"),
            "empty wallet": ("home/empty is empty", "tezos.generate_keys"),
            "no base file": ("none.json cannot be read: No such file", ""),
        },
    )
    assert f"(pid {os.getpid()})" in errors["port in use"]["message"]


def test_parameters_keys_messages_and_slots(place: Place) -> None:
    assert_explained(
        errors_of(place, "bad_operations.yml"),
        {
            "parameters refused": ("octez-client: Invalid protocol parameters: ", "`base_file` of the same release"),
            "already activated": ("octez-client: Unrecognized command", "activation wants genesis"),
            "alias unknown": ("octez-client: no public key hash alias named nobody", "list known addresses"),
            "key unfunded": ("octez-client: Empty implicit contract", "the source needs more tez"),
            "no wallet": ("octez-client: Specified --base-dir does not exist", "tezos.generate_keys"),
            "message too long": ("`messages[0].text` has 4096 bytes; at most 4095 are allowed", ""),
            "hex malformed": ("`messages[0].hex` must match ^[a-f0-9]+$, which the text `0G` does not", ""),
            "too little history": (
                "L1 node's history mode stores block data for",
                "start it with `history_mode: archive`, or (v25 and later)",
            ),
            "profile out of range": (
                "slot index (99) should be smaller than the number of slots (8)",
                "`number_of_slots`",
            ),
            "slot index out of range": (
                "slot index (99) should be smaller than the number of slots (8)",
                "`number_of_slots`",
            ),
            "slot of another producer": ("Cannot publish on slot index 1", "`producer_profiles`"),
            "slot too large": ("the slot has 5000 bytes", "`slot_size`"),
            "level passed": ("too late to publish slot 0 at level 1", "choose a later"),
        },
    )


def test_what_check_finds_without_running_anything(place: Place) -> None:
    text = (SCENARIOS / "bad_operations.yml").read_text()
    text = text.replace("'{{ vars.hexadecimal }}'", "0G").replace("\"{{ 'x' * vars.letters }}\"", "x" * 4096)
    text = text.replace("self://bad.json", "bad.json")
    done = place.run("check", str(place.write("bad.yml", text)))
    assert done.returncode == 3
    for said in ("`messages[0].hex` must match", "has 4096 bytes; at most 4095", "self://bad.json"):
        assert said in done.stdout, done.stdout
