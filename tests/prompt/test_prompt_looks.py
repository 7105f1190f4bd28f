"""What is told when somebody asks: in plain lines, the most wanted first."""

from __future__ import annotations

import pytest
from prompt_run import failing, model_of

from octogram_tui.errors import UsageError
from octogram_tui.prompt.looks import TOLD

MODEL = model_of(failing())


def told(look: str, *words: str) -> str:
    return "\n".join(TOLD[look](words, MODEL))


def test_where_tells_of_the_run_and_of_one_agent_from_the_outside_inward() -> None:
    lines = told("where").splitlines()
    assert lines[0].endswith("6 of 6 instances ended, 1 failed, 0 held, 0 running")
    assert lines[1] == "stage sell, 2 of 4: failed"
    assert lines[2].startswith("  shop_2: sell one octopus, failed: shop 2 cannot sell")
    assert lines[3] == "  2 more agents: ok"
    assert [line.split(":")[0] for line in told("where", "shop_2").splitlines()[:3]] == [
        "stage sell",
        "  job sell one octopus",
        "    agent shop_2",
    ]


def test_a_row_is_shown_with_all_that_one_wants_to_know() -> None:
    shown = told("show", "shop_2")
    for part in ("failed", "arguments:\n", "result:\n  exit_code: 3", "| shop 2 has 0 on its shelves"):
        assert part in shown
    assert "shop_3: ok" in told("show", "sell one octopus")
    assert told("show", "turn off the lights").splitlines() == ["close/turn off the lights", "pending"]
    assert told("output", "shop_3", "1").startswith("| sold for")


def test_lists_are_short_and_can_be_narrowed() -> None:
    assert "2 sell: failed, 3 of 3 ended" in told("info", "st")
    assert "shop_1: ready" in told("info", "agents")
    assert "sell/sell one octopus@shop_2: shop 2 cannot sell" in told("info", "failures")
    assert told("info", "variables", "stock_2").startswith("0:00 ")
    assert "stock_1 = " in told("info", "variables")
    with pytest.raises(UsageError, match="info tells of breakpoints, agents"):
        told("info")


def test_without_a_copy_of_the_text_that_is_said() -> None:
    with pytest.raises(UsageError, match="no copy of the scenario's text"):
        told("list")
