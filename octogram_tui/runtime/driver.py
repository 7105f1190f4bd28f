"""One queue of stimuli in, effects out: the only caller of `Engine.feed`, and the only place where a run's time passes.

The order is always the same: feed, write the journal, tell everybody, carry out the effects.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from octogram_tui.engine.effects import (
    ArmTimer,
    CancelJob,
    DisarmTimer,
    Effect,
    EndRun,
    SendJob,
    StartAgent,
    StopAgent,
)
from octogram_tui.engine.events import Event
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.stimuli import AttemptEnded, Stimulus, TimerFired
from octogram_tui.errors import ExitCode, OctogramError
from octogram_tui.runtime.bus import Bus
from octogram_tui.runtime.errands import Errands
from octogram_tui.runtime.link import Link

HEARTBEAT_S = 5.0


class Journal(Protocol):
    """What the driver needs of the journal."""

    def append(self, events: list[Event]) -> None:
        """Write events before anybody is told. Raises JournalError."""
        ...


class Driver:
    """Drives one engine to its end."""

    def __init__(
        self, engine: Engine, journal: Journal, bus: Bus, make_link: Callable[[StartAgent], Link], errands: Errands,
        check: Callable[[Engine], None] | None = None,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._bus = bus
        self._make_link = make_link
        self._errands = errands
        self._check = check
        self._loop = asyncio.get_running_loop()
        self._started_s = self._loop.time()
        self._queue: deque[Stimulus] = deque()
        self._is_pumping = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._heartbeat: asyncio.TimerHandle | None = None
        self.links: dict[str, Link] = {}
        self.done: asyncio.Future[int] = self._loop.create_future()
        self.failure: BaseException | None = None

    @property
    def engine(self) -> Engine:
        """The engine, to be looked at only."""
        return self._engine

    def submit(self, stimulus: Stimulus) -> None:
        """Hand in a stimulus; all that come in one turn of the event loop are fed together."""
        self._queue.append(stimulus)
        if not self._is_pumping:
            self._is_pumping = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._is_pumping = False
        if self.done.done():
            self._queue.clear()
            return
        events: list[Event] = []
        effects: list[Effect] = []
        at_s = round(self._loop.time() - self._started_s, 6)
        try:
            while self._queue:
                outcome = self._engine.feed(self._queue.popleft(), at_s)
                events += outcome.events
                effects += outcome.effects
                if self._check is not None:
                    self._check(self._engine)
            self._journal.append(events)
        except Exception as error:
            self._break(error)
            return
        if events:
            self._bus.publish(events)
        for effect in effects:
            self._carry_out(effect)

    def _break(self, error: Exception) -> None:
        """The engine or the journal failed: no more dispatch, but the agents are still stopped and cleaned."""
        self.failure = error
        code = error.exit_code if isinstance(error, OctogramError) else ExitCode.BUG
        for link in self.links.values():
            link.stop(force=False)
        self._loop.create_task(self._end_broken(int(code)))

    async def _end_broken(self, code: int) -> None:
        stopping = [link.stopped() for link in self.links.values()]
        if stopping:
            await asyncio.wait([asyncio.ensure_future(s) for s in stopping], timeout=30)
        if not self.done.done():
            self.done.set_result(code)

    # -- effects --------------------------------------------------------------------------------------------------

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case SendJob(where="orchestrator"):
                self._errands.start(effect, self.links.get(effect.agent), self.submit)
            case SendJob():
                self._send(effect)
            case CancelJob(where="orchestrator"):
                self._errands.cancel(effect.attempt_id)
            case CancelJob():
                self.links[effect.agent].cancel(effect.attempt_id, effect.reason)
            case ArmTimer():
                self._arm(effect)
            case DisarmTimer():
                timer = self._timers.pop(effect.timer, None)
                if timer is not None:
                    timer.cancel()
            case StartAgent():
                link = self.links[effect.agent.name] = self._make_link(effect)
                link.start()
                if self._heartbeat is None:
                    self._heartbeat = self._loop.call_later(HEARTBEAT_S, self._beat)
            case StopAgent():
                self.links[effect.agent].stop(force=effect.force)
            case EndRun():
                self._end(effect.exit_code)

    def _send(self, effect: SendJob) -> None:
        try:
            self.links[effect.agent].run(
                effect.attempt_id, effect.procedure, effect.arguments, effect.timeout_s)
        except ValueError as error:  # NaN or infinity among the arguments: JSON has no words for them
            problem = {"kind": "arguments", "message": f"the arguments cannot be sent: {error}"}
            self.submit(AttemptEnded(effect.attempt_id, "failed", error=problem))

    def _arm(self, effect: ArmTimer) -> None:
        old = self._timers.pop(effect.timer, None)
        if old is not None:
            old.cancel()
        self._timers[effect.timer] = self._loop.call_later(effect.after_s, self._fire, effect.timer)

    def _fire(self, timer: str) -> None:
        self._timers.pop(timer, None)
        self.submit(TimerFired(timer))

    def _beat(self) -> None:
        self._heartbeat = self._loop.call_later(HEARTBEAT_S, self._beat)
        for link in self.links.values():
            link.beat()

    def _end(self, exit_code: int) -> None:
        if not self.done.done():
            self.done.set_result(exit_code)

    async def close(self) -> None:
        """Let go of timers, errands and links."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        for timer in self._timers.values():
            timer.cancel()
        await self._errands.close()
        if self.links:
            await asyncio.gather(*(link.close() for link in self.links.values()))
