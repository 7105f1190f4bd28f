"""Links in numbers: a thousand at once, and one whose connection is cut again and again."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import pytest
from fake_daemon import Rig

from octogram_tui.engine.stimuli import (
    AgentBackReport,
    AgentEndReport,
    AgentSilentReport,
    AttemptReport,
)
from octogram_tui.errors import LinkLost

CUTS = 300


@pytest.mark.fault(98)
async def test_a_thousand_agents_come_up_work_and_stop(rigs: Callable[..., Rig]) -> None:
    many = [rigs() for _ in range(1000)]

    async def life(rig: Rig) -> None:
        channel = await rig.up()
        rig.tell("s/j@one#1")
        await channel.expect("run")
        channel.say("finished", seq=1, id="s/j@one#1", state="ok", result=None)
        assert (await rig.report(AttemptReport)).state == "ok"
        rig.link.stop(force=False)
        await channel.expect("stop")
        channel.say("stopped", seq=2, remaining=[])
        assert (await rig.report(AgentEndReport)).is_clean

    await asyncio.gather(*map(life, many))
    assert {tuple(rig.kinds()) for rig in many} == {("AgentUpReport",)}


@pytest.mark.fault(100)
async def test_a_connection_that_is_cut_for_days_leaves_nothing_behind(rig: Rig) -> None:
    """A job that lasts, and a cut each minute: what there is after ten of them is what there is after all."""
    channel = await rig.up(birth="b")
    rig.tell("s/j@one#1")
    await channel.expect("run")
    counts: list[tuple[int, int]] = []
    for number in range(1, CUTS + 1):
        channel.lose(LinkLost("cut"))
        await rig.report(AgentSilentReport)
        channel, _ = await rig.back(birth="b", rx=1)
        await rig.report(AgentBackReport)
        if number in (10, CUTS):
            gc.collect()
            counts.append((len(asyncio.all_tasks()), len(gc.get_objects())))
    channel.say("finished", seq=1, id="s/j@one#1", state="ok", result=None)
    assert (await rig.report(AttemptReport)).state == "ok"
    (tasks, objects), (tasks_then, objects_then) = counts
    assert tasks_then == tasks
    assert objects_then - objects < CUTS / 2
