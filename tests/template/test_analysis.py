"""What is said of templates before they run: names, variables, mistakes and their lines."""

from __future__ import annotations

import pytest

from octogram_tui.template.analysis import NOTHING, uses


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("none", set()),
        ("{{ vars.a }}{{ vars['b-c'] }}{{ vars[\"d\"] }}", {"a", "b-c", "d"}),
        ("{{ vars.a + vars['b-c'] ~ var('d') }}", {"a", "b-c", "d"}),
        ("{{ var('x' ~ re[1]) }}", set()),
        ("{{ vars }}{{ vars.items() | list }}", set()),
        ("{% if vars.a is defined %}{{ vars.b | default(vars.c) }}{% endif %}", {"a", "b", "c"}),
        ("{{ other.a }}{{ var('a', 'b') }}{{ other('c') }}", set()),
    ],
)
def test_variable_names(text: str, names: set[str]) -> None:
    assert set(uses(text).variables) == names


def test_variable_names_of_expressions() -> None:
    assert set(uses("vars.a > 1 and var('b')", expression=True).variables) == {"a", "b"}
    assert set(uses("{{ vars.a }}", expression=True).variables) == {"a"}


def test_what_may_be_missing() -> None:
    found = uses("{{ vars.a | default(vars.b) }}{{ var('c') | d }}{% if vars.e is undefined %}{% endif %}{{ vars.f }}")
    assert found.optional == {"a", "c", "e"}
    assert found.variables - found.optional == {"b", "f"}


def test_names_leave_out_what_the_template_defines() -> None:
    text = "{% for x in foo %}{{ x }}{{ loop.index }}{% endfor %}{% set y = 1 %}{{ y }}{{ basename('a') }}"
    assert uses(text).names == {"foo"}
    assert uses("{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b) }}").names == {"b"}
    assert uses("{{ item }}{{ re[0] }}").names == {"item", "re"}


def test_computed_names() -> None:
    assert uses("{{ var('a' ~ item) }}").is_computed
    assert uses("{{ vars }}").is_computed
    assert uses("{{ vars | length }}").is_computed
    assert not uses("{{ vars.a }}").is_computed
    assert not uses("{{ vars.a | upper }}{{ var('b') }}").is_computed


@pytest.mark.parametrize("text", ["{{ a", "{% if %}", "{{ 1 | nope }}", "{% include 'x' %}", "{{ }}", "{% endfor %}"])
def test_problems(text: str) -> None:
    problem = uses(text).problem
    assert problem
    assert "\n" not in problem


def test_no_problem() -> None:
    assert not uses("{{ vars.a }} {% if x %}{% endif %}").problem
    assert not uses(r"\{{").problem
    assert uses("text") is NOTHING


def test_expressions() -> None:
    assert not uses("vars.a > 1", expression=True).problem
    assert uses("", expression=True).problem
    two = uses("vars.a vars.b", expression=True)
    assert "more than one expression" in two.problem
    mixed = uses("{{ vars.a }} > {{ vars.b }}", expression=True)
    assert mixed.problem
    assert "without braces" in mixed.hint


def test_lines_of_problems() -> None:
    assert uses("a\nb\n{{ 1 | nope }}").line == 3


def test_templates_that_nest_too_deeply() -> None:
    assert uses("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}").problem
