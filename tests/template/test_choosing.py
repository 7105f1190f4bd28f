"""Agents by name and by label."""

from __future__ import annotations

import pytest

from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import StageKey
from octogram_tui.model.scenario import LabelChoice, Labels, StageSpec, Text
from octogram_tui.template.choosing import choose_agents
from octogram_tui.template.scope import make_scope

AGENTS = {"b_1": {"site": "lab"}, "a_1": {"site": "lab", "rack": "1"}, "a_2": {"site": "home"}, "c": {}}
SCOPE = make_scope({"site": "home", "n": 1})


def chosen(pattern: str, **labels: str) -> dict[str, list[str]]:
    """Give whom a stage with these expressions is for; values of a label are separated by spaces."""
    choices = tuple(LabelChoice(name, tuple(map(Text, values.split("|")))) for name, values in labels.items())
    stage = StageSpec(StageKey("s"), "s", (), (Text(pattern),), with_labels=choices)
    return choose_agents(stage, SCOPE, AGENTS)


@pytest.mark.parametrize(
    ("pattern", "labels", "names"),
    [
        (".*", {}, ["a_1", "a_2", "b_1", "c"]),
        (".*", {"site": "lab"}, ["a_1", "b_1"]),
        (".*", {"site": "{{ vars.site }}"}, ["a_2"]),
        (".*", {"site": "lab|home"}, ["a_1", "a_2", "b_1"]),
        ("^a", {"site": "lab", "rack": "{{ vars.n }}"}, ["a_1"]),
        (".*", {"site": "la"}, []),
        (".*", {"other": ""}, []),
    ],
)
def test_agents_have_all_labels_and_a_name_that_fits(pattern: str, labels: dict[str, str], names: list[str]) -> None:
    assert list(chosen(pattern, **labels)) == names


@pytest.mark.parametrize(
    ("choices", "names"),
    [
        ([("group", "web")], ["both", "web"]),
        ([("group", "web|db")], ["both", "db", "web"]),
        ([("group", "web"), ("group", "db")], ["both"]),
        ([("group", "web|!db")], ["web"]),
        ([("group", "!db")], ["bare", "none", "web"]),
        ([("group", "!db|!web")], ["bare", "none"]),
        ([("group", "!{{ vars.other }}")], ["bare", "none", "web"]),
        ([("group", "")], []),
        ([("site", "!lab")], ["bare", "both", "db", "none", "web"]),
    ],
)
def test_a_label_may_have_several_values_and_lack_some(choices: list[tuple[str, str]], names: list[str]) -> None:
    agents: dict[str, Labels] = {
        "web": {"group": ["all", "web"]},
        "db": {"group": "db"},
        "both": {"group": ["web", "db"]},
        "none": {"group": []},
        "bare": {},
    }
    asked = tuple(LabelChoice(name, tuple(map(Text, values.split("|")))) for name, values in choices)
    stage = StageSpec(StageKey("s"), "s", (), with_labels=asked)
    assert list(choose_agents(stage, make_scope({"other": "db"}), agents)) == names


def test_captures_are_those_of_the_name() -> None:
    assert chosen(r"a_(\d)", site="lab") == {"a_1": ["a_1", "1"]}
    with pytest.raises(TemplateError):
        chosen(".*", site="{{ vars.none }}")
