"""Patterns of rows: what is read is written back alike, and the text of a row means that row."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from octogram_tui.model.breakpoint import is_reached, read_hits
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.pattern import Pattern, fits

Read = TypeVar("Read")

SIGNS = "/@[]#*\\:{}u0 ab\n日"
NAMES = st.text(alphabet=SIGNS, min_size=1, max_size=6) | st.text(min_size=1, max_size=6)
INSTANCES = st.builds(InstanceId, NAMES, NAMES, NAMES, st.none() | NAMES | st.just(""))
FEW = st.text(alphabet="ab*", max_size=5)


def outcome(read: Callable[[str], Read], text: str) -> tuple[Read | None, str]:
    """Give what was read, or why it was refused."""
    try:
        return read(text), ""
    except ValueError as error:
        return None, str(error)


def expression(part: str) -> str:
    """Say with a regular expression what a part without escapes means: the reference."""
    return "".join(".*" if sign == "*" else re.escape(sign) for sign in part)


@given(st.text(alphabet=SIGNS, max_size=20) | st.text(max_size=20))
@example("a[x/y@z]")
@example("@b/c@d")
@example("\\u{110000}")
@example("\\u{" + "f" * 4000 + "}")
def test_any_text_is_read_and_written_back_or_refused_on_one_line(text: str) -> None:
    pattern, refusal = outcome(Pattern.parse, text)
    if pattern is None:
        assert refusal.isprintable()
        assert len(refusal) < 300
        return
    written = str(pattern)
    assert written.isprintable()
    assert Pattern.parse(written) == pattern
    assert str(Pattern.parse(written)) == written


@given(INSTANCES, INSTANCES)
@example(InstanceId("a@b", "c", "d"), InstanceId("a", "c", "b/c@d"))
@example(InstanceId(":a", "[b]", "c", "]"), InstanceId("a", "b", "c"))
@example(InstanceId("a", "b", "c", ""), InstanceId("a", "b", "c"))
@example(InstanceId("a", "[", "c"), InstanceId("a", "\\[", "c"))
def test_the_text_of_a_row_is_a_pattern_of_it_alone(id_: InstanceId, other: InstanceId) -> None:
    text = str(id_)
    pattern = Pattern.parse(text)
    assert pattern.matches(id_)
    others = [other, *(id_._replace(**{part: getattr(other, part)}) for part in ("stage", "job", "agent", "item"))]
    alone = Pattern.of(*id_)
    assert Pattern.parse(str(alone)) == alone
    for one in others:
        is_it = one == id_ or (id_.item is None and one[:3] == id_[:3])  # no item: whatever items there are
        assert alone.matches(one) == is_it
        if "*" not in text:
            assert pattern.matches(one) == is_it


@given(st.tuples(FEW, FEW, FEW, st.none() | FEW), st.tuples(*[st.text(alphabet="ab", max_size=5)] * 4))
def test_a_pattern_means_what_the_reference_says(
    parts: tuple[str, str, str, str | None], names: tuple[str, ...]
) -> None:
    stage, job, agent, item = parts
    text = f"{stage}/{job}@{agent}" + ("" if item is None else f"[{item}]")
    id_ = InstanceId(*names)
    means = all(not part or re.fullmatch(expression(part), name) for part, name in zip(parts[:3], names, strict=False))
    of_item = item is None or re.fullmatch(expression(item), names[3]) is not None
    assert Pattern.parse(text).matches(id_) == (means and of_item)
    assert Pattern.parse(text).matches(id_._replace(item=None)) == (means and item is None)
    assert fits(stage, names[0]) == (not stage or re.fullmatch(expression(stage), names[0]) is not None)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("*", "a/x@n1 a/y@n2 b/x@n1 b/x@n1[1] b/x@n1[2]"),
        ("b", "b/x@n1 b/x@n1[1] b/x@n1[2]"),
        ("/y", "a/y@n2"),
        ("@n1", "a/x@n1 b/x@n1 b/x@n1[1] b/x@n1[2]"),
        ("a/x@*", "a/x@n1"),
        ("[1]", "b/x@n1[1]"),
        ("[*]", "b/x@n1[1] b/x@n1[2]"),
        ("b/x@n1", "b/x@n1 b/x@n1[1] b/x@n1[2]"),
    ],
)
def test_parts_may_be_left_out(text: str, rows: str) -> None:
    all_of_them = "a/x@n1 a/y@n2 b/x@n1 b/x@n1[1] b/x@n1[2]".split()
    assert [row for row in all_of_them if Pattern.parse(text).matches(InstanceId.parse(row))] == rows.split()


def test_a_star_costs_no_more_than_the_name_is_long() -> None:
    assert not Pattern.parse("a*" * 2000 + "b@n").matches(InstanceId("a" * 20_000, "j", "n"))


@pytest.mark.parametrize(
    ("typed", "kept", "times"),
    [
        ("", "", [1, 2, 3, 4, 5, 6]),
        ("3", "3", [3, 4, 5, 6]),
        (" >= 3 ", "3", [3, 4, 5, 6]),
        ("> 3", "4", [4, 5, 6]),
        ("=3", "=3", [3]),
        ("== 3", "=3", [3]),
        ("%3", "%3", [3, 6]),
    ],
)
def test_hits_say_which_times_are_meant(typed: str, kept: str, times: list[int]) -> None:
    assert read_hits(typed) == kept
    assert [count for count in range(1, 7) if is_reached(kept, count)] == times
    assert read_hits(kept) == kept


@given(st.text(max_size=12))
@example("0")
@example("%0")
@example("<3")
@example("٣")
def test_other_hits_are_refused_on_one_line(text: str) -> None:
    kept, refusal = outcome(read_hits, text)
    assert refusal.isprintable()
    assert kept is None or read_hits(kept) == kept
