"""Agents chosen by an expression one of whose alternatives may be empty: the quick way captures what the other does."""

from __future__ import annotations

import pytest

from octogram_tui.template.selectors import captures, compile_pattern, select_agents


@pytest.mark.parametrize("pattern", ["x*|a", "(x*|a)", "x{0}|[a-b]\\w", "a|x*", "(x*)|(a)", "x+|a", "^x*|a$"])
@pytest.mark.parametrize("name", ["ab", "ba", "axa", "b"])
def test_an_alternative_that_may_be_empty_captures_the_same(pattern: str, name: str) -> None:
    compiled = compile_pattern(pattern)
    expected = {name: captures(compiled, name)} if compiled.is_in(name) else {}
    assert select_agents([pattern], [name]) == expected
