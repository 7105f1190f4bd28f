"""Feeds the engine: in the event loop, or beside it once there is a template that may take long.

Then the loop goes on meanwhile: heartbeats, signals, consoles. The engine is still used by one at a time, since all who
feed it or look at it stand in one line.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from octogram_tui.engine.events import Event
from octogram_tui.engine.machine import Engine, Outcome
from octogram_tui.engine.stimuli import Stimulus, TakeUpRequest
from octogram_tui.template import bound

if TYPE_CHECKING:
    from octogram_tui.runtime.early_output import EarlyOutput

Fed = Callable[[Sequence[Event]], None]
"""Called once a stimulus has been fed and the journal has what came of it: the events of this one."""

Handed = tuple[Stimulus, Fed | None]
Seen = TypeVar("Seen")


class Turn(NamedTuple):
    """One stimulus and what came of it. seq: of the last event before."""

    stimulus: Stimulus
    told: Fed | None
    seq: int
    outcome: Outcome


class Batch(NamedTuple):
    """What came of feeding several, up to the one at which it was enough for a turn of the loop, the engine failed, or
    was given up for the run to stop.

    left: what was not fed any more.
    """

    at_s: float
    turns: list[Turn]
    left: list[Handed]
    failure: Exception | None = None


class Feeding:
    """The one way to the engine of a run."""

    def __init__(self, engine: Engine, check: Callable[[Engine], None] | None) -> None:
        self._engine = engine
        self._check = check
        self._early: EarlyOutput | None = None  # of a run that was taken up again
        self._thread: ThreadPoolExecutor | None = None

    @property
    def may_last(self) -> bool:
        """Whether it is to be done beside the event loop."""
        return bound.is_expected()

    def feed(self, handed: list[Handed], at_s: float) -> Batch:
        """Feed one after the other, until there is nothing more, or it is as much as a turn of the loop may do."""
        turns: list[Turn] = []
        steps = 0
        waiting = deque(handed)
        while waiting:
            stimulus, told = waiting.popleft()
            if type(stimulus) is TakeUpRequest:
                from octogram_tui.runtime.early_output import EarlyOutput  # few runs have any use for it

                self._early = EarlyOutput(self._engine.ahead)
            elif self._early is not None and self._early.keeps(stimulus):
                continue
            seq = self._engine.core.seq
            try:
                outcome = self._engine.feed(stimulus, at_s)
                turns.append(Turn(stimulus, told, seq, outcome))
                if self._check is not None:
                    self._check(self._engine)
            except Exception as error:
                return Batch(at_s, turns, list(waiting), error)
            if self._early is not None:
                waiting.extendleft((report, None) for report in reversed(self._early.due()))
            steps += 1 + bound.STEPS - self._engine.core.turn.left
            if steps >= bound.STEPS or "stopped" in outcome.bounds.values():
                return Batch(at_s, turns, list(waiting))
        return Batch(at_s, turns, [])

    async def aside(self, look: Callable[[], Seen]) -> Seen:
        """Look at the engine while nobody feeds it; it has to be left as it is."""
        if not self.may_last:
            return look()
        return await asyncio.get_running_loop().run_in_executor(self._line(), look)

    async def feed_aside(self, handed: list[Handed], at_s: float) -> Batch:
        """Feed beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._line(), self._feed, bound.stops(), handed, at_s)

    def _feed(self, stops: int, handed: list[Handed], at_s: float) -> Batch:
        with bound.since(stops):
            return self.feed(handed, at_s)

    def _line(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        return self._thread

    def close(self) -> None:
        """Let go of the thread; what it evaluates is given up."""
        if self._thread is not None:
            bound.give_up()
            self._thread.shutdown(wait=False, cancel_futures=True)
