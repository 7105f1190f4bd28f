"""Templates cannot take all memory or all time, nor reach beyond the data that they are given."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from octogram_tui.errors import ExitCode, TemplateError
from octogram_tui.template import process
from octogram_tui.template.environment import evaluate, render
from octogram_tui.template.scope import Lookup, VisibleVariables, make_scope
from octogram_tui.template.text import json_text, kind_of, text_of

MANY = list(range(50_000))
SCOPE = make_scope(
    {"s": "x" * 1000, "n": 3, "big": "y" * (3 << 20), "many": MANY, "many2": [*MANY]}, agent="a", captures=["a"]
)

GREEDY = [
    "{{ 'a' * 10**9 }}",
    "{{ 10**9 * 'a' }}",
    "{{ [0] * 10**9 }}",
    "{{ 9 ** (9 ** 9) }}",
    "{{ (2**4000) * (2**4000) }}",
    "{{ (2**4095) + (2**4095) + (2**4095) }}",
    "{{ range(10**9) | list }}",
    "{{ range(0, 10**30) }}",
    "{% for i in range(10**5) %}{% for j in range(10**5) %}{% endfor %}{% endfor %}",
    "{% for i in range(90000) %}{{ vars.s }}{% endfor %}",
    "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset "
    "%}{% endfor %}",
    "{% set ns = namespace(x=[]) %}{% for i in range(3000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{% for x in [1] recursive %}{{ loop([1, 1]) }}{% endfor %}",
    "{{ 'a'.center(10**9) }}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'a'.rjust(10**9) }}",
    "{{ 'a'.zfill(10**9) }}",
    "{{ ('\t' * 1000).expandtabs(10**7) }}",
    "{{ vars.s.replace('x', vars.big) }}",
    "{{ vars.s | replace('x', vars.big) }}",
    "{{ 'abc' | replace('', vars.big) }}",
    "{{ vars.big.join(vars.s) }}",
    "{{ ['a', 'b', 'c'] | join(vars.big) }}",
    "{{ 'a\nb' | indent(10**9) }}",
    "{{ '%*d' % (10**9, 1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ 'x' | format }}",
    "{{ 'a' | center(10**9) }}",
    "{{ vars.big }}{{ vars.big }}",
    "{% for i in range(2000) %}{% set x = range(90000) | list %}{% endfor %}",
    "{% for i in range(90000) %}{% if -1 in vars.many %}{% endif %}{% endfor %}",
    "{% for i in range(90000) %}{{ vars.many == vars.many2 }}{% endfor %}",
    "{% for i in range(90000) %}{{ vars.many | sum }}{% endfor %}",
    "{% for i in range(90000) %}{{ vars.big.count('xy') }}{% endfor %}",
    "{% for i in range(90000) %}{% if vars.s in vars.big %}{% endif %}{% endfor %}",
    "{{ vars.many | select('in', vars.many) | list | length }}",
]

HUGE = [
    "{{ ([[0] * 1000] * 100000) | sum(start=[]) | length }}",
    "{{ '%(a)999999999s' % {'a': 1} }}",
    "{{ '%.999999999f' % 1 }}",
    "{{ 15 | round(-10**9) }}",
    "{{ ([0] * 10**9)[::2] }}",
    "{{ [range(10**9)] | tojson }}",
    "{{ range(10**9)[::-1] | list }}",
    "{{ ('a' * 10**6 + 'b') | map('center', 10**9) | list }}",
    "{{ (range(10**7) | list | string)[::2] }}",
    "{% set join = vars.s.ljust %}{{ join(10**9) }}",
    "{{ (([[1] * 3000] * 3000) | sort(reverse=true) | map('sum') | list) * 10**9 }}",
    "{{ vars.many | map('in', vars.many) | list }}",
]


@pytest.fixture
def is_quickly_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets an evaluation take a quarter of a second, not two."""
    monkeypatch.setattr(process, "CPU_S", 0.25)


@pytest.mark.fault(81)
@pytest.mark.usefixtures("is_quickly_over")
@pytest.mark.parametrize("text", GREEDY + HUGE)
def test_greedy_templates_are_refused(text: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError) as caught:
            render(text, SCOPE)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert caught.value.exit_code == ExitCode.SCENARIO
    assert len(caught.value.message) < 400


@pytest.mark.fault(81)
@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ vars.__init__.__globals__ }}",
        "{{ basename.__globals__ }}",
        "{{ var.__call__ }}",
        "{{ range.__class__ }}",
        "{{ agent.__class__ }}",
        "{{ '' | attr('__class__') }}",
        "{{ ['a'] | map(attribute='__class__') | list }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ '{x.__class__}'.format_map({'x': 1}) }}",
        "{{ [].append(1) }}",
        "{{ {}.update({'a': 1}) }}",
        "{{ re.clear() }}",
        "{{ 'x'.encode() }}",
        "{{ (1).to_bytes(10**9, 'big') }}",
        "{{ lipsum() }}",
        "{{ cycler }}",
        "{{ self }}",
        "{% set x = vars %}{{ x.__slots__ }}",
    ],
)
def test_there_is_no_way_out(text: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text, SCOPE)
    assert "<" not in caught.value.message.split("`: ", 1)[-1]


@pytest.mark.fault(81)
@pytest.mark.parametrize(
    "expression",
    [
        "range(10**6)",
        "[vars] * 10**6",
        "vars.s * 10**5",
        "[range(90000), range(90000)] | map('list') | map('tojson') | list",
    ],
)
def test_greedy_expressions_are_refused_or_bounded(expression: str) -> None:
    try:
        evaluate(expression, SCOPE)
    except TemplateError as error:
        assert error.message  # noqa: PT017


def test_nested_values_are_bounded() -> None:
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(TemplateError, match="too deeply"):
        evaluate("[vars.deep]", make_scope({"deep": deep}))


def test_a_long_plain_result_is_refused_too() -> None:
    with pytest.raises(TemplateError, match="longer than"):
        render("{{ vars.a }}{{ vars.a }}", make_scope({"a": "x" * (3 << 20)}))


def test_texts_of_odd_values() -> None:
    assert text_of(VisibleVariables({"a": 1})) == '{"a": 1}'
    assert text_of(range(2)) == "[0, 1]"
    assert text_of(iter([1])) == "[1]"
    assert text_of({}.keys()) == "[]"

    class Sub(str):
        pass

    assert type(text_of(Sub("x"))) is str
    with pytest.raises(TypeError, match="no value"):
        json_text({"a": object()})


def test_the_lookup_of_a_variable_outside_of_a_template() -> None:
    lookup = Lookup(VisibleVariables({"a": 1}))
    assert lookup("a") == 1
    with pytest.raises(TemplateError, match="no variable `b`"):
        lookup("b")


def test_kinds_have_names() -> None:
    assert [kind_of(v) for v in (None, True, 1, 1.0, "", [], {}, object())] == [
        "null",
        "a boolean",
        "an integer",
        "a number",
        "a string",
        "a list",
        "a map",
        "a object",
    ]


def test_a_variables_view_is_a_mapping() -> None:
    view = VisibleVariables({"a": 1})
    assert dict(view) == {"a": 1}
    assert list(view.values()) == [1]
    assert list(view.items()) == [("a", 1)]
    assert "b" not in view


@pytest.mark.parametrize(
    "text",
    [
        "{{ ! " + "'a'" * 30_000,
        "{{ ! " + "'\\'" * 30_000,
        "!" + "{{" * 30_000,
        "!" + "{% raw %}" * 10_000,
        "!" + "{#" * 30_000,
        "{{ " + "?" * 60_000 + " }}",
        "{{ " + "(" * 30_000 + ")" * 30_000 + " }}",
        "{{ " + "-" * 30_000 + "1 }}",
    ],
)
def test_what_is_never_closed_is_read_once(text: str) -> None:
    began_s = time.process_time()
    with pytest.raises(TemplateError):
        render(text, SCOPE)
    with pytest.raises(TemplateError):
        evaluate(text, SCOPE)
    assert time.process_time() - began_s < 5
