"""Templates: how values read, what is in scope, where the original's spelling differs, and what errors say."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octogram_tui.errors import TemplateError
from octogram_tui.template import plain
from octogram_tui.template.analysis import uses
from octogram_tui.template.environment import environment, evaluate, is_template, render
from octogram_tui.template.scope import PORTS, make_scope
from octogram_tui.template.source import prepare

VARIABLES = {
    "network": "sandbox",
    "n": 3,
    "yes": True,
    "no": False,
    "nothing": None,
    "items": "mine",
    "x-y": "dashed",
    "list": [1, True, None, "a"],
    "map": {"a": 1, "values": 2},
    "hostile": "{{ vars.n }} $(rm) 'x'\n\"y\"",
    "half": 1.5,
}
SCOPE = make_scope(
    VARIABLES,
    agent="delegate_7",
    captures=["delegate_7", "delegate", "7"],
    item=["a", 2],
    result={"ports": {"http": 80}, "values": [1, 2]},
    has_result=True,
)


def failure(text: str, scope: dict[str, Any] = SCOPE) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        render(text, scope)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no holes at all", "no holes at all"),
        ("{{ vars.network }}", "sandbox"),
        ("{{ vars[\"x-y\"] }}{{ vars['x-y'] }}", "dasheddashed"),
        ("{{ var('net' + 'work') }}{{ var('net' ~ 'work') }}", "sandboxsandbox"),
        ("{{ agent.name }}:{{ re[2] }}:{{ item[0] }}:{{ item[1] }}", "delegate_7:7:a:2"),
        ("{{ vars.yes }} {{ vars.no }} {{ vars.nothing }}.", "true false ."),
        ("{{ vars.yes ~ vars.no ~ vars.nothing ~ 1 }}", "truefalse1"),
        ("{{ 'port' + 8000 }}{{ 1 + 2 }}{{ 8000 + 'p' }}", "port800038000p"),
        ("{{ vars.n }}{{ vars.half }}", "31.5"),
        ("{{ vars.list }}", '[1, true, null, "a"]'),
        ("{{ vars.map }}{{ item }}", '{"a": 1, "values": 2}["a", 2]'),
        ("{{ vars.list | join(',') }}", "1,true,,a"),
        ("{{ vars.items }}{{ vars.map.values }}{{ res['values'][1] }}", "mine22"),
        ("{% for k, v in vars.map.items() %}{{ k }}={{ v }};{% endfor %}", "a=1;values=2;"),
        ("{% for name in vars.keys() %}{{ loop.index }}{% endfor %}", "1234567891011"),
        ("{% for i in range(3) %}{{ i }}/{{ loop.length }} {% endfor %}", "0/3 1/3 2/3 "),
        ("{% for c in 'ab' | map('upper') %}{{ c }}{% endfor %}", "AB"),
        ("{{ res.ports.http }}", "80"),
        ("{{ 'a/b/c.txt' | basename }} {{ basename('/x/y/') }} {{ basename('') }} {{ basename('/') }}", "c.txt y . /"),
        ("{{ hex('é') }} {{ 'AZ' | hex }}", "c3a9 415a"),
        ("{{ vars.hostile | quote }}", "'{{ vars.n }} $(rm) '\"'\"'x'\"'\"'\n\"y\"'"),
        ("{{ vars.list | quote }}", "1 true '' a"),
        ("{{ vars.hostile }}", VARIABLES["hostile"]),
        ("{{ 'hello' | strlen }}{{ 'hello' | substring(1, 3) }}{{ 'x' | substring(-1, 3) }}", "5ell"),
        ("{{ vars.list | nth(0) }}{{ 'abc' | nth(2) }}", "1c"),
        ("{{ ',a,,b,' | split(',') | tojson }}{{ 'ab' | split('') | join('-') }}", '["a", "", "b"]a-b'),
        ("{{ 'x' | md5 }}", "9dd4e461268c8034f5c8564e155c67a6"),
        ("{{ '<b>' }}{{ '<b>' | safe }}{{ '<b>' | escape }}", "<b><b>&lt;b&gt;"),
        ("{{ 7 / 2 }} {{ -7 / 2 }} {{ 7.0 / 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 // 2 }}", "3 -3 3.5 1 -1 3"),
        (
            "{{ 2 ** 10 }} {{ 2 ** -1 }} {{ 3 * 'ab' }} {{ [1] + [2] }} {{ [0] * 3 }} {{ 5 - 7 }}",
            "1024 0.5 ababab [1, 2] [0, 0, 0] -2",
        ),
        ("{{ 5.5 % 2 }} {{ '%05d' % 42 }} {{ 'a%sb' % 'X' }}", "1.5 00042 aXb"),
        ("{{ true && !false }} {{ false || true }} {{ 1 != 2 }} {{ '&&' }}", "true true true &&"),
        (r"\{\{ {{ vars.n }} \}\}", "{{ 3 }}"),
        (r"\{{{ vars.n }}\}", "{3}"),
        ("{% raw %}{{ x }}\\{{% endraw %}", "{{ x }}\\{"),
        ("{# gone #}kept\n", "kept\n"),
        ("a\r\nb{{ vars.n }}\r", "a\r\nb3\r"),
        ("{{ vars.none | default('d') }}{{ var('none') | default(1) }}{{ vars['none'] | d('e') }}", "d1e"),
        ("{% if vars.none is defined %}a{% else %}b{% endif %}", "b"),
        ("{% set x = 4 %}{{ x * 2 }}", "8"),
        (
            "{% set ns = namespace(t=0) %}{% for i in vars.list if i %}{% set ns.t = ns.t + 1 %}{% endfor %}{{ ns.t }}",
            "3",
        ),
        ("{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(1) }}{{ m(vars.yes) }}", "<1><true>"),
        ("{{ true | upper }}{{ vars.nothing | trim }}{{ 1 | string }}{{ vars.yes | string }}", "TRUE1true"),
        ("{{ 'a b' | replace(' ', '_') }}{{ 'aa' | replace('a', 'b', 1) }}", "a_bba"),
        ("{{ 'a\nb' | indent(2) }}{{ 'a' | indent('> ', first=true) }}", "a\n  b> a"),
        ("{{ [{'k': 1}, {'k': 2}] | join('+', 'k') }}", "1+2"),
        ("{{ {'a': [1]} | tojson(2) }}", '{\n  "a": [\n    1\n  ]\n}'),
        ("{{ 'x'.upper() }}{{ ' x '.strip() }}{{ 'a-b'.replace('-', '+') }}{{ '7'.zfill(3) }}", "Xxa+b007"),
        ("{{ ','.join(['a', 'b']) }}{{ 'a\tb'.expandtabs(2) }}", "a,ba b"),
        ("{{ vars | length }}{{ 'n' in vars }}", "11true"),
        ("{{ upper('a') }}{{ length([1, 2]) }}{{ dict(a=1) }}", 'A2{"a": 1}'),
        ("{{ 'unclosed }}' }}", "unclosed }}"),
    ],
)
def test_renders(text: str, expected: str) -> None:
    assert render(text, SCOPE) == expected


def test_vars_as_a_whole_reads_as_json() -> None:
    assert render("{{ vars }}", make_scope({"a": [True]})) == '{"a": [true]}'


def test_backslashed_braces_are_left_to_shells_where_asked() -> None:
    assert render(r"grep 'a\{2\}'", SCOPE, braces=False) == r"grep 'a\{2\}'"
    assert render(r"grep 'a\{2\}' {{ vars.n | string }}", SCOPE, braces=False) == r"grep 'a\{2\}' 3"
    assert is_template(r"\{")
    assert not is_template(r"\{", braces=False)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("x=abc; echo ${#x} {{ vars.n }} # }", "x=abc; echo ${#x} 3 # }"),
        ("${#x} {{ vars.n }} a #} {{ vars.n }}", "${#x} 3 a #} 3"),
        ("{{ vars.n | string }} ${#x} #}", "3 ${#x} #}"),
        ("{# {{ vars.n }}", "{# 3"),
        ("{{ '{#' }} {{ vars.n }} {% raw %}{# {{ x }} #}{% endraw %}", "{# 3 {# {{ x }} #}"),
        ("${#x[@]} ${#y} #}", "${#x[@]} ${#y} #}"),
        ("{% raw %}docker ps --format '{{.Names}}'{% endraw %} {{ vars.n }}", "docker ps --format '{{.Names}}' 3"),
        ("{{ '{{' }}.ID{{ '}}' }}", "{{.ID}}"),
    ],
)
def test_scripts_keep_what_begins_a_comment_elsewhere(script: str, expected: str) -> None:
    assert render(script, SCOPE, braces=False) == expected
    assert uses(script, braces=False).problem == ""


@given(st.lists(st.sampled_from(["${#x}", "#}", "{#", "a", " ", "\n", "{{ vars.n }}", "'", "}"]), max_size=8))
def test_no_sign_of_a_script_is_lost(pieces: list[str]) -> None:
    script = "".join(pieces)
    expected = "".join("3" if piece == "{{ vars.n }}" else piece for piece in pieces)
    try:
        assert render(script, SCOPE, braces=False) == expected
    except TemplateError as error:
        assert error.hint  # noqa: PT017


def test_ports_stand_for_themselves() -> None:
    scope = {**SCOPE, "port": PORTS}
    assert render("-p {{ port.http }} {{port['rpc']}} {{ port.a | string }}", scope) == (
        "-p {{ port.http }} {{ port.rpc }} {{ port.a }}"
    )
    with pytest.raises(TemplateError, match="known on the agent only"):
        render("{{ port.http + 1 }}", scope)
    assert render("{{ port.http }}:{{ vars.network | upper }}", scope) == "{{ port.http }}:SANDBOX"
    assert list(PORTS) == []
    assert len(PORTS) == 0


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{{ vars.netwrok }}", "no variable `netwrok`; did you mean `network`?", "| default(...)"),
        ("{{ var('netwrok') }}", "no variable `netwrok`; did you mean `network`?", "| default(...)"),
        ("{{ vars['zzz'] }}", "no variable `zzz`", "| default(...)"),
        ("{{ network }}", "no name `network` here; did you mean `vars.network`?", ""),
        ("{{ agnet.name }}", "no name `agnet` here; did you mean `agent`?", "the names here are"),
        ("{{ port.x }}", "`port` is known only where", ""),
        ("{{ re[9] }}", "there is no element 9 in a list of 3", "counted from 0"),
        ("{{ re[-1] }}", "there is no element -1", "the last one is `… | last`"),
        ("{{ res.prots }}", "there is no `prots`; did you mean `ports`?", ""),
        ("{{ vars.map.zzzz }}", "there is no `zzzz`; there is a, values", ""),
        ("{{ vars.nothing.x }}", "null has no `x`", ""),
        ("{{ vars.n.x }}", "an integer has no `x`", ""),
        ("{{ vars.network.x }}", "a string has no `x`", ""),
        ("{{ agent.nmae }}", "`agent` has no `nmae`", ""),
        ("{{ vars.n", "unexpected end of template", "{% raw %}"),
        ("docker ps --format '{{.Names}}'", "unexpected '.'", "go between `{% raw %}` and `{% endraw %}`"),
        ("awk '{{ print $1 }}'", "unexpected char '$'", "go between `{% raw %}` and `{% endraw %}`"),
        ("{{ ID }}", "no name `ID` here", "go between `{% raw %}` and `{% endraw %}`"),
        ("printf '{%s}'", "unknown tag 's'", "go between `{% raw %}` and `{% endraw %}`"),
        ("a {# b", "Missing end of comment tag", "`{#` begins a comment, which ends at `#}`"),
        ("a {#", "Missing end of comment tag", "`{#` begins a comment, which ends at `#}`"),
        ("{% switch vars.n %}{% endswitch %}", "unknown tag 'switch'", "choices are written `{% if %}`"),
        ("line\n{{ vars.n ? 1 : 2 }}", "unexpected char '?'", "{{ a if condition else b }}"),
        ("{{ vars.list | map(x => x) }}", "unexpected", "map"),
        ("{{ 1 | flaot }}", "there is no filter `flaot`; did you mean `float`?", ""),
        ("{{ 1 is deifned }}", "there is no test `deifned`; did you mean `defined`?", ""),
        ("{% include 'x' %}", "`include` is not available in a scenario", ""),
        ("{% import 'x' as y %}", "`import` is not available", ""),
        ("{% from 'x' import y %}", "`import` is not available", ""),
        ("{{ 1 / 0 }}", "division by zero", ""),
        ("{{ 1 % 0 }}", "division by zero", ""),
        ("{{ vars.nothing + 'x' }}", "cannot join null and a string", ""),
        ("{{ vars.none + 'x' }}", "no variable `none`", ""),
        ("{{ vars.list | nth(7) }}", "there is no element 7 in a list of 4", ""),
        ("{{ var(1) }}", "var takes one name", ""),
        ("{{ var('a', 'b') }}", "var takes one name", ""),
        ("{{ ','.join(3) }}", "can only join an iterable", ""),
        ("{{ vars.n() }}", "not callable", ""),
    ],
)
def test_errors_say_what_and_where(text: str, message: str, hint: str) -> None:
    error = failure(text)
    assert message in error.message
    assert "\n" not in error.message
    assert hint in error.hint


def test_names_that_exist_elsewhere_only_are_explained() -> None:
    bare = make_scope({})
    assert "vars_updates" in failure("{{ res.x }}", bare).message
    assert "with_agents" in failure("{{ re[0] }}", bare).message
    assert "in jobs only" in failure("{{ agent.name }}", bare).message
    assert failure("{{ vars.a }}", bare).name == "a"


def test_an_error_tells_the_line_of_a_long_text() -> None:
    error = failure("one\ntwo\n{{ three")
    assert "(line 3 of the text)" in error.message
    assert len(failure("x" * 200 + "{{ 1 | nope }}").message) < 150


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("vars.n > 2", True),
        ("{{ vars.n }}", 3),
        ("{{- vars.n -}}", 3),
        ("vars.nothing", None),
        ("agent.name", "delegate_7"),
        ("vars.list", [1, True, None, "a"]),
        ("vars.list | map('string') | list", ["1", "true", "", "a"]),
        ("vars.list | map('string')", ["1", "true", "", "a"]),
        ("vars.map", {"a": 1, "values": 2}),
        ("range(3)", [0, 1, 2]),
        ("!vars.yes || vars.n == 3", True),
        ("'{{' ~ '}}'", "{{}}"),
        ("res['values'] | sum", 3),
        ("not (vars.none is defined)", True),
        ("vars.none | default([])", []),
        # Results of items are named by the items' texts, and found by the items.
        ("{'1': 'a', 'true': 'b', 'null': 'c'}[1]", "a"),
        ("{'1': 'a', 'true': 'b', 'null': 'c'}[true]", "b"),
        ("{'1': 'a', 'true': 'b', 'null': 'c'}[none]", "c"),
        ("{1: 'number', '1': 'text'}[1]", "number"),
        ("{'a,2': 'pair'}[['a', 2]]", "pair"),
        ("""{'{"a": 1, "values": 2}': 'map'}[vars.map]""", "map"),
        ("{'a·b': 'odd'}['a\\nb']", "odd"),
        ("{'1': 'a'}[2] is defined", False),
        ("{'1': 'a'}[[2]] is defined", False),
    ],
)
def test_evaluates(expression: str, expected: object) -> None:
    value = evaluate(expression, SCOPE)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("vars.nope", "no variable `nope`"),
        ("[vars.nope]", "no variable `nope`"),
        ("nope", "no name `nope`"),
        ("1 +", "unexpected"),
        ("{{ vars.n }} and {{ vars.yes }}", "expected"),
        ("basename", "which is no value"),
        ("'3' > 2", r"`'3' > 2`: `>` cannot take a text and a number"),
        ("2 <= '3'", "`<=` cannot take a number and a text"),
        ("'3' - 2", "`-` cannot take a text and a number"),
        ("none < 2", "`<` cannot take null and a number"),
        ("vars.list > vars.map", "`>` cannot take a list and a map"),
    ],
)
def test_expressions_that_cannot_be_evaluated(expression: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        evaluate(expression, SCOPE)


def test_a_text_that_is_compared_with_a_number_is_told_what_to_do() -> None:
    with pytest.raises(TemplateError) as caught:
        evaluate("'3' > 2", SCOPE)
    assert caught.value.hint == "write `| int` or `| float` after the text"


def test_plain_templates_need_no_template_engine() -> None:
    program = (
        "import sys\n"
        "from octogram_tui.template.environment import render, evaluate\n"
        "from octogram_tui.template.scope import make_scope\n"
        "scope = make_scope({'a': 1}, agent='b', captures=['c'])\n"
        "assert render('{{ vars.a }}{{ agent.name }}{{ re[0] }} plain', scope) == '1bc plain'\n"
        "assert evaluate('vars.a', scope) == 1\n"
        "assert 'jinja2' not in sys.modules\n"
        "assert render('{{ vars.a + 1 }}', scope) == '2'\n"
        "assert 'jinja2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


NAMES = st.sampled_from(
    [
        "vars.network",
        "vars.n",
        "vars.yes",
        "vars.nothing",
        "vars['x-y']",
        "re[0]",
        "re[5]",
        "item[1]",
        "agent.name",
        "vars.list",
        "vars.map.a",
        "vars.none",
        "res.ports.http",
        "item",
        "re",
        "vars.map.values",
        "res['values'][0]",
    ]
)


@given(
    st.lists(st.one_of(NAMES.map(lambda name: "{{ " + name + " }}"), st.text("ab {}\\\n#%", max_size=5)), max_size=6)
)
def test_the_short_way_and_the_engine_agree(pieces: list[str]) -> None:
    text = "".join(pieces)
    parts = plain.parse(text)
    if parts is None:
        return
    try:
        short: str | None = plain.render(parts, SCOPE)
    except LookupError:
        short = None
    template = environment().from_string(prepare(text))
    if short is None:
        with pytest.raises(TemplateError):
            render(text, SCOPE)
    else:
        assert template.render(SCOPE) == short


@pytest.mark.fault(82)
@given(st.text(max_size=30))
@pytest.mark.fault(82)
def test_values_are_never_expanded_again(value: str) -> None:
    scope = make_scope({"v": value})
    assert render("<{{ vars.v }}>", scope) == f"<{value}>"
    assert render("<{{ vars.v ~ '' }}>", scope) == f"<{value}>"


@given(st.text(max_size=40))
def test_any_text_renders_or_says_why(text: str) -> None:
    try:
        render(text, SCOPE)
    except TemplateError as error:
        assert error.message  # noqa: PT017
