"""Scenarios as they were written for the original over the years: taken as they are, and run to their end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from octogram_agentd.network.ports import FreshPorts
from octogram_tui.scenario.load import load_scenario

REPOSITORY = Path(__file__).parents[3]
UPSTREAM = Path(__file__).parent / "scenarios"
STAND_INS = REPOSITORY / "sample_scenarios" / "stand_ins" / "octez.py"
OURS = "is the original's program; our own daemon is sent instead"
RUN_S = 110.0


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "one_machine.yml",
            [f"`octogram` {OURS}", "`basefile` is now called", "`attestor_profiles` is now called"],
        ),
        (
            "first_bakers.yml",
            [
                f"`/root/octogram` {OURS}",
                "`basefile` is now called",
                "`attestor_profiles` is now called",
                "`wallet_base_dir` is now called `base_dir`",
                "`node_rpc_endpoint` is now called `node_uri`",
                "`dal_node_rpc_endpoint` is now called `dal_node_uri`",
            ],
        ),
        ("machines.yml", [f"`http://BUCKET/octogram` {OURS}", "`attestor_profiles` is now called"]),
    ],
)
def test_what_was_written_then_is_taken_and_told_its_new_names(
    name: str, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    tmp_path.joinpath(".ssh").mkdir()
    for identity in ("tf", "id_rsa", "id_ed25519"):
        tmp_path.joinpath(".ssh", identity).touch()
    loaded = load_scenario(str(UPSTREAM / name))
    assert len(loaded.warnings) == len(told)
    assert all(each.message.startswith(start) for each, start in zip(loaded.warnings, told, strict=True))


def install(directory: Path, release: str, baker: str, constants: str = "sandbox") -> None:
    """Put programs and parameters where the scenarios look for them."""
    made = [sys.executable, str(STAND_INS)]
    subprocess.run([*made, "install", str(directory), "--release", release], check=True, capture_output=True)
    if baker != "octez-baker-alpha":
        os.replace(directory / baker, directory / "octez-baker-alpha")
    given = ["parameters", "alpha", "--release", release, "--constants", constants]
    found = subprocess.run([*made, *given], check=True, capture_output=True, text=True).stdout
    for place in ("sandbox-parameters.json", "src/proto_alpha/parameters/sandbox-parameters.json"):
        directory.joinpath(place).parent.mkdir(parents=True, exist_ok=True)
        directory.joinpath(place).write_text(found)


def run(directory: Path, name: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Run a scenario on agents of this machine, with ports that nobody else has."""
    ports = FreshPorts()
    text = re.sub(r"\b30[09]\d\d\b", "PORT_\\g<0>", (UPSTREAM / name).read_text())
    for port in sorted(set(re.findall(r"PORT_(?!30000)\d+", text))):
        text = text.replace(port, str(ports.fresh()))
    directory.joinpath(name).write_text(text.replace("PORT_30000", "30000"))
    events = directory / "events.jsonl"
    words = ["--headless", "--local", "--no-keep-alive", "--events", str(events), "--run-dir", str(directory / "run")]
    done = subprocess.run(
        [sys.executable, "-m", "octogram_tui", name, *words],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OCTEZ_STAND_IN_BLOCK_DELAY_S": "0.2"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    return done.returncode, done.stdout, [json.loads(line) for line in events.read_text().splitlines()]


def results(events: Iterable[dict[str, Any]], job: str) -> list[Any]:
    return [event["result"] for event in events if event["type"] == "job_finished" and event["job"] == job]


def lines(events: Iterable[dict[str, Any]]) -> list[str]:
    return [line for event in events if event["type"] == "job_output" for line in event["lines"]]


LEFT_OUT = "dal.blocks_per_epoch is left out: the protocol of the base_file has no such parameter"


RELEASES = [("v19", "octez-baker-alpha"), ("v22", "octez-baker-alpha"), ("v25", "octez-baker")]


@pytest.mark.parametrize(("release", "baker"), RELEASES)
def test_an_experiment_on_one_machine(release: str, baker: str, tmp_path: Path) -> None:
    install(tmp_path, release, baker)
    code, said, events = run(tmp_path, "one_machine.yml")
    assert code == 0, said
    at_levels, at_once = results(events, "Slots at levels"), results(events, "Slots as soon as possible")
    assert all(slot["commitment"].startswith("sh1") for slot in (*at_levels, *at_once))
    # A slot whose level went by meanwhile is left out, as in the original.
    assert [slot["published"] for slot in at_levels] == [
        slot["level"] == target - 1 for slot, target in zip(at_levels, (20, 21), strict=True)
    ]
    assert [slot["published"] for slot in at_once] == [True, True]
    assert (LEFT_OUT in lines(events)) is (release != "v19")


@pytest.mark.parametrize(("release", "baker"), [RELEASES[0], RELEASES[-1]])
def test_the_first_bakers_bake_by_their_endpoints(release: str, baker: str, tmp_path: Path) -> None:
    install(tmp_path, release, baker, "mainnet")
    code, said, events = run(tmp_path, "first_bakers.yml")
    assert code == 0, said
    assert results(events, "Baker") == [{"name": "baker"}]
    assert (LEFT_OUT in lines(events)) is (release != "v19")
