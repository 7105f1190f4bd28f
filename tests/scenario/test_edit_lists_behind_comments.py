"""Lists that are written where a comment stands behind the value before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from octogram_tui.scenario.documents import read_document
from octogram_tui.scenario.edit import change_variable
from octogram_tui.scenario.tree import plain

TEXT = "vars:   # all of them\n  level: 1   # how high\n  other: [1, 2]   # two\n"


@pytest.mark.parametrize("value", [[{}, "x", "x"], [{}, "x", "yes", "a: b"], [{"a": [{}, "x"]}, {}, "x", 1]])
def test_a_list_of_an_empty_map_and_more_is_written_where_a_comment_was(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "s.yml"
    path.write_text(TEXT)
    change_variable(str(path), "level", value)
    assert plain(read_document(str(path)).root) == {"vars": {"level": value, "other": [1, 2]}}
    assert all(comment in path.read_text() for comment in ("# all of them", "# how high", "# two"))
