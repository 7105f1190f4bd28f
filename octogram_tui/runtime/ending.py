"""Ends agents of a run whose process is gone: each is reached as the run did, stopped, and asked what remains."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from octogram_tui.engine.stimuli import AgentEndReport, AgentLossReport, AgentUpReport, StartFailureReport, Stimulus
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.runtime.driver import HEARTBEAT_S
from octogram_tui.runtime.link import Link
from octogram_tui.runtime.terms import NOBODY, Before, LinkSettings
from octogram_tui.transport.pool import Transports

AT_ONCE = 32


async def end_agents(
    specs: Sequence[AgentSpec], transports: Transports, settings: LinkSettings, before: Mapping[str, Before]
) -> dict[str, str]:
    """End the daemons of these agents with all that they run. Gives by agent why it is not known to be clean, or ''.

    before: the daemons of those that are not where a new one would look for them.
    """
    limit = asyncio.Semaphore(AT_ONCE)

    async def end(spec: AgentSpec) -> str:
        async with limit:
            return await _end(spec, transports, settings, before.get(spec.name, NOBODY))

    answers = await asyncio.gather(*(end(spec) for spec in specs))
    return {spec.name: answer for spec, answer in zip(specs, answers, strict=True)}


async def _end(spec: AgentSpec, transports: Transports, settings: LinkSettings, before: Before) -> str:
    """End one daemon. Where there is none, one is started: it ends what its predecessor left, and says so."""
    came: asyncio.Queue[Stimulus] = asyncio.Queue()
    transport = transports.transport_for(spec)
    link = Link(
        spec,
        transport,
        settings,
        came.put_nowait,
        lambda on_wait: transports.boot(spec, transport, on_wait),
        before=before,
    )
    beating = asyncio.create_task(_beat(link))
    link.start()
    try:
        while True:
            match await came.get():
                case AgentUpReport() | AgentLossReport():
                    link.stop(force=False)
                case StartFailureReport() as failure:
                    return failure.message
                case AgentEndReport() as ended:
                    if ended.remaining:
                        return "these remain: " + ", ".join(f"{one['name']} ({one['pid']})" for one in ended.remaining)
                    return "" if ended.is_clean else ended.message
    finally:
        beating.cancel()
        await link.close()


async def _beat(link: Link) -> None:
    """Give signs of life while its processes have time to end."""
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        link.beat()
