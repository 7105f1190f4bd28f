"""From "this instance may run" to "its variables are updated": offering, expanding, sending, retrying, finishing."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from octogram_agentd.procedures import find
from octogram_tui.engine import results
from octogram_tui.engine.core import Core
from octogram_tui.engine.debugger import Debugger
from octogram_tui.engine.effects import ArmTimer, CancelJob, DisarmTimer, SendJob
from octogram_tui.engine.events import JobFinished, JobHeld, JobOutput, JobProgress, JobStarted
from octogram_tui.engine.schedule import Instance, JobRun, Lane, StageRun
from octogram_tui.engine.services import ServiceTable
from octogram_tui.engine.stimuli import AttemptReport, OutputReport, ProgressReport
from octogram_tui.engine.watches import Watches
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import attempt_id, instance_key, split_attempt
from octogram_tui.model.scenario import JobSpec
from octogram_tui.template.environment import evaluate
from octogram_tui.template.items import expand_items
from octogram_tui.template.scope import make_scope

CANCELLED_ERROR = {"kind": "cancelled", "message": "cancelled"}


class Listener(Protocol):
    """What the machine wants to hear from the dispatcher."""

    def stage_done(self, stage_run: StageRun) -> None:
        """Every lane of a stage run has ended."""
        ...

    def verdict(self, instance: Instance, error: dict[str, Any]) -> str:
        """An instance failed for good: what that means. One of continue, pause, abort."""
        ...

    def failure_seen(self, instance: Instance, verdict: str, error: dict[str, Any]) -> None:
        """The failure has been told; now act on it."""
        ...

    def agent_problem(self, agent: str) -> str:
        """Say why an agent cannot take a job; empty when it can."""
        ...


class Dispatcher:
    """Moves every live stage run as far as it can go."""

    def __init__(self, core: Core, gate: Debugger, services: ServiceTable, listener: Listener) -> None:
        self._core = core
        self._gate = gate
        self._services = services
        self._listener = listener
        self._work: deque[Lane | JobRun] = deque()
        self.addresses: dict[str, str] = {}
        self.stage_runs: list[StageRun] = []
        self.held: dict[JobRun, Instance] = {}  # in the order in which they came to the gate
        self.unresolved: dict[str, Instance] = {}  # failed, waiting for the operator
        self.live: dict[str, Instance] = {}  # by attempt id: running now
        self._watches = Watches()
        self.attempts: dict[str, int] = {}  # highest attempt of every instance that ever ran
        self._places: dict[str, tuple[str, str, Any]] = {}  # for lines that come when their attempt has ended
        self.ran: dict[tuple[str, str], str] = {}  # (stage, job) that ran -> digest of the job at that time
        self.counts: Counter[str] = Counter()
        self.retrying: dict[str, Instance] = {}

    @property
    def in_flight(self) -> int:
        """How many attempts are under way."""
        return len(self.live)

    def under_way(self) -> Iterator[Instance]:
        """Give every instance that runs or waits for its next attempt."""
        yield from self.live.values()
        yield from self.retrying.values()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing runs, nothing waits for a retry, and nothing more could be begun."""
        return not (self.live or self.retrying or self._work)

    # -- opening and advancing ------------------------------------------------------------------------------------

    def open(self, stage_run: StageRun) -> None:
        """Let a stage run begin."""
        self.stage_runs.append(stage_run)
        stage_run.started_s = self._core.at_s
        self._open_lanes(stage_run)
        if not stage_run.open_lanes:
            self._close_stage(stage_run)

    def settle(self) -> None:
        """Advance everything that can move, until nothing does."""
        while self._work:
            unit = self._work.popleft()
            if isinstance(unit, Lane):
                self._advance_lane(unit)
            else:
                self._advance_job(unit)

    def wake(self) -> None:
        """The gate may have opened: offer again what it holds, oldest first."""
        self._work.extend(self.held)

    def _open_lanes(self, stage_run: StageRun) -> None:
        limit = stage_run.lane_limit
        while stage_run.waiting and (limit is None or stage_run.open_lanes < limit):
            stage_run.open_lanes += 1
            self._work.append(stage_run.waiting.popleft())

    def _advance_lane(self, lane: Lane) -> None:
        stage_run = lane.stage_run
        if lane.is_done:
            return
        is_sequential = stage_run.spec.run_jobs == "sequential"
        while not stage_run.is_closing and lane.index < len(lane.jobs) and not (is_sequential and lane.active):
            spec = lane.jobs[lane.index]
            lane.index += 1
            if self._gate.takes_job(stage_run.spec, spec):
                job_run = JobRun(spec, lane, self._core.variables, stage_run.only_key)
                lane.active[spec.key] = job_run
                self._work.append(job_run)
        if not lane.active and (stage_run.is_closing or lane.index >= len(lane.jobs)):
            lane.is_done = True
            stage_run.open_lanes -= 1
            self._open_lanes(stage_run)
            if not stage_run.open_lanes:
                self._close_stage(stage_run)

    def _close_stage(self, stage_run: StageRun) -> None:
        self.stage_runs.remove(stage_run)
        self._listener.stage_done(stage_run)

    def _advance_job(self, job_run: JobRun) -> None:
        stage_run = job_run.lane.stage_run
        if not job_run.is_open:
            return
        while not stage_run.is_closing:
            if job_run.active and job_run.is_sequential:
                return
            instance = job_run.held or self._draw(job_run)
            if instance is None:
                break
            if stage_run.limit and stage_run.in_flight >= stage_run.limit:
                job_run.held = instance
                stage_run.blocked[job_run] = None
                return
            stage_run.blocked.pop(job_run, None)
            if self._gate.instance(instance) != "go":
                job_run.held = instance
                if job_run not in self.held:
                    self.held[job_run] = instance
                    self._core.emit(JobHeld(**instance.place, reason=self._gate.reason))
                return
            job_run.held = None
            self.held.pop(job_run, None)
            self._begin(instance)
        if stage_run.is_closing and job_run.held is not None:
            job_run.held = None
            self.held.pop(job_run, None)
        if not job_run.active:
            job_run.is_open = False
            del job_run.lane.active[job_run.spec.key]
            self._work.append(job_run.lane)

    def _draw(self, job_run: JobRun) -> Instance | None:
        """Make the next instance; None when there is none left."""
        lane = job_run.lane
        stage, spec = lane.stage_run.spec.key, job_run.spec
        if spec.items is None:
            if job_run.items is not None:
                return None
            job_run.items = iter(())
            return Instance(instance_key(stage, spec.key, lane.agent, None), job_run, None)
        if job_run.items is None:
            try:
                job_run.items = iter(expand_items(spec.items, self._scope(job_run, None)))
            except TemplateError as error:
                job_run.items = iter(())
                instance = Instance(instance_key(stage, spec.key, lane.agent, None), job_run, None)
                self._count_begun(instance)
                self._end(instance, "failed", None, results.template_failure(error, "with_items"), 0.0)
                return None
        for _, value, text in job_run.items:
            key = instance_key(stage, spec.key, lane.agent, text)
            if not job_run.only_key or job_run.only_key == key:
                return Instance(key, job_run, value)
        return None

    def _scope(self, job_run: JobRun, item: Any, **result: Any) -> dict[str, Any]:
        variables: Mapping[str, Any] = self._core.variables if result else job_run.snapshot
        return make_scope(variables, agent=job_run.lane.agent, captures=job_run.lane.captures, item=item, **result)

    # -- beginning ------------------------------------------------------------------------------------------------

    def _count_begun(self, instance: Instance) -> None:
        job_run = instance.job_run
        job_run.active += 1
        job_run.live[instance.key] = instance
        job_run.lane.stage_run.in_flight += 1
        instance.attempt = self.attempts.get(instance.key, 0) + 1
        self.attempts[instance.key] = instance.attempt
        self.ran[job_run.lane.stage_run.spec.key, job_run.spec.key] = job_run.spec.digest
        self._places[instance.key] = (job_run.lane.stage_run.spec.key, job_run.spec.key, instance.item)
        instance.started_s = self._core.at_s

    def _begin(self, instance: Instance) -> None:
        """Start a new instance: `when`, then its first attempt."""
        job_run = instance.job_run
        spec = job_run.spec
        if spec.when is not None:
            try:
                wanted = evaluate(spec.when.source, self._scope(job_run, instance.item))
            except TemplateError as error:
                self._count_begun(instance)
                self._end(instance, "failed", None, results.template_failure(error, "when"), 0.0)
                return
            if not wanted:
                self.ran[job_run.lane.stage_run.spec.key, spec.key] = spec.digest
                self._finish_without_run(instance, f"when: {spec.when.source}")
                return
        self._count_begun(instance)
        instance.move("running")
        self._execute(instance)

    def _finish_without_run(self, instance: Instance, reason: str) -> None:
        instance.attempt = self.attempts.get(instance.key, 0)
        instance.move("done")
        self.counts["skipped"] += 1
        self._core.emit(JobFinished(**instance.place, state="skipped", reason=reason))

    def again(self, instance: Instance, why: str) -> None:
        """Execute a further attempt of an instance that failed or waits for its retry."""
        instance.attempt = self.attempts[instance.key] + 1
        self.attempts[instance.key] = instance.attempt
        instance.started_s = self._core.at_s
        instance.why = why
        self._execute(instance)

    def _execute(self, instance: Instance) -> None:
        spec = instance.job_run.spec
        agent = instance.job_run.lane.agent
        scope = self._scope(instance.job_run, instance.item)

        def resolve(kind: str, uri: str) -> dict[str, str]:
            return self._services.resolve(kind, uri, agent, self.addresses)

        try:
            arguments = spec.arguments.expand(scope, resolve)
        except TemplateError as error:
            self._end(instance, "failed", None, results.template_failure(error, spec.procedure), 0.0)
            return
        self._core.emit(JobStarted(**instance.place, procedure=spec.procedure, arguments=arguments, why=instance.why))
        where = find(spec.procedure).where
        if where == "engine" or (spec.procedure == "builtins.wait_for" and arguments.get("expression") is not None):
            self._execute_here(instance, arguments, scope)
            return
        problem = self._listener.agent_problem(agent)
        if problem:
            self._end(instance, "failed", None, {"kind": "agent_lost", "message": problem}, 0.0)
            return
        attempt = attempt_id(instance.key, instance.attempt)
        self.live[attempt] = instance
        self._core.order(SendJob(agent, attempt, spec.procedure, arguments, spec.timeout_s, where))

    def _execute_here(self, instance: Instance, arguments: dict[str, Any], scope: dict[str, Any]) -> None:
        """Assertions and waits for an expression: they need the variables, and no agent."""
        if instance.job_run.spec.procedure == "builtins.assert":
            error = results.assertion_error(arguments, scope)
            self._end(instance, "failed" if error else "ok", None, error, 0.0)
            return
        attempt = attempt_id(instance.key, instance.attempt)
        self.live[attempt] = instance
        self._watches.add(attempt, instance, str(arguments["expression"]))
        timeout_s = instance.job_run.spec.timeout_s or float(arguments.get("timeout") or 60)
        self._core.order(ArmTimer(f"wait:{attempt}", timeout_s))
        self.check_watches()

    def check_watches(self) -> None:
        """Look again at every expression that somebody waits for: the variables may have changed."""
        for attempt, problem in self._watches.settled(self._core.variables):
            if problem is None:
                self._end_watch(attempt, "ok", None)
            else:
                self._end_watch(attempt, "failed", results.template_failure(problem, "expression"))

    def _end_watch(self, attempt: str, state: str, error: dict[str, Any] | None) -> None:
        self._watches.forget(attempt)
        instance = self.live.pop(attempt)
        self._core.order(DisarmTimer(f"wait:{attempt}"))
        duration_s = self._core.at_s - instance.started_s
        self._end(instance, state, {"seen": "expression"} if state == "ok" else None, error, duration_s)

    def watch_timed_out(self, attempt: str) -> None:
        """The time of a wait for an expression is over."""
        if attempt in self._watches:
            instance = self.live[attempt]
            spent = self._core.at_s - instance.started_s
            error = {"kind": "timeout", "message": f"the expression did not become true within {spent:.0f} s"}
            self._end_watch(attempt, "failed", error)

    # -- reports from agents --------------------------------------------------------------------------------------

    def output_came(self, stimulus: OutputReport) -> None:
        """Pass log lines on, with the place they belong to."""
        place: dict[str, Any] = {"agent": stimulus.agent}
        instance = self.live.get(stimulus.attempt_id)
        if instance is not None:
            place = instance.place
        elif stimulus.attempt_id:
            key, attempt = split_attempt(stimulus.attempt_id)
            stage, job, item = self._places.get(key, ("", "", None))
            place = {"agent": stimulus.agent, "key": key, "attempt": attempt, "stage": stage, "job": job, "item": item}
        self._core.emit(
            JobOutput(
                **place,
                lines=stimulus.lines,
                stream=stimulus.stream,
                process=stimulus.process,
                dropped=stimulus.dropped,
            )
        )

    def progress_came(self, stimulus: ProgressReport) -> None:
        """Pass on how far an attempt is; of one that ended meanwhile nothing is said."""
        instance = self.live.get(stimulus.attempt_id)
        if instance is not None:
            self._core.emit(JobProgress(**instance.place, text=stimulus.text))

    def attempt_ended(self, stimulus: AttemptReport) -> None:
        """Take an attempt's end; a repeated or unknown one changes nothing."""
        instance = self.live.pop(stimulus.attempt_id, None)
        if instance is not None:
            self._end(instance, stimulus.state, stimulus.result, stimulus.error, stimulus.duration_s)

    def fail_agent(self, agent: str, message: str) -> None:
        """An agent is gone: what ran there failed."""
        for attempt, instance in list(self.live.items()):
            if instance.job_run.lane.agent == agent:
                del self.live[attempt]
                self._watches.forget(attempt)
                error = {"kind": "agent_lost", "message": message}
                self._end(instance, "failed", None, error, self._core.at_s - instance.started_s)

    # -- ending ---------------------------------------------------------------------------------------------------

    def _end(
        self, instance: Instance, state: str, result: Any, error: dict[str, Any] | None, duration_s: float
    ) -> None:
        """An attempt is over: retry, fail, or update the variables and be done."""
        spec = instance.job_run.spec
        updates: list[results.Update] = []
        if state == "ok":
            try:
                if spec.until is not None and not results.is_enough(instance, result, self._core.variables):
                    state, error = "failed", {"kind": "until", "message": f"not yet: {spec.until.source}"}
                else:
                    updates = results.updates(instance, result, self._core.variables)
            except TemplateError as problem:
                state, error = "failed", results.template_failure(problem, "vars_updates")
        elif error is None:
            error = dict(CANCELLED_ERROR) if state == "cancelled" else {"kind": "failed", "message": "failed"}
        stage_run = instance.job_run.lane.stage_run
        # A template that fails would fail again: only what ran is tried again.
        can_retry = error is not None and error.get("kind") != "template" and not stage_run.is_closing
        will_retry = state == "failed" and instance.retries_left > 0 and can_retry
        verdict = ""
        if state == "failed" and not will_retry:
            if instance.state == "held":  # failed before it ran: no agent has seen it
                instance.move("failed")
            verdict = self._listener.verdict(instance, error or {})
        self._core.emit(
            JobFinished(
                **instance.place,
                state=state,
                result=result if state == "ok" else None,
                error=error,
                duration_s=round(duration_s, 6),
                will_retry=will_retry,
                is_tolerated=verdict == "continue",
            )
        )
        for name, value, is_removed in updates:
            if is_removed:
                self._core.remove_variable(name, instance.key)
            else:
                self._core.set_variable(name, value, instance.key)
        if will_retry:
            instance.retries_left -= 1
            instance.move("retrying")  # it keeps its place among those that `max_concurrency` counts
            self.retrying[instance.key] = instance
            self._core.order(ArmTimer(f"retry:{instance.key}", spec.retry_delay_s))
        elif verdict == "pause" and instance.key not in self.unresolved:
            if instance.state != "failed":
                instance.move("failed")
            stage_run.in_flight -= 1
            self.unresolved[instance.key] = instance
            self._unblock(stage_run)
        else:
            self.counts["tolerated" if verdict == "continue" else state] += 1
            if state != "ok" and verdict != "continue":
                stage_run.failed = True
            stage_run.in_flight -= 1
            self._close_instance(instance)
            if state == "ok":
                self._resolve(instance.key)
        if updates:
            self.check_watches()
        if verdict in ("pause", "abort"):
            self._listener.failure_seen(instance, verdict, error or {})

    def _close_instance(self, instance: Instance) -> None:
        instance.move("done")
        job_run = instance.job_run
        job_run.live.pop(instance.key, None)
        job_run.active -= 1
        self._work.append(job_run)
        self._unblock(job_run.lane.stage_run)

    def _unblock(self, stage_run: StageRun) -> None:
        for job_run in stage_run.blocked:
            del stage_run.blocked[job_run]
            self._work.append(job_run)
            return

    def _resolve(self, key: str) -> None:
        """A rerun of a failed instance ended well: its lane may go on."""
        failed = self.unresolved.pop(key, None)
        if failed is not None:
            failed.job_run.snapshot = self._core.variables
            self._close_instance(failed)

    # -- what operators and the machine ask -----------------------------------------------------------------------

    def retry_due(self, key: str) -> None:
        """The delay before a further attempt is over."""
        instance = self.retrying.pop(key, None)
        if instance is not None:
            instance.move("running")
            self.again(instance, "retry")

    def rerun_failed(self, key: str) -> None:
        """Execute a failed instance again, with the variables and the text of now."""
        instance = self.unresolved.pop(key)
        instance.job_run.snapshot = self._core.variables
        instance.retries_left = instance.job_run.spec.retries
        instance.move("running")
        instance.job_run.lane.stage_run.in_flight += 1
        self.again(instance, "rerun")

    def skip(self, key: str) -> bool:
        """Go on as if a failed or held instance had ended well. False when there is none of that name."""
        failed = self.unresolved.pop(key, None)
        if failed is not None:
            self.counts["skipped"] += 1
            self._core.emit(JobFinished(**failed.place, state="skipped", reason="operator"))
            self._close_instance(failed)
            return True
        for job_run, instance in self.held.items():
            if instance.key == key:
                del self.held[job_run]
                job_run.held = None
                self._finish_without_run(instance, "operator")
                self._work.append(job_run)
                return True
        return False

    def close(self, stage_run: StageRun, reason: str) -> None:
        """Begin nothing more of a stage run and end what it has under way."""
        stage_run.is_closing = True
        opened = [lane for lane in stage_run.lanes if lane not in stage_run.waiting]
        stage_run.waiting.clear()
        for instance in list(stage_run.live_instances()):
            attempt = attempt_id(instance.key, instance.attempt)
            if self.retrying.get(instance.key) is instance:
                del self.retrying[instance.key]
                self._core.order(DisarmTimer(f"retry:{instance.key}"))
                stage_run.in_flight -= 1
                self._close_instance(instance)
            elif self.unresolved.get(instance.key) is instance:
                del self.unresolved[instance.key]
                self.counts["failed"] += 1
                stage_run.failed = True
                self._close_instance(instance)
            elif attempt in self._watches:
                self._end_watch(attempt, "cancelled", {"kind": "cancelled", "message": reason})
            elif attempt in self.live:
                where = find(instance.job_run.spec.procedure).where
                self._core.order(CancelJob(instance.job_run.lane.agent, attempt, reason, where))
        for lane in opened:
            self._work.extend(lane.active.values())
            self._work.append(lane)

    def give_up_cancelled(self, after_s: float) -> None:
        """End what was to be cancelled and whose agent never said that it was."""
        for attempt, instance in list(self.live.items()):
            if instance.job_run.lane.stage_run.is_closing:
                del self.live[attempt]
                message = f"cancelled, and not confirmed by the agent within {after_s:.0f} s"
                error = {"kind": "cancelled", "message": message}
                self._end(instance, "cancelled", None, error, self._core.at_s - instance.started_s)

    def adopt(self, stage_run: StageRun, jobs: tuple[JobSpec, ...]) -> None:
        """An edited stage is in force: what a lane has not begun yet follows the new text."""
        by_key = {job.key: job for job in jobs}
        order = {job.key: position for position, job in enumerate(jobs)}
        for lane in stage_run.lanes:
            begun = [job.key for job in lane.jobs[: lane.index]]
            for job_run in lane.active.values():
                job_run.spec = by_key.get(job_run.spec.key, job_run.spec)
            lane.jobs = jobs
            lane.index = max((order[key] + 1 for key in begun if key in order), default=0)
