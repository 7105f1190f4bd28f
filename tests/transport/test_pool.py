"""The first agent of a machine boots alone; the others follow together, whatever became of it."""

from __future__ import annotations

import asyncio

import pytest

from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport.pool import Transports

DEADLINE_S = 20.0


@pytest.mark.parametrize("fails", [False, True])
async def test_one_alone_then_all_together(fails: bool) -> None:
    transports = Transports()
    specs = [AgentSpec(AgentName(f"a{n}"), "10.0.0.1") for n in range(5)]
    inside: list[str] = []
    go_on = asyncio.Event()
    together = asyncio.Barrier(4)

    async def boot(spec: AgentSpec) -> None:
        async with transports.first_boot(spec):
            inside.append(spec.name)
            if len(inside) == 1:
                await go_on.wait()
                if fails:
                    raise OSError("no way there")
            else:
                await together.wait()

    async with asyncio.timeout(DEADLINE_S):
        booting = [asyncio.ensure_future(boot(spec)) for spec in specs]
        await asyncio.sleep(0.01)
        assert inside == ["a0"]
        go_on.set()
        outcomes = await asyncio.gather(*booting, return_exceptions=True)
    assert len(inside) == 5
    assert [type(outcome) for outcome in outcomes] == [OSError if fails else type(None)] + [type(None)] * 4
    await transports.close()
