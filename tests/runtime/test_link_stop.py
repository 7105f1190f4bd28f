"""How an agent is stopped: confirmed, not confirmed, by force, across a cut, after its daemon has died."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fake_daemon import FAST, HASTY, Rig

from octogram_tui.engine.stimuli import AgentBackReport, AgentEndReport, AgentLossReport, AgentSilentReport
from octogram_tui.errors import AuthFailed, ConnectFailed, LinkLost


async def test_a_stop_that_is_confirmed(rig: Rig) -> None:
    channel = await rig.up()
    rig.link.stop(force=False)
    stop = await channel.expect("stop")
    assert stop["grace_s"] == FAST.stop_grace_s
    channel.say("stopped", seq=1, remaining=[])
    assert await rig.report(AgentEndReport) == AgentEndReport("one")
    assert (await channel.expect("ack"))["seq"] == 1
    await rig.link.stopped()
    rig.link.stop(force=False)
    assert rig.kinds() == ["AgentUpReport"], "it is stopped once"


@pytest.mark.fault(47, 48)
async def test_what_remains_is_told(rig: Rig) -> None:
    channel = await rig.up()
    rig.link.stop(force=False)
    await channel.expect("stop")
    channel.say("stopped", seq=1, remaining=[{"pid": 7, "name": "sudo", "state": "EPERM"}])
    ended = await rig.report(AgentEndReport)
    assert (ended.is_clean, ended.remaining[0]["pid"]) == (False, 7)


async def test_a_stop_that_is_not_confirmed(rigs: Callable[..., Rig]) -> None:
    rig = rigs(HASTY)
    await rig.up()
    rig.link.stop(force=False)
    ended = await rig.report(AgentEndReport)
    assert not ended.is_clean
    assert "no confirmation within 0.4 s" in ended.message
    assert "its lease ends what is left within 60 s" in ended.message


async def test_force_overtakes_grace(rigs: Callable[..., Rig]) -> None:
    rig = rigs(replace(FAST, stop_grace_s=3600.0))
    channel = await rig.up()
    rig.link.stop(force=False)
    await channel.expect("stop")
    rig.link.stop(force=True)
    stop = await channel.expect("stop")
    assert (stop["seq"], stop["grace_s"]) == (2, 0.0)
    channel.say("stopped", seq=1, remaining=[])
    assert (await rig.report(AgentEndReport)).is_clean


async def test_forced_and_not_confirmed(rigs: Callable[..., Rig]) -> None:
    rig = rigs(replace(HASTY, stop_grace_s=3600.0))
    await rig.up()
    rig.link.stop(force=True)
    assert not (await rig.report(AgentEndReport)).is_clean


async def test_a_cut_before_the_stop_is_mended_at_once(rigs: Callable[..., Rig]) -> None:
    rig = rigs(replace(FAST, retry_s=3600.0, longest_retry_s=3600.0, stop_grace_s=10.0, stop_reattach_s=10.0))
    channel = await rig.up()
    channel.lose(LinkLost("cut"))
    await rig.report(AgentSilentReport)
    rig.transport.failures = [ConnectFailed("refused"), ConnectFailed("refused")]
    rig.link.stop(force=False)
    channel, _hello = await rig.back()
    assert (await channel.expect("stop"))["seq"] == 1
    channel.say("stopped", seq=1, remaining=[])
    assert (await rig.report(AgentEndReport)).is_clean


async def test_a_cut_between_stop_and_confirmation(rigs: Callable[..., Rig]) -> None:
    rig = rigs(replace(FAST, stop_grace_s=10.0))
    channel = await rig.up()
    rig.link.stop(force=False)
    await channel.expect("stop")
    channel.lose(LinkLost("cut"))
    channel, hello = await rig.back(rx=1)
    assert hello["rx"] == 0
    channel.say("stopped", seq=1, remaining=[])
    assert (await rig.report(AgentEndReport)).is_clean
    await rig.report(AgentBackReport)
    assert not channel.received or channel.received[-1]["t"] == "ack"


async def test_a_daemon_that_has_left_is_vouched_for_by_the_next(rigs: Callable[..., Rig]) -> None:
    rig = rigs(replace(FAST, stop_grace_s=10.0))
    channel = await rig.up()
    rig.link.stop(force=False)
    await channel.expect("stop")
    channel.lose(LinkLost("cut"))
    channel = await rig.channel()
    channel.lose()  # the old one was just leaving
    channel, _hello = await rig.back(pid=2)
    assert (await channel.expect("stop"))["seq"] == 1
    channel.say("stopped", seq=1, remaining=[])
    assert await rig.report(AgentEndReport) == AgentEndReport("one")
    assert "AgentLossReport" not in rig.kinds()


async def test_a_connection_that_stays_down(rigs: Callable[..., Rig]) -> None:
    rig = rigs(HASTY)
    channel = await rig.up()
    rig.transport.failures = [ConnectFailed("refused") for _ in range(100_000)]
    channel.lose(LinkLost("cut"))
    await rig.report(AgentSilentReport)
    rig.link.stop(force=False)
    ended = await rig.report(AgentEndReport)
    assert not ended.is_clean
    assert "could not be made again" in ended.message


async def test_a_connection_that_is_refused_at_the_end(rig: Rig) -> None:
    channel = await rig.up()
    rig.link.stop(force=False)
    await channel.expect("stop")
    rig.transport.failures = [AuthFailed("no key fits")]
    channel.lose(LinkLost("cut"))
    ended = await rig.report(AgentEndReport)
    assert not ended.is_clean
    assert "cut; no key fits" in ended.message
    assert "AgentLossReport" not in rig.kinds()


async def test_an_agent_that_is_lost_already(rig: Rig) -> None:
    channel = await rig.up()
    rig.transport.failures = [AuthFailed("no key fits")]
    channel.lose(LinkLost("cut"))
    await rig.report(AgentLossReport)
    rig.link.stop(force=False)
    assert not (await rig.report(AgentEndReport)).is_clean


async def test_an_agent_whose_daemon_died_is_clean_when_the_next_says_so(rig: Rig) -> None:
    channel = await rig.up()
    channel.lose()
    channel, _hello = await rig.back(pid=2)
    await rig.report(AgentLossReport)
    await channel.expect("stop")
    channel.say("stopped", seq=1, remaining=[])
    channel.lose()
    rig.link.stop(force=False)
    assert (await rig.report(AgentEndReport)).is_clean


async def test_a_defect_while_stopping_is_told(
    rig: Rig, defects: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.up()
    monkeypatch.setattr(rig.link, "send", lambda _: 1 / 0)
    rig.link.stop(force=False)
    ended = await rig.report(AgentEndReport)
    assert not ended.is_clean
    assert "ZeroDivisionError" in ended.message
    assert len(defects) == 1
    defects.clear()


async def test_closed_without_a_stop(rig: Rig) -> None:
    channel = await rig.up()
    await rig.link.close()
    assert channel.has_eof
