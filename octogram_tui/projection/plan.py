"""The rows of a run: stages, jobs, instances and agents, kept in order and counted as they change state.

Each row carries a version that grows when it changes: a front end draws again what it shows in another version, and
nothing else. Instances come into being when an event names them, or when somebody looks (`reveal`).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import StageEntry
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.projection.causes import Names
from octogram_tui.projection.clusters import Clusters
from octogram_tui.projection.job_text import NO_TEXT, rules_of, texts_of
from octogram_tui.projection.row_states import State, new_tally
from octogram_tui.projection.rows import AgentRow, Group, InstanceRow, Kind, Row, RowKey
from octogram_tui.projection.standstill import Standstill

PASSED = "the run was past it when it came in"

# Looked up once, for a class of numbers looks its members up slowly, and these are needed with every event.
_PENDING, _JOB = State.PENDING, Kind.JOB
_IN_FLIGHT = (State.RUNNING, State.RETRYING)
_BAD = (State.FAILED, State.LOST)


class Plan:
    """The tree of what runs, and the agents it runs on."""

    def __init__(self) -> None:
        self.stages: list[Group] = []
        self.jobs: dict[RowKey, Group] = {}  # jobs, and jobs on one agent, by key
        self.agents: dict[str, AgentRow] = {}
        self.instances: dict[InstanceId, InstanceRow] = {}
        self.tally = new_tally()
        self.standstill = Standstill()
        self.failures: dict[InstanceId, InstanceRow] = {}  # those that stand failed now, the first first
        self.undecided: dict[InstanceId, InstanceRow] = {}  # of those, the ones that wait for the operator's word
        self.clusters: Clusters[InstanceRow] = Clusters()  # all that stand failed, by cause; placed by the keys of jobs
        self.names = Names()  # of agents, as they stand in the causes of failures
        self.structure_version = 0  # grows when rows come or go
        self._by_stage: dict[str, Group] = {}  # by name

    def row(self, key: RowKey) -> Row | None:
        """Find a row by its key."""
        if isinstance(key, InstanceId):
            return self.instances.get(key)
        return self._by_stage.get(key[0]) if len(key) == 1 else self.jobs.get(key)

    def stage(self, name: str) -> Group | None:
        """Find a stage by its name."""
        return self._by_stage.get(name)

    def number_of(self, stage: Group) -> int | None:
        """Say the how manieth stage of the scenario it is, from 1 on; None of one that an edit took away."""
        if stage.is_gone:
            return None
        return next((at for at, each in enumerate(self._there(), 1) if each is stage), None)

    def _there(self) -> Iterator[Group]:
        return (stage for stage in self.stages if not stage.is_gone)

    def reveal(self, job: Group) -> None:
        """Make rows for those instances of a job that are sure to come, so that they can be seen and pointed at."""
        if job.kind is not Kind.JOB or job.has_items or job.stage.final is not None:
            return
        for agent in job.stage.agents:
            self._instance(job, InstanceId(job.stage.name, job.name, agent), None)

    def _take_plan(self, plan: list[StageEntry], digest: str) -> None:
        """Lay out the stages and jobs of a plan. What an edit took away stays when it had run, and says so."""
        texts = texts_of(plan, digest)
        gone = {stage.name: stage for stage in self.stages}
        stages: list[Group] = []
        for entry in plan:
            stage = gone.pop(str(entry.get("stage", "")), None) or self._new_stage(str(entry.get("stage", "")))
            stage.is_gone = False
            stage.always = bool(entry.get("always"))
            stage.line = int(entry.get("line") or 0)
            stage.rules = rules_of(entry)
            old_jobs = {child.name: child for child in stage.children if isinstance(child, Group)}
            stage.children = []
            for job_entry in entry.get("jobs") or ():
                name = str(job_entry.get("job", ""))
                job = old_jobs.pop(name, None) or self._new_job(stage, name)
                job.is_gone = False
                job.procedure = str(job_entry.get("procedure") or "")
                job.has_items = bool(job_entry.get("items"))
                job.line = int(job_entry.get("line") or 0)
                job.mentions = tuple(map(str, job_entry.get("variables") or ()))
                job.text = texts.get((stage.name, name), NO_TEXT)
                stage.children.append(job)
            for job in old_jobs.values():
                if job.known:
                    job.is_gone = True
                    stage.children.append(job)
                else:
                    self._drop(job)
            if stage.started_s is not None and stage.final is None:
                self._expect(stage)
            stages.append(stage)
        for stage in gone.values():
            if stage.started_s is not None or stage.known:  # after going back it has rows, and is still to begin
                stage.is_gone = True
                stages.insert(min(self.stages.index(stage), len(stages)), stage)
            else:
                for child in stage.children:
                    if isinstance(child, Group):
                        self._drop(child)
                del self._by_stage[stage.name]
        self.stages = stages
        self._tell_passed()
        self.structure_version += 1

    def _tell_passed(self) -> None:
        """Say of the stages that an edit put before where the run is that they do not run any more."""
        begun = [
            number
            for number, stage in enumerate(self.stages)
            if not stage.is_gone and (stage.started_s is not None or (stage.final is not None and stage.note != PASSED))
        ]
        for number, stage in enumerate(self.stages):
            is_passed = number < max(begun, default=0) and not stage.always
            if is_passed and stage.started_s is None and stage.final is None:
                stage.final, stage.note = State.SKIPPED, PASSED
            elif not is_passed and stage.note == PASSED:
                stage.final, stage.note = None, ""
            else:
                continue
            stage.version += 1

    def _drop(self, job: Group) -> None:
        """Forget a job that never ran: should it come back, it begins anew."""
        self.jobs.pop(job.key, None)
        for row in list(job.below()):
            self.instances.pop(row.key, None)

    def _expect(self, stage: Group) -> None:
        """Say how many instances a stage that runs will have at least: each of its jobs on each of its agents."""
        stage.expected = 0
        for job in stage.children:
            if isinstance(job, Group):
                job.expected = job.known if job.is_gone else len(stage.agents)
                stage.expected += job.expected
                self._touch(job)
        self._touch(stage)

    def _new_stage(self, name: str) -> Group:
        stage = Group(Kind.STAGE, (name,), name, None)
        stage.standstill = self.standstill
        self._by_stage[name] = stage
        self.structure_version += 1
        return stage

    def _new_job(self, stage: Group, name: str) -> Group:
        job = Group(Kind.JOB, (stage.name, name), name, stage)
        self.jobs[job.key] = job
        self.structure_version += 1
        return job

    def _stage_of(self, name: str) -> Group:
        """Find a stage; one that no plan announced is shown after the others."""
        stage = self._by_stage.get(name)
        if stage is None:
            stage = self._new_stage(name)
            self.stages.append(stage)
        return stage

    def _instance(self, job: Group, key: InstanceId, item: Value) -> InstanceRow:
        instance = self.instances.get(key)
        return instance if instance is not None else self._new_instance(job, key, item)

    def _new_instance(self, job: Group, key: InstanceId, item: Value) -> InstanceRow:
        parent, agent = job, key.agent
        if job.has_items:
            group_key = (key.stage, key.job, agent)
            found = self.jobs.get(group_key)
            if found is None:
                found = Group(Kind.AGENT, group_key, agent, job)
                found.agent = agent
                found.has_items = True
                self.jobs[group_key] = found
                insort(job.children, found, key=self._order)
            parent = found
        doer = self.agents.get(agent) or self._agent(agent)
        # Each event brings the names as texts of its own: one of each is enough.
        key = InstanceId(job.above.name, job.name, doer.name, key.item)
        instance = InstanceRow(key, parent, item)
        self.instances[key] = instance
        doer.instances.append(instance)
        job.members.setdefault(_PENDING, {})[key] = instance
        children = parent.children
        if parent is not job or not children or self._order(children[-1]) <= doer.order:
            children.append(instance)
        else:
            insort(children, instance, key=self._order)
        self.structure_version += 1
        return instance

    def _order(self, row: Row) -> int:
        agent = self.agents.get(row.agent)
        return agent.order if agent else len(self.agents)

    def _instance_of(self, event: ev.JobEvent) -> InstanceRow:
        key = event.instance
        instance = self.instances.get(key)
        if instance is not None:
            return instance
        job = self.jobs.get((key.stage, key.job))
        if job is None:
            stage = self._stage_of(key.stage)
            job = self._new_job(stage, key.job)
            job.has_items = key.item is not None
            stage.children.append(job)
        return self._new_instance(job, key, event.item)

    def _touch(self, row: Row) -> None:
        row.version += 1

    def _move(self, instance: InstanceRow, state: State) -> None:
        """Give an instance another state, and keep every count above it true."""
        old, key = instance.state, instance.key
        instance.state = state
        instance.version += 1
        group = instance.parent
        job = group if group.kind is _JOB else group.above
        stage = job.above
        if state is not old:
            members = job.members
            del members[old][key]
            there = members.get(state)
            if there is None:
                there = members[state] = {}
            there[key] = instance
        agent = self.agents.get(key[2]) or self._agent(key[2])
        cell = agent.cells.get(stage.key)
        if cell is None:
            cell = agent.cells[stage.key] = new_tally()
        tallies = [self.tally, cell, job.tally, stage.tally]
        job.version += 1
        stage.version += 1
        if group is not job:
            tallies.append(group.tally)
            group.version += 1
        for tally in tallies:
            tally[state] += 1
        if old is not _PENDING:
            for tally in tallies:
                tally[old] -= 1
        agent.running += (state in _IN_FLIGHT) - (old in _IN_FLIGHT)
        agent.version += 1
        was_bad, is_bad = old in _BAD, state in _BAD
        agent.failed += is_bad - was_bad
        if was_bad:
            self.failures.pop(key, None)
            self.undecided.pop(key, None)
        if is_bad:
            self.failures[key] = self.undecided[key] = instance
            self._gather(instance)
        elif was_bad:
            self.clusters.take_out(key)

    def _gather(self, instance: InstanceRow) -> None:
        """Put a failure to those of its job that are like it."""
        cause = instance.cause
        if cause is None:
            return
        failure = instance.last.failure if instance.last is not None else None
        code = failure.detail.get("exit_code") if failure is not None else None
        agent = self._agent(instance.agent)
        said = self.names.alike(cause.text, agent.home, instance.key.item or "")
        alike = (instance.state, failure.kind if failure is not None else "", str(code), said)
        self.clusters.put(instance.job.key, instance.key, instance, cause, alike)

    def _agent(self, name: str) -> AgentRow:
        agent = self.agents.get(name)
        if agent is None:
            agent = self.agents[name] = AgentRow(name, len(self.agents))
            self.names.add(name)
            self.structure_version += 1
        return agent

    def _touch_agent(self, agent: AgentRow) -> None:
        agent.version += 1
