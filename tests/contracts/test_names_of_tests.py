"""Every test has a name that fits on a line, whatever text it is given."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("text", ["x" * 100_000, b"\xff" * 100_000])
def test_a_test_of_a_long_text_has_a_short_name(text: str | bytes, request: pytest.FixtureRequest) -> None:
    assert len(text) == 100_000
    assert len(request.node.nodeid) < 400


def test_no_name_is_too_long_to_read(request: pytest.FixtureRequest) -> None:
    assert [item.nodeid[:400] for item in request.session.items if len(item.nodeid) > 400] == []
