"""Plain scalars read as the original read them, with a warning where readers of YAML disagree; durations."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from octogram_tui.errors import UsageError
from octogram_tui.scenario.assignments import parse_assignment, read_assignment
from octogram_tui.scenario.scalars import read_duration_s, read_number, read_plain


@pytest.mark.parametrize(
    ("text", "value", "warns"),
    [
        ("", None, False),
        ("~", None, False),
        ("null", None, False),
        ("Null", None, False),
        ("NULL", None, False),
        ("nUll", "nUll", False),
        ("true", True, False),
        ("TRUE", True, False),
        ("False", False, False),
        ("yes", True, True),
        ("Y", True, True),
        ("on", True, True),
        ("no", False, True),
        ("OFF", False, True),
        ("n", False, True),
        ("tRue", "tRue", False),
        ("8732", 8732, False),
        ("-5", -5, False),
        ("+5", 5, False),
        ("0", 0, False),
        ("1_000", 1000, True),
        ("0x1f", 31, False),
        ("-0x1F", -31, False),
        ("0x1_f", 31, True),
        ("010", 10, True),
        ("08", 8, True),
        ("007", 7, True),
        ("0x123456789abcdef", 0x123456789ABCDEF, False),
        ("0x0123456789abcdef", "0x0123456789abcdef", True),
        ("1.10", 1.1, False),
        (".5", 0.5, False),
        ("5.", 5.0, False),
        ("1.5e3", 1500.0, True),
        ("1e3", 1000.0, True),
        ("1.5e+3", 1500.0, False),
        ("0x1p4", 16.0, True),
        ("0o17", "0o17", True),
        ("0b101", "0b101", True),
        ("1:30", "1:30", True),
        ("12:30:45", "12:30:45", True),
        ("1.2.3", "1.2.3", False),
        ("v1", "v1", False),
        ("10.0.0.1", "10.0.0.1", False),
        ("2024-01-01", "2024-01-01", False),
        ("_", "_", False),
        ("-", "-", False),
        ("+", "+", False),
        ("inf", math.inf, True),
        ("-infinity", -math.inf, True),
        (".inf", math.inf, False),
        ("-.inf", -math.inf, False),
        ("information", "information", False),
        ("nancy", "nancy", False),
        ("a:b", "a:b", False),
        ("0x", "0x", False),
        ("1__0", 10, True),
        ("0x1p99999", math.inf, True),
        ("9" * 401, math.inf, False),
    ],
)
def test_plain_scalars(text: str, value: Any, warns: bool) -> None:
    reading = read_plain(text)
    assert reading.value == value
    assert type(reading.value) is type(value)
    assert bool(reading.warning) is warns


def test_not_a_number() -> None:
    for text in ("nan", ".nan", "-NaN"):
        number = read_plain(text).value
        assert isinstance(number, float)
        assert math.isnan(number)
    assert read_number("x") is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (30, 30.0),
        (1.5, 1.5),
        ("30", 30.0),
        ("30s", 30.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
        ("2d", 172800.0),
        ("1.5m", 90.0),
        (" 5 m ", 300.0),
        (0, 0.0),
        (-1, None),
        ("-1", None),
        ("5x", None),
        ("", None),
        (True, None),
        ([], None),
        (math.inf, None),
        ("m", None),
        ("9" * 100, None),
    ],
)
def test_durations(value: Any, seconds: float | None) -> None:
    assert read_duration_s(value) == seconds


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("a=b", "a", "b"),
        ("a=3", "a", 3),
        ("a=yes", "a", True),
        ("a=null", "a", None),
        ("a=", "a", ""),
        ("a= x ", "a", " x "),
        ("url=http://h:80/?a=b", "url", "http://h:80/?a=b"),
        ("a='3'", "a", "3"),
        ('a="x\\ny"', "a", "x\ny"),
        ("a=[1, b, null]", "a", [1, "b", None]),
        ("a={b: {c: 1}}", "a", {"b": {"c": 1}}),
        ("a-b=1.5", "a-b", 1.5),
    ],
)
def test_assignments(text: str, name: str, value: Any) -> None:
    assert parse_assignment(text) == (name, value)
    assert read_assignment(text).warnings == () or value is True


@pytest.mark.parametrize(
    ("text", "value", "says"),
    [
        ("a=1.10", 1.1, "`1.10` is read as 1.1"),
        ("a=010", 10, "`010` is the number 10 here"),
        ("a=1_000", 1000, "`1_000` is the number 1000 here"),
        ("a=0x1f", 31, "`0x1f` is read as 31"),
        ("a=~", None, "`~` is read as null"),
        ("a=yes", True, "`yes` is the boolean true here"),
        ("a=[1.10]", [1.1], "`1.10` is read as the number 1.1"),
        ("a={b: 08}", {"b": 8}, "`08` is the number 8 here"),
        ("a=- b", "- b", "the value of `a` is the text `- b`: neither a list nor a map"),
        ("a=b: 1", "b: 1", "the value of `a` is the text `b: 1`: neither a list nor a map"),
        ("a=b:", "b:", "the value of `a` is the text `b:`"),
    ],
)
def test_what_is_doubtful_about_an_assignment(text: str, value: Any, says: str) -> None:
    found = read_assignment(text)
    assert found.value == value
    assert [says in warning.message for warning in found.warnings] == [True]
    quoted = read_assignment(f"a={json.dumps(text[2:])}")
    assert (quoted.value, quoted.warnings) == (text[2:], ())


@pytest.mark.parametrize("text", ["a", "=b", "", " =1", "a=[1", "a='x", "a={a: 1, a: 2}"])
def test_what_is_no_assignment(text: str) -> None:
    with pytest.raises(UsageError):
        parse_assignment(text)
