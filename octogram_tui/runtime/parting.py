"""How a link ends: the daemon is told to stop everything, and what becomes of that is reported in bounded time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from octogram_tui.engine.stimuli import AgentEndReport

if TYPE_CHECKING:
    from octogram_tui.runtime.link import Link


DRAIN_LOOK_S = 2.0


class Parting:
    """The end of one link."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._limits = link.settings.limits
        self._task: asyncio.Task[None] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the agent was told to stop, or is about to be."""
        return self._task is not None

    def begin(self, *, force: bool) -> None:
        """Stop, once; by force also while a stop without it is under way."""
        if self._task is not None:
            if not force:
                return
            self._task.cancel()
        self._link.attaching.hurry.set()
        self._task = asyncio.get_running_loop().create_task(self._stop(force), name=f"stop {self._link.spec.name}")

    async def wait(self) -> None:
        """Wait until the end is reported."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Break it off, if it still goes on."""
        await self._link.cancel_task(self._task)

    async def _stop(self, force: bool) -> None:
        link = self._link
        try:
            ended = await self._end(force)
        except Exception as error:  # ours: it must not leave the run waiting
            link.tell_defect(error)
            message = self._unconfirmed(f"a defect of octogram-tui: {type(error).__name__}: {error}")
            ended = AgentEndReport(link.spec.name, is_clean=False, message=message)
        link.is_over = True
        link.report(ended)

    async def _end(self, force: bool) -> AgentEndReport:
        link, limits = self._link, self._limits
        name = link.spec.name
        boot_s = limits.forced_stop_s / 2 if force else limits.stop_boot_s
        if not link.was_up and not await self._comes_up(boot_s):
            message = self._unconfirmed("it did not answer our greeting") if link.attaching.is_greeted else ""
            return AgentEndReport(name, is_clean=not link.attaching.is_greeted, message=message)
        limit_s = limits.forced_stop_s if force else limits.stop_grace_s + limits.stop_slack_s
        if not link.is_connected and not force:
            limit_s += limits.stop_reattach_s
        if not link.is_over and not link.is_replaced:
            grace_s = 0.0 if force else limits.stop_grace_s
            link.send({"t": "stop", "grace_s": grace_s, "keep": link.settings.keep})
        try:
            answer = await self._answer(limit_s, 0.0 if force else limits.drain_s)
        except TimeoutError:
            cut = "" if link.is_connected else ", and the connection could not be made again"
            answer = {"lost": f"no confirmation within {limit_s:g} s{cut}"}
        link.inbox.ack_at_once()
        lost = answer.get("lost", "")
        remaining = tuple(answer.get("remaining") or ())
        return AgentEndReport(
            name,
            is_clean=not lost and not remaining,
            remaining=remaining,
            message=self._unconfirmed(lost) if lost else "",
        )

    async def _answer(self, limit_s: float, drain_s: float) -> dict[str, Any]:
        """Wait for the answer to `stop`; longer while log lines come. Raises TimeoutError."""
        inbox = self._link.inbox
        taken_bytes = inbox.taken_bytes
        while True:
            try:
                return await asyncio.wait_for(asyncio.shield(inbox.stopped), limit_s)
            except TimeoutError:
                if drain_s <= 0 or inbox.taken_bytes == taken_bytes:
                    raise
                taken_bytes = inbox.taken_bytes
                limit_s = min(drain_s, DRAIN_LOOK_S)
                drain_s -= limit_s

    async def _comes_up(self, within_s: float) -> bool:
        """Whether a daemon that was greeted answers in time; without a greeting it ends with its channel."""
        link = self._link
        if link.attaching.is_greeted and not link.is_over:
            try:
                async with asyncio.timeout(within_s):
                    await link.settled.wait()
            except TimeoutError:
                pass
        if not link.was_up:
            link.is_over = True
            await link.cancel_task(link.task)
        return link.was_up

    def _unconfirmed(self, why: str) -> str:
        return f"{why}; its lease ends what is left within {self._link.settings.lease_s:.0f} s"
