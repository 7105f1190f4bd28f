"""Scenarios that a machine has changed at random: the schema takes what the checks take, and knows what it can know."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scenario_family import load
from schema_verdict import validator

from octogram_tui.errors import ScenarioError
from octogram_tui.scenario.shapes import AGENT, JOB, SCENARIO, SLURM, STAGE, UPDATE
from octogram_tui.scenario.tree import plain
from octogram_tui.scenario.yaml_reader import read_yaml

SAMPLES = Path(__file__).parents[2] / "sample_scenarios"

WHOLE: dict[str, Any] = {
    "octogram_binary": {"pull": "http://h/x", "sha256": "a" * 64},
    "defaults": {"user": "me", "python": "python3.11", "env": {"A": "b"}},
    "agents": [
        {"name": "a", "address": "h", "port": 22, "identity": "~/.ssh/id", "labels": {"site": "lab"}},
        {"name": "n_{0..3}", "address": ["10.0.0.1", "10.0.0.2"], "data_address": ["x", "y"]},
        {"name": "l", "transport": "local", "env": {"RUST_LOG": "info"}},
        {"name": "c", "transport": "command", "command": ["docker", "exec", "-i", "{name}"]},
    ],
    "prometheus_agent": {"name": "p", "transport": "local"},
    "slurm": {
        "partition": "p", "nodes": 2, "tasks": 4, "cpus": 2, "memory": "4G", "gpus": "a100:2", "time": "1h",
        "account": "a", "constraint": "x", "options": ["--qos=x"], "login": "h", "user": "me", "port": 22,
        "identity": "~/.ssh/id",
    },
    "vars": {"x": 1, "m": {"a": [1]}},
    "secrets": {"token": {"env": "TOKEN"}, "other": "file:secret", "third": None},
    "stages": [
        {
            "name": "s",
            "with_agents": ["^n_", "a"],
            "with_labels": {"site": ["lab"]},
            "run_agents": "concurrent",
            "run_jobs": "sequential",
            "ask_confirmation": False,
            "when": "vars.x == 1",
            "always": True,
            "max_concurrency": 3,
            "tags": ["t"],
            "timeout": "1h",
            "jobs": [
                {"name": "j", "fake.say": "{{ vars.x }}", "with_items": {"product": [["a"], "1..2"]}, "timeout": "5m"},
                {"name": "k", "fake.everything": {
                    "count": 1, "ratio": "1.5", "flag": True, "names": ["a"], "pairs": [["a", "b"]], "env": {"a": "b"},
                    "argv": ["a"], "status": [1], "that": ["true"], "mode": "create", "port": "80", "word": "ab",
                    "file": "self://x", "node": "http://h:1", "files": ["self://a"], "slot": {"index": "1"},
                    "ready": {"log": "x"}}},
                {"name": "r", "fake.renamed": {"dir": "self://x", "nams": ["a"], "slot": {"number": 1}}},
                {"name": "c", "builtins.command": {"argv": ["ls", "-l"], "cwd": "a/b", "env": {"A": "b"}, "expect": 0}},
                {"name": "h", "builtins.http": {"url": "http://h:80/x", "headers": {"A": "b"}, "timeout": 5}},
                {"name": "w", "builtins.write_file": {"path": "a/b", "content": "x", "mode": "0644"}},
                {"name": "st", "builtins.start_process": {"argv": "sleep 5", "name": "p", "ports": {"web": "fresh"},
                                                  "ready": {"port": "{{ port.web }}"}}},
                {"name": "cp", "copy": {"local_path": "x", "remote_path": "y/"}, "retries": 2, "retry_delay": "1s",
                 "until": "true", "on_failure": "continue", "register": "out", "run_items": "concurrent",
                 "when": "true", "tags": "t",
                 "vars_updates": {"v": {"value": "1", "as": "int"}, "w": None, "z": "{{ res }}"}},
            ],
        }
    ],
}  # fmt: skip
"""Every key of the language once, well written."""

NAMES = sorted({*SCENARIO, *AGENT, *STAGE, *JOB, *UPDATE, "push", "installed", "product", "text", "argv",
                "builtins.shell", "fake.one_of", "own.thing", "builtins.shel", "zzz", "", "A=B", "wallet"})  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 65536, 1.5, 2.0, 1e300, "", " ", "a", "a b", "true", "no", "0", "-1", "70000", "0x1f",
    "5m", "5 weeks", "~", "~/x", "/abs", "../x", "a/../../b", "a/", ".", "-x", "x\n", "a\0b", "h:22", "me@h", "[::1]",
    "::1", "10.0.0.300", "a..b", "ä.example", "http://", "http://h", "http://h:x", "http://h:99999/p", "ftp://h",
    "self://", "self://x", "zzz://x", "h:99999", "{{ vars.x }}", "{{ vars.nope }}", "a{{ 1 }}", "\\{", "'", "''",
    "fresh", "local", "ssh", "sequential", "abort", "int", "json", "1..3", "n_{0..2}", "n_{0..999999}", "k.pub", "self",
    "a" * 210, "env:X", "keyring:a/b", "é", "\u2028", "\ufeff", "\x85", [], {}, [[]], [None], ["a"], ["a", "b"], [""],
    [1, "{{ vars.x }}"], {"a": "b"}, {"a": None}, {"product": []}, {"product": [["a"], 1]}, {"value": "x", "as": "int"},
    {"value": "1", "as": "bool"}, {"env": "X"}, {"env": ["X"]}, {"env": ""}, {"env": "X", "file": "y"}, {"index": 1},
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the way to every value of a document but the outermost."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*path, key)
        yield from places(inner, (*path, key))


def documents() -> list[Any]:
    """Give what is changed: every key once, and the samples."""
    found = [WHOLE]
    for sample in sorted(SAMPLES.rglob("*.yml")):
        document = plain(read_yaml(str(sample), sample.read_text()).root)
        if isinstance(document, dict) and "stages" in document and len(sample.read_text()) < 4000:
            found.append(document)
    return found


DOCUMENTS = documents()


def changed(chance: random.Random) -> Any:
    """Change a document in one to three places: a value put in, a key taken out, renamed, or put in."""
    document = copy.deepcopy(chance.choice(DOCUMENTS[:1] * 3 + DOCUMENTS))
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        way = chance.choice(list(places(document)))
        parent = document
        for step in way[:-1]:
            parent = parent[step]
        what = chance.choice(["value", "value", "value", "take out", "rename", "put in"])
        if what == "value" or (isinstance(parent, list) and what != "take out"):
            parent[way[-1]] = copy.deepcopy(chance.choice(VALUES))
        elif what == "take out":
            del parent[way[-1]]
        elif what == "rename":
            parent[chance.choice(NAMES)] = parent.pop(way[-1])
        else:
            parent[chance.choice(NAMES)] = copy.deepcopy(chance.choice(VALUES))
        if not list(places(document)):
            break
    return document


@pytest.mark.parametrize("seed", range(5))
def test_checks_and_schema_agree_on_what_was_changed_at_random(seed: int) -> None:
    """Hypothesis takes its examples also from the constants of whatever is imported: these are the same everywhere."""
    chance = random.Random(seed)
    for _ in range(50):
        text = json.dumps(changed(chance))
        print(text)  # pytest shows what failed: the last
        try:
            load(text, file="scenario.json")  # which holds the schema's verdict against theirs
        except ScenarioError:
            pass


def test_every_key_is_in_what_is_changed() -> None:
    assert load(json.dumps(WHOLE), file="scenario.json").scenario.stages
    assert validator().is_valid(WHOLE)
    stage = WHOLE["stages"][0]
    assert set(STAGE) == set(stage)
    assert set(JOB) <= set().union(*stage["jobs"])
    assert set(AGENT) <= set().union(*WHOLE["agents"], WHOLE["defaults"])
    assert set(SLURM) == set(WHOLE["slurm"])
    assert set(SCENARIO) - set(WHOLE) == {"procedures"}


@pytest.mark.parametrize(
    ("defaults", "agent", "is_well"),
    [
        ({}, {}, False),
        ({}, {"address": "h"}, True),
        ({}, {"address": []}, False),
        ({}, {"transport": "local"}, True),
        ({}, {"transport": "command"}, False),
        ({}, {"transport": "command", "command": ""}, False),
        ({}, {"transport": "command", "command": "ssh x"}, True),
        ({"address": "h"}, {}, True),
        ({"address": []}, {}, False),
        ({"address": "h"}, {"address": []}, False),
        ({"transport": "local"}, {}, True),
        ({"transport": "local"}, {"transport": "ssh"}, False),
        ({"transport": "local", "address": "h"}, {"transport": "ssh"}, True),
        ({"transport": "command"}, {}, False),
        ({"transport": "command"}, {"command": ["x"]}, True),
        ({"command": ["x"]}, {"transport": "command"}, True),
        ({"command": ["x"], "transport": "command"}, {"command": []}, False),
    ],
)
def test_how_an_agent_is_reached_is_known_with_what_defaults_say(defaults: Any, agent: Any, is_well: bool) -> None:
    for document in (
        {"defaults": defaults, "agents": [{"name": "a", **agent}], "stages": []},
        {"defaults": defaults, "prometheus_agent": {"name": "a", **agent}, "stages": []},
    ):
        assert validator().is_valid(document) == is_well, document
        try:
            load(json.dumps(document), file="scenario.json")
        except ScenarioError:
            assert not is_well
        else:
            assert is_well
