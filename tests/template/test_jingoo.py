"""Templates of the original: its spellings work, and where they meant something else, both meanings are told."""

from __future__ import annotations

import pytest

from octogram_tui.errors import TemplateError
from octogram_tui.template.analysis import uses
from octogram_tui.template.environment import render
from octogram_tui.template.jingoo import differences
from octogram_tui.template.scope import make_scope

SCOPE = make_scope({"n": -3, "l": ["b", "a"], "z": None, "s": "a,b"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ abs(vars.n) }} {{ join(',', vars.l) }} {{ replace('a', 'o', 'banana') }}", "3 b,a bonono"),
        ("{{ substring(1, 3, 'hello') }} {{ nth(1, vars.l) }} {{ split(',', vars.s) | join('+') }}", "ell a a+b"),
        ("{{ default('x', vars.gone) }} {{ d(1, vars.n) }}", "x -3"),
        ("{{ sum([1, 2]) }} {{ max([1, 2]) }} {{ min([1, 2]) }} {{ last(vars.l) }} {{ length('abc') }}", "3 2 1 a 3"),
        ("{{ join('', sort(vars.l)) }} {{ reverse([1, 2]) | join }} {{ unique([1, 1]) | join }}", "ab 21 1"),
        ("{{ list('ab') | join('-') }} {{ quote('a b') }} {{ tojson([1]) }} {{ bool('no') }}", "a-b 'a b' [1] false"),
        ("{{ round('floor', 2.7) }} {{ 2.2 | round('ceil') }} {{ 2.345 | round(2) }}", "2.0 3.0 2.35"),
        ("{{ upper('a') }}{{ lower('A') }}{{ title('ab') }}{{ capitalize('ab') }}{{ trim(' x ') }}", "AaAbAbx"),
        ("{{ escape('<') }}{{ e('<') }}{{ safe('<') }}{{ wordcount('a b') }}{{ strlen('ab') }}", "&lt;&lt;<22"),
        ("{% if vars.z == null %}a{% elseif true %}b{% endif %}", "a"),
        ("{% if false %}a{%- elseif true -%}b{% else %}c{% endif %}", "b"),
        ("{{ null }}.", "."),
        ("{{ '0x10' | int }} {{ int('0b11') }} {{ '1_000' | int }} {{ '010' | int }} {{ int(3.9) }}", "16 3 1000 10 3"),
        (
            "{{ ' 3.7 ' | int }} {{ 'abc' | int(0) }} {{ 'abc' | int(default=7) }} {{ 'ff' | int(base=16) }}",
            "3 0 7 255",
        ),
        ("{{ '2.5' | float }} {{ 'x' | float(1.5) }} {{ true | int }}", "2.5 1.5 1"),
        ("{{ 'elseif' }}{# elseif #} elseif", "elseif elseif"),
    ],
)
def test_spellings_of_the_original_work(text: str, expected: str) -> None:
    assert render(text, SCOPE) == expected
    assert uses(text).problem == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ 'abc' | int }}", "the text 'abc' is no integer"),
        ("{{ int('') }}", "the text '' is no integer"),
        ("{{ null | int }}", "null is no integer"),
        ("{{ [] | float }}", "a list is no number"),
        ("{{ 'inf' | int }}", "is no integer"),
        ("{{ vars.gone | int }}", "no variable `gone`"),
        ("{{ abs() }}", "`abs` needs something to work on"),
        ("{{ 2.5 | round('up') }}", "round takes"),
        ("{{ 'maybe' | bool }}", "the text 'maybe' is neither true nor false"),
        ("{{ 2 | bool }}", "an integer is neither true nor false"),
        ("{{ [] | bool }}", "a list is neither true nor false"),
    ],
)
def test_what_is_no_number_is_no_zero(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text, SCOPE)
    assert message in caught.value.message


@pytest.mark.parametrize("word", ["true", "Yes", "on", "1", " y\n", "T"])
def test_words_that_mean_true(word: str) -> None:
    assert render("{{ vars.w | bool }}", make_scope({"w": word})) == "true"


@pytest.mark.parametrize("word", ["false", "No", "off", "0", "", "\n", "n", "F"])
def test_words_that_mean_false(word: str) -> None:
    assert render("{{ vars.w | bool }}", make_scope({"w": word})) == "false"


@pytest.mark.parametrize(
    ("text", "here", "there"),
    [
        ("{{ range(1, 3) | join }}", "`range(1, 3)` is 1, 2 here", "1, 2, 3"),
        ("{{ range(3, 1) | join }}", "is nothing here", "3, 2, 1"),
        ("{{ range(1, 9) | join }}", "is 1, 2, 3, … 8 here", "1, 2, 3, … 9"),
        ("{% for i in range(0, vars.n) %}{% endfor %}", "ends before b here", "ended with it"),
        ("{{ vars.s | split('.') | join }}", "this very text", "a regular expression"),
        ("{{ replace('a+', 'b', vars.s) }}", "this very text", "a regular expression"),
        ("{{ vars.s | truncate(3) }}", "ends a text in `...`", "after n characters"),
        ("{{ vars.s | md5 }}", "as it is", "in lower case first"),
        ("{{ 2.5 | round('common') }}", "the nearest number", "rounded up"),
        ("{{ vars.l | unique | join }}", "takes `a` and `A` for the same", "did not"),
        ("{{ 2 ** 3 }}", "is 8", "`8.`"),
        ("{{ vars.s or 'x' }}", "gives one of the two", "true or false"),
        ("{{ 'a' in 'abc' }}", "a part of the text", "never found anything"),
        ("{% for x in vars %}{% endfor %}", "gives names", "pairs of name and value"),
        ("{% if not vars.n == 3 %}{% endif %}", "whether a is not b", "compared `not a` with b"),
    ],
)
def test_other_meanings_are_told_with_both(text: str, here: str, there: str) -> None:
    (found,) = differences(text)
    assert here in found.message
    assert there in found.message
    assert found.variable == ""


@pytest.mark.parametrize("text", ["{{ vars.z | default('x') }}", "{{ default(1, vars.z) }}", "{{ vars.z is defined }}"])
def test_what_matters_for_null_alone_names_its_variable(text: str) -> None:
    (found,) = differences(text)
    assert found.variable == "z"
    assert "vars.z" in found.message


@pytest.mark.parametrize(
    "text",
    [
        "{{ vars.s }}",
        "{{ vars.s | split(',') | join }}{{ 'a' | replace('a', 'b') }}",
        "{{ range(3) | join }}{{ round(1) }}{{ vars.z | default('x', true) }}",
        "{% if vars.n > 1 and not (vars.n == 2) or vars.s %}{% endif %}{{ (vars.n or 1) == 1 }}",
        "{% if 1 in [1] %}{% endif %}",
        "{{ broken",
    ],
)
def test_what_means_the_same_is_not_told(text: str) -> None:
    assert differences(text) == ()


def test_a_difference_knows_its_line() -> None:
    assert [found.line for found in differences("one\n{{ vars.s | md5 }}")] == [2]
