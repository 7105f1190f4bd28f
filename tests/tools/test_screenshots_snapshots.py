"""The pictures in docs/ are what the console looks like."""

import pytest

from tools.screenshots import DEBUGGED_SHOTS, FOLDER, SHOTS, take, take_debugged


@pytest.mark.parametrize("name", [*SHOTS, *DEBUGGED_SHOTS])
async def test_a_picture_of_the_documentation_is_of_today(name: str) -> None:
    text = await (take_debugged(DEBUGGED_SHOTS[name]) if name in DEBUGGED_SHOTS else take(SHOTS[name]))
    # Not compared in the assertion: what two such texts differ in says nothing, and takes minutes to find.
    is_of_today = (FOLDER / f"{name}.svg").read_text() == text
    assert is_of_today, "run `make screenshots`"
