"""The breakpoints of a run, as the events tell of them: how each is, how often it was met, and whether it can be."""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple, cast

from octogram_tui.engine import events as ev
from octogram_tui.model.breakpoint import Breakpoint, When
from octogram_tui.model.entries import StageEntry
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.pattern import Pattern, fits

_FIELDS = tuple(f.name for f in fields(Breakpoint) if f.name != "is_on")


NOT_MET = "not met yet"


class Meeting(NamedTuple):
    """One time that a breakpoint was met. row: where, as text; is_log: it wrote its text, and stopped nothing."""

    at_s: float
    seq: int
    row: str
    message: str
    is_log: bool
    instance: InstanceId | None = None


class Listed:
    """A breakpoint of the list."""

    __slots__ = ("breakpoint", "by", "count", "is_for_nothing", "last", "number", "pattern")

    def __init__(self, number: int, breakpoint_: Breakpoint, by: str) -> None:
        self.number = number
        self.by = by  # operator, run (it is what on_failure is), file (kept from earlier runs), command line, until
        self.count = 0  # how often it was met, also where its hits did not let it stop
        self.last: Meeting | None = None
        self.is_for_nothing = False  # no row of the scenario, as it is now, is meant
        self.breakpoint = breakpoint_
        self.pattern = Pattern.parse(breakpoint_.pattern)

    def become(self, breakpoint_: Breakpoint) -> None:
        """Be another one, under the same number."""
        if breakpoint_.counted != self.breakpoint.counted:
            self.count, self.last = 0, None
        self.breakpoint = breakpoint_
        self.pattern = Pattern.parse(breakpoint_.pattern)

    @property
    def words(self) -> str:
        """Say on one line what it is for: `before measure/ping@n_2, if vars.level > 5, hits 3, once`."""
        given = self.breakpoint
        place = f"{given.when} {given.pattern}"
        if given.when == "variable":
            place = f"variable {given.name or '*'}" + ("" if given.pattern == "*" else f" by {given.pattern}")
        elif given.name:
            place = f"{given.when} ({given.name}) {given.pattern}"
        condition = f", if {given.condition}" if given.condition else ""
        hits = f", hits {given.hits}" if given.hits else ""
        log = f", log {given.log}" if given.log else ""
        return f"{place}{condition}{hits}{log}{', once' if given.is_once else ''}"

    @property
    def standing(self) -> str:
        """Say on one line how it does: `off; met 3 times, last at measure/ping@n_2; matches nothing now`."""
        said = [] if self.breakpoint.is_on else ["off"]
        if self.last is not None:
            times = "once" if self.count == 1 else f"{self.count} times"
            said.append(f"met {times}, last at {self.last.row}" if self.last.row else f"met {times}")
        if self.is_for_nothing:
            said.append("matches nothing now")
        return "; ".join(said) or NOT_MET


class BreakpointList:
    """The fold. `version` changes with it."""

    def __init__(self) -> None:
        self.by_number: dict[int, Listed] = {}
        self.version = 0
        self._plan: list[StageEntry] = []
        self._agents: set[str] = set()

    @property
    def listed(self) -> list[Listed]:
        """All of them, in the order of their numbers."""
        return [self.by_number[number] for number in sorted(self.by_number)]

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        match event:
            case ev.BreakpointSet():
                self._set(event)
            case ev.BreakpointRemoved():
                self.by_number.pop(event.number, None)
            case ev.BreakpointMet():
                self._met(event)
            case ev.RunStarted():
                self._plan = event.plan
                self._agents = {name for agent in event.agents if (name := agent.get("agent"))}
                self._look()
            case ev.ScenarioReloaded():
                self._plan = event.plan or self._plan
                self._look()
            case ev.AgentStarting() if event.agent not in self._agents:
                self._agents.add(event.agent)
                self._look()
            case _:
                return
        self.version += 1

    def by_run(self, number: int) -> bool:
        """Whether one is what on_failure is: there is nothing to say of it beside the failure."""
        one = self.by_number.get(number)
        return one is not None and one.by == "run"

    # -- what stands where ----------------------------------------------------------------------------------------

    def of_row(self, id_: InstanceId) -> list[Listed]:
        """List those that can be met at an instance."""
        return [one for one in self.listed if _is_of_rows(one) and one.pattern.matches(id_)]

    def of_job(self, stage: str, job: str) -> list[Listed]:
        """List those that are for a job by its name, on whatever agents: what stands beside its line."""
        return [
            one
            for one in self.listed
            if _is_of_rows(one) and (one.pattern.job or one.pattern.stage) and one.pattern.matches_job(stage, job)
        ]

    def of_stage(self, stage: str) -> list[Listed]:
        """List those that are for the beginning of a stage."""
        return [one for one in self.listed if one.breakpoint.when == "stage" and one.pattern.matches_stage(stage)]

    def of_agent(self, agent: str) -> list[Listed]:
        """List those that are for an agent by its name, its loss among them."""
        return [one for one in self.listed if one.pattern.agent and one.pattern.matches_agent(agent)]

    def of_variable(self, name: str) -> list[Listed]:
        """List those that are for the change of a variable."""
        return [one for one in self.listed if one.breakpoint.when == "variable" and fits(one.breakpoint.name, name)]

    # -- folding --------------------------------------------------------------------------------------------------

    def _set(self, event: ev.BreakpointSet) -> None:
        given = {name: getattr(event, name) for name in _FIELDS}
        given["when"] = cast("When", event.when)
        try:
            breakpoint_ = Breakpoint(**given, is_on=not event.is_off)
            one = self.by_number.get(event.number)
            if one is None:
                one = self.by_number[event.number] = Listed(event.number, breakpoint_, event.by)
            else:
                one.become(breakpoint_)
                one.by = event.by
        except ValueError:  # a journal of another version: what cannot be read is not listed
            return
        one.is_for_nothing = self._is_for_nothing(one)

    def _met(self, event: ev.BreakpointMet) -> None:
        one = self.by_number.get(event.number)
        if one is not None:
            row = event.row if event.instance is None else str(event.instance)
            one.count = event.count
            one.last = Meeting(event.at_s, event.seq, row, event.message, event.is_log, event.instance)

    def _look(self) -> None:
        for one in self.by_number.values():
            one.is_for_nothing = self._is_for_nothing(one)

    def _is_for_nothing(self, one: Listed) -> bool:
        """Whether no row, stage or agent is meant that the scenario has; which items there are, nobody knows before."""
        if not self._plan:
            return False
        pattern, when = one.pattern, one.breakpoint.when
        if pattern.agent and self._agents and not any(pattern.matches_agent(agent) for agent in self._agents):
            return True
        if when == "lost":
            return False
        if when == "stage":
            return not any(pattern.matches_stage(stage.get("stage", "")) for stage in self._plan)
        return not any(
            pattern.matches_job(stage.get("stage", ""), job.get("job", ""))
            and (pattern.item is None or job.get("items", True))
            for stage in self._plan
            for job in stage.get("jobs", ())
        )


def _is_of_rows(one: Listed) -> bool:
    return one.breakpoint.when not in ("stage", "lost", "variable")
