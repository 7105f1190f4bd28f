"""From "this instance may run" to "its variables are updated": expanding, sending, retrying, and every way to end.

Each way has a method of its own, which moves the instance, states what happened and orders what follows from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from octogram_tui.engine import results
from octogram_tui.engine.breakpoints import Breakpoints, Met
from octogram_tui.engine.core import Core
from octogram_tui.engine.effects import ArmTimer, CancelJob, DisarmTimer, SendJob
from octogram_tui.engine.events import JobFinished, JobReleased, JobStarted, WarningGiven
from octogram_tui.engine.instances import Instance, Instances
from octogram_tui.engine.line import Follows
from octogram_tui.engine.readings import Noting, Readings, Seen
from octogram_tui.engine.services import ServiceTable, Tickets, stamped
from octogram_tui.engine.stimuli import AttemptReport, Inputs
from octogram_tui.engine.timers import RetryDue
from octogram_tui.engine.watching import Watching
from octogram_tui.engine.written import written_directory
from octogram_tui.errors import TemplateError
from octogram_tui.model.failure import AGENT_LOST, CANCELLED, FAILED, TEMPLATE, UNTIL, Failure
from octogram_tui.model.ids import AttemptId
from octogram_tui.model.scenario import Arguments
from octogram_tui.model.values import Value
from octogram_tui.model.variables import Grown, Variables
from octogram_tui.template.condition import decide
from octogram_tui.template.source import is_template

if TYPE_CHECKING:
    from octogram_tui.engine.ahead import Ahead, LookAhead
    from octogram_tui.engine.holding import Holding


NEVER_BEGAN = "its stage ended before it began"


class Transitions:
    """Begins attempts, and takes their ends."""

    def __init__(
        self,
        core: Core,
        instances: Instances,
        services: ServiceTable,
        judge: Holding,
        readings: Readings,
        breakpoints: Breakpoints,
        left: Callable[[Instance], None],
        ahead: LookAhead,
    ) -> None:
        self._core = core
        self._instances = instances
        self._services = services
        self._judge = judge
        self._watching = Watching(core, instances)
        self._readings = readings
        self._breakpoints = breakpoints
        self._ahead = ahead
        self._left = left  # told whenever an instance is not in flight any more
        self.counts: Counter[str] = Counter()  # of instances, by how the last attempt of each ended

    # -- beginning ------------------------------------------------------------------------------------------------

    def begin(self, instance: Instance) -> None:
        """Start a new instance: `when`, then its first attempt."""
        spec = instance.job_run.spec
        instance.reading = self._readings.of(instance.job_run)
        if instance.job_run.lane.stage_run.then is not None:
            self._see_as_then(instance)
        if spec.when is not None:
            try:
                wanted = decide(spec.when.source, self._scope(instance))
            except TemplateError as error:
                self.not_expanded(instance, error, "when")
                return
            if not wanted:
                seen = self._readings.seen(instance.job_run, instance.reading)
                self.pass_over(instance, f"when: {spec.when.source}", seen)
                self._instances.note_passed_over(instance)
                return
        self._execute(instance)

    def _wait_for_retry(self, instance: Instance) -> None:
        self._instances.move(instance, "retrying")  # it keeps its place among those that `max_concurrency` counts
        self._core.order(ArmTimer(RetryDue(instance.id), instance.job_run.spec.retry_delay_s))

    def retry(self, instance: Instance) -> None:
        """The delay before a further attempt is over."""
        instance.why = "retry"
        self._execute(instance)

    def _see_as_then(self, instance: Instance) -> None:
        then = self._instances.readings.get(instance.id)
        if then is not None:
            instance.reading = self._readings.again(instance.job_run, then)
            return
        message = f"{instance.id} runs with the variables of now: what it read before is not kept"
        self._core.emit(WarningGiven(message=message, stage=instance.id.stage, agent=instance.id.agent))

    def rerun(self, instance: Instance, inputs: Inputs = "now") -> None:
        """Execute again, in place, what failed or is held after its attempt: with the text of now.

        inputs: whether with the variables of now, or as they were.
        """
        job_run = instance.job_run
        if inputs == "now":
            job_run.look_at(self._core.variables, self._core.epoch, self._core.seq)
        if job_run.spec.items is not None and instance.id.item is None:  # what failed was to draw the items
            job_run.items = None
            self.pass_over(instance, "its items are drawn anew")
            return
        then = instance.reading
        instance.reading = self._readings.of(job_run)
        if inputs == "then" and then is not None:
            instance.reading = self._readings.again(job_run, then)
        instance.retries_left = job_run.spec.retries
        instance.why = "rerun"
        self._execute(instance)

    def carry(self, instance: Instance) -> bool:
        """Be done with an instance that went well in an earlier run, as if it had now. False: it is to run again."""
        from octogram_tui.model.carried import WENT_WELL  # few runs are the rest of another

        stage_run, options = instance.job_run.lane.stage_run, self._core.options
        if stage_run.is_rerun or self._instances.attempts_of(instance.id):
            return False
        self._core.emit(JobFinished(**instance.place, state="skipped", reason=f"{WENT_WELL}{options.rerun_failed}"))
        for each in options.carried[instance.id]:
            self._core.follow(results.carried(each, self._core.variables), str(instance.id))
        self._finish(instance, "skipped")
        self.look_at_expressions()
        return True

    def not_expanded(self, instance: Instance, error: TemplateError, where: str) -> None:
        """A template of an instance is wrong before its first attempt; or it lacks what an earlier failure cost."""
        lacks = self._judge.lacks(error)
        if lacks:
            self._judge.go_on_after(instance)
            self.pass_over(instance, lacks)
        else:
            self.fail_unsent(instance, results.template_failure(error, where))

    def fail_unsent(self, instance: Instance, failure: Failure) -> None:
        """An instance fails before its first attempt could be told of."""
        instance.reading = self._readings.of(instance.job_run)
        self._instances.begin_attempt(instance, self._core.at_s)
        self._fail(instance, failure, 0.0, is_sent=False)

    def _execute(self, instance: Instance) -> None:
        if self._instances.given and instance.reading is not None:
            given = self._instances.given.pop(instance.id, None)
            if given is not None:
                instance.reading = instance.reading.with_given(given)
        self._instances.begin_attempt(instance, self._core.at_s)
        spec = instance.job_run.spec
        agent = instance.id.agent
        scope: dict[str, Value] = {}
        tickets: Tickets = {}
        given = instance.reading.given if instance.reading is not None else {}
        try:
            template = spec.arguments.replaced(given) if given else spec.arguments
            if template.is_ready and spec.where in ("agent", "orchestrator"):
                sent, mark = arguments, _ = template.raw(), ""
            else:
                scope = self._scope(instance)
                arguments, sent, mark = self._expanded(template, scope, agent, tickets)
        except TemplateError as error:
            lacks = self._judge.lacks(error)
            if lacks:
                self._judge.go_on_after(instance)
                self.pass_over(instance, lacks)
            else:
                self._fail(instance, results.template_failure(error, spec.procedure), 0.0, is_sent=False)
            return
        seen = self._readings.seen(instance.job_run, instance.reading)
        self._core.emit(
            JobStarted(
                instance=instance.id,
                attempt=instance.attempt,
                item=instance.item,
                procedure=spec.procedure,
                arguments=arguments,
                why=instance.why,
                edited=sorted(given) if given else [],
                **seen,
            )
        )
        if spec.where == "assertion":
            failure = results.assertion_failure(arguments, scope)
            if failure is None:
                self._succeed(instance, None, 0.0)
            else:
                self._fail(instance, failure, 0.0)
        elif spec.where == "expression":
            self._watching.begin(instance, arguments)
            self.look_at_expressions()
        else:
            problem = self._judge.agent_problem(agent)
            if problem:
                self._fail(instance, Failure(AGENT_LOST, problem), 0.0)
                return
            if tickets:
                sent = stamped(sent, tickets)
            inside = self._inside(instance, sent) if spec.where == "orchestrator" else None
            self._core.order(
                SendJob(
                    agent,
                    AttemptId(instance.id, instance.attempt),
                    spec.procedure,
                    sent,
                    spec.timeout_s,
                    spec.where,
                    inside,
                    mark,
                )
            )
            self._ahead.foresee(instance)

    def _expanded(
        self, template: Arguments, scope: dict[str, Value], agent: str, tickets: Tickets
    ) -> tuple[dict[str, Value], dict[str, Value], str]:
        """Give arguments as they are told, as the agent gets them, and the mark of what it puts in.

        tickets: gets what `stamped` needs. Raises TemplateError.
        """

        def resolve(kind: str, uri: str) -> dict[str, str]:
            found = self._services.resolve(kind, uri, agent, tickets)
            if "remote" in found:
                self._services.warn_of_address(self._core, uri.partition("://")[0], agent)
            return found

        arguments = template.expand(scope, resolve)
        return arguments, *template.for_agent(arguments, scope, resolve)

    def _inside(self, instance: Instance, arguments: Mapping[str, Value]) -> str | None:
        """Give the directory that a path on this machine may not leave; what the operator gave counts as written."""
        reading, written = instance.reading, instance.job_run.spec.arguments.raw().get("local_path")
        if not isinstance(written, str) or (reading is not None and "local_path" in reading.given):
            return None
        return written_directory(
            written,
            str(arguments["local_path"]),
            self._core.scenario.variables,
            instance.job_run.snapshot,
            is_template=is_template(written),
        )

    def _scope(self, instance: Instance) -> dict[str, Value]:
        job_run = instance.job_run
        reading = instance.reading
        variables: Mapping[str, Value] = job_run.snapshot
        if reading is not None and reading.is_then:
            variables = reading.over(variables)
        if reading is not None and reading.is_computed:
            variables = Noting(variables, reading.values)
        return job_run.lane.scope(variables, instance.item)

    def _latest_of(self, instance: Instance) -> Mapping[str, Value]:
        """Give the variables of now; where names are computed, they note what is asked for."""
        reading = instance.reading
        if reading is not None and reading.names.is_computed_after:
            return Noting(self._core.variables, reading.values)
        return self._core.variables

    # -- waiting for an expression --------------------------------------------------------------------------------

    def look_at_expressions(self) -> None:
        """Look at every expression that somebody waits for and that may hold now: variables may have changed."""
        self._watching.look()
        while (instance := self._watching.next_due()) is not None:
            holds = self._watching.holds(instance)
            if isinstance(holds, Failure):
                self._fail(instance, holds, self._watching.end(instance))
            elif holds:
                self._read_now(instance, self._watching.reads(instance))
                self._succeed(instance, {"seen": "expression"}, self._watching.end(instance))

    def wait_is_over(self, attempt: AttemptId) -> None:
        """The time of a wait for an expression is over."""
        instance = self._instances.find(attempt.instance, "watching")
        if instance is not None and instance.attempt == attempt.number:
            failure = self._watching.in_vain(instance)
            self._fail(instance, failure, self._watching.end(instance))

    # -- reports from agents --------------------------------------------------------------------------------------

    def ended(self, report: AttemptReport, attempt: AttemptId) -> None:
        """Take an attempt's end; a repeated or unknown one changes nothing."""
        instance = self._instances.running(attempt)
        if instance is None:
            return
        ahead = instance.ahead
        if report.state == "ok":
            if ahead is not None and ahead.is_awaited:
                ahead.end = report
                return
            self._succeed(instance, report.result, report.duration_s)
            if ahead is not None:
                self._ahead.take_over(ahead)
            return
        if ahead is not None:
            self._ahead.drop(ahead)
        if report.state == "cancelled" and instance.cancel_reason:
            self._cancelled(instance, report.failure or Failure(CANCELLED, "cancelled"), report.duration_s)
        elif report.state == "cancelled":
            # Nobody asked for that, so it is no harmless end: what was to be done has not been done.
            said = f": {report.failure.message}" if report.failure is not None else ""
            failure = Failure(CANCELLED, f"the agent ended it, and nobody had asked for that{said}")
            self._fail(instance, failure, report.duration_s)
        else:
            self._fail(instance, report.failure or Failure(FAILED, "failed"), report.duration_s, report.result)

    def lose_agent(self, agent: str, message: str) -> None:
        """An agent is gone: what ran there failed."""
        for instance in self._instances.on_agent(agent, "running", "watching"):
            if instance.state in ("running", "watching"):  # the loss of one may end the run, and the others with it
                self._lose(instance, message)

    def lose_all(self, agents: Iterable[str], message: str) -> None:
        """All agents are gone."""
        there: dict[str, list[Instance]] = {}
        for instance in self._instances.in_state("running", "watching"):
            there.setdefault(instance.id.agent, []).append(instance)
        if not there:
            return
        for agent in agents:
            for instance in there.get(agent, ()):
                if instance.state in ("running", "watching"):
                    self._lose(instance, message)

    def _lose(self, instance: Instance, message: str) -> None:
        if instance.state == "watching":
            self._watching.end(instance)
        self.fail_unknown(instance, Failure(AGENT_LOST, message))

    def fail_unknown(self, instance: Instance, failure: Failure) -> None:
        """Nobody can tell how an attempt ended, nor whether what was to follow at once has begun."""
        ahead = self._cut_off(instance)
        if instance.state in ("running", "watching"):
            self._fail(instance, failure, self._core.at_s - instance.started_s)
        if ahead is not None:
            self._ahead.doubt(ahead, failure.message)

    def _cut_off(self, instance: Instance) -> Ahead | None:
        """Expect no word any more of what was to follow an attempt; and let it end, where it waited for that only."""
        ahead = instance.ahead
        if ahead is not None:
            instance.ahead = None
            if ahead.end is not None:
                self.ended(ahead.end, instance.attempt_id)
        return ahead

    def never_begun(self, instance: Instance) -> None:
        """An attempt was to be ended that its agent had never heard of."""
        if instance.ahead is not None:
            self._ahead.drop(instance.ahead)
        self._cancelled(instance, Failure(CANCELLED, instance.cancel_reason), 0.0)

    # -- the ways to end ------------------------------------------------------------------------------------------

    def _succeed(self, instance: Instance, result: Value, duration_s: float) -> None:
        """An attempt ended well; it has not when `until` does not hold, or an update cannot be expanded."""
        spec = instance.job_run.spec
        updates: list[results.Update] | Failure = []
        if spec.until is not None or spec.vars_updates or spec.register is not None:
            if instance.reading is not None and instance.reading.epoch != self._core.epoch:
                self._read_now(instance, instance.reading.only_at_end)
            latest = self._latest_of(instance) if spec.until is not None else {}
            updates = results.judged(instance, result, latest, self._core.variables)
        if isinstance(updates, Failure):
            self._fail(instance, updates, duration_s, result if updates.kind == UNTIL else None)
            return
        self._tell_end(instance, "ok", duration_s, result=result)
        self._judge.ended_well(instance)
        if not (updates or self._breakpoints.is_armed):
            self._finish(instance, "ok")
            return
        met = self._update(instance, updates)
        if self._breakpoints.is_armed:
            met = self._breakpoints.after(instance, "ok", result=result) or met
        self._end(instance, "ok", met)
        if updates:
            self.look_at_expressions()

    def _read_now(self, instance: Instance, names: frozenset[str]) -> None:
        """Note what an attempt reads at its end: what was set by hand while it was under way does not make it stale."""
        reading = instance.reading
        if names and reading is not None and reading.epoch != self._core.epoch:
            instance.reading = self._instances.readings[instance.id] = self._readings.late(reading, names)

    def _update(self, instance: Instance, updates: list[results.Update]) -> Met | None:
        """Change variables. Gives what breakpoint is for that, if one is met."""
        by = str(instance.id) if updates else ""
        met: Met | None = None
        for update in updates:
            before = self._core.variables
            self._core.follow(update, by)
            if self._breakpoints.is_armed and _differs(update, before):
                met = self._breakpoints.variable(update.name, instance, before) or met
        return met

    def _fail(
        self, instance: Instance, failure: Failure, duration_s: float, result: Value = None, *, is_sent: bool = True
    ) -> None:
        """An attempt failed: another one follows, or the failure means what the job and the run say."""
        stage_run = instance.job_run.lane.stage_run
        # A template that fails would fail again: only what ran is tried again.
        if instance.retries_left > 0 and failure.kind != TEMPLATE and not stage_run.is_closing:
            self._tell_end(instance, "failed", duration_s, failure=failure, will_retry=True)
            instance.retries_left -= 1
            instance.last_failure, instance.last_result = (failure, duration_s), result
            again: Met | None = None
            if self._breakpoints.is_armed:
                again = self._breakpoints.after(instance, "retried", result=result, failure=failure)
            if again is None or not self._stop(instance, again, "delay"):
                self._wait_for_retry(instance)
            return
        verdict = self._judge.verdict(instance)
        is_tolerated = verdict == "continue"
        seen = None if is_sent else self._readings.seen(instance.job_run, instance.reading)
        self._tell_end(
            instance, "failed", duration_s, result=result, failure=failure, is_tolerated=is_tolerated, seen=seen
        )
        met: Met | None = None
        if self._breakpoints.is_armed:
            met = self._breakpoints.after(instance, "failed", result=result, failure=failure, verdict=verdict)
        if verdict == "continue":
            self._go_on(instance, failure, result, "tolerated", met)
            return
        own_verdict, verdict = verdict, self._breakpoints.verdict(met, verdict)
        if verdict == "pause":
            instance.last_failure, instance.last_result = (failure, duration_s), result
            self._instances.move(instance, "undecided")
            self._left(instance)
        else:
            if own_verdict is None and met is None:
                self._judge.go_on_after(instance)
            self._finish_badly(instance, "failed")
        self._judge.failure_seen(instance, verdict, failure, is_own=own_verdict is not None or met is not None)

    def _go_on(
        self, instance: Instance, failure: Failure, result: Value, counted_as: str, met: Met | None = None
    ) -> None:
        """Be done with a failure that the run goes on after: what was registered of it is there to react to."""
        updates: list[results.Update] = []
        try:
            updates = results.after_failure(instance, result, failure, self._core.variables)
        except TemplateError as problem:  # it has failed already, and the run goes on
            message = f"{instance.id}: register: {problem.message}"
            self._core.emit(WarningGiven(message=message, stage=instance.id.stage, agent=instance.id.agent))
        met = self._update(instance, updates) or met
        self._end(instance, counted_as, met)
        if updates:
            self.look_at_expressions()

    def _cancelled(self, instance: Instance, failure: Failure, duration_s: float) -> None:
        """An attempt was ended because somebody wanted it so."""
        self._tell_end(instance, "cancelled", duration_s, failure=failure)
        self._finish_badly(instance, "cancelled")

    def pass_over(self, instance: Instance, reason: str, seen: Seen | None = None) -> None:
        """Be done with an instance without running it, or without running it again.

        seen: what its `when` has read, where that is why.
        """
        if instance.state == "stopped" and instance.stand.follows == "end":
            self.let_on(instance)
            return
        was_undecided = instance.state in ("undecided", "stopped")
        self._instances.forget_reading(instance.id)
        if not was_undecided:
            instance.attempt = self._instances.attempts_of(instance.id)
        self._core.emit(JobFinished(**instance.place, state="skipped", reason=reason, **(seen or {})))
        if was_undecided:
            self._go_on(instance, instance.last_failure[0], instance.last_result, "skipped")
        else:
            is_armed = seen is not None and self._breakpoints.is_armed  # the operator's word needs no second look
            self._end(instance, "skipped", self._breakpoints.after(instance, "skipped") if is_armed else None)

    def end_for(self, instance: Instance, reason: str) -> None:
        """End an instance because its stage ends."""
        match instance.state:
            case "running":
                instance.cancel_reason = reason
                where = instance.job_run.spec.where
                self._core.order(CancelJob(instance.id.agent, instance.attempt_id, reason, where))
            case "watching":
                self._cancelled(instance, Failure(CANCELLED, reason), self._watching.end(instance))
            case "retrying":
                self._core.order(DisarmTimer(RetryDue(instance.id)))
                self._not_tried_again(instance, reason)
            case "stopped" if instance.stand.follows == "end":
                self.let_on(instance)
            case "stopped":
                self._not_tried_again(instance, reason)
            case "undecided":
                self._finish_badly(instance, "failed")
            case "held":
                self._core.emit(JobReleased(**instance.place, reason=NEVER_BEGAN))
                self._instances.move(instance, "done")
                self._judge.never_began(instance)
                self._left(instance)

    def _not_tried_again(self, instance: Instance, reason: str) -> None:
        """Another attempt was announced. It does not come, so the failure is the last word, and means what it would."""
        (failure, duration_s), result = instance.last_failure, instance.last_result
        is_tolerated = self._judge.verdict(instance) == "continue"
        self._tell_end(
            instance,
            "failed",
            duration_s,
            result=result,
            failure=failure,
            reason=f"not tried again: {reason}",
            is_tolerated=is_tolerated,
        )
        if is_tolerated:
            self._go_on(instance, failure, result, "tolerated")
        else:
            self._finish_badly(instance, "failed")

    def give_up(self, instance: Instance, after_s: float) -> None:
        """End what was to be cancelled, and whose agent never said that it was."""
        message = f"cancelled, and not confirmed by the agent within {after_s:.0f} s"
        ahead = self._cut_off(instance)
        if instance.state == "running":
            self._cancelled(instance, Failure(CANCELLED, message), self._core.at_s - instance.started_s)
        if ahead is not None:
            self._ahead.doubt(ahead, message)

    def _tell_end(
        self,
        instance: Instance,
        state: str,
        duration_s: float,
        *,
        result: Value = None,
        failure: Failure | None = None,
        reason: str = "",
        will_retry: bool = False,
        is_tolerated: bool = False,
        seen: Seen | None = None,
    ) -> None:
        self._core.results.keep(instance.id, result, failure)
        self._core.emit(
            JobFinished(
                instance=instance.id,
                attempt=instance.attempt,
                item=instance.item,
                state=state,
                result=result,
                failure=failure,
                reason=reason,
                duration_s=round(duration_s, 6),
                will_retry=will_retry,
                is_tolerated=is_tolerated,
                **(seen or {}),
            )
        )

    def _finish_badly(self, instance: Instance, counted_as: str) -> None:
        instance.job_run.lane.stage_run.failed = True
        self._instances.forget_reading(instance.id)
        self._finish(instance, counted_as)

    def _end(self, instance: Instance, counted_as: str, met: Met | None) -> None:
        """Be done with an instance; or hold its lane after it, where a breakpoint was met by that."""
        if met is None or not self._stop(instance, met, "end", counted_as):
            self._finish(instance, counted_as)

    def _stop(self, instance: Instance, met: Met, follows: Follows, counted_as: str = "") -> bool:
        """Hold what follows from an attempt that has ended. False when nothing is held any more: the run ends."""
        if self._judge.may_hold:
            self._judge.stop_at(met, instance)
        if not self._judge.may_hold:
            return False
        stand = instance.stand
        stand.follows, stand.counted_as, stand.is_stepped = follows, counted_as, False
        self._instances.move(instance, "stopped")
        self._judge.held_after(instance, met)
        self._left(instance)
        return True

    def let_on(self, instance: Instance) -> None:
        """Let what is stopped go on with what follows."""
        stand = instance.stand
        stand.is_let = False
        if stand.follows == "attempt":
            self.retry(instance)
            return
        self._core.emit(JobReleased(**instance.place))
        if stand.follows == "end":
            self._finish(instance, stand.counted_as)
        else:
            self._wait_for_retry(instance)

    def _finish(self, instance: Instance, counted_as: str) -> None:
        before = self._instances.note_end(instance, counted_as)
        if before:  # it ran again
            self.counts[before] -= 1
            if not self.counts[before]:
                del self.counts[before]
        self.counts[counted_as] += 1
        self._instances.move(instance, "done")
        reading = instance.reading
        if reading is not None and reading.epoch != self._core.epoch:
            self._judge.ended_later(instance)
        self._left(instance)


def _differs(update: results.Update, before: Variables) -> bool:
    """Whether a variable has another value, or is new, or gone."""
    name, after = update.name, update.after
    if (name in before) != (name in after):
        return True
    was: object
    is_now: object
    if update.entry is None:
        was, is_now = before.get(name), after.get(name)
    elif isinstance(before.held(name), (Grown, dict)):
        was, is_now = before.entry(name, update.entry), update.value
    else:
        return True
    return type(was) is not type(is_now) or was != is_now
