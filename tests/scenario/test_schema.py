"""The JSON Schema: made of the declarations, whole, and agreeing with the checks on what is right and wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from scenario_family import AGENTS, load, problems
from schema_verdict import BEYOND_A_SCHEMA, reasons_of

from octogram_tui.scenario.schema import DIALECT, json_schema
from octogram_tui.scenario.shapes import AGENT, JOB, SCENARIO, STAGE
from octogram_tui.scenario.tree import plain
from octogram_tui.scenario.yaml_reader import read_yaml

SCHEMA = json_schema()
OF_TESTS = "fake."  # procedures that tests declare, those of other files too where all are read
VALIDATOR = Draft202012Validator(SCHEMA)


def fits(value: Any) -> bool:
    """Ask a validator that knows nothing of us."""
    return VALIDATOR.is_valid(value)


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_it_has_every_key_and_says_what_it_is_for() -> None:
    assert SCHEMA["$schema"] == DIALECT
    assert set(SCHEMA["properties"]) == set(SCENARIO)
    definitions = SCHEMA["$defs"]
    for name, shape in (("agent", AGENT), ("stage", STAGE), ("job", JOB)):
        assert set(shape) <= set(definitions[name]["properties"])
        for key, declared in shape.items():
            assert definitions[name]["properties"][key]["description"].startswith(declared.doc)
    assert "builtins.shell" in definitions["job"]["properties"]
    assert "tezos.start_node" in definitions["job"]["properties"]
    assert not any(name.startswith("internals.") for name in definitions["job"]["properties"])
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def keys_of(schema: Any) -> Iterator[tuple[str, Any]]:
    """Give every key that a part of the schema offers to an editor."""
    for name, inner in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if name == "properties" and "additionalProperties" in schema:
            yield from ((key, each) for key, each in inner.items() if not each.get("doNotSuggest"))
        if isinstance(inner, (dict, list)) and not str(name).startswith(OF_TESTS):
            yield from keys_of(inner)


def test_every_key_is_explained_in_whole_sentences_and_says_what_it_is_by_default() -> None:
    keys = [(key, schema) for key, schema in keys_of(SCHEMA) if not key.startswith(OF_TESTS)]
    assert len(keys) > 250
    assert [key for key, schema in keys if not re.fullmatch(r"[A-Z`].*\.", schema.get("description", ""))] == []
    usual = [schema for _, schema in keys if schema.get("default") not in (None, "", [], {}, {"default": True})]
    assert len(usual) > 30
    assert [schema for schema in usual if "default" not in schema["description"].lower()] == []


@pytest.mark.parametrize(
    "sample", sorted((Path(__file__).parents[2] / "sample_scenarios").rglob("*.yml")), ids=lambda p: p.stem
)
def test_samples_fit(sample: Path) -> None:
    document = plain(read_yaml(str(sample), sample.read_text()).root)
    if isinstance(document, dict) and "stages" in document:
        assert fits(document)


@pytest.mark.parametrize(
    "body",
    [
        "fake.say: hello",
        "fake.say: {text: hello, louder: '{{ vars.n }}'}",
        "fake.nothing:",
        "fake.everything: {pairs: [[a, b]], slot: {index: 1}, ready: {log: x}, mode: '{{ vars.n }}', that: "
        "[true], any: null}",
        "fake.one_of: {left: x}",
        "fake.everything: {names: '{{ vars.n }}', env: '{{ vars.n }}', ready: '{{ vars.n }}', status: '{{ vars.n }}'}",
        "builtins.shell: make",
        "own.thing: {whatever: 1}",
    ],
)
def test_what_is_right_fits(body: str) -> None:
    document = plain(
        read_yaml("f", f"vars: {{n: 1}}\n{AGENTS}stages: [{{name: s, jobs: [{{name: j, {body} }}]}}]\n").root
    )
    assert fits(document)


@pytest.mark.parametrize(
    "body",
    [
        "fake.say: [x]",
        "fake.say: {txt: hello}",
        "fake.everything: {pairs: [[a]]}",
        "fake.everything: {slot: {}}",
        "fake.everything: {ready: {}}",
        "fake.everything: {ready: {log: a, http: b}}",
        "fake.everything: {mode: x}",
        "fake.one_of: {left: x, right: y}",
        "fake.say: x, builtins.shell: y",
        "fake.say: x, retries: -1",
        "fake.say: x, on_failure: never",
        "fake.say: x, timeout: soon",
        "fake.say: x, with_items: {a: 1}",
        "builtins.shel: x",
        "zzz: 1",
        "timeout: 5",
        "fake.say: x, own.thing: {}",
        "fake.say: x, timeout: 0",
        "fake.say: x, timeout: 0ms",
        "fake.say: x, timeout: 5 weeks",
        "fake.say: x, retries: many",
        "fake.everything: {count: 70000}",
        "fake.everything: {count: x}",
        "fake.everything: {ratio: x}",
        "fake.everything: {flag: perhaps}",
        "fake.everything: {word: xyz}",
        "fake.everything: {port: 70000}",
        "fake.everything: {port: http}",
        "fake.one_of:",
        "builtins.write_file: {path: x, content: y, mode: rwx}",
        "builtins.http: {url: 'http://h', timeout: 0}",
        "tezos.wait_for_bootstrapped: [x]",
    ],
)
def test_what_is_wrong_fits_not(body: str) -> None:
    text = f"vars: {{n: 1}}\n{AGENTS}stages: [{{name: s, jobs: [{{name: j, {body}}}]}}]\n"
    assert problems(text)
    assert not fits(plain(read_yaml("f", text).root))


def test_the_checks_agree_on_what_is_right() -> None:
    assert load(f"{AGENTS}stages: [{{name: s, jobs: [{{name: j, fake.one_of: {{left: x}}}}]}}]\n").warnings == []


@pytest.mark.parametrize(
    "head",
    [
        "agents: [{name: a b, address: h}]",
        "agents: [{name: http, address: h}]",
        "agents: [{name: a, address: h, port: 0}]",
        "agents: [{name: a, address: h, port: 65536}]",
        "agents: [{name: a, address: h, transport: pigeon}]",
        "octogram_binary: {push: x, pull: 'http://h'}",
        "octogram_binary: {pull: ftp://h}",
        "octogram_binary: {pull: 'http://h', sha256: abc}",
        "stages: [{name: s, max_concurrency: 0, jobs: []}]",
    ],
)
def test_what_is_wrong_outside_of_jobs_fits_not(head: str) -> None:
    text = head if head.startswith("stages") else f"{head}\nstages: []\n"
    assert problems(text)
    assert not fits(plain(read_yaml("f", text).root))


def test_every_reason_that_no_schema_can_give_is_one_of_the_checks() -> None:
    assert all(re.compile(reason) for reason in BEYOND_A_SCHEMA)
    assert reasons_of("no variable `x` is defined anywhere")
    assert not reasons_of("`timeout` must be more than 0, not the number 0")
