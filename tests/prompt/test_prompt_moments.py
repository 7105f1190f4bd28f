"""The run's time at the prompt: any moment is looked at, and what acts on the run is for now."""

from __future__ import annotations

import re
from pathlib import Path

from prompt_run import Source, failing, recorded, sit

from octogram_tui.engine import stimuli


def ended() -> Source:
    source = Source(recorded())
    source.parts.put_nowait(None)
    return source


async def test_a_replay_is_gone_about_in_by_event_stage_failure_and_moment() -> None:
    lines = ["earlier 3", ".", "earlier failure", "show .", "earlier stage", "earlier failure", "at start", "at sell"]
    _, told = await sit(ended(), *lines, "where", "now", "at", is_replay=True, has_journal=True)
    last = recorded()[-1].seq
    assert f"> earlier 3\nevent {last - 3} of {last}, " in told
    assert f"> .\nevent {last - 2} of {last}, " in told
    assert "  stage sell began\n> earlier failure\nthere is no failure before this moment" in told
    assert "> at start\nevent 1 of" in told
    assert re.search(r"> where\nrun .*, 0 failed", told)  # as it was then
    assert told.count(": the end\n") == 2


async def test_a_replay_begins_at_the_moment_that_was_given() -> None:
    _, told = await sit(ended(), "at nowhere", "later dance", "at", is_replay=True, has_journal=True, at="sell")
    assert told.count("  stage sell began\n") == 2
    assert "'nowhere' is no moment of this run\nhint: " in told
    assert "'dance' is nothing to go by\nhint: earlier, " in told


async def test_looking_back_stops_nobody_and_acts_are_for_now() -> None:
    source = Source(failing())
    lines = ["earlier stage", "set stock_2 = 5", "b sell", "now", "set stock_2 = 5"]
    _, told = await sit(source, *lines, has_journal=True, owns=False, is_typed=True)
    assert told.count("you look back: what acts on the run is for now\nhint: now") == 1
    assert [type(each) for each in source.asked] == [stimuli.BreakRequest, stimuli.SetVariableRequest]
    assert source.sent == []


async def test_without_a_journal_there_is_only_now() -> None:
    _, told = await sit(Source(failing()), "earlier", "at", owns=False, is_typed=True)
    assert "this run has no journal here: only its latest moment can be looked at" in told
    assert ": now\n" in told


async def test_values_of_then_are_given_compared_and_written(tmp_path: Path) -> None:
    kept = tmp_path / "kept.yml"
    lines = [
        "at sell",
        "p vars.stock_2 + 1",
        "p vars.nothing.at_all",
        "now",
        "changed",
        "changed sell",
        "changed dance",
    ]
    _, told = await sit(ended(), *lines, f"save {kept}", f"save {kept}", "save", is_replay=True, has_journal=True)
    assert "> p vars.stock_2 + 1\n1\n> p vars.nothing.at_all\n" in told
    assert "> changed sell\nsold_1: none -> true\nsold_3: none -> true\n" in told
    assert "'dance' is no moment of this run" in told
    assert f"written to {kept}\n> save {kept}\n{kept} is there already\n" in told
    assert "stock_2: 0" in kept.read_text()
    assert "save needs the name of a file" in told
