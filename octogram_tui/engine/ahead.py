"""Looking ahead: an agent is given the next attempt of its lane while it has one, and begins it when that ends well.

So no job waits for the way there and back. It is done only where nothing but the outcome decides what comes next, and
with what arguments: `foresee` knows when. An agent that has it begins it for certain, unless it is taken back first;
what has begun is under way, whatever came between, and is told so. Whatever might change what comes next takes all of
it back, and until an agent has said whether it had begun it already, the end of the one before waits.

All of this is a part of the engine's state: fed again, it orders the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.dataclass import dataclass
from octogram_tui.engine.effects import RecallJob, SendJob
from octogram_tui.engine.events import JobInDoubt, JobStarted, WarningGiven
from octogram_tui.engine.instances import Instance
from octogram_tui.engine.schedule import JobRun, StageRun
from octogram_tui.engine.stimuli import REPORTS, AttemptReport, RecallReport, Stimulus
from octogram_tui.errors import TemplateError
from octogram_tui.model.failure import AGENT_LOST, Failure
from octogram_tui.model.ids import AttemptId, Execution, InstanceId
from octogram_tui.model.scenario import JobSpec, StageSpec
from octogram_tui.model.values import Value
from octogram_tui.template.items import expand_items
from octogram_tui.template.source import is_template

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine


@dataclass(slots=True)
class Ahead:
    """What an agent was given ahead.

    after: what it has until then; arguments: as they are told; entry: where it is one of several, what was drawn for it
    is_recalled: it was taken back; is_awaited: the agent has yet to say whether it had begun
    is_unwanted: that was since somebody or something came between, and not only for another process to know
    end: of what it has until then, which waits for that
    """

    instance: Instance
    after: Instance
    sent: SendJob
    arguments: dict[str, Value]
    entry: tuple[Value, str] | None
    is_recalled: bool = False
    is_unwanted: bool = False
    is_awaited: bool = False
    end: AttemptReport | None = None


class LookAhead:
    """All that agents were given ahead, by name. has_moved: a line of output showed that something had begun."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._out: dict[AttemptId, Ahead] = {}
        self._back: dict[AttemptId, Ahead] = {}  # taken back, and the agent has yet to say so
        self._written: dict[int, tuple[StageSpec, frozenset[str] | None]] = {}
        self.has_moved = False

    def __contains__(self, execution: Execution) -> bool:
        return execution in self._out or execution in self._back

    # -- what comes next ------------------------------------------------------------------------------------------

    def foresee(self, instance: Instance) -> None:
        """Give the agent what follows an attempt that it was just given, if that is certain."""
        engine = self._engine
        job_run = instance.job_run
        if not (
            engine.core.options.look_ahead
            and job_run.begun == 1
            and len(job_run.lane.active) == 1
            and _only_ends(job_run.spec)
            and self._is_undisturbed
            and self._is_plain(job_run.lane.stage_run)
        ):
            return
        if job_run.spec.items is not None:
            if not _just_begins(job_run.spec):
                return
            entry = job_run.put_back or _next_entry(job_run)
            if entry is not None:
                job_run.put_back = None
                id_ = InstanceId(instance.id.stage, instance.id.job, instance.id.agent, entry[1])
                if not self._give(instance, Instance(id_, job_run, entry[0]), entry):
                    job_run.put_back = entry
                return
        following = self._following(job_run)
        if following is not None:
            self._give(instance, following, None)

    @property
    def _is_undisturbed(self) -> bool:
        """Whether nothing holds anything, or may do so before an attempt, or after one that ends well."""
        engine = self._engine
        return engine.phase == "running" and engine.gate.is_plain and engine.breakpoints.lets_on_well

    def _is_plain(self, stage_run: StageRun) -> bool:
        """Whether a lane of a stage goes on by itself, whatever others do."""
        spec = stage_run.spec
        return (
            spec.run_jobs == "sequential"
            and spec.max_concurrency is None
            and stage_run.only is None
            and stage_run.then is None
            and not (stage_run.is_rerun or stage_run.is_closing or stage_run.is_reordered)
            and not (stage_run.blocked or stage_run.asked_again)
            and len(self._engine.dispatcher.stage_runs) == 1
        )

    def _following(self, job_run: JobRun) -> Instance | None:
        """Give the first instance of the job that follows in a lane."""
        core, lane = self._engine.core, job_run.lane
        stage = lane.stage_run.spec
        place, jobs = lane.index, lane.jobs
        while place < len(jobs) and not core.options.selection.takes(stage, jobs[place]):
            place += 1
        if place == len(jobs) or not _just_begins(jobs[place]):
            return None
        spec = jobs[place]
        names, written = self._engine.readings.names_of(spec), self._written_in(stage)
        if names.is_computed or written is None or not written.isdisjoint(names.before):
            return None  # others of the stage may change what it is to see
        following = JobRun(spec, lane, core.variables, core.epoch, core.seq, None)
        if spec.items is None:
            following.items = iter(())
            return Instance(InstanceId(stage.key, spec.key, lane.agent), following, None)
        try:
            following.items = iter(expand_items(spec.items, lane.scope(core.variables)))
        except TemplateError:
            return None
        entry = _next_entry(following)
        if entry is None:
            return None
        return Instance(InstanceId(stage.key, spec.key, lane.agent, entry[1]), following, entry[0])

    def _written_in(self, stage: StageSpec) -> frozenset[str] | None:
        """Give the variables that the jobs of a stage change; None where that is not written there."""
        found = self._written.get(id(stage))
        if found is None:
            names = [job.register for job in stage.jobs if job.register is not None]
            names += [update.name.source for job in stage.jobs for update in job.vars_updates]
            found = self._written[id(stage)] = stage, None if any(map(is_template, names)) else frozenset(names)
        return found[1]

    def _give(self, after: Instance, instance: Instance, entry: tuple[Value, str] | None) -> bool:
        """Send it ahead. False when that cannot be, or it has run before and what to do then is for others to say."""
        engine = self._engine
        job_run, id_ = instance.job_run, instance.id
        spec, lane = job_run.spec, job_run.lane
        if id_ in engine.instances.given or engine.instances.attempts_of(id_) or id_ in engine.core.options.carried:
            return False
        instance.reading = engine.readings.of(job_run)
        if instance.reading.is_computed:
            return False
        scope = lane.scope(job_run.snapshot, instance.item)
        try:
            arguments = spec.arguments.expand(scope, _unknown)
            sent, mark = spec.arguments.for_agent(arguments, scope, _unknown)
        except TemplateError:
            return False  # it fails when it is its turn, or is known then
        attempt = AttemptId(id_, 1)
        order = SendJob(lane.agent, attempt, spec.procedure, sent, spec.timeout_s, mark=mark, after=after.attempt_id)
        after.ahead = self._out[attempt] = Ahead(instance, after, order, arguments, entry)
        engine.core.order(order)
        return True

    # -- taking it back -------------------------------------------------------------------------------------------

    def before(self, stimulus: Stimulus) -> None:
        """Take everything back that was foreseen before an operator's word; what follows from that is foreseen anew."""
        if (self._out or self._back) and type(stimulus) not in REPORTS and not self._engine.taking_up.is_under_way:
            self._take_back()

    def after(self) -> None:
        """Take everything back once something is held, at the end of a feeding."""
        if (self._out or self._back) and not self._is_undisturbed and not self._engine.taking_up.is_under_way:
            self._take_back()

    def ask_again(self) -> None:
        """Take back what may never have reached its agent, nor its being taken back: another process said so."""
        for ahead in self._back.values():
            self._order_back(ahead)
        self._order_all_back()

    def _take_back(self) -> None:
        self._order_all_back()
        for ahead in self._back.values():
            ahead.is_unwanted = True

    def _order_all_back(self) -> None:
        for attempt, ahead in self._out.items():
            ahead.is_recalled = ahead.is_awaited = True
            self._back[attempt] = ahead
            self._order_back(ahead)
        self._out.clear()

    def _order_back(self, ahead: Ahead) -> None:
        self._engine.core.order(RecallJob(ahead.sent.agent, ahead.sent.attempt, ahead.after.attempt_id))

    def recalled(self, report: RecallReport) -> None:
        """An agent says whether what was taken back had begun."""
        if report.attempt.agent != report.agent:
            self._engine.fleet.breach(report.agent, f"reported about {report.attempt}")
            return
        attempt = report.attempt
        ahead = self._back.get(attempt) or self._out.get(attempt)  # type: ignore[arg-type]
        if ahead is None or ahead.after.attempt_id != report.after or not (ahead.is_awaited or not report.is_begun):
            return
        if report.is_begun:
            self._has_begun(ahead)
        else:
            self.drop(ahead)
            if ahead.end is not None:
                self._engine.transitions.ended(ahead.end, ahead.after.attempt_id)

    def hear(self, attempt: AttemptId) -> bool:
        """An agent speaks of something that was to be taken back, so it was too late. False where it cannot know it."""
        is_resumed = self._engine.taking_up.is_under_way
        if not (self._back or is_resumed):
            return False
        ahead = self._back.get(attempt) or (self._out.get(attempt) if is_resumed else None)
        if ahead is None:
            return False
        if ahead.end is not None and not is_resumed:
            self._has_begun(ahead)
            self.has_moved = True
        return True  # a daemon that is asked anew says first what was printed meanwhile, then what ended

    def is_yet_to_begin(self, attempt: AttemptId) -> bool:
        """Whether lines of an attempt would be stated before its beginning: what comes before it has not ended here."""
        engine = self._engine
        if not (self._out or self._back) or engine.phase in ("stopping", "finished"):
            return False
        ahead = self._back.get(attempt) or self._out.get(attempt)
        return ahead is not None and (ahead.end is None or engine.taking_up.is_under_way)

    def _has_begun(self, ahead: Ahead) -> None:
        ahead.is_awaited = False
        if ahead.end is not None:
            self._engine.transitions.ended(ahead.end, ahead.after.attempt_id)

    # -- the end of the one before --------------------------------------------------------------------------------

    def drop(self, ahead: Ahead) -> None:
        """It does not begin: what was drawn for it comes when it is its turn."""
        self._forget(ahead)
        if ahead.entry is not None:
            ahead.instance.job_run.put_back = ahead.entry

    def _forget(self, ahead: Ahead) -> None:
        ahead.after.ahead = None
        self._out.pop(ahead.sent.attempt, None)  # type: ignore[arg-type]
        self._back.pop(ahead.sent.attempt, None)  # type: ignore[arg-type]

    def take_over(self, ahead: Ahead) -> None:
        """The one before has ended well, so this one is under way."""
        engine, instance = self._engine, ahead.instance
        if not self._begin(ahead):
            return
        if ahead.is_unwanted:
            message = f"{instance.id} had begun before it could be taken back: its agent had it already"
            engine.core.emit(WarningGiven(message=message, stage=instance.id.stage, agent=instance.id.agent))
        if instance.job_run.lane.stage_run.is_closing:
            engine.transitions.end_for(instance, ahead.after.cancel_reason or "its stage ends")
        else:
            self.foresee(instance)

    def doubt(self, ahead: Ahead, why: str) -> None:
        """Nobody knows whether it has begun: it must not begin once more by itself."""
        if not self._begin(ahead):
            return
        instance = ahead.instance
        reason = f"it was to begin right after {ahead.after.attempt_id}, and nobody knows whether it did: {why}"
        self._engine.core.emit(JobInDoubt(**instance.place, reason=reason))
        hint = "look at what it has done so far, if anything; then rerun or skip it"
        failure = Failure(AGENT_LOST, reason, hint)
        self._engine.transitions.fail_unknown(instance, failure)

    def _begin(self, ahead: Ahead) -> bool:
        """Let it be under way in its lane. False when it is there otherwise: an agent executes no name twice."""
        engine, instance = self._engine, ahead.instance
        self._forget(ahead)
        if ahead.is_recalled and engine.instances.attempts_of(instance.id):
            self.drop(ahead)
            return False
        job_run, former = instance.job_run, ahead.after.job_run
        lane = job_run.lane
        if former.begun:  # the end of the one before was not what it is without anybody's doing
            lane.stage_run.is_reordered = True
        elif job_run is not former:
            former.is_open = False
            del lane.active[former.spec.key]
        if job_run is not former:
            lane.active[job_run.spec.key] = job_run
            lane.pass_by(job_run.spec)
        seen = engine.readings.seen(job_run, instance.reading)
        engine.instances.begin_attempt(instance, engine.core.at_s)
        engine.core.emit(
            JobStarted(
                **instance.place,
                procedure=ahead.sent.procedure,
                arguments=ahead.arguments,
                why=instance.why,
                edited=[],
                **seen,
            )
        )
        if ahead.is_recalled:  # an edit that came between has told the others of its lane already
            job_run.spec = next((job for job in lane.jobs if job.key == job_run.spec.key), job_run.spec)
        return True


def _only_ends(spec: JobSpec) -> bool:
    """Whether an attempt that ends well at its agent is all that there is to its job."""
    return (
        spec.where == "agent"
        and spec.register is None
        and not spec.vars_updates
        and spec.until is None
        and spec.run_items == "sequential"
    )


def _just_begins(spec: JobSpec) -> bool:
    """Whether nothing but its turn decides whether a job's first attempt begins."""
    return spec.where == "agent" and spec.when is None and spec.run_items == "sequential"


def _next_entry(job_run: JobRun) -> tuple[Value, str] | None:
    drawn = None if job_run.items is None or job_run.only is not None else next(job_run.items, None)
    return None if drawn is None else drawn[1:]


def _unknown(kind: str, uri: str) -> dict[str, str]:
    """Where a service is found is known when it is asked for."""
    raise TemplateError(f"{kind} {uri} is not looked up ahead")
