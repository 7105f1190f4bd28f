"""The agents of a run: bringing them up, what they offer, losing them, stopping them."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Collection, Mapping

from octogram_tui.engine.core import Core
from octogram_tui.engine.effects import StartAgent, StopAgent
from octogram_tui.engine.events import (
    AgentFailed,
    AgentLoad,
    AgentLost,
    AgentReady,
    AgentStarting,
    AgentStopped,
    AgentSuspect,
    AgentWaiting,
    ServiceAnnounced,
    WarningGiven,
)
from octogram_tui.engine.prometheus import Prometheus
from octogram_tui.engine.services import ServiceTable
from octogram_tui.engine.states import AGENT_MOVES, AgentState
from octogram_tui.engine.stimuli import (
    AgentEndReport,
    AgentLoadReport,
    AgentUpReport,
    AttemptReport,
    ServiceReport,
    StartFailureReport,
)
from octogram_tui.engine.transitions import Transitions
from octogram_tui.errors import EngineBug
from octogram_tui.model.ids import ErrandId
from octogram_tui.model.scenario import AgentSpec, Labels


class Fleet:
    """Every agent with its state."""

    def __init__(self, core: Core, services: ServiceTable, transitions: Transitions) -> None:
        self._core = core
        self._services = services
        self._transitions = transitions
        self._state: dict[str, AgentState] = {}
        self._count: Counter[AgentState] = Counter()  # how many are in each: nobody goes through all at each report
        self._to_start: deque[str] = deque()  # in further turns
        self._to_stop: OrderedDict[str, bool] = OrderedDict()  # in further turns, each with whether it is by force
        self._specs: dict[str, AgentSpec] = {}
        self._labels: Mapping[str, Labels] | None = None
        self._prometheus = Prometheus(core)
        self._breaches: Counter[str] = Counter()
        self._daemons: dict[str, tuple[str, str]] = {}  # birth and home of the one that each agent has, or had last
        self._changed: set[str] = set()  # agents with another daemon than had what is under way on them
        self._told_to_end: set[str] = set()  # agents that were being stopped when the run was taken up
        self._untried: set[str] = set()  # agents lost before the run was taken up: this process knows no way to them
        self.first_failed = ""

    def has(self, name: str) -> bool:
        """Whether there is an agent of a name."""
        return name in self._specs

    @property
    def names(self) -> Collection[str]:
        """The agents that stages choose from, in the order in which they are visited."""
        return self.labels.keys()

    @property
    def labels(self) -> Mapping[str, Labels]:
        """The labels of each of them; made once, until there is another agent."""
        if self._labels is None:
            names = sorted((n for n in self._specs if n != self._prometheus.agent), key=str.encode)
            self._labels = {name: self._specs[name].labels for name in names}
        return self._labels

    def labels_of(self, agent: str) -> Labels:
        """Give the labels of one, be it lost."""
        spec = self._specs.get(agent)
        return {} if spec is None else spec.labels

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where other agents reach each of them; kept true as they come up."""
        return self._services.addresses

    @property
    def is_ready(self) -> bool:
        """Whether every agent takes jobs."""
        are_up = self._count["ready"] + self._count["suspect"] == len(self._state)
        return are_up and not self._prometheus.is_awaited

    @property
    def is_settled(self) -> bool:
        """Whether no agent is on its way up, and none will be."""
        if self._prometheus.is_awaited:
            return self.first_failed == self._prometheus.agent  # the others wait for it, unless it cannot be
        return not (self._count["new"] or self._count["starting"])

    @property
    def is_stopped(self) -> bool:
        """Whether no agent is left to wait for."""
        return self._count["stopped"] == len(self._state)

    def problem(self, agent: str) -> str:
        """Say why an agent cannot take a job; empty when it can."""
        state = self._state.get(agent, "stopped")
        return "" if state in ("ready", "suspect") else f"agent {agent} is {state}"

    def _move(self, agent: str, state: AgentState) -> None:
        if state not in AGENT_MOVES[self._state[agent]]:
            raise EngineBug(f"agent {agent}: no move from {self._state[agent]} to {state}", [])
        self._count[self._state[agent]] -= 1
        self._count[state] += 1
        self._state[agent] = state

    @property
    def has_work(self) -> bool:
        """Whether agents are still to be started or stopped."""
        return bool(self._to_start or self._to_stop)

    def settle(self) -> None:
        """Start and stop what is to be, until nothing is or the rest is for another turn."""
        turn = self._core.turn
        while self._to_start and turn.left > 0:
            turn.left -= 1
            name = self._to_start.popleft()
            if self._state[name] == "new":
                self._start(name)
        while self._to_stop and turn.left > 0:
            turn.left -= 1
            name, force = self._to_stop.popitem(last=False)
            self._stop(name, force=force)

    # -- up -------------------------------------------------------------------------------------------------------

    def start_all(self) -> None:
        """Bring everybody up: Prometheus first, the others once it runs."""
        scenario = self._core.scenario
        for spec in scenario.agents:
            self._add(spec)
        if scenario.prometheus_agent is not None:
            self._add(scenario.prometheus_agent)
            self._start(self._prometheus.agent)
        else:
            self._start_others()

    def _add(self, spec: AgentSpec) -> None:
        self._specs[spec.name] = spec
        self._labels = None
        self._state[spec.name] = "new"
        self._count["new"] += 1
        self._services.addresses[spec.name] = spec.address_for_others

    def add(self, spec: AgentSpec) -> None:
        """Bring up an agent that an edit of the scenario added."""
        self._add(spec)
        self._start(spec.name)

    def _start(self, name: str) -> None:
        spec = self._specs[name]
        self._move(name, "starting")
        self._core.emit(AgentStarting(agent=name, where=spec.transport))
        self._order_start(name)

    def _start_others(self) -> None:
        self._to_start.extend(name for name, state in self._state.items() if state == "new")
        self.settle()

    def came_up(self, stimulus: AgentUpReport) -> None:
        """An agent greeted us."""
        name = stimulus.agent
        if self._state.get(name) != "starting":
            return
        self._move(name, "ready")
        is_new = name not in self._daemons or self.is_other(stimulus)
        if is_new and name in self._daemons:
            self._changed.add(name)
        self._daemons[name] = stimulus.birth, stimulus.home
        if stimulus.address:
            self._services.addresses[name] = stimulus.address
        self._core.emit(
            AgentReady(
                agent=name,
                home=stimulus.home,
                host=stimulus.host,
                python=stimulus.python,
                pid=stimulus.pid,
                address=self._services.addresses[name],
                birth=stimulus.birth,
            )
        )
        if name == self._prometheus.agent and is_new:
            self._prometheus.start()

    def load_told(self, stimulus: AgentLoadReport) -> None:
        """An agent said how busy its machine is."""
        if self._state.get(stimulus.agent) in ("ready", "suspect"):
            load = AgentLoad(
                agent=stimulus.agent,
                cpu=stimulus.cpu,
                memory=stimulus.memory,
                processes=stimulus.processes,
            )
            self._core.emit(load)

    def waits(self, agent: str, message: str) -> None:
        """An agent that is being brought up waits, or, without a message, does so no more."""
        if self._state.get(agent) == "starting":
            if message:
                self._core.emit(AgentWaiting(agent=agent, message=message))
            else:
                self._core.emit(AgentStarting(agent=agent, where=self._specs[agent].transport))

    def start_failed(self, stimulus: StartFailureReport) -> None:
        """An agent could not be brought up."""
        if self._state.get(stimulus.agent) != "starting":
            return  # it was told to stop meanwhile, and its end is what counts
        self._move(stimulus.agent, "failed")
        self.first_failed = self.first_failed or stimulus.agent
        self._core.emit(
            AgentFailed(
                agent=stimulus.agent,
                code=stimulus.code,
                message=stimulus.message,
                hint=stimulus.hint,
                exit_code=stimulus.exit_code,
            )
        )

    # -- up again, when the run was taken up ----------------------------------------------------------------------

    def start_again(self) -> list[str]:
        """Bring up all that are not over, each where it was. Gives their names."""
        self._told_to_end |= {name for name, state in self._state.items() if state == "stopping"}
        self._untried = {name for name, state in self._state.items() if state == "lost"}
        for name, state in self._state.items():
            if state == "failed":
                self._move(name, "stopped")
        names = [name for name, state in self._state.items() if state not in ("new", "lost", "stopped")]
        self._to_stop.clear()  # a run that is being stopped begins that wave anew
        for name in names:
            self._move(name, "starting")
            self._core.emit(AgentStarting(agent=name, where=self._specs[name].transport))
            self._order_start(name)
        return names

    def _order_start(self, name: str) -> None:
        self._core.order(StartAgent(self._specs[name], *self._daemons.get(name, ("", ""))))

    def is_other(self, report: AgentUpReport) -> bool:
        """Whether a daemon greets us that is not the one that the agent had."""
        birth, _ = self._daemons.get(report.agent, ("", ""))
        return report.agent in self._daemons and not report.is_same and (not birth or birth != report.birth)

    def is_changed(self, agent: str) -> bool:
        """Whether an agent has another daemon than the one that was sent what is under way on it."""
        return agent in self._changed

    def all_answered(self) -> None:
        """What was under way on daemons that are gone has been dealt with."""
        self._changed.clear()

    def is_current(self, errand: ErrandId) -> bool:
        """Whether an errand was for what runs on its agent now."""
        return self._prometheus.is_current(errand)

    def is_missed(self, report: AgentUpReport) -> bool:
        """Whether another daemon than the agent's greets us, and the agent's was to be there still."""
        return self.is_other(report) and report.agent not in self._told_to_end

    def was_up(self, agent: str) -> bool:
        """Whether an agent has ever answered."""
        return agent in self._daemons

    def forgot(self, agent: str, message: str) -> None:
        """What an agent had is gone with its daemon; it goes on with another one."""
        self._core.emit(AgentLost(agent=agent, message=message))
        self._services.forget(agent)
        self.send_targets()

    def stop_again(self) -> None:
        """Go on stopping the agents."""
        self._stop_wave()

    # -- during the run -------------------------------------------------------------------------------------------

    def went_silent(self, agent: str, message: str) -> None:
        """The connection is down and being made again."""
        if self._state.get(agent) == "ready":
            self._move(agent, "suspect")
            self._core.emit(AgentSuspect(agent=agent, message=message))

    def came_back(self, agent: str) -> None:
        """The connection is there again."""
        if self._state.get(agent) == "suspect":
            self._move(agent, "ready")
            self._core.emit(AgentReady(agent=agent, address=self._services.addresses[agent]))

    def lost(self, agent: str, message: str) -> None:
        """An agent is given up."""
        if self._state.get(agent) in (None, "stopped", "lost"):
            return
        if self._state[agent] == "stopping":
            self.ended(AgentEndReport(agent, is_clean=False, message=message))
            return
        if self._state[agent] == "starting":
            self.first_failed = self.first_failed or agent
        self._move(agent, "lost")
        self._core.emit(AgentLost(agent=agent, message=message))
        self._services.forget(agent)
        self.send_targets()
        self._transitions.lose_agent(agent, f"agent {agent} was lost: {message}")

    def service_reported(self, stimulus: ServiceReport) -> None:
        """A service came up or went down: tell everybody, and Prometheus."""
        event = ServiceAnnounced(
            agent=stimulus.agent,
            kind=stimulus.kind,
            name=stimulus.name,
            ports=stimulus.ports,
            state=stimulus.state,
            reason=stimulus.reason,
            address=self._services.addresses.get(stimulus.agent, ""),
        )
        self._services.record(event, stimulus.key)
        self._core.emit(event)
        self.send_targets()

    def send_targets(self) -> None:
        """Tell Prometheus what there is to scrape, when that has changed."""
        if self._prometheus.is_up and not self.problem(self._prometheus.agent):
            self._prometheus.tell_targets(self._services.all(), self._services.addresses)
            for agent in dict.fromkeys(agent for agent, s in self._services.all() if "metrics" in s.ports):
                self._services.warn_of_address(self._core, agent, self._prometheus.agent)

    def errand_ended(self, report: AttemptReport) -> None:
        """Take the end of what the run itself had an agent do."""
        if self._prometheus.started(report):
            self._start_others()
            self.send_targets()
        elif self._prometheus.has_failed:
            self.first_failed = self._prometheus.agent

    def breach(self, agent: str, what: str) -> None:
        """An agent said what it has no right to say. It is told of once; what it said counts for nothing."""
        self._breaches[agent] += 1
        if self._breaches[agent] == 1:
            self._core.emit(WarningGiven(message=f"agent {agent} {what}: not believed", agent=agent))

    # -- down -----------------------------------------------------------------------------------------------------

    def stop_all(self, *, force: bool = False) -> None:
        """Tell the agents to stop, those that others depend on last; by force, all at once.

        Those that never came up are gone already.
        """
        for name, state in list(self._state.items()):
            if state == "new":
                self._move(name, "stopped")
        self._stop_wave(force=force)

    def _stop_wave(self, *, force: bool = False) -> None:
        """Stop the agents of the lowest wave that is left: an agent stops its own processes in order by itself."""
        if not force and (self._count["stopping"] or self._to_stop):
            return
        left = {name: self._wave(name) for name, state in self._state.items() if state != "stopped"}
        now = min(left.values(), default=0)
        self._to_stop.update((name, force) for name, wave in left.items() if force or wave == now)
        self.settle()

    def _stop(self, name: str, *, force: bool) -> None:
        if self._state[name] == "stopped":  # it was lost while it waited
            return
        self._move(name, "stopping")
        if name in self._untried:
            self._untried.discard(name)
            self._order_start(name)
        self._core.order(StopAgent(name, force))

    def _wave(self, name: str) -> int:
        """Bakers, DAL and rollup nodes anywhere end before the nodes that they follow; Prometheus sees them all end."""
        if name == self._prometheus.agent:
            return 2
        return int(any(s.kind == "node" and s.is_up for s in self._services.of(name)))

    def ended(self, stimulus: AgentEndReport) -> None:
        """An agent ended, and said whether anything is left."""
        if self._state.get(stimulus.agent) != "stopping":
            return
        self._move(stimulus.agent, "stopped")
        self._core.emit(
            AgentStopped(
                agent=stimulus.agent,
                is_clean=stimulus.is_clean,
                remaining=list(stimulus.remaining),
                message=stimulus.message,
            )
        )
        self._stop_wave()
