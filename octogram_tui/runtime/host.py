"""The process of a run: engine, journal, links, control socket, signals, file watch. It outlives any console."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from octogram_tui import garbage
from octogram_tui.dataclass import dataclass
from octogram_tui.engine.effects import StartAgent
from octogram_tui.engine.events import Event, StopRequested
from octogram_tui.engine.invariants import check
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.stimuli import BeginRequest, EditReport, Stimulus, StopRequest, TakeUpRequest, TroubleReport
from octogram_tui.engine.verdict import exit_code
from octogram_tui.errors import ExitCode, JournalError
from octogram_tui.journal import archive, claim, presence, reader, texts, timings, token
from octogram_tui.journal.left import ENDING_S
from octogram_tui.journal.writer import JournalWriter
from octogram_tui.model.scenario import Scenario
from octogram_tui.projection.estimate import Stopwatch
from octogram_tui.runtime.bus import Bus, Subscriber
from octogram_tui.runtime.control import ControlServer
from octogram_tui.runtime.desk import Desk
from octogram_tui.runtime.driver import Driver
from octogram_tui.runtime.errands import Errands
from octogram_tui.runtime.intake import Intake
from octogram_tui.runtime.link import Link
from octogram_tui.runtime.log_share import LogShare
from octogram_tui.runtime.masks import EventMasks, Reveals
from octogram_tui.runtime.process import be_present, beside, raise_file_limit, tell_failure
from octogram_tui.runtime.shutdown import Signals, StopBound
from octogram_tui.runtime.space import SpaceWatch
from octogram_tui.runtime.starter import Starters
from octogram_tui.runtime.terms import Before, LinkSettings
from octogram_tui.runtime.watch import ScenarioFiles, watch_scenario
from octogram_tui.runtime.whereabouts import Guide, Reaching
from octogram_tui.secrecy.vault import Vault
from octogram_tui.transport.pool import Transports

if TYPE_CHECKING:  # what is for a run that has a console, or goes on
    from octogram_tui.journal.breakpoints import KeptBreakpoints
    from octogram_tui.runtime.taking_up import TakingUp

LINGER_CHECK_S = 1.0
SHORTEST_LINGER_CHECK_S = 0.05
BATCH = 1000


@dataclass(frozen=True, slots=True)
class HostSettings:
    """How a run is hosted, beside what it does.

    stop_s: how long the end may take once the run was asked to stop; what is left then is ended by force.
    linger_s: how long a run that waits, for whatever reason, does so with nobody there who could act.
    hold_s: how long it does so at a breakpoint or a failure, where that differs.
    text: of the scenario as it was read, to be kept with the journal.
    keep: keeps what else the run is made of, once its directory is known to be its own. May raise JournalError.
    vault: has the secrets; the scenario that is hosted has their values already.
    transports: the ways to its machines, where they have been begun with in the loop that hosts it.
    again: how a run goes on whose process has died; without it a new one begins.
    """

    run_dir: Path
    socket: Path
    lease_s: float
    text: str = ""
    ssh_config: str | None = None
    accept_new: bool = False
    force_local: bool = False
    keep_homes: bool = False
    linger_s: float = 3600.0
    stop_s: float = 30.0
    hold_s: float | None = None
    kept_breakpoints: KeptBreakpoints | None = None
    checks_engine: bool = False  # the engine's invariants, after every stimulus
    reload: Callable[[], Scenario] | None = None
    keep: Callable[[RunOptions], None] | None = None
    vault: Vault = field(default_factory=Vault)
    transports: Transports | None = None
    again: TakingUp | None = None


class _Course(NamedTuple):
    """What is driven: an engine, how long its run has gone on, how often it was taken up, what it is told first."""

    engine: Engine
    at_s: float
    take_up: int
    first: tuple[Stimulus, ...]


class Host:
    """Hosts one run."""

    def __init__(
        self,
        scenario: Scenario,
        options: RunOptions,
        settings: HostSettings,
        subscribers: Sequence[Subscriber] = (),
        signals: Signals | None = None,
        recall: Callable[[Sequence[Event]], None] | None = None,
        join: Callable[[], Sequence[Subscriber]] | None = None,
    ) -> None:
        """Take what is to be hosted.

        recall: takes what happened before a run was taken up again. join: gives further subscribers once it is certain
        that it is: until then nothing may touch what they write.
        """
        self._scenario = scenario
        self._options = options
        self._settings = settings
        self._bus = Bus()
        for subscriber in subscribers:
            self._bus.subscribe(subscriber)
        self._recall = recall
        self._join = join
        self._stopwatch = Stopwatch()
        self._was_asked_to_stop = False  # before it was taken up again
        self._token = ""  # of the run, for its agents
        self._signals = signals  # held back by whoever goes on when the run is over; else they are ours

    async def run(self, on_open: Callable[[], None] | None = None) -> int:
        """Host the run to its end; gives its exit code. Raises JournalError when it cannot even begin.

        on_open: called once the control socket answers.
        """
        if self._signals is not None:
            return await self._run(self._signals, on_open)
        with Signals() as signals:
            return await self._run(signals, on_open)

    async def _run(self, signals: Signals, on_open: Callable[[], None] | None) -> int:
        settings = self._settings
        given = raise_file_limit()
        drivers: list[Driver] = []

        def on_synced(_seq: int) -> None:
            _tell_synced(drivers)

        path = settings.run_dir / archive.JOURNAL
        lived_s = presence.last_s(settings.run_dir, archive.JOURNAL)  # before the journal is touched
        if settings.again is not None:
            journal = JournalWriter.go_on(path, on_synced=on_synced)
        else:
            journal = JournalWriter(path, run=self._options.run, version=self._options.version, on_synced=on_synced)
        claim.release(settings.run_dir)
        try:
            course = self._begin() if settings.again is None else self._take_up(settings.again, journal, lived_s)
        except BaseException:
            journal.close()
            raise
        scenario = self._scenario
        transports = settings.transports or Transports(
            ssh_config=settings.ssh_config, accept_new=settings.accept_new, force_local=settings.force_local
        )
        transports.files = given
        driver = self._make_driver(journal, transports, course)
        drivers.append(driver)
        if any(transports.kind_of(spec) == "slurm" for spec in scenario.everybody):
            from octogram_tui.runtime import allocating

            allocating.run_in_slurm(
                transports, scenario, self._options.run, settings.lease_s, driver, is_again=course.take_up > 0
            )
        files = None
        if settings.reload is not None:
            engine = driver.engine
            files = ScenarioFiles(scenario, settings.reload, driver.submit, lambda: engine.core.scenario.digest)
        desk = Desk(driver.read_log, files, driver.engine, driver.aside, self._guide(driver))
        reveals = Reveals(settings.vault, driver.submit, desk.answer)
        control = ControlServer(self._options.run, settings.run_dir / archive.JOURNAL, reveals.submit, reveals.answer)
        self._bus.subscribe(lambda _: control.wake())
        journal.tell_space_to(SpaceWatch(settings.run_dir, driver.submit, lambda: control.is_attended).take)
        self._bus.subscribe(self._time)
        background: list[asyncio.Task[None]] = []
        settling: asyncio.Future[None] | None = None
        lost: list[JournalError] = []
        bound = StopBound(settings.stop_s, driver.submit)
        self._bus.subscribe(bound.apply)
        if self._was_asked_to_stop:
            bound.begin()
        signals.listen(driver.submit, self._parting())
        background.append(asyncio.create_task(be_present(settings.run_dir)))
        try:
            try:
                archive.make_socket_place(settings.socket)
                await control.start(settings.socket)
            except OSError as error:
                raise JournalError(
                    f"cannot make the run's control socket {settings.socket}: {error.strerror or error}"
                ) from error
            if on_open is not None:
                on_open()
            if files is not None:
                background.append(beside(watch_scenario(files), "edits of the scenario are not seen any more"))
            background.append(
                beside(
                    self._linger(driver, control),
                    "the run is not ended any more when nobody attends to it",
                )
            )
            for stimulus in course.first:
                driver.submit(stimulus)
            transports.tell_to(lambda message: driver.submit(TroubleReport(message)))
            settings.vault.tell_to(lambda message: driver.submit(TroubleReport(message)))
            if settings.kept_breakpoints is not None:
                self._bus.subscribe(settings.kept_breakpoints.apply)
                settings.kept_breakpoints.tell_to(lambda message: driver.submit(TroubleReport(message)))
            garbage.settle_to_grow()
            code = await driver.done
            with contextlib.suppress(RuntimeError):  # no thread can be made: `close` does it
                settling = asyncio.get_running_loop().run_in_executor(None, journal.settle)
            if driver.failure is not None:
                tell_failure(driver.failure, driver.unclean)
        finally:
            bound.close()
            if files is not None:
                files.close()
            for task in background:
                task.cancel()
            async with contextlib.AsyncExitStack() as closing:  # in reverse order, each one whatever the others do
                closing.callback(signals.release)  # last: Ctrl-C while all this ends must not break it off
                closing.callback(archive.remove_socket, settings.socket)
                closing.push_async_callback(control.close)
                closing.callback(_leave_timings, settings.run_dir, self._stopwatch)
                closing.callback(_close_journal, journal, lost)
                if settling is not None:
                    closing.push_async_callback(asyncio.wait, [settling])
                closing.push_async_callback(transports.close)
                closing.push_async_callback(driver.close)
        if lost and driver.failure is None:
            tell_failure(lost[0], {})
            return exit_code([code, ExitCode.IO])
        return code

    def _begin(self) -> _Course:
        """Begin a new run. Raises JournalError."""
        settings, scenario = self._settings, self._scenario
        started_wall = _now()
        archive.write_info(
            settings.run_dir,
            archive.RunInfo(
                run=self._options.run,
                scenario=os.path.abspath(scenario.path),
                pid=os.getpid(),
                started_wall=started_wall,
                socket=str(settings.socket),
                version=self._options.version,
                host=os.uname().nodename,
                lease_s=settings.lease_s,
            ),
        )
        if settings.keep is not None:
            settings.keep(self._options)
        self._token = token.make(settings.run_dir)
        texts.keep_first(settings.run_dir, scenario.path, settings.text)
        begin = BeginRequest(started_wall, os.uname().nodename, texts.commit_of(scenario.path))
        return _Course(Engine(scenario, self._options), 0.0, 0, (begin,))

    def _take_up(self, again: TakingUp, journal: JournalWriter, lived_s: float) -> _Course:
        """Go on with a run whose process has died, as its journal has it. Raises OctogramError."""
        run_dir = self._settings.run_dir
        path = run_dir / archive.JOURNAL
        down_s = max(0.0, time.time() - lived_s)
        restored = again.restore(path)
        journal.append(restored.unwritten)
        engine = restored.engine
        edited = again.edited(engine.core.scenario.digest)
        self._token = token.find(run_dir)
        before = archive.load(run_dir).info
        if self._join is not None:
            for subscriber in self._join():
                self._bus.subscribe(subscriber)
        archive.remove_socket(Path(before.socket))
        archive.write_info(
            run_dir,
            replace(
                before,
                pid=os.getpid(),
                socket=str(self._settings.socket),
                version=self._options.version,
                host=os.uname().nodename,
                lease_s=self._settings.lease_s,
            ),
        )
        self._scenario = engine.core.scenario if edited is None else edited
        for batch in _batches(reader.read(path)):
            self._time(batch)
            self._was_asked_to_stop = self._was_asked_to_stop or any(type(event) is StopRequested for event in batch)
            if self._recall is not None:
                self._recall(batch)
            if self._settings.kept_breakpoints is not None:
                self._settings.kept_breakpoints.recall(batch)
        request = TakeUpRequest(
            _now(),
            os.uname().nodename,
            self._options.version,
            round(down_s, 3),
            on_failure=again.on_failure,
            confirm=again.confirm,
            keep_alive=again.keep_alive,
            timeout_s=again.timeout_s,
        )
        first: tuple[Stimulus, ...] = (request,)
        if edited is not None:
            first = (request, EditReport(edited, is_asked=True))
        return _Course(engine, restored.at_s, restored.take_ups + 1, first)

    def _time(self, events: Sequence[Event]) -> None:
        for event in events:
            self._stopwatch.apply(event)

    def _parting(self) -> str:
        """Say what it means that the process leaves at once."""
        run, lease_s = self._options.run, self._settings.lease_s
        return (
            f"octogram-tui: run {run} was left at once: "
            f"its agents end what they run within {lease_s + ENDING_S:.0f} s\n"
            f"  end it now: octogram-tui clean {run}; go on with it: octogram-tui resume {run}\n"
        )

    def _guide(self, driver: Driver) -> Guide:
        settings = self._settings
        reaching = Reaching(settings.ssh_config, settings.accept_new, settings.force_local)
        return Guide(driver.engine, driver.links, settings.run_dir / archive.JOURNAL, reaching, driver.aside)

    def _make_driver(self, journal: JournalWriter, transports: Transports, course: _Course) -> Driver:
        scenario = self._scenario
        link_settings = LinkSettings(
            run=self._options.run,
            lease_s=self._settings.lease_s,
            source=scenario.binary,
            keep=self._settings.keep_homes,
            procedures=[{"path": p.path, "source": p.source} for p in scenario.own_procedures],
            token=self._token,
            take_up=course.take_up,
            trace=self._options.trace,
        )
        errands = Errands(scenario.directory, str(self._settings.run_dir / "artifacts"))
        intake = Intake()
        disk = os.statvfs(self._settings.run_dir)
        share = LogShare(room_bytes=disk.f_bavail * disk.f_frsize)
        starters = Starters(transports, link_settings)

        def make_link(effect: StartAgent) -> Link:
            transport = transports.transport_for(effect.agent)
            return Link(
                effect.agent,
                transport,
                link_settings,
                driver.submit,
                lambda on_wait: transports.boot(effect.agent, transport, on_wait),
                before=Before(effect.birth, effect.home),
                share=share,
                starter=None if effect.birth else starters.of(effect.agent),
                when_safe=driver.when_safe,
                when_kept=driver.when_kept,
                intake=intake,
            )

        driver = Driver(
            course.engine,
            journal,
            self._bus,
            make_link,
            errands,
            check if self._settings.checks_engine else None,
            EventMasks(self._settings.vault.masker),
            at_s=course.at_s,
            end_allocation=lambda force: _end_allocation(transports, driver, force=force),
        )
        return driver

    async def _linger(self, driver: Driver, control: ControlServer) -> None:
        """Stop a run that waits for an operator when none has been there for long."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        waiting_since_s: float | None = None
        shortest_s = min(settings.linger_s, settings.linger_s if settings.hold_s is None else settings.hold_s)
        while True:
            await asyncio.sleep(min(LINGER_CHECK_S, max(shortest_s / 2, SHORTEST_LINGER_CHECK_S)))
            if control.is_attended or not driver.engine.is_waiting:
                waiting_since_s = None
                continue
            waiting_since_s = waiting_since_s or loop.time()
            is_held = settings.hold_s is not None and driver.engine.is_stopped_to_look
            limit_s = settings.hold_s if is_held and settings.hold_s is not None else settings.linger_s
            if loop.time() - waiting_since_s > limit_s:
                driver.submit(StopRequest("--on-break hold" if is_held else "linger", int(ExitCode.HELD)))
                return


def _end_allocation(transports: Transports, driver: Driver, *, force: bool) -> None:
    from octogram_tui.runtime import allocating

    allocating.end(transports, driver.submit, force=force)


def _tell_synced(drivers: list[Driver]) -> None:
    for driver in drivers:
        driver.synced()


def _close_journal(journal: JournalWriter, lost: list[JournalError]) -> None:
    try:
        journal.close()
    except JournalError as error:
        lost.append(error)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _batches(events: Iterator[Event]) -> Iterator[list[Event]]:
    while batch := list(islice(events, BATCH)):
        yield batch


def _leave_timings(run_dir: Path, stopwatch: Stopwatch) -> None:
    """Leave what later runs of the scenario can expect."""
    past = stopwatch.past()
    if past is not None:
        timings.write(run_dir, past.record())
