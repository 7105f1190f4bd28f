"""Plain lines on the standard output: what a log of a CI service, a pipe or a dumb terminal shows of a run.

No text from outside begins a line or reaches the terminal raw, so that no output of a job can be taken for a command of
the CI service or of the terminal.
"""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TextIO

from octogram_agentd.network.endpoint import Endpoint
from octogram_tui.engine import events as ev
from octogram_tui.model.failure import NO_REASON
from octogram_tui.model.ids import AttemptId, InstanceId
from octogram_tui.projection.breakpoints import BreakpointList
from octogram_tui.projection.causes import cause_of
from octogram_tui.projection.stale import went_back
from octogram_tui.projection.summary import Summary
from octogram_tui.projection.tails import Tails
from octogram_tui.report import phrases
from octogram_tui.report.closing import NO_REPEATS, Closing, Repeats
from octogram_tui.report.plainlog import NORMAL, VERBOSE, PlainLog, Style
from octogram_tui.report.pulse import Pulse

if TYPE_CHECKING:
    from octogram_tui.report.job_lines import JobLines

TAIL_LINES = 20
TAIL_BYTES_IN_ALL = 4 * 1024 * 1024
SILENCE_S = 29.0  # after which a sign of life is due; with the time between two looks it stays below 30
LOOK_EVERY_S = 0.5
_OF_JOBS = frozenset((ev.JobStarted, ev.JobFinished, ev.JobOutput, ev.JobProgress))
"""The most frequent events, of which not every fold has to hear."""


class Progress:
    """Says what happens, one line for each thing, and sums up at the end.

    files: what was written where, for the closing block, such as {"journal": "/..."}.
    repeats: the commands that do it once more; none when this is no run but the replay of one.
    """

    def __init__(
        self,
        stream: TextIO,
        style: Style,
        *,
        files: Mapping[str, str] | None = None,
        repeats: Repeats = NO_REPEATS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = PlainLog(stream, style)
        self._style = style
        self._summary = Summary()
        self._tails = Tails(lines=TAIL_LINES, bytes_in_all=TAIL_BYTES_IN_ALL)
        self._breakpoints = BreakpointList()
        self._closing = Closing(self._log, self._summary, self._tails, self._breakpoints, files or {}, repeats)
        self._lines: JobLines | None = None
        if style.shows != "failed":
            from octogram_tui.report.job_lines import JobLines

            self._lines = JobLines(self._log, style.shows, self._where_left_out)
        self._is_live = bool(repeats.again)
        self._clock = clock
        self._pulse = Pulse(clock)
        self._said_s = clock()
        self._ready = 0
        self._group = ""  # the title of the one that is open
        self._stage_runs = False
        self._is_closed = False
        self._says: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.RunStarted: self._run_started,
            ev.RunTakenUp: self._run_taken_up,
            ev.JobAdopted: self._job_adopted,
            ev.JobInDoubt: self._job_in_doubt,
            ev.AgentWaiting: self._agent_waiting,
            ev.AllocationChanged: self._allocation_changed,
            ev.AgentReady: self._agent_ready,
            ev.AgentFailed: self._agent_failed,
            ev.AgentSuspect: self._agent_suspect,
            ev.AgentLost: self._agent_lost,
            ev.AgentStopped: self._agent_stopped,
            ev.StageStarted: self._stage_started,
            ev.StageFinished: self._stage_finished,
            ev.JobStarted: self._job_started,
            ev.JobOutput: self._job_output,
            ev.JobFinished: self._job_finished,
            ev.VariableChanged: self._variable_changed,
            ev.EntryRegistered: self._entry_registered,
            ev.ServiceAnnounced: self._service_announced,
            ev.BreakpointMet: self._breakpoint_met,
            ev.RunPaused: self._run_paused,
            ev.AgentHeld: self._agent_held,
            ev.ConfirmationAsked: self._confirmation_asked,
            ev.ConfirmationGiven: self._confirmation_given,
            ev.StagesDone: self._stages_done,
            ev.ScenarioReloaded: self._reloaded,
            ev.EditWaits: self._edit_waits,
            ev.CourseMovedBack: self._moved_back,
            ev.ScenarioRejected: self._rejected,
            ev.WarningGiven: self._warning,
            ev.StopRequested: self._stop_requested,
        }

    def tells(self, event: ev.Event) -> bool:
        """Whether there are words for such an event, at some level."""
        return type(event) in self._says

    def apply(self, events: Sequence[ev.Event]) -> None:
        """Take a batch of events in."""
        self._take(events)
        self._flush()

    def recall(self, events: Sequence[ev.Event]) -> None:
        """Take in what was told by a process that is gone."""
        self._take(events)
        self._log.drop()
        service, title = self._style.service, self._group
        if service is not None and title:  # it was begun in another log
            service.close_group(0.0)
            self._log.order(service.open_group(title, self._wall_s()))

    def _take(self, events: Sequence[ev.Event]) -> None:
        is_quiet = (
            self._style.level < NORMAL and self._style.shows != "grouped"
        )  # then nothing is said of what goes well
        for event in events:
            kind = type(event)
            self._pulse.apply(event)
            self._summary.apply(event)
            if isinstance(event, ev.JobFinished) and event.state == "ok":
                self._tails.forget(event.instance)  # what it wrote is quoted where it fails only
                if is_quiet:
                    continue
            elif is_quiet and kind is ev.JobStarted:
                continue
            if kind not in _OF_JOBS:
                self._breakpoints.apply(event)
                self._closing.apply(event)
            elif kind is ev.JobOutput:
                self._tails.apply(event)
            if self._style.timestamps:
                self._stamp()
            say = self._says.get(kind)
            if say is not None:
                say(event)

    def say_alive(self) -> None:
        """Say what is under way, when nothing has been said for long; to be called from time to time."""
        if self._clock() - self._said_s < SILENCE_S or self._is_closed or not self._summary.run:
            return
        self._stamp()
        self._plain(f"  {phrases.duration(self._pulse.now_s)}: {self._log.text(self._pulse.text())}")
        self._said_s = self._clock()
        self._log.flush()

    async def keep_saying_alive(self) -> None:
        """Do so for as long as the run lasts."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.say_alive()

    def _stamp(self) -> None:
        """Let lines begin with the time."""
        now = self._now() if self._style.timestamps else None
        if now is not None:
            self._log.stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z") + " "

    def _now(self) -> datetime | None:
        """Give the time: that of the run's start, and what has passed since by a clock that counts."""
        if not self._summary.started_wall:
            return None
        return datetime.fromisoformat(self._summary.started_wall) + timedelta(seconds=self._pulse.now_s)

    def _wall_s(self) -> float:
        now = self._now()
        return 0.0 if now is None else now.timestamp()

    def _flush(self) -> None:
        if self._log.has_pending:
            self._said_s = self._clock()
        self._log.flush()

    def close(self) -> None:
        """Write the closing block; always the last thing."""
        if self._is_closed:
            return
        self._is_closed = True
        if not self._summary.run:
            return
        self._end_group()
        self._stamp()
        self._closing.write()
        self._log.flush()

    # What is said. `plain` and `chatty` lines are those of the levels NORMAL and VERBOSE.

    def _always(self, state: str, text: str) -> None:
        self._log.add(f"{self._log.mark(state)} {text}")

    def _plain(self, text: str, state: str = "") -> None:
        if self._style.level >= NORMAL:
            self._log.add(f"{self._log.mark(state)} {text}" if state else text)

    def _plain_of(self, state: str, text: str) -> None:
        self._plain(text, state)

    def _chatty(self, text: str) -> None:
        if self._style.level >= VERBOSE:
            self._log.add(f"  {text}")

    def _run_started(self, event: ev.RunStarted) -> None:
        text = self._log.text
        count = len(event.agents)
        if self._style.service is not None:
            self._log.order(self._style.service.begin(text(event.run)))
        self._plain(f"run {text(event.run)}: {text(event.scenario)}, {count} agent{'' if count == 1 else 's'}")

    def _run_taken_up(self, event: ev.RunTakenUp) -> None:
        self._ready = 0
        gone = phrases.duration(event.down_s)
        asked = f"; {event.in_flight} under way are asked for" if event.in_flight else ""
        self._plain(f"run {self._log.text(self._summary.run)} goes on, after {gone} without a process{asked}")

    def _job_adopted(self, event: ev.JobAdopted) -> None:
        self._chatty(f"{self._log.text(event.instance)} went on meanwhile")

    def _job_in_doubt(self, event: ev.JobInDoubt) -> None:
        text = self._log.text
        self._always("warning", f"{text(event.instance)}: nobody knows how it ended: {text(event.reason)}")

    def _agent_waiting(self, event: ev.AgentWaiting) -> None:
        self._chatty(f"agent {self._log.text(event.agent)} {self._log.text(event.message)}")

    def _allocation_changed(self, event: ev.AllocationChanged) -> None:
        message = self._log.text(event.message)
        if event.state == "lost" or not event.is_confirmed:
            self._always("failed", message)
        else:
            self._plain(message, "warning" if event.state in ("node", "ending") else "")

    def _agent_ready(self, event: ev.AgentReady) -> None:
        text = self._log.text
        if not event.home:  # it was ready before, and silent for a while
            self._plain(f"agent {text(event.agent)} is back", "ok")
            return
        self._ready += 1
        self._chatty(f"agent {text(event.agent)} is ready: {text(event.home)}, Python {text(event.python)}")
        if self._ready == self._summary.agents:
            self._plain(f"all agents are ready after {phrases.duration(event.at_s)}")

    def _agent_failed(self, event: ev.AgentFailed) -> None:
        text = self._log.text
        alike = self._said_before(event.agent)
        why = f"as {alike}" if alike else text(event.message)
        self._always("failed", f"agent {text(event.agent)} could not be started: {why}")
        if event.hint and not alike:
            self._log.add(f"  hint: {text(event.hint)}")

    def _agent_suspect(self, event: ev.AgentSuspect) -> None:
        text = self._log.text
        self._plain(f"agent {text(event.agent)}: {text(event.message) or 'nothing heard of it'}", "warning")

    def _agent_lost(self, event: ev.AgentLost) -> None:
        text = self._log.text
        self._always("failed", f"agent {text(event.agent)} is lost: {text(event.message)}")

    def _agent_stopped(self, event: ev.AgentStopped) -> None:
        text = self._log.text
        if event.is_clean:
            self._chatty(f"agent {text(event.agent)} stopped, nothing is left of it")
            return
        self._always("failed", f"agent {text(event.agent)} did not confirm that nothing is left: {text(event.message)}")
        for process in event.remaining:
            state = f", {text(process['state'])}" if process.get("state") else ""
            self._log.add(f"  still there: {text(process.get('name', '?'))} ({text(process.get('pid', '?'))}){state}")

    def _stage_started(self, event: ev.StageStarted) -> None:
        text = self._log.text
        count = len(event.agents)
        where = text(event.agents[0]) if count == 1 else f"{count} agents"
        line = f"{text(event.stage)} on {where}{', again' if event.rerun else ''}"
        self._end_group()
        self._stage_runs = True
        service = self._style.service
        opening = service.open_group(line, self._wall_s()) if service and self._style.level >= NORMAL else []
        if opening:
            self._log.order(opening)
            self._group = line
        else:
            self._plain(self._log.colored(f"== {line}", "1"))

    def _stage_finished(self, event: ev.StageFinished) -> None:
        if event.state == "skipped":
            text = self._log.text
            self._plain(f"stage {text(event.stage)} is skipped: {text(event.reason)}", "skipped")
        self._stage_runs = False
        self._end_group()

    def _end_group(self) -> None:
        if self._group and self._style.service is not None:
            self._log.order(self._style.service.close_group(self._wall_s()))
            self._group = ""

    def _unfold(self) -> None:
        """Show what failed: nobody looks into what is folded."""
        if self._group and self._style.service is not None:
            self._log.order(self._style.service.unfold_group())

    def _job_started(self, event: ev.JobStarted) -> None:
        if event.why != "first" or self._style.level >= VERBOSE:
            text = self._log.text
            why = "" if event.why == "first" else f", attempt {event.attempt} ({text(event.why)})"
            self._plain(f"  start {self._name(event)}{why}")

    def _job_output(self, event: ev.JobOutput) -> None:
        if self._lines is not None:
            self._lines.apply(event)

    def _where_left_out(self, event: ev.JobOutput) -> str:
        """Say how they are read, where their agent has them."""
        if not event.gap or event.instance is None:
            return ""
        words = ["octogram-tui", "ask", self._summary.run, "log", event.agent]
        words += [str(AttemptId(event.instance, event.attempt)), f"gap={event.gap}"]
        return f"; while the run goes on: {self._log.text(shlex.join(words))}"

    def _job_finished(self, event: ev.JobFinished) -> None:
        self._tell_finished(event)
        self._closing.let_go(event)  # what it wrote was quoted, where it had to be
        if self._lines is not None:
            self._lines.end(event)

    def _tell_finished(self, event: ev.JobFinished) -> None:
        text = self._log.text
        took = phrases.duration(event.duration_s)
        # A group of output needs its heading, however quiet the log is.
        tell = self._always if self._style.shows == "grouped" else self._plain_of
        if event.state == "ok":
            tell("ok", f"{self._name(event)} {took}")
        elif event.state == "failed":
            failure = event.failure or NO_REASON
            message = text(cause_of(failure))
            mark = "retry" if event.will_retry else "warning" if event.is_tolerated else "failed"
            end = "; tries again" if event.will_retry else "; goes on" if event.is_tolerated else ""
            if event.is_tolerated and event.reason:  # an attempt that was announced, and does not come
                end = f"; {text(event.reason)}"
            if mark != "failed":
                tell(mark, f"{self._name(event)} {took}: {message}{end}")
                if failure.hint and mark == "warning":
                    self._plain(f"    hint: {text(failure.hint)}")
                return
            alike = self._said_before(event.instance)
            self._always(mark, f"{self._name(event)} {took}: {f'as on {alike}' if alike else message}")
            self._unfold()
            if alike:
                return
            if failure.hint:
                self._log.add(f"    hint: {text(failure.hint)}")
            if self._lines is None and self._style.level >= NORMAL:  # otherwise the log has them already
                self._log.quote(self._closing.tail(event.instance, event.attempt, failure))
        else:
            tell(event.state, f"{self._name(event)} {text(event.state)}: {text(event.reason)}".rstrip(": "))

    def _said_before(self, key: InstanceId | str) -> str:
        """Name what failed in the same way before, of which all was said; empty when it is the first."""
        cluster = self._summary.clusters.holding(key)
        if cluster is None or len(cluster) < 2:
            return ""
        return self._log.text(cluster.first.struck.short)

    def _name(self, event: ev.JobEvent) -> str:
        return self._log.text(phrases.case_name(event.instance))

    def _variable_changed(self, event: ev.VariableChanged) -> None:
        text = self._log.text
        value = "is removed" if event.removed else f"= {text(phrases.value(event.value))}"
        self._chatty(f"variable {text(event.name)} {value}")

    def _entry_registered(self, event: ev.EntryRegistered) -> None:
        text = self._log.text
        self._chatty(f"variable {text(event.name)}[{text(event.entry)}] = {text(phrases.value(event.value))}")

    def _service_announced(self, event: ev.ServiceAnnounced) -> None:
        text = self._log.text
        line = f"service {text(event.kind)} {text(event.name)} on {text(event.agent)} is {text(event.state)}"
        ports = ", ".join(f"{text(name)} {port}" for name, port in event.ports.items())
        if event.state == "down" and self._stage_runs:
            why, *output = event.reason.splitlines() or ["no reason was given"]
            self._plain(f"{line}: {text(why)}", "warning")
            if self._style.level >= NORMAL:
                self._log.quote(output[-TAIL_LINES:])
        elif event.state == "down":  # most of all at the end, when everything is stopped
            self._chatty(line)
        elif event.kind == "prometheus":  # for people to open
            where = Endpoint(event.address, event.ports["http"]).url
            self._plain(f"Prometheus reads the metrics of this run: {text(where)}")
        else:
            self._chatty(f"{line}{f' ({ports})' if ports else ''}")

    def _breakpoint_met(self, event: ev.BreakpointMet) -> None:
        if self._breakpoints.by_run(event.number):
            return  # the failure itself was just told of
        text = self._log.text
        where = text(event.row) if event.instance is None else self._log.text(phrases.case_name(event.instance))
        line = f"breakpoint {event.number}, {where}: {text(event.message)}"
        self._plain(f"  {line}" if event.is_log else line, "" if event.is_log else "warning")

    def _run_paused(self, event: ev.RunPaused) -> None:
        text = self._log.text
        message = "" if event.reason == "breakpoint" else text(event.message)  # that has just been told
        self._plain(f"paused ({text(event.reason)}) {message}".rstrip(), "warning")
        self._say_how_to_attach()

    def _agent_held(self, event: ev.AgentHeld) -> None:
        text = self._log.text
        self._plain(f"agent {text(event.agent)} is held ({text(event.reason)}); the others go on", "warning")
        self._say_how_to_attach()

    def _confirmation_asked(self, event: ev.ConfirmationAsked) -> None:
        self._always("warning", f"stage {self._log.text(event.stage)} waits for a confirmation")
        self._say_how_to_attach()

    def _confirmation_given(self, event: ev.ConfirmationGiven) -> None:
        text = self._log.text
        self._plain(f"stage {text(event.stage)}: confirmed {'yes' if event.answer else 'no'} by {text(event.by)}")

    def _stages_done(self, event: ev.StagesDone) -> None:
        self._plain("every stage has ended; the agents are kept alive until the run is stopped")
        self._say_how_to_attach()

    def _say_how_to_attach(self) -> None:
        """Nobody can answer a log: say where to, and how to end the run from here."""
        if self._is_live:
            attach = f"octogram-tui attach {self._log.text(self._summary.run)}"
            self._plain(f"  to go on in a console: {attach}; to end the run: Ctrl-C")

    def _reloaded(self, event: ev.ScenarioReloaded) -> None:
        self._plain(f"the scenario was edited: {self._log.text('; '.join(event.changes)) or 'no change'}")

    def _edit_waits(self, event: ev.EditWaits) -> None:
        if event.changes:
            self._plain(f"the scenario was edited, and waits for `reload`: {self._log.text('; '.join(event.changes))}")

    def _moved_back(self, event: ev.CourseMovedBack) -> None:
        self._plain(self._log.text(went_back(event)))

    def _rejected(self, event: ev.ScenarioRejected) -> None:
        text = self._log.text
        self._always("warning", "the edited scenario is wrong, the old one stays:")
        for problem in event.problems:
            place = f"{problem.get('file', '')}:{problem.get('line', 0)}:{problem.get('column', 0)}"
            self._log.add(f"  {text(place)}: {text(problem.get('message', ''))}")

    def _warning(self, event: ev.WarningGiven) -> None:
        self._plain(self._log.text(event.message), "warning")

    def _stop_requested(self, event: ev.StopRequested) -> None:
        if event.by not in ("end", "failure"):
            text = self._log.text
            self._always("warning", f"stopping ({text(event.by)}){', without grace' if event.force else ''}")
