"""The Tezos samples: sound, and run to their end with the stand-ins."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[3]
SAMPLES = REPOSITORY / "sample_scenarios" / "octez"
RUN_S = 110.0


def octogram(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "octogram_tui", *words],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )


def run(scenario: Path, tmp_path: Path, *words: str) -> list[dict[str, Any]]:
    """Run a scenario without a console; give its events."""
    code, said, events = ended(scenario, tmp_path, *words)
    assert code == 0, said
    return events


def run_in_time(scenario: Path, tmp_path: Path, *words: str) -> list[dict[str, Any]]:
    """Do as a scenario says when a machine stood still for a moment, and a slot came too late: give blocks longer."""
    for seconds_per_block in (2, 5):
        code, said, events = ended(scenario, tmp_path, *words, "--var", f"seconds_per_block={seconds_per_block}")
        if code == 0 or ("too late for their level" not in said and "came too late; try a larger" not in said):
            break
    assert code == 0, said
    return events


def ended(scenario: Path, tmp_path: Path, *words: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Run a scenario without a console to its end; give its exit code, what was said, and its events."""
    events = tmp_path / "events.jsonl"
    done = octogram("--headless", "--local", *words, "--events", str(events), str(scenario))
    lines = events.read_text().splitlines() if events.exists() else []
    return done.returncode, done.stdout + done.stderr, [json.loads(line) for line in lines]


def variables(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {event["name"]: event["value"] for event in events if event["type"] == "variable_changed"}


def throughput(tmp_path: Path, *words: str) -> Path:
    path = tmp_path / "throughput.yml"
    done = subprocess.run(
        [sys.executable, str(SAMPLES / "throughput.py"), *words], capture_output=True, text=True, check=True
    )
    path.write_text(done.stdout)
    return path


@pytest.mark.parametrize("name", ["sandbox.yml", "rollup.yml", "machines.yml"])
def test_the_samples_have_no_errors(name: str) -> None:
    done = octogram("check", str(SAMPLES / name))
    assert done.returncode == 0, done.stdout
    assert "warning" not in done.stdout


@pytest.mark.parametrize(
    ("words", "agents"),
    [
        (("--attesters", "64", "--producers", "32"), 97),
        (("--attesters", "1", "--producers", "1", "--prometheus"), 3),
        (("--attesters", "3", "--producers", "2", "--address", "a.example", "--address", "b.example"), 6),
    ],
)
def test_what_is_generated_has_no_errors(words: tuple[str, ...], agents: int, tmp_path: Path) -> None:
    done = octogram("check", str(throughput(tmp_path, *words)))
    assert done.returncode == 0, done.stdout
    assert f"{agents} agents, no errors" in done.stdout or f"{agents - 1} agents, no errors" in done.stdout


@pytest.mark.parametrize("words", [("--attesters", "0"), ("--producers", "257"), ("--levels", "many")])
def test_what_cannot_be_generated(words: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, str(SAMPLES / "throughput.py"), *words], capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stdout == b""


@pytest.mark.parametrize(
    "words", [(), ("--var", "release=v21", "--var", "baker=octez-baker-alpha")], ids=["newest", "v21"]
)
def test_the_sandbox_publishes_its_slots(words: tuple[str, ...], tmp_path: Path) -> None:
    known = variables(run_in_time(SAMPLES / "sandbox.yml", tmp_path, *words, "--var", "levels=2"))
    levels = range(known["first_level"], known["last_level"] + 1)
    assert len(levels) == 2
    assert all(known[f"published_{level}_{index}"] is True for level in levels for index in (0, 1))


def test_the_rollup_gets_its_address_into_variables(tmp_path: Path) -> None:
    events = run(SAMPLES / "rollup.yml", tmp_path)
    known = variables(events)
    assert known["rollup_address"].startswith("sr1")
    assert len(known["rollup_hex_address"]) == 40
    services = {event["kind"] for event in events if event["type"] == "service_announced"}
    assert {"node", "baker", "rollup_node"} <= services


def test_a_small_throughput_experiment(tmp_path: Path) -> None:
    scenario = throughput(tmp_path, "--attesters", "2", "--producers", "1", "--levels", "2")
    assert variables(run_in_time(scenario, tmp_path))["published_producer_0"] == 2
