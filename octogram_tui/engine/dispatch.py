"""Moves every stage run that is open as far as it can go: lanes, jobs, items, past the gate and the limits."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from octogram_tui.engine.breakpoints import Breakpoints, Met
from octogram_tui.engine.core import Core
from octogram_tui.engine.events import JobHeld
from octogram_tui.engine.gate import Gate, Hold
from octogram_tui.engine.instances import Instance, Instances
from octogram_tui.engine.readings import Noting, Readings
from octogram_tui.engine.schedule import JobRun, Lane, StageRun
from octogram_tui.engine.stimuli import Inputs
from octogram_tui.engine.transitions import Transitions
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import JobSpec
from octogram_tui.model.values import Value
from octogram_tui.template.items import expand_items


class StageListener(Protocol):
    """What wants to hear of stages."""

    def stage_done(self, stage_run: StageRun) -> None:
        """Every lane of a stage run has ended."""
        ...

    def stop_at(self, met: Met, instance: Instance | None = None) -> None:
        """A breakpoint was met: hold what it holds."""
        ...


class Closing(NamedTuple):
    """A stage run that ends: what is under way there and still to be ended, and the lanes that have begun."""

    instances: deque[Instance]
    lanes: list[Lane]
    reason: str


class Dispatcher:
    """Offers one instance after the other to the gate, and begins what it lets through."""

    def __init__(
        self,
        core: Core,
        gate: Gate,
        instances: Instances,
        readings: Readings,
        breakpoints: Breakpoints,
        listener: StageListener,
    ) -> None:
        self._core = core
        self._gate = gate
        self._instances = instances
        self._readings = readings
        self._breakpoints = breakpoints
        self._listener = listener
        self.transitions: Transitions  # set by the machine: each tells the other what it has done
        self._work: deque[Lane | JobRun | Closing | Instance] = deque()  # an instance: it runs again, or goes on
        self._as_then: set[InstanceId] = set()  # of those the ones that see the variables as before
        self.stage_runs: list[StageRun] = []

    @property
    def is_quiet(self) -> bool:
        """Whether nothing runs, nothing waits for a retry, and nothing more could be begun."""
        return not (self._work or self._instances.count("running", "watching", "retrying"))

    @property
    def has_work(self) -> bool:
        """Whether there is something that could move."""
        return bool(self._work)

    # -- opening and advancing ------------------------------------------------------------------------------------

    def open(self, stage_run: StageRun) -> None:
        """Let a stage run begin."""
        self.stage_runs.append(stage_run)
        stage_run.started_s, stage_run.paused_s = self._core.at_s, self._core.paused_s
        self._open_lanes(stage_run)
        if not stage_run.open_lanes:
            self._close_stage(stage_run)

    def settle(self, *, at_once: bool = False) -> bool:
        """Advance all that can move, until nothing does or the rest is for another turn (whether there is any).

        at_once: nothing is for another turn.
        """
        turn = self._core.turn
        while self._work and (at_once or turn.left > 0):
            turn.left -= 1
            unit = self._work.popleft()
            if isinstance(unit, JobRun):
                self._advance_job(unit)
            elif isinstance(unit, Lane):
                self._advance_lane(unit)
            elif isinstance(unit, Closing):
                self._go_on_closing(unit, at_once=at_once)
            elif unit.state == "stopped":
                self._go_on(unit)
            else:
                self._run_again(unit)
        return bool(self._work)

    def wake(self, held: Iterable[Instance]) -> None:
        """The gate may let these through: offer them again."""
        self._work.extend(instance.job_run if instance.state == "held" else instance for instance in held)

    def left(self, instance: Instance) -> None:
        """An instance is not in flight any more: what waited for its place may go on."""
        job_run = instance.job_run
        if instance.state == "done":
            self._work.append(job_run)
        stage_run = job_run.lane.stage_run
        if stage_run.blocked or stage_run.asked_again:
            self._give_place(stage_run)

    def _give_place(self, stage_run: StageRun) -> None:
        """Let the one that has waited for a place under `max_concurrency` for the longest time have it."""
        if stage_run.asked_again:
            further, _ = stage_run.asked_again.popitem(last=False)
            self._work.append(further)
        elif stage_run.blocked:
            waiting, _ = stage_run.blocked.popitem(last=False)
            self._work.append(waiting)

    def run_again(self, failed: list[Instance], inputs: Inputs = "now") -> None:
        """Execute undecided instances again, as many at a time as their stage allows."""
        self._work.extend(failed)
        if inputs == "then":
            self._as_then.update(instance.id for instance in failed)

    def rerun_now(self, there: Iterable[Instance], inputs: Inputs) -> None:
        """Execute undecided and stopped instances again at once; one that fails at once may end what is left."""
        for instance in there:
            if instance.state in ("undecided", "stopped") and not instance.job_run.lane.stage_run.is_closing:
                self.transitions.rerun(instance, inputs)

    def _run_again(self, instance: Instance) -> None:
        stage_run = instance.job_run.lane.stage_run
        if instance.state != "undecided" or stage_run.is_closing:  # decided otherwise while it waited
            self._as_then.discard(instance.id)
            self._give_place(stage_run)
        elif stage_run.in_flight >= stage_run.limit:
            stage_run.asked_again[instance] = None
        else:
            self.transitions.rerun(instance, "then" if instance.id in self._as_then else "now")
            self._as_then.discard(instance.id)

    def _go_on(self, instance: Instance) -> None:
        """Offer what is stopped to the gate; what follows may need a place first."""
        stage_run = instance.job_run.lane.stage_run
        if not self._gate.is_plain and not self._gate.lets_on(instance):
            self._pass_place_on(stage_run)
        elif instance.stand.follows != "end" and stage_run.in_flight >= stage_run.limit:
            stage_run.asked_again[instance] = None
        else:
            self.transitions.let_on(instance)

    def retry(self, instance: Instance) -> None:
        """The delay before a further attempt is over: offer it to the gate."""
        if not (self._gate.is_plain and self._breakpoints.is_idle):
            hold = self._ask(instance, self._gate.again(instance))
            if hold is not None:
                if instance.state == "retrying":  # else the breakpoint has ended the run
                    instance.stand.follows = "attempt"
                    self._instances.move(instance, "stopped")
                    self._tell_held(instance, hold, "before")
                    self.left(instance)
                return
        self.transitions.retry(instance)

    def held_after(self, instance: Instance, met: Met) -> None:
        """A breakpoint holds an instance after its attempt: it stands at the gate already."""
        self._tell_held(instance, Hold(met.reason, met.number), "after")

    def _ask(self, instance: Instance, hold: Hold | None) -> Hold | None:
        """Ask the breakpoints about an attempt that the gate lets through. Gives why it is held."""
        if hold is not None or self._breakpoints.is_idle:
            return hold
        met = self._breakpoints.before(instance, is_named=self._gate.is_named(instance))
        if met is None:
            return None
        self._listener.stop_at(met, instance)
        return Hold(met.reason, met.number)

    def _tell_held(self, instance: Instance, hold: Hold, point: str) -> None:
        job_run = instance.job_run
        is_of_now = point == "after" or job_run.snapshot is self._core.variables
        self._core.emit(
            JobHeld(
                **instance.place,
                reason=hold.reason,
                point=point,
                order=instance.stand.order,
                breakpoint=hold.breakpoint,
                seen=0 if is_of_now else job_run.seen,
            )
        )

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
        selection = self._core.options.selection
        while (
            not (stage_run.is_closing or lane.is_cut)
            and lane.index < len(lane.jobs)
            and not (is_sequential and lane.active)
        ):
            spec = lane.jobs[lane.index]
            lane.index += 1
            if selection.takes(stage_run.spec, spec):
                core = self._core
                job_run = JobRun(spec, lane, core.variables, core.epoch, core.seq, stage_run.only)
                lane.active[spec.key] = job_run
                self._work.append(job_run)
        if not lane.active and (stage_run.is_closing or lane.is_cut or lane.index >= len(lane.jobs)):
            lane.is_done = True
            stage_run.open_lanes -= 1
            self._open_lanes(stage_run)
            if not stage_run.open_lanes:
                self._close_stage(stage_run)

    def _close_stage(self, stage_run: StageRun) -> None:
        self.stage_runs.remove(stage_run)
        self._listener.stage_done(stage_run)

    def _advance_job(self, job_run: JobRun) -> None:
        stage_run, turn = job_run.lane.stage_run, self._core.turn
        if not job_run.is_open or (stage_run.is_closing and job_run.drawn is not None):
            return  # what is drawn is ended first
        while not (stage_run.is_closing or job_run.is_cut):
            if job_run.begun and job_run.spec.run_items == "sequential":
                return
            if turn.left <= 0:
                self._work.append(job_run)
                return
            turn.left -= 1
            is_drawn_out = job_run.items is not None and job_run.spec.items is None
            instance = job_run.drawn or (None if is_drawn_out else self._draw(job_run))
            if instance is None:
                break
            carried = self._core.options.carried
            if carried and instance.id in carried and self.transitions.carry(instance):
                job_run.drawn = None
                continue
            job_run.drawn = instance
            if stage_run.limit and stage_run.in_flight >= stage_run.limit:
                stage_run.blocked[job_run] = None
                return
            stage_run.blocked.pop(job_run, None)
            if not (self._gate.is_plain and self._breakpoints.is_idle):
                hold = self._ask(instance, self._gate.before(instance))
                if hold is not None:
                    self._hold(instance, hold)
                    self._pass_place_on(stage_run)
                    return
            job_run.drawn = None
            self.transitions.begin(instance)
        if not job_run.begun:
            job_run.is_open = False
            del job_run.lane.active[job_run.spec.key]
            self._work.append(job_run.lane)

    def _hold(self, instance: Instance, hold: Hold) -> None:
        is_new = instance.state == "planned"
        if instance.job_run.lane.stage_run.is_closing:  # the breakpoint has ended the run
            return
        if is_new:
            instance.attempt = 0
            self._instances.move(instance, "held")
        if is_new or hold.breakpoint:
            self._tell_held(instance, hold, "before")

    def _pass_place_on(self, stage_run: StageRun) -> None:
        """What was to begin is held: the place under `max_concurrency` is for the next that waits."""
        if stage_run.in_flight < stage_run.limit and (stage_run.blocked or stage_run.asked_again):
            self._give_place(stage_run)

    def _draw(self, job_run: JobRun) -> Instance | None:
        """Make the next instance; None when there is none left."""
        lane, spec = job_run.lane, job_run.spec
        stage = lane.stage_run.spec.key
        if spec.items is None:
            job_run.items = iter(())
            return Instance(InstanceId(stage, spec.key, lane.agent), job_run, None)
        if job_run.items is None:
            variables: Mapping[str, Value] = job_run.snapshot
            if lane.stage_run.then and (spec.key, lane.agent) in lane.stage_run.then:
                variables = lane.stage_run.then[spec.key, lane.agent].over(variables)
            if self._readings.names_of(spec).is_computed:
                job_run.noted = {}
                variables = Noting(variables, job_run.noted)
            scope = lane.scope(variables)
            try:
                job_run.items = iter(expand_items(spec.items, scope))
            except TemplateError as error:
                job_run.items = iter(())
                instance = Instance(InstanceId(stage, spec.key, lane.agent), job_run, None)
                self.transitions.not_expanded(instance, error, "with_items")
                return None
        if job_run.put_back is not None:
            value, text = job_run.put_back
            job_run.put_back = None
            return Instance(InstanceId(stage, spec.key, lane.agent, text), job_run, value)
        for _, value, text in job_run.items:
            id_ = InstanceId(stage, spec.key, lane.agent, text)
            if job_run.only is None or id_ in job_run.only:
                return Instance(id_, job_run, value)
        return None

    # -- what operators and the machine ask -----------------------------------------------------------------------

    def pass_over(self, id_: InstanceId) -> bool:
        """Go on as if an undecided or held instance had ended well. False when there is none of that name.

        What is held after it has ended just goes on.
        """
        instance = self._instances.find(id_, "undecided", "held", "stopped")
        if instance is None:
            return False
        if instance.state == "held":
            instance.job_run.drawn = None
        self.transitions.pass_over(instance, "operator")
        return True

    def close(self, stage_run: StageRun, reason: str, *, at_once: bool = True) -> None:
        """Begin nothing more of a stage run and end what it has under way; in several turns, unless it is at_once."""
        stage_run.is_closing = True
        waiting = set(stage_run.waiting)
        opened = [lane for lane in stage_run.lanes if lane not in waiting]
        for lane in stage_run.waiting:  # it never begins, and must not count as ended when this is called again
            lane.is_done = True
        stage_run.waiting.clear()
        there = deque(self._instances.of_stage(stage_run))
        self._go_on_closing(Closing(there, opened, reason), at_once=at_once)

    def _go_on_closing(self, closing: Closing, *, at_once: bool) -> None:
        turn = self._core.turn
        while closing.instances:
            if turn.left <= 0 and not at_once:
                self._work.append(closing)
                return
            turn.left -= 1
            self.transitions.end_for(closing.instances.popleft(), closing.reason)
        for lane in closing.lanes:
            for job_run in lane.active.values():
                job_run.drawn = None
                self._work.append(job_run)
            self._work.append(lane)

    def give_up_cancelled(self, after_s: float) -> bool:
        """End what was to be cancelled and whose agent never said that it was. False when more of it is left."""
        turn = self._core.turn
        for instance in list(self._instances.in_state("running")):
            if instance.job_run.lane.stage_run.is_closing:
                if turn.left <= 0:
                    return False
                turn.left -= 1
                self.transitions.give_up(instance, after_s)
        return True

    def adopt(self, stage_run: StageRun, jobs: tuple[JobSpec, ...]) -> None:
        """An edited stage is in force: what a lane has not begun yet follows the new text.

        What it has begun, and an edit has taken away, does not come again by being given again.
        """
        by_key = {job.key: job for job in jobs}
        order = {job.key: position for position, job in enumerate(jobs)}
        for lane in stage_run.lanes:
            begun = [job.key for job in lane.jobs[: lane.index]]
            for job_run in lane.active.values():
                job_run.spec = by_key.get(job_run.spec.key, job_run.spec)
            lane.gone = lane.gone.union(key for key in begun if key not in order)
            lane.jobs, place = jobs, order
            if lane.gone:
                lane.jobs = tuple(job for job in jobs if job.key not in lane.gone)
                place = {job.key: position for position, job in enumerate(lane.jobs)}
            lane.index = max((place[key] + 1 for key in begun if key in place), default=0)
