"""A link that loses its daemon: silence, cuts, attempts to come back, and when there is no more hope."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from fake_daemon import FAST, Rig

from octogram_tui.engine.stimuli import (
    AgentBackReport,
    AgentLossReport,
    AgentSilentReport,
)
from octogram_tui.errors import AuthFailed, ConnectFailed, LinkLost
from octogram_tui.model.ids import AttemptId
from octogram_tui.runtime.terms import Limits


async def test_silence_is_told_then_ended_by_a_new_connection(rigs: Callable[..., Rig]) -> None:
    rig = rigs(replace(FAST, suspect_s=-1.0))
    channel = await rig.up()
    rig.link.beat()
    await channel.expect("hb")
    assert "nothing heard" in (await rig.report(AgentSilentReport)).message
    rig.link.beat()
    assert rig.kinds() == ["AgentUpReport"], "it is told once"
    channel.say("hb", n=1)
    await rig.report(AgentBackReport)
    assert not channel.is_aborted


@pytest.mark.fault(39)
async def test_a_jump_of_the_clock_on_the_wall_is_no_silence(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = rigs(replace(FAST, suspect_s=3600.0, silence_s=7200.0))
    channel = await rig.up()
    for jump_s in (86400, -86400):
        monkeypatch.setattr(time, "time", lambda jump_s=jump_s, real=time.time: real() + jump_s)
        rig.link.beat()
        await channel.expect("hb")
    assert not channel.is_aborted
    assert rig.kinds() == ["AgentUpReport"]


@pytest.mark.fault(3, 7)
async def test_longer_silence_ends_the_connection(rigs: Callable[..., Rig]) -> None:
    rig = rigs(replace(FAST, suspect_s=-2.0, silence_s=-1.0))
    channel = await rig.up()
    rig.link.beat()
    assert channel.is_aborted
    await rig.back()
    await rig.report(AgentBackReport)


@pytest.mark.fault(1, 13)
@pytest.mark.parametrize(
    ("silent_s", "told", "is_cut"), [(9.5, [], False), (10.5, ["AgentSilentReport"], False), (20.5, [], True)]
)
async def test_how_long_a_silence_may_last(
    rig: Rig, silent_s: float, told: list[str], is_cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = await rig.up()
    monkeypatch.setattr(rig.link._loop, "time", lambda: rig.link._last_heard_s + silent_s)
    rig.link.beat()
    monkeypatch.undo()
    assert rig.kinds() == ["AgentUpReport", *told]
    assert channel.is_aborted == is_cut


@pytest.mark.fault(2, 4, 23)
async def test_pauses_between_attempts_grow_and_begin_short(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    longest_s: list[float] = []

    def at_once(_: float, most_s: float) -> float:
        longest_s.append(most_s)
        return 0.0

    monkeypatch.setattr("octogram_tui.runtime.attaching.random.uniform", at_once)
    rig = rigs(Limits())
    channel = await rig.up()
    rig.transport.failures = [ConnectFailed("refused") for _ in range(8)]
    channel.lose(LinkLost("cut"))
    await rig.back()
    await rig.report(AgentBackReport)
    assert longest_s == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0], (
        "any time up to it: they do not come together"
    )


async def test_attempts_to_reconnect_go_on_while_there_is_hope(rig: Rig) -> None:
    channel = await rig.up()
    rig.transport.failures = [ConnectFailed("refused") for _ in range(5)]
    channel.lose(LinkLost("cut"))
    channel = await rig.channel()
    channel.lose()  # a daemon about to leave: the bridge ends without a word
    await rig.back()
    await rig.report(AgentBackReport)
    assert rig.transport.opened == 8
    assert rig.kinds().count("AgentSilentReport") == 1


async def test_no_hope_after_the_lease(rigs: Callable[..., Rig]) -> None:
    rig = rigs(replace(FAST, stop_grace_s=0.0), lease_s=0.0)
    channel = await rig.up()
    rig.transport.failures = [ConnectFailed("refused")]
    channel.lose(LinkLost("cut"))
    assert (await rig.report(AgentLossReport)).message == "cut; refused"


async def test_no_second_attempt_with_a_key_that_is_refused(rig: Rig) -> None:
    channel = await rig.up()
    rig.transport.failures = [AuthFailed("no key fits")]
    channel.lose(LinkLost("cut"))
    assert (await rig.report(AgentLossReport)).message == "cut; no key fits"


@pytest.mark.fault(27, 40)
async def test_another_daemon_means_that_the_first_has_died(rig: Rig) -> None:
    channel = await rig.up()
    rig.link.run(AttemptId.parse("s/a@one#1"), "own.noop", {}, None)
    channel.say("finished", seq=1, id="s/z@one#1", state="ok", result=None)
    channel.lose()
    channel, _hello = await rig.back(pid=2)
    assert "had died" in (await rig.report(AgentLossReport)).message
    stop = await channel.expect("stop")
    assert (stop["seq"], stop["grace_s"]) == (1, 0.0)
    assert not channel.received, "nothing of what the first was told is repeated"
    channel.say("hb", n=1)
    assert "AgentBackReport" not in rig.kinds(), "what the other one says is no word of the one that is lost"


@pytest.mark.fault(5, 31)
async def test_an_attempt_to_reattach_ends_with_the_lease_whatever_it_takes(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = rigs(replace(FAST, greeting_s=3600.0, stop_grace_s=0.0))
    channel = await rig.up()
    channel.lose(LinkLost("cut"))
    held = await rig.channel()
    held.boot()
    await held.expect("hello")  # a daemon that stands still takes the greeting, and does not answer
    now_s = rig.link._loop.time
    monkeypatch.setattr(rig.link._loop, "time", lambda: now_s() + 1000)
    assert "its lease is over" in (await rig.report(AgentLossReport)).message
    assert held.is_aborted


@pytest.mark.fault(5, 31)
async def test_a_turn_that_does_not_come_ends_with_the_lease_too(rigs: Callable[..., Rig]) -> None:
    rig = rigs(replace(FAST, stop_grace_s=0.0), lease_s=0.1)
    channel = await rig.up()
    rig.turn.clear()
    channel.lose(LinkLost("cut"))
    await rig.report(AgentLossReport)


@pytest.mark.fault(36)
async def test_somebody_else_has_the_run_now(rig: Rig) -> None:
    channel = await rig.up()
    channel.lose(LinkLost("cut"))
    channel = await rig.channel()
    channel.boot()
    await channel.expect("hello")
    channel.say("reject", code="epoch_stale", detail="attachment 7 was here already")
    channel.lose()
    assert "attachment 7" in (await rig.report(AgentLossReport)).message


@pytest.mark.fault(35)
async def test_only_where_the_daemon_was(rig: Rig) -> None:
    channel = await rig.up(birth="born")
    assert "--birth" not in rig.transport.argv
    channel.lose(LinkLost("cut"))
    await rig.back(birth="born")
    assert rig.transport.argv[-4:] == ["--birth", "born", "--at", "/home/one"]
