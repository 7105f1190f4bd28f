"""Which part of a path on the operator's machine is the author's own, whatever agents say in the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octogram_tui.engine.written import written_directory
from octogram_tui.model.values import Value

GIVEN: dict[str, Value] = {"out": "/data", "n": 3, "list": [1]}


@pytest.mark.fault(83)
@pytest.mark.parametrize(
    ("text", "expanded", "inside"),
    [
        ("/data/results", "/data/results", None),
        ("../beside", "../beside", None),
        ("results/{{ agent.name }}/", "results/a/", "results/"),
        ("results/run_{{ item }}", "results/run_../x", "results/"),
        ("{{ vars.said }}", "/etc/x", ""),
        ("{{ vars.said }}/x", "../x", ""),
        ("{{ vars.out }}/{{ vars.n }}/x", "/data/3/x", None),
        ("{{ vars.out }}/{{ agent.name }}/", "/data/a/", "/data/"),
        ("{{vars.out}}/{{ item }}", "/data/../etc", "/data/"),
        ("{{ vars.changed }}/x", "/etc/x", ""),
        ("/{{ vars.said }}", "/etc/x", ""),
        ("./{{ vars.said }}", "./../x", "./"),
        ("a/{% if true %}../../x{% endif %}", "a/../../x", "a/"),
        ("{{ vars.list }}/x", "[1]/x", ""),
        ("{{ vars.out | upper }}/x", "/DATA/x", ""),
    ],
)
def test_what_the_author_wrote_may_lead_anywhere_and_the_rest_only_into_it(
    text: str, expanded: str, inside: str | None
) -> None:
    now: dict[str, Value] = {**GIVEN, "said": "/etc", "changed": "/etc"}
    given_: dict[str, Value] = {**GIVEN, "changed": "/srv"}
    assert written_directory(text, expanded, given_, now, is_template="{" in text) == inside


@given(st.text(max_size=20))
def test_a_value_of_an_agent_is_never_taken_for_the_authors_word(said: str) -> None:
    inside = written_directory("out/{{ vars.said }}", f"out/{said}", {}, {"said": said}, is_template=True)
    assert inside == "out/"
