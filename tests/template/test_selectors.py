"""with_agents: which agents an expression chooses, what it captures, and the original's dialect."""

from __future__ import annotations

import random

import pytest

from octogram_agentd.patterns.search import Patience
from octogram_tui.template import selectors
from octogram_tui.template.selectors import PatternError, select_agents

NAMES = ["node_2", "delegate_7", "node_10", "Zed", "a"]


def test_agents_come_in_the_byte_order_of_their_names() -> None:
    assert list(select_agents([".*"], NAMES)) == ["Zed", "a", "delegate_7", "node_10", "node_2"]


def test_expressions_search_and_the_first_that_is_found_counts() -> None:
    assert select_agents([r"_(\d)$", "node"], NAMES) == {
        "delegate_7": ["_7", "7"],
        "node_10": ["node"],
        "node_2": ["_2", "2"],
    }


@pytest.mark.parametrize(
    ("pattern", "name", "captures"),
    [
        (r"(delegate)_(\d+)", "delegate_7", ["delegate_7", "delegate", "7"]),
        (r"node(\d+)", "node12", ["node12", "12"]),
        (r"(\d)", "a1b2", ["1", "1", "2", "2"]),
        (r"(.*)", "node", ["node", "node"]),
        (r"x*", "axb", ["", "x", ""]),
        (r"", "ab", ["", "", ""]),
        (r"(a)|(b)", "ab", ["a", "a", "", "b", "", "b"]),
        (r"(?<what>a)", "a", ["a", "a"]),
        (r"(?P<what>a)", "a", ["a", "a"]),
        (r"(?:a)(b)?", "a", ["a", ""]),
        (r"\Qa.b\E$", "a.b", ["a.b"]),
        (r"\Qa.b", "a.b", ["a.b"]),
        (r"a\z", "a", ["a"]),
        (r"a\Z", "a", ["a"]),
        (r"\Aa\E", "a", ["a"]),
        (r"[]a]+", "a]", ["a]"]),
        (r"[^]a]", "b", ["b"]),
        (r"[[a]", "[", ["["]),
        (r"[\d_]+?", "1_", ["1", "_"]),
        (r"a{2,3}?", "aaaa", ["aa", "aa"]),
        (r"^node$", "node", ["node"]),
        (r"(?i)NODE", "node", ["node"]),
        (r"a(?#x)", "a", ["a"]),
    ],
)
def test_captures(pattern: str, name: str, captures: list[str]) -> None:
    assert select_agents([pattern], [name]) == {name: captures}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "missing ), unterminated subpattern at character 1"),
        ("*", "nothing to repeat"),
        ("[a", "unterminated character set"),
        ("a\\", "ends with a backslash"),
        (r"(a)\1", "a reference to a group"),
        ("(?=a)", "looking ahead"),
        ("(?!a)", "looking ahead"),
        ("(?<=a)", "looking behind"),
        ("(?<!a)", "looking behind"),
        ("(?P=x)", "a reference"),
        ("(?(1)a)", "a condition"),
        ("(?>a)", "an atomic group"),
        (r"\Qa\E(", "unterminated subpattern"),
        ("x" * 2001, "at most 2000"),
        ("a{999999999999}", "too large"),
    ],
)
def test_what_is_no_expression(pattern: str, message: str) -> None:
    with pytest.raises(PatternError) as caught:
        select_agents([pattern], ["a"])
    assert message in caught.value.message


def test_no_expression_keeps_the_program_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "Patience", lambda: Patience(10))  # of a hundred: who waits here are the tests
    assert select_agents(["^(a+)+$", "^(a|aa)+$", "(a*)*b"], ["a" * 44 + "_"]) == {}
    with pytest.raises(PatternError, match="takes too long"):
        select_agents(
            ["(a|b)*a(a|b){600}[c]"],
            [bin(number)[2:].replace("0", "a").replace("1", "b") + "ab" * 300 for number in range(90)],
        )


def test_nobody_is_no_error() -> None:
    assert select_agents(["nobody"], NAMES) == {}
    assert select_agents([], NAMES) == {}


ATOMS = ["a", "b", "_", "1", ".", "[0-9]", "[a-c1]", "(a)", "(.)", "([0-9])", "(a", "b)", "^", "$", "node", "-", " "]
ATOMS += [r"\d", r"\w", "[0-9]{2}", "a{0}", "(a|b)", "(node|a(_))", "|", "(|"]


def test_simple_expressions_give_what_ours_give() -> None:
    chance = random.Random(1)
    compared = 0
    while compared < 3000:
        parts = chance.choices(ATOMS, k=chance.randint(0, 5))
        pattern = "".join(part + (chance.choice("*+") if chance.random() < 0.1 else "") for part in parts)
        try:
            slow, quick = selectors.compile_pattern(pattern), selectors._quick(pattern)
        except PatternError:
            continue
        name = "".join(chance.choices("ab_1c-node 2", k=chance.randint(0, 8)))
        if quick is not None:
            compared += 1
            expected = {name: selectors.captures(slow, name)} if slow.is_in(name) else {}
            assert select_agents([pattern], [name]) == expected, (pattern, name)


@pytest.mark.parametrize(
    "pattern",
    ["(a*)*", "(a|b)" * 5, "a+b+", "(a+)+$", "a{2,}", "(a|b)*", r"\D", "a|", "a?", "a{2}+", "(?i)a", "[^a]", "é"],
)
def test_what_may_take_long_is_left_to_ours(pattern: str) -> None:
    assert selectors._quick(pattern) is None
