"""One queue of stimuli in, effects out: fed by feeding.py, and the only place where a run's time passes.

The order is always the same: feed, mask what is secret, write the journal, tell everybody, carry out the effects.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from octogram_tui import faults
from octogram_tui.engine.effects import (
    ArmTimer,
    CancelJob,
    DisarmTimer,
    Effect,
    EndAllocation,
    EndRun,
    RecallJob,
    SendJob,
    StartAgent,
    StopAgent,
)
from octogram_tui.engine.events import Event
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.stimuli import AgentEndReport, AttemptReport, RecallReport, Stimulus, StopRequest, TimerReport
from octogram_tui.engine.timers import Timer
from octogram_tui.errors import ExitCode, LinkLost, OctogramError
from octogram_tui.journal.inputs import record_of
from octogram_tui.model.failure import ARGUMENTS, Failure
from octogram_tui.model.ids import AttemptId
from octogram_tui.runtime.bus import Bus
from octogram_tui.runtime.errands import Errands
from octogram_tui.runtime.feeding import Batch, Feeding, Handed, Turn
from octogram_tui.runtime.feeding import Fed as Fed
from octogram_tui.runtime.link import Link
from octogram_tui.runtime.verbs import LogQuery
from octogram_tui.template import bound
from octogram_tui.transport.base import TOGETHER

HEARTBEAT_S = 5.0
FAR_BEHIND_BYTES = 16 << 20  # of a disk: with so much to be synced, more is asked for only as it goes there
BROKEN_END_S = 30.0  # for the agents to stop once the engine or the journal has failed


class Journal(Protocol):
    """What the driver needs of the journal."""

    def append(self, events: list[Event], inputs: list[dict[str, Any]]) -> None:
        """Write events, and what was fed, before anybody is told. Raises JournalError."""
        ...

    @property
    def written_seq(self) -> int:
        """The last event that the system has."""
        ...

    @property
    def synced_seq(self) -> int:
        """The last event that is on the disk."""
        ...

    @property
    def unsynced_bytes(self) -> int:
        """How much of what was written is not on the disk, or has been there for a moment only."""
        ...


class Masks(Protocol):
    """What hides secrets: in what is stated, and, so that it can be read back, in what was fed."""

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to hide: then nobody has to be asked."""
        ...

    def mask(self, events: list[Event]) -> list[Event]:
        """Give events with masks in them."""
        ...

    def expect(self, events: Iterable[Event]) -> None:
        """Look through events that are about to be masked, for secrets that are set in them."""
        ...

    def seal(self, record: dict[str, Any]) -> dict[str, Any]:
        """Give an input line with seals in it."""
        ...


class Driver:
    """Drives one engine to its end. at_s: how long the run has gone on already, where it was taken up again."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        bus: Bus,
        make_link: Callable[[StartAgent], Link],
        errands: Errands,
        check: Callable[[Engine], None] | None = None,
        masks: Masks | None = None,
        *,
        at_s: float = 0.0,
        end_allocation: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._bus = bus
        self._make_link = make_link
        self._errands = errands
        self._feeding = Feeding(engine, check)
        self._masks = masks
        self._end_allocation = end_allocation
        self._loop = asyncio.get_running_loop()
        self._started_s = self._loop.time() - at_s
        self._queue: list[Handed] = []
        self._is_pumping = False
        self._aside: asyncio.Task[None] | None = None  # a feeding beside the loop
        self._unwritten: list[Callable[[], None]] = []  # who waits for what the queue leads to
        self._waiting_aside: list[Callable[[], None]] = []  # who waits for what is fed beside the loop
        self._unsynced: deque[tuple[int, Callable[[], None]]] = deque()  # who waits for the disk
        self._timers: dict[Timer, asyncio.TimerHandle] = {}
        self._heartbeat: asyncio.TimerHandle | None = None
        self.links: dict[str, Link] = {}
        self._gathering: list[Link] = []  # what they are sent in this turn is on its way at its end
        self.done: asyncio.Future[int] = self._loop.create_future()
        self.failure: BaseException | None = None
        self.unclean: dict[str, str] = {}  # agents that did not confirm their end after a failure of ours, and why
        self._ending: asyncio.Task[None] | None = None

    @property
    def engine(self) -> Engine:
        """The engine, to be looked at only."""
        return self._engine

    @property
    def aside(self) -> Callable[[Callable[[], Any]], Awaitable[Any]]:
        """The way to look at the engine while nothing moves it."""
        return self._feeding.aside

    def submit(self, stimulus: Stimulus, on_fed: Fed | None = None) -> None:
        """Hand in a stimulus; all that come in one turn of the event loop are fed together.

        on_fed: never called for what comes too late, or breaks the engine.
        """
        if self.failure is not None and isinstance(stimulus, StopRequest) and stimulus.force:
            for link in self.links.values():  # the engine is not there any more to order it
                link.stop(force=True)
        if self._aside is not None and isinstance(stimulus, StopRequest):
            bound.give_up()
        self._queue.append((stimulus, on_fed))
        if not self._is_pumping:
            self._is_pumping = True
            self._loop.call_soon(self._pump)

    def when_safe(self, then: Callable[[], None]) -> None:
        """Call back once all that was handed in so far, and what came of it, is on the disk."""
        self._when_written(partial(self._call_when_synced, then))

    def when_kept(self, then: Callable[[], None]) -> None:
        """Call back once all that was handed in so far is with the system, and the disk is not far behind."""
        self._when_written(partial(self._call_when_near, then))

    def _when_written(self, then: Callable[[], None]) -> None:
        if self._queue:
            self._unwritten.append(then)
        elif self._aside is not None:
            self._waiting_aside.append(then)
        else:
            then()

    def _call_when_near(self, then: Callable[[], None]) -> None:
        if self._journal.unsynced_bytes > FAR_BEHIND_BYTES:
            self._call_when_synced(then)
        else:
            then()

    def _call_when_synced(self, then: Callable[[], None]) -> None:
        self._unsynced.append((self._journal.written_seq, then))
        self._synced()  # the journal's thread may have been quicker

    def synced(self) -> None:
        """More is on the disk: called from the journal's thread."""
        if self._unsynced:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._synced)

    def _synced(self) -> None:
        while self._unsynced and self._unsynced[0][0] <= self._journal.synced_seq:
            self._unsynced.popleft()[1]()

    def _pump(self) -> None:
        self._is_pumping = False
        if self.done.done() or self.failure is not None:
            self._note_unclean()
            self._queue.clear()
            return
        handed, self._queue = self._queue, []
        waiting, self._unwritten = self._unwritten, []
        at_s = round(self._loop.time() - self._started_s, 6)
        if self._feeding.may_last:
            handed.sort(key=_is_no_stop)
            self._is_pumping = True
            self._waiting_aside = waiting
            self._aside = self._loop.create_task(self._feed_aside(handed, at_s), name="feeding beside the loop")
        else:
            self._take(self._feeding.feed(handed, at_s), waiting)

    async def _feed_aside(self, handed: list[Handed], at_s: float) -> None:
        batch = await self._feeding.feed_aside(handed, at_s)
        self._aside = None
        self._is_pumping = False
        self._take(batch, self._waiting_aside)

    def _take(self, batch: Batch, waiting: list[Callable[[], None]]) -> None:
        """Write what came of it, tell it, and carry it out."""
        events: list[Event] = []
        inputs: list[dict[str, Any]] = []
        answers: list[tuple[Fed, list[Event]]] = []
        failure = batch.failure
        try:  # what was stated before the engine failed is told all the same
            masks = None if self._masks is None or self._masks.is_idle else self._masks
            if masks is not None:
                masks.expect(event for turn in batch.turns for event in turn.outcome.events)
            for turn in batch.turns:
                _, told, seq, outcome = turn
                stated = outcome.events if masks is None else masks.mask(outcome.events)
                # An end that is masked in its event is written, sealed.
                fed = turn.stimulus if stated else self._as_written(turn, batch)
                record = record_of(fed, batch.at_s, seq, stated, outcome.bounds)
                if record is not None:
                    inputs.append(record if masks is None else masks.seal(record))
                events += stated
                if told is not None:
                    answers.append((told, stated))
            if not faults.IS_IDLE:
                faults.hit("driver.fed")
            self._journal.append(events, inputs)
            if not faults.IS_IDLE:
                faults.hit("driver.written")
            if batch.left:
                self._unwritten[:0] = waiting
            else:
                for then in waiting:
                    then()
            if events:
                self._bus.publish(events)
            for tell, came in answers:
                tell(came)
            if failure is None:
                for turn in batch.turns:
                    for effect in turn.outcome.effects:
                        self._carry_out(effect)
        except Exception as error:
            failure = failure or error
        if self._gathering:
            with TOGETHER:
                for link in self._gathering:
                    link.deliver()
            self._gathering.clear()
        self._queue[:0] = batch.left
        if failure is not None:
            self._break(failure)
        elif self._queue and not self._is_pumping:
            self._is_pumping = True
            self._loop.call_soon(self._pump)

    def _as_written(self, turn: Turn, batch: Batch) -> Stimulus:
        """Give what was fed; of an end that is told again, as agents do to whoever takes the run up, only that it was.

        What such an attempt returned was written, and may be a secret that nobody knows any more.
        """
        fed, outcome = turn.stimulus, turn.outcome
        if not isinstance(fed, AttemptReport) or not isinstance(fed.attempt, AttemptId):
            return fed
        if outcome.events or outcome.effects or self._engine.instances.running(fed.attempt) is not None:
            return fed
        if fed.attempt in self._engine.ahead:
            return fed  # it is news: the run has yet to hear that what comes before it has ended
        instance = fed.attempt.instance
        if any(getattr(event, "instance", None) == instance for each in batch.turns for event in each.outcome.events):
            return fed  # it was kept for later, and has ended meanwhile
        return replace(fed, result=None, failure=None)

    def _break(self, error: Exception) -> None:
        """The engine, the journal or we failed: nothing more is fed, but the agents are still stopped and cleaned."""
        self.failure = error
        code = error.exit_code if isinstance(error, OctogramError) else ExitCode.BUG
        self._note_unclean()
        self._queue.clear()
        self._drop_timers()
        for link in self.links.values():
            link.stop(force=False)
        self._ending = self._loop.create_task(self._end_broken(int(code)))

    async def _end_broken(self, code: int) -> None:
        try:
            await self._errands.close()
            if self.links:
                stopping = [asyncio.ensure_future(link.stopped()) for link in self.links.values()]
                await asyncio.wait(stopping, timeout=BROKEN_END_S)
        finally:
            self._end(code)

    def _note_unclean(self) -> None:
        """Keep what the engine is not told any more, and the user has to know: agents that are not clean."""
        for stimulus, _ in self._queue:
            if isinstance(stimulus, AgentEndReport) and not stimulus.is_clean:
                self.unclean[stimulus.agent] = stimulus.message or "processes remain"

    # -- effects --------------------------------------------------------------------------------------------------

    def _carry_out(self, effect: Effect) -> None:
        if not faults.IS_IDLE:
            faults.hit(f"effect.{type(effect).__name__}")
        match effect:
            case SendJob(where="orchestrator"):
                self._errands.start(effect, self.links.get(effect.agent), self.submit)
            case SendJob():
                self._send(effect)
            case RecallJob():
                self.links[effect.agent].recall(effect.attempt, effect.after)
            case CancelJob(where="orchestrator"):
                self._errands.cancel(effect.attempt)
            case CancelJob():
                self.links[effect.agent].cancel(effect.attempt, effect.reason)
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
            case EndAllocation():
                self._end_allocation(effect.force)
            case EndRun():
                self._end(effect.exit_code)

    def _send(self, effect: SendJob) -> None:
        link = self.links[effect.agent]
        if link.gather():  # one write for all that it is to do now
            self._gathering.append(link)
        try:
            link.run(effect.attempt, effect.procedure, effect.arguments, effect.timeout_s, effect.mark, effect.after)
        except ValueError as error:  # NaN or infinity among the arguments: JSON has no words for them
            if effect.after is not None:  # that is told when it is its turn
                self.submit(RecallReport(effect.agent, effect.attempt, effect.after))
                return
            hint = "large texts travel as files: builtins.copy" if "the limit is" in str(error) else ""
            failure = Failure(ARGUMENTS, f"the arguments cannot be sent: {error}", hint)
            self.submit(AttemptReport(effect.agent, effect.attempt, "failed", failure=failure))

    def _arm(self, effect: ArmTimer) -> None:
        old = self._timers.pop(effect.timer, None)
        if old is not None:
            old.cancel()
        self._timers[effect.timer] = self._loop.call_later(effect.after_s, self._fire, effect.timer)

    def _fire(self, timer: Timer) -> None:
        self._timers.pop(timer, None)
        self.submit(TimerReport(timer))

    def _beat(self) -> None:
        self._heartbeat = self._loop.call_later(HEARTBEAT_S, self._beat)
        for link in self.links.values():
            link.beat()

    def _end(self, exit_code: int) -> None:
        if not self.done.done():
            self.done.set_result(exit_code)

    async def read_log(self, query: LogQuery) -> dict[str, Any]:
        """Read the end of a log at its agent, or what was left out: {problem}, or as LogEnd has it."""
        link = self.links.get(query.agent)
        if link is None:
            return {"problem": f"there is no agent {query.agent!r}"}
        try:
            if query.gap:
                end = await link.left_out(query.process, query.gap, query.first)
            else:
                end = await link.tail(query.process, query.size_bytes)
        except LinkLost as error:
            return {"problem": error.message}
        if end.trouble and not end.lines:
            return {"problem": f"agent {query.agent}: {end.trouble}"}
        return end._asdict()

    async def close(self) -> None:
        """Let go of timers, errands, links and the engine."""
        self._feeding.close()
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        self._drop_timers()
        await self._errands.close()
        if self.links:
            await asyncio.gather(*(link.close() for link in self.links.values()), return_exceptions=True)
        if self._ending is not None:
            await asyncio.wait([self._ending], timeout=1)

    def _drop_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()


def _is_no_stop(handed: Handed) -> bool:
    """Put what stops the run before what may take long."""
    return not isinstance(handed[0], StopRequest)
