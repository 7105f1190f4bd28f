"""What is not known to be cheap is evaluated in a process of its own, and means the same there."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octogram_tui.errors import TemplateError
from octogram_tui.template import bound, environment, process
from octogram_tui.template.condition import decide
from octogram_tui.template.environment import evaluate, render
from octogram_tui.template.scope import PORTS, make_scope

ENDLESS = "range(10**9) | sum"
SCOPE = make_scope(
    {
        "n": 3,
        "text": "a-b",
        "list": [1, None, 2.5, "x"],
        "map": {"a": {"b": [True]}},
        "q": "\ud800",
        "long": "x" * 10**6,
    },
    agent="a_1",
    address="10.0.0.1",
    labels={"site": "here"},
    captures=["a_1", "1"],
    item=["p", 7],
    result={"exit_code": 0, "ports": {"http": 80}},
    has_result=True,
)


def apart(expression: str, scope: dict[str, Any] = SCOPE) -> Any:
    """Give its value, evaluated apart in any case."""
    return bound.evaluate_apart("value", expression, scope)


@pytest.mark.parametrize(
    "expression",
    [
        "[vars.n, vars.text, vars.list, vars.map, vars.q]",
        "[agent.name, agent.address, agent.labels.site]",
        "[re, item, res]",
        "vars | length",
        "vars.items() | list",
        "[var('n'), var('te' ~ 'xt')]",
        "[vars.n / 2, -7 % 3, 2 ** 70, 'a' + 1, true ~ 'x']",
        "vars.list | map('string') | join('-')",
        "{'a': 1, 'b': (1, 2)}",
        "vars.none | default('there')",
        "vars.n > 2 and vars.text == 'a-b'",
    ],
)
def test_a_value_is_the_same_apart(expression: str) -> None:
    assert apart(expression) == evaluate(expression, SCOPE)
    assert type(apart(expression)) is type(evaluate(expression, SCOPE))


@pytest.mark.parametrize(
    "expression",
    ["vars.nn", "var('nn')", "nn", "agent.nme", "vars.map.c", "vars.list[9]", "1 / 0", "vars.n + []", "'a'.__class__"],
)
def test_an_error_is_the_same_apart(expression: str) -> None:
    with pytest.raises(TemplateError) as here:
        evaluate(f"({expression}) ~ ''", SCOPE)
    with pytest.raises(TemplateError) as there:
        apart(f"({expression}) ~ ''")
    assert (there.value.message, there.value.hint, there.value.name) == (
        here.value.message,
        here.value.hint,
        here.value.name,
    )


NAMES = st.sampled_from("vars.n vars.text vars.list vars.map item re res 3 'a' none []".split())
FILTERS = st.sampled_from(
    "upper join('-') length first default(1) tojson int(0) sort unique|list quote string min abs items|list "
    "map('string')|list select('string')|list replace('a','bb') split('-')".split()
)
OPERATORS = st.sampled_from(["+", "-", "*", "/", "//", "%", "~", "==", "<", "in", "and", "or", "is eq"])
EXPRESSIONS = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        st.builds("({} | {})".format, inner, FILTERS),
        st.builds("({} {} {})".format, inner, OPERATORS, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({})[{}]".format, inner, st.sampled_from(["0", "'a'", "::2", "1:", ":-1"])),
        st.builds("({}).{}".format, inner, st.sampled_from(["a", "upper()", "items()|list", "split('-')", "x"])),
    ),
    max_leaves=8,
)


def outcome(expression: str, kind: Any) -> Any:
    try:
        return kind(expression, SCOPE)
    except TemplateError as error:
        return error.message.rpartition("`: ")[2], error.hint


@given(EXPRESSIONS)
def test_any_expression_means_the_same_here_and_apart(expression: str) -> None:
    assert outcome(expression, evaluate) == outcome(expression, lambda text, scope: apart(text, scope))


def test_large_values_are_looked_through_apart() -> None:
    assert evaluate("vars.long | upper | length", SCOPE) == 10**6
    assert render("{{ vars.long | upper }}", SCOPE) == "X" * 10**6
    assert decide("vars.long | upper | length > 3", SCOPE)


def test_ports_stay_what_they_are_apart() -> None:
    scope = {**SCOPE, "port": PORTS}
    assert render("{% for x in range(20000) if x == 3 %}{{ port.rpc }}{% endfor %}", scope) == "{{ port.rpc }}"
    with pytest.raises(TemplateError, match="known on the agent only"):
        render("{% set ns = namespace(x=1) %}{{ port.rpc + ns.x }}", scope)


def test_texts_of_a_kind_of_their_own_travel_as_texts() -> None:
    class Masked(str):
        pass

    scope = make_scope({"a": {"b": [Masked("x")]}})
    assert apart("vars.a.b[0] * 3", scope) == "xxx"


def test_what_is_always_cheap_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(bound, "Process", refuse)
    monkeypatch.setattr(bound._here, "process", None)
    text = "{% for x in vars.list if x is string %}{{ x | upper }}{% endfor %}{{ vars.n + 1 if vars.n > 2 else '' }}"
    assert render(text, SCOPE) == "X4"


def test_whoever_breaks_the_process_gets_an_error_and_the_next_a_new_one() -> None:
    assert apart("1 + 1") == 2
    broken = bound._here.process
    assert broken is not None
    os.kill(broken._pid, signal.SIGSEGV)
    os.waitid(os.P_PID, broken._pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(TemplateError, match="breaks the process"):
        apart("1 + 1")
    assert apart("1 + 1") == 2


def test_one_that_had_nothing_to_do_for_long_is_replaced_unseen() -> None:
    assert apart("1 + 1") == 2
    idle = bound._here.process
    assert idle is not None
    idle._socket.shutdown(1)  # it ends as it does by itself
    os.waitid(os.P_PID, idle._pid, os.WEXITED | os.WNOWAIT)
    assert apart("1 + 1") == 2


def test_an_error_of_memory_leaves_a_process_that_works() -> None:
    with pytest.raises(TemplateError, match="MiB of memory"):
        apart("'a' * 10**9")
    assert apart("1 + 1") == 2


# An exception that a signal raises within the tracer would leave its lock taken, and the next test waiting for ever.
@pytest.mark.no_cover
@pytest.mark.fault(81)
def test_ctrl_c_ends_an_evaluation_at_once() -> None:
    began = threading.Event()

    def interrupt() -> None:
        began.wait(60)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    process_of = bound._here.process or process.Process()
    received = process_of._receive

    def receive(*args: Any) -> bytes:
        began.set()
        return received(*args)

    process_of.__dict__["_receive"] = receive
    bound._here.process = process_of
    with pytest.raises(KeyboardInterrupt):  # the limit of its processor time would raise a TemplateError
        evaluate(ENDLESS, SCOPE)
    thread.join()
    assert not process_of.is_ours
    assert apart("1 + 1") == 2


def test_a_turn_knows_what_ended_at_a_bound_and_can_be_gone_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "CPU_S", 0.1)
    bound.begin_turn()
    assert apart("1 + 1") == 2
    with pytest.raises(TemplateError, match=r"more than 0\.1 seconds") as first:
        evaluate(ENDLESS, SCOPE)
    assert bound.end_turn() == {1: "time"}
    bound.begin_turn({0: "memory", 1: "time"})
    with pytest.raises(TemplateError, match="MiB of memory"):
        apart("1 + 1")
    monkeypatch.setattr(bound, "Process", None)  # what is known is not tried again
    with pytest.raises(TemplateError) as again:
        evaluate(ENDLESS, SCOPE)
    assert bound.end_turn() == {0: "memory", 1: "time"}
    assert again.value.message == first.value.message


def test_a_turn_that_is_given_up_ends_at_once_and_so_does_what_follows_in_it() -> None:
    bound.begin_turn()
    giver = threading.Timer(0, bound.give_up)
    giver.start()
    with pytest.raises(TemplateError, match="the run is to stop"):
        evaluate(ENDLESS, SCOPE)
    giver.join()
    with pytest.raises(TemplateError, match="the run is to stop"):
        apart("1 + 1")
    assert bound.end_turn() == {0: "stopped", 1: "stopped"}
    bound.begin_turn()
    assert apart("1 + 1") == 2
    assert bound.end_turn() == {}


def test_no_process_outlives_the_thread_that_asked_it() -> None:
    found: list[int] = []

    def ask() -> None:
        apart("1 + 1")
        assert bound._here.process is not None
        found.append(bound._here.process._pid)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    del thread
    with pytest.raises(ProcessLookupError):
        os.kill(found[0], 0)


def test_both_ways_know_what_they_are_for() -> None:
    assert environment._cheap("value", "range(10)", True) is not None
    assert environment._cheap("value", ENDLESS, True) is None
