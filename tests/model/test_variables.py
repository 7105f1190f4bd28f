"""Variables whose maps grow: every state stays what it was, and growing copies nothing."""

from __future__ import annotations

import pickle
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from octogram_tui.model.variables import ABSENT, Grown, Variables

NAMES = st.sampled_from("xy")
KEYS = st.sampled_from("abc")
MOVES = st.lists(st.tuples(st.sampled_from(["entry", "value", "remove", "read", "back"]), NAMES, KEYS), max_size=40)


@settings(max_examples=300, deadline=None)
@given(MOVES, st.randoms())
def test_every_state_is_what_it_was(moves: list[tuple[str, str, str]], chance: random.Random) -> None:
    now, model = Variables({"x": {"a": 0}}), {"x": {"a": 0}}
    states: list[tuple[Variables, dict[str, Any]]] = [(now, model)]
    for number, (move, name, key) in enumerate(moves, 1):
        match move:
            case "entry":
                known = model.get(name)
                model = {**model, name: {**(known if isinstance(known, dict) else {}), key: number}}
                now, size = now.with_entry(name, key, number)
                assert size == len(model[name])
            case "value":
                model, now = {**model, name: number}, now.with_value(name, number)  # type: ignore[dict-item]
            case "remove":
                model, now = {n: value for n, value in model.items() if n != name}, now.without(name)
            case "read":
                assert now.get(name, ABSENT) == model.get(name, ABSENT)
            case "back":
                now, model = chance.choice(states)
        states.append((now, model))
    for state, expected in chance.sample(states, len(states)):
        there: Any = expected.get("x")
        for key in "abc":
            assert state.entry("x", key) == (there if isinstance(there, dict) else {}).get(key, ABSENT)
        assert repr(dict(state)) == repr(expected)
        assert list(state) == list(expected)
    copied = pickle.loads(pickle.dumps([state for state, _ in states]))
    assert [dict(state) for state in copied] == [expected for _, expected in states]


def test_growing_copies_nothing_and_keeps_no_state_that_nobody_has() -> None:
    variables, _ = Variables({}).with_entry("out", "first", 0)
    first = variables.held("out")
    assert isinstance(first, Grown)
    entries = first._entries
    assert entries is not None
    for number in range(1000):
        variables, _ = variables.with_entry("out", str(number), number)
        variables = variables.with_value("other", number)
    grown = variables.held("out")
    assert isinstance(grown, Grown)
    assert grown._entries is entries
    assert grown._next is None
    assert variables["out"] is variables["out"] is entries
    after, _ = variables.with_entry("out", "last", 0)
    assert "last" not in entries
    assert after["out"] == {**entries, "last": 0}
