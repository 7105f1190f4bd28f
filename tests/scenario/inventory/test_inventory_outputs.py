"""What becomes of Terraform's outputs: the shapes that are documented, of what the real program printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from octogram_tui.scenario.inventory.found import Unclear
from octogram_tui.scenario.inventory.terraform import agents_of, looks_like

PRINTED: dict[str, Any] = json.loads((Path(__file__).parent / "terraform_output.json").read_text())
"""What `terraform output -json` printed of outputs.tf beside it."""


def test_what_terraform_prints_is_known_as_such() -> None:
    assert looks_like(PRINTED)
    assert looks_like({"a": {"value": 1, "sensitive": False, "of_a_later_version": True}})
    assert not looks_like({"g": {"hosts": []}})
    assert not looks_like({})


@pytest.mark.parametrize(
    ("output", "agents"),
    [
        ("addresses", [{"name": "addresses_0", "address": "10.0.0.1"}, {"name": "addresses_1", "address": "10.0.0.2"}]),
        ("by_name", [{"name": "db", "address": "10.0.0.2"}, {"name": "web_example_com", "address": "10.0.0.1"}]),
        ("objects", [{"name": "a", "address": "10.0.0.1"}, {"name": "b", "address": "fd00::1", "user": "me"}]),
    ],
)
def test_each_shape_is_a_list_of_agents(output: str, agents: list[dict[str, Any]]) -> None:
    assert agents_of(PRINTED, output).agents == agents


def test_the_output_that_is_meant_needs_no_name() -> None:
    assert [each["name"] for each in agents_of(PRINTED).agents] == ["client", "server"]
    assert [each["name"] for each in agents_of({"web": {"value": ["a"] * 11}}).agents][::10] == ["web_00", "web_10"]
    unset = {"a": {"address": "h", "user": None, "labels": {"x": None, "zones": ["a", None]}}}
    assert agents_of({"web": {"value": unset}}).agents == [{"name": "a", "address": "h", "labels": {"zones": ["a"]}}]
    assert agents_of({"web": {"value": "10.0.0.1"}}).agents == [{"name": "web_0", "address": "10.0.0.1"}]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("password", "`password` is sensitive"),
        ("count", "`count` is the number 3"),
        ("adresses", "there is no output `adresses`; did you mean `addresses`?"),
    ],
)
def test_an_output_that_holds_no_agents_is_refused(output: str, said: str) -> None:
    with pytest.raises(Unclear) as caught:
        agents_of(PRINTED, output)
    assert said in caught.value.message
    assert caught.value.hint
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_outputs_without_a_choice_name_what_there_is() -> None:
    with pytest.raises(Unclear, match="no output `agents`") as caught:
        agents_of({"a": {"value": []}, "b": {"value": []}})
    assert caught.value.hint.startswith("there are a, b; name the one")
    with pytest.raises(Unclear, match="nor any other"):
        agents_of({})
    assert agents_of({"a": {"value": [{"name": ["x"]}]}}).agents == [{"name": ["x"]}]  # refused where agents are read
    with pytest.raises(Unclear, match=r"`a\.b` and `a_b` of the output `a` would both be agent `a_b`"):
        agents_of({"a": {"value": {"a.b": "h", "a_b": "h"}}})
    with pytest.raises(Unclear, match="element 1 of the output `a` is the number 7"):
        agents_of({"a": {"value": ["10.0.0.1", 7]}})
