"""Names of instances and attempts: whatever their parts hold, the text is one line and is read back exactly."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from octogram_tui.model.ids import AttemptId, ErrandId, InstanceId, parse_execution, unique_names

HOSTILE = st.one_of(
    st.text(alphabet="/@[]#·,\\:~ ab\n\u2028é日🐙", min_size=1, max_size=12),
    st.text(min_size=1, max_size=12),
    st.sampled_from(
        ["prometheus", "prometheus/start", ":prometheus-start", "s/j@a", "[1]", "#1", "\\", "\\u{41}", "\ud800"]
    ),
)
INSTANCES = st.builds(InstanceId, HOSTILE, HOSTILE, HOSTILE, st.none() | HOSTILE | st.just(""))
ATTEMPTS = st.builds(AttemptId, INSTANCES, st.integers(1, 10**9))
ERRANDS = st.builds(ErrandId, HOSTILE, HOSTILE, st.integers(1, 10**9))


def test_plain_names_read_as_they_always_did() -> None:
    assert str(InstanceId("stage", "a job", "node_1")) == "stage/a job@node_1"
    assert str(AttemptId(InstanceId("stage", "job", "node_1", "3,x"), 2)) == "stage/job@node_1[3,x]#2"


@given(INSTANCES)
@example(InstanceId("a/b", "c@d", "e", "f]g#1"))
@example(InstanceId(":a", "b", "c"))
def test_an_instance_is_read_back_exactly(given_id: InstanceId) -> None:
    text = str(given_id)
    assert InstanceId.parse(text) == given_id
    assert text.isprintable()
    assert text.encode().decode() == text


@given(st.one_of(ATTEMPTS, ERRANDS))
def test_what_an_agent_is_told_to_do_is_read_back_exactly_and_as_what_it_is(execution: AttemptId | ErrandId) -> None:
    read = parse_execution(str(execution))
    assert read == execution
    assert type(read) is type(execution)


@given(st.lists(st.one_of(INSTANCES, ATTEMPTS, ERRANDS), min_size=2, max_size=2, unique=True))
def test_two_names_never_have_one_text(two: list[InstanceId | AttemptId | ErrandId]) -> None:
    assert str(two[0]) != str(two[1])


@given(st.text(alphabet="/@[]#\\:{}u0123 a\n", max_size=24))
def test_what_is_read_is_written_the_same_way_again(text: str) -> None:
    for read in (InstanceId.parse, AttemptId.parse, ErrandId.parse):
        try:
            found = read(text)
        except ValueError:
            continue
        assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "s/j",
        "s@a",
        "s/j@a#",
        "s/j@a#x",
        "s/j@a#01",
        "s/j@a[1]x#1",
        "s/j@a[1#1",
        "s/\\u{110000}@a#1",
        "\\a/j@a#1",
    ],
)
def test_what_is_no_attempt_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        AttemptId.parse(text)


def test_unique_names_count_the_second_of_equals() -> None:
    assert unique_names(["a", "a", "a~2", "b", "a"]) == ["a", "a~2", "a~2~2", "b", "a~3"]
