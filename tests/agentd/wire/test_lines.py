"""Lines in and out of the channel, however they are cut, and whatever is in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octogram_agentd.wire import lines as wire

MESSAGES = [
    {"t": "hb", "n": 1},
    {"t": "run", "seq": 1, "id": "stage/job@agent[ä🙂]#1", "args": {"a": [1, 2.5, None, True, "\n\0\u2028"]}},
    {"t": "output", "lines": ['"\\', "}{][", ""], "bytes": 3},
]


def test_every_cut_gives_the_same_messages() -> None:
    data = b"".join(map(wire.encode, MESSAGES))
    assert data.isascii()
    for cut in range(len(data) + 1):
        framer = wire.LineFramer()
        assert framer.feed(data[:cut]) + framer.feed(data[cut:]) == MESSAGES
    framer = wire.LineFramer()
    assert [m for at in range(len(data)) for m in framer.feed(data[at : at + 1])] == MESSAGES


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"", "not JSON"),
        (b"nul", "not JSON"),
        (b"[1]", "not a message"),
        (b'"t"', "not a message"),
        (b'{"t":1}', "not a message"),
        (b'{"x":"t"}', "not a message"),
        (b'{"t":"a"}{"t":"b"}', "not JSON"),
        (b'{"t":"a","n":NaN}', "not JSON"),
        (b'{"t":"a","n":-Infinity}', "not JSON"),
        (b'{"t":"\xff"}', "not JSON"),
        (b'{"t":"a","n":1e999}', "too large a number"),
        (b'{"t":"a","n":[-1E+400]}', "too large a number"),
        (b'{"t":"a","n":' + b"9" * 400 + b".5}", "too large a number"),
        (b'{"t":"a","n":' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"t":"a","n":' + b"[" * 32 + b"]" * 32 + b"}", "nested deeper"),
        (b"[" * 100000, "nested deeper"),
        (b'{"t":"' + b"a" * wire.MAX_LINE_BYTES + b'"}', "over the limit"),
    ],
)
def test_what_is_no_message_is_refused(line: bytes, what: str) -> None:
    with pytest.raises(wire.WireError, match=what):
        wire.decode(line)


def test_brackets_in_strings_are_no_depth() -> None:
    assert wire.decode(b'{"t":"a","x":"' + b'[\\"{' * 50 + b'"}')["x"] == '["{' * 50
    assert wire.depth(b'{"[":["]"]}') == 2


NESTED = st.recursive(
    st.none() | st.text(st.sampled_from('[]{}"\\a\n')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('[]{}"\\')), inner, max_size=3),
    max_leaves=12,
)


@given(NESTED, st.integers(0, 2 * wire.MAX_DEPTH))
def test_depth_is_that_of_the_value(value: Any, more: int) -> None:
    def of(value: Any) -> int:
        if isinstance(value, (dict, list)):
            return 1 + max(map(of, value.values() if isinstance(value, dict) else value), default=0)
        return 0

    for _ in range(more):
        value = [value]
    assert wire.depth(json.dumps(value).encode()) == min(of(value), wire.MAX_DEPTH + 1)


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    framer = wire.LineFramer()
    for _ in range(wire.MAX_LINE_BYTES // 1024):
        assert framer.feed(b"x" * 1024) == []
    with pytest.raises(wire.WireError):
        framer.feed(b"x" * 2048)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_have_are_not_sent(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        wire.encode({"t": "a", "value": value})


def test_what_is_no_json_is_not_sent() -> None:
    with pytest.raises(TypeError, match="object is not JSON"):
        wire.encode({"t": "a", "value": object()})
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="Circular"):
        wire.encode({"t": "a", "value": endless})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_every_json_value_survives(value: object) -> None:
    line = wire.encode({"t": "x", "value": value})
    assert line == (json.dumps({"t": "x", "value": value}, separators=(",", ":")) + "\n").encode()
    assert wire.decode(line) == {"t": "x", "value": value}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        message = wire.decode(data)
    except wire.WireError:
        return
    assert isinstance(message["t"], str)
