"""Texts with gaps: what fits them, and that no text and no gaps keep anybody waiting."""

from __future__ import annotations

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from octogram_tui.model.wildcard import Wildcard


@given(st.text("ab?", max_size=8), st.lists(st.text("ab?", max_size=3), min_size=1, max_size=5))
def test_what_fits_is_what_an_expression_would_match(name: str, pieces: list[str]) -> None:
    wanted = re.fullmatch(".*".join(map(re.escape, pieces)), name) is not None
    assert Wildcard(pieces).fits(name) == wanted
    wanted = re.fullmatch(".*".join(re.escape(piece).replace(r"\?", ".") for piece in pieces), name) is not None
    assert Wildcard(pieces, one="?").fits(name) == wanted


def test_many_gaps_take_no_time() -> None:
    began_s = time.process_time()
    assert not Wildcard(["", *["x"] * 50, "z"]).fits("x" * 5000 + "y")
    assert not Wildcard(["", *["x?"] * 50, "z"], one="?").fits("x" * 5000 + "y")
    assert time.process_time() - began_s < 1
