"""The JSON Schema: made of the declarations, whole, and agreeing with the checks on what is right and wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from scenario_family import AGENTS, load, problems

from octogram_tui.scenario.schema import DIALECT, json_schema
from octogram_tui.scenario.shapes import AGENT, JOB, SCENARIO, STAGE
from octogram_tui.scenario.tree import plain
from octogram_tui.scenario.yaml_reader import read_yaml

SCHEMA = json_schema()
TYPES: dict[str, Any] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Check a value against the few keywords that our schema uses."""
    if "$ref" in schema:
        return fits(value, SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]])
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if not any(
            isinstance(value, TYPES[n]) and not (isinstance(value, bool) and n in ("number", "integer")) for n in names
        ):
            return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        return False
    if "minimum" in schema and isinstance(value, (int, float)) and value < schema["minimum"]:
        return False
    if "anyOf" in schema and not any(fits(value, each) for each in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(fits(value, each) for each in schema["oneOf"]) != 1:
        return False
    if "not" in schema and fits(value, schema["not"]):
        return False
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        for key, member in value.items():
            matching = [each for pattern, each in patterns.items() if re.search(pattern, key)]
            if key in properties:
                matching.append(properties[key])
            if not matching:
                extra = schema.get("additionalProperties", True)
                if extra is False or (isinstance(extra, dict) and not fits(member, extra)):
                    return False
            if not all(fits(member, each) for each in matching):
                return False
        if any(key not in value for key in schema.get("required", [])):
            return False
    if isinstance(value, list):
        first = schema.get("prefixItems", [])
        if any(not fits(v, s) for v, s in zip(value, first, strict=False)):
            return False
        if "items" in schema and not all(fits(v, schema["items"]) for v in value):
            return False
        if len(value) < schema.get("minItems", 0) or len(value) > schema.get("maxItems", len(value)):
            return False
    return True


def test_it_has_every_key_and_says_what_it_is_for() -> None:
    assert SCHEMA["$schema"] == DIALECT
    assert set(SCHEMA["properties"]) == set(SCENARIO)
    definitions = SCHEMA["$defs"]
    for name, shape in (("agent", AGENT), ("stage", STAGE), ("job", JOB)):
        assert set(shape) <= set(definitions[name]["properties"])
        for key, declared in shape.items():
            assert definitions[name]["properties"][key]["description"] == declared.doc
    assert "builtins.shell" in definitions["job"]["properties"]
    assert "tezos.start_node" in definitions["job"]["properties"]
    assert not any(name.startswith("internals.") for name in definitions["job"]["properties"])
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize(
    "sample", sorted((Path(__file__).parents[2] / "sample_scenarios").glob("*.yml")), ids=lambda p: p.stem
)
def test_samples_fit(sample: Path) -> None:
    document = plain(read_yaml(str(sample), sample.read_text()).root)
    if isinstance(document, dict) and "stages" in document:
        assert fits(document, SCHEMA)


@pytest.mark.parametrize(
    "body",
    [
        "fake.say: hello",
        "fake.say: {text: hello, louder: '{{ vars.n }}'}",
        "fake.nothing:",
        "fake.everything: {pairs: [[a, b]], slot: {index: 1}, ready: {log: x}, mode: '{{ vars.n }}', that: "
        "[true], any: null}",
        "fake.one_of: {left: x}",
        "builtins.shell: make",
        "own.thing: {whatever: 1}",
    ],
)
def test_what_is_right_fits(body: str) -> None:
    document = plain(
        read_yaml("f", f"vars: {{n: 1}}\n{AGENTS}stages: [{{name: s, jobs: [{{name: j, {body} }}]}}]\n").root
    )
    assert fits(document, SCHEMA)


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
    ],
)
def test_what_is_wrong_fits_not(body: str) -> None:
    text = f"vars: {{n: 1}}\n{AGENTS}stages: [{{name: s, jobs: [{{name: j, {body}}}]}}]\n"
    assert problems(text)
    assert not fits(plain(read_yaml("f", text).root), SCHEMA)


def test_the_checks_agree_on_what_is_right() -> None:
    assert load(f"{AGENTS}stages: [{{name: s, jobs: [{{name: j, fake.one_of: {{left: x}}}}]}}]\n").warnings == []
