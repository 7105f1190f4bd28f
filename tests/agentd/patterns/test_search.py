"""Regular expressions: what they find is what Python's find, and no text and no expression keeps anybody waiting."""

from __future__ import annotations

import re
import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octogram_agentd.patterns.search import Patience, Pattern
from octogram_agentd.patterns.syntax import PatternFault

BLINK_S = 3.0
"""Far more than any of these takes on a busy machine, far less than going back takes: years."""

letters = st.sampled_from(
    ["a", "b", "B", r"\n", ".", "[ab]", "[^a]", r"\w", r"\d", r"\s", "[a-c_]", "é", r"\W", r"[^\d]"]
)
places = st.sampled_from(["^", "$", r"\b", r"\A", r"\Z", ""])
counts = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{,2}", "{2,}", "*?", "+?", "??", "{1,2}?"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"(?i:{one})"),
        # A repetition ends in Python where it repeats nothing; here it goes on. So something is in each.
        st.tuples(inner, letters, counts).map(lambda three: f"(?:{three[0]}{three[1]}){three[2]}"),
    )


expressions = st.tuples(st.sampled_from(["", "(?i)", "(?m)", "(?s)"]), st.recursive(letters | places, _larger)).map(
    "".join
)


@settings(max_examples=300)
@given(expressions, st.text("abB1_ \né", min_size=1, max_size=8))
def test_what_is_found_is_what_python_finds(source: str, text: str) -> None:
    wanted = re.compile(source).search(text)
    pattern = Pattern(source)
    found = pattern.find(text)
    assert pattern.is_in(text) == (wanted is not None)
    if wanted is None:
        assert found is None
    else:
        assert found is not None
        assert (found.start, found.end, found.groups) == (*wanted.span(), list(wanted.groups()))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("^(a+)+$", "a" * 44 + "b"),
        ("^(a+)+$", "a" * 60_000 + "b"),
        ("(a*)*[b]", "a" * 60_000),
        (r"(\w+\s?)+[:]", "word " * 10_000),
        (r"\s+$", " " * 60_000 + "x"),
        (r"(.*)(.*)(.*)(.*)[=]", "x" * 20_000),
        ("(x+x+)+[y]", "x" * 30_000),
        ("(a|b)*a(a|b){200}[c]", "abba" * 100),
    ],
)
def test_what_went_back_for_years_is_answered_at_once(source: str, text: str) -> None:
    began_s = time.process_time()
    assert not Pattern(source).is_in(text)
    assert time.process_time() - began_s < BLINK_S


@pytest.mark.parametrize(
    "source",
    [
        "(a{1000}){1000}",
        "(?:(?:(?:){1000}){1000}){1000}",
        "((((((((a{9}){9}){9}){9}){9}){9}){9}){9})",
        "a{999999999999}",
        "(" * 900 + ")" * 900,
        "(a?|b?|c?)" * 199 + "{1000}",
    ],
)
def test_what_would_be_huge_is_refused_before_it_is(source: str) -> None:
    began_s = time.process_time()
    with pytest.raises(PatternFault, match="too large"):
        Pattern(source)
    assert time.process_time() - began_s < BLINK_S


def test_a_search_pauses_so_that_others_have_their_turn() -> None:
    pattern = Pattern("(a|b)*a(a|b){300}[c]")
    text = "".join(Random(1).choices("ab", k=900))
    pauses = sum(1 for _ in pattern.looking(text))
    assert pauses > 3
    with pytest.raises(PatternFault, match="takes too long"):
        Pattern(pattern.source).is_in(text, Patience(3))


def test_what_it_remembers_is_bounded() -> None:
    pattern = Pattern("(a|b)*a(a|b){400}[c]")
    text = "".join(Random(2).choices("ab", k=3000))
    assert not Patience(10_000).wait(pattern.looking(text))
    assert pattern._weight < 210_000


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        (r"\Qa.b\E+", "a.bbb", "a.bbb"),
        (r"[[:digit:]x]+", "ab12x", "12x"),
        (r"[[:^alpha:]]", "ab1", "1"),
        (r"(?<port>\d+)\z", "at 80", "80"),
        (r"a(?# the first)b", "ab", "ab"),
        (r"\x41\u00e9", "xAé", "Aé"),
        (r"a{,}b{x}", "aab{x}", "aab{x}"),
        (r"(?i)READY", "it is ready", "ready"),
        (r"[]a-]+", "x]-a", "]-a"),
    ],
)
def test_spellings_of_perl_and_python(source: str, text: str, found: str) -> None:
    match = Pattern(source).find(text)
    assert match is not None
    assert match.text == found


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (r"(?=a)", "looking ahead is not part of the language at character 1"),
        (r"a(?<!b)", "looking behind is not part of the language at character 2"),
        (r"(a)\1", "a reference to a group"),
        (r"a++", "a possessive repetition"),
        (r"a**", "multiple repeat"),
        (r"[b-a]", "bad character range"),
        (r"a)", "unbalanced parenthesis"),
        (r"a{3,2}", "min repeat greater"),
        (r"\q", r"bad escape \\q"),
        (r"\x4", "incomplete escape"),
        (r"\U00110000", "bad escape"),
        (r"(?<n>a)(?<n>b)", "a name of its own"),
        (r"a(?i)b", r"`\(\?` must be followed by"),
    ],
)
def test_what_is_refused_says_what_and_where(source: str, message: str) -> None:
    with pytest.raises(PatternFault, match=message):
        Pattern(source)
