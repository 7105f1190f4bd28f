"""A comment stays as far behind its value as it was; in one column with its neighbours it stays in that column."""

import pytest

from octogram_tui.scenario.comment_columns import keep_gaps


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("a: long # c\n", "a: s    # c\n", "a: s # c\n"),
        ("a: s   # c\n", "a: longer # c\n", "a: longer   # c\n"),
        ("a: long  # c\nb: other # d\n", "a: s     # c\nb: other # d\n", "a: s     # c\nb: other # d\n"),
        ("a: 'x # c'  # c\n", "a: 'y # c'   # c\n", "a: 'y # c'  # c\n"),
        ("a: 1 # c\n", "a:\n  - 1 # c\n", "a:\n  - 1 # c\n"),
    ],
)
def test_a_comment_keeps_its_distance(before: str, after: str, wanted: str) -> None:
    assert keep_gaps(before, after, ["# c"]) == wanted
