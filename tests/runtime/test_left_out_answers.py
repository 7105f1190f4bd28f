"""Answers about log lines that were left out: their numbers are computed with, and their agent may be anybody's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fake_daemon import Rig

from octogram_tui.engine.stimuli import AgentLossReport
from octogram_tui.runtime.conduct import BYTES_AT_ONCE
from octogram_tui.runtime.desk import Question
from octogram_tui.runtime.masks import Reveals
from octogram_tui.runtime.verbs import LogQuery
from octogram_tui.secrecy.vault import Vault


async def test_what_an_answer_counts_stays_a_number_where_a_secret_is_one() -> None:
    vault = Vault()
    vault.learn("pin", "262144")

    async def answer(question: Question) -> dict[str, Any]:
        return {"lines": ["it is 262144"], "size_bytes": 262144, "trouble": "", "first": 262144, "following": 1262144}

    told = await Reveals(vault, lambda stimulus, on_fed: None, answer).answer(LogQuery("a", "s/j@a#1", gap=1))

    assert told == {
        "lines": ["it is (secret pin)"],
        "size_bytes": 262144,
        "trouble": "",
        "first": 262144,
        "following": 1262144,
    }


@pytest.mark.parametrize("answer", [{"lines": [], "next": 9}, {"lines": ["x"], "next": 5}, {"lines": ["x"], "next": 4}])
async def test_an_agent_that_has_ever_more_to_tell_is_not_asked_for_ever(
    rigs: Callable[..., Rig], answer: dict[str, Any]
) -> None:
    rig = rigs()
    channel = await rig.up()
    asked = asyncio.ensure_future(rig.link.left_out("s/j@a#1", 1, 5))
    request = (await channel.expect("left_out"))["request"]
    channel.say("log", request=request, **{"from": 5, **answer})

    assert (await asked).following == 0


async def test_answers_that_were_asked_for_put_nobody_in_quarantine(
    rigs: Callable[..., Rig],
) -> None:
    """As many bytes that nobody asked for would: an agent on a good link gives them as fast as it is asked."""
    rig = rigs()
    channel = await rig.up()
    lines = ["x" * 1000] * 100
    for number in range(2 * BYTES_AT_ONCE // 100_000):
        asked = asyncio.ensure_future(rig.link.left_out("s/j@a#1", 1, number))
        request = (await channel.expect("left_out"))["request"]
        channel.say("log", request=request, lines=lines, **{"from": number, "next": 0})
        assert (await asked).lines == lines
    assert not channel.is_aborted
    for _ in range(2 * BYTES_AT_ONCE // 100_000):  # the last one's answer over and over again
        channel.say("log", request=request, lines=lines, **{"from": 0, "next": 0})
    assert "put in quarantine" in (await rig.report(AgentLossReport)).message
