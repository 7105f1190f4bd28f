"""Every fault has a test that is marked with it, or an honest reason why not."""

from __future__ import annotations

from tools import faults_page
from tools.fault_rows import BY_HAND, FAULTS


def test_every_fault_has_a_test_or_a_reason() -> None:
    marked = faults_page.marked()
    assert sorted(FAULTS) == list(range(1, len(FAULTS) + 1))
    assert [number for number in FAULTS if number not in marked and number not in BY_HAND] == []
    assert [number for number in BY_HAND if number in marked] == []
    assert len(BY_HAND) <= 10


def test_no_test_is_marked_with_a_fault_that_is_none() -> None:
    assert [number for number in faults_page.marked() if number not in FAULTS] == []
