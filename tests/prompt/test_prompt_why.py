"""Why a row is as it is, and how it differs, told in lines at the prompt."""

from __future__ import annotations

import pytest
from prompt_run import failing, model_of

from octogram_tui.errors import UsageError
from octogram_tui.prompt.looks import TOLD
from octogram_tui.prompt.words import LOOKS

MODEL = model_of(failing())


def told(line: str) -> list[str]:
    name, *words = line.split(" ")
    return TOLD[name](tuple(words), MODEL)


def test_the_row_at_hand_is_explained_and_a_variable_by_its_history() -> None:
    lines = told("explain shop_2")
    assert lines[0].startswith("failed at 0:00: shop 2 cannot sell")
    assert lines[1] == "ran at 0:00: for the first time, as its turn came"
    assert told("explain .") == lines
    assert len(told("explain shop_2 6")) >= len(lines)
    assert told("explain vars.stock_2") == ["stock_2 is: 0  from the scenario"]


@pytest.mark.parametrize("line", ["compare shop_2", "compare", "compare sell/sell one octopus@shop_2 shop_1"])
def test_a_row_is_compared_with_where_it_went_well_or_with_what_is_named(line: str) -> None:
    lines = told(line)
    assert lines[0] == "< sell/sell one octopus@shop_2#1"
    assert lines[1].startswith("> sell/sell one octopus@shop_1#1")
    assert any(line.startswith("they first differ in ") for line in lines)


def test_an_attempt_is_compared_by_its_number() -> None:
    assert told("compare shop_2 #1")[2] == "they do not differ"


@pytest.mark.parametrize("line", ["explain vars.nope", "compare nope", "compare shop_2 nope", "compare shop_2 #9"])
def test_what_is_not_there_is_refused_in_a_line(line: str) -> None:
    with pytest.raises(UsageError):
        told(line)


def test_every_look_that_only_tells_is_listed() -> None:
    assert set(TOLD) <= set(LOOKS)
