"""The pictures in docs/ are what the console looks like."""

import pytest

from tools.screenshots import FOLDER, SHOTS, take


@pytest.mark.parametrize("name", SHOTS)
async def test_a_picture_of_the_documentation_is_of_today(name: str) -> None:
    assert (FOLDER / f"{name}.svg").read_text() == await take(SHOTS[name]), "run `make screenshots`"
