"""The agents in order, filtered, and in groups where they are very many."""

from typing import Any

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.agent_list import GROUPED_FROM, ORDERS, STEADY_S, AgentGroup, AgentList
from octogram_tui.projection.board import Board
from octogram_tui.projection.filter import parse
from octogram_tui.projection.loads import Loads
from octogram_tui.projection.outline import Outline
from octogram_tui.projection.rows import AgentRow


class Seen:
    """A list over a board, with a clock that is moved on."""

    def __init__(self, count: int) -> None:
        self.board, self.loads = Board(), Loads()
        self.outline = Outline(self.board)
        self.list = AgentList(self.outline, self.loads)
        self.clock_s = 0.0
        names: Any = [{"agent": f"n{number}"} for number in range(count)]
        plan: Any = [{"stage": "s", "jobs": [{"job": "j"}]}]
        self.tell(ev.RunStarted(run="r", scenario="s", agents=names, plan=plan))
        self.tell(*(ev.AgentReady(agent=entry["agent"]) for entry in names))
        self.tell(ev.StageStarted(stage="s", agents=[entry["agent"] for entry in names]))

    def tell(self, *events: ev.Event) -> None:
        for event in events:
            self.board.apply(event)
            self.loads.apply(event)

    def fail(self, *names: str) -> None:
        for name in names:
            key = InstanceId("s", "j", name)
            failure = Failure("exit", "boom", "", {})
            self.tell(ev.JobStarted(instance=key), ev.JobFinished(instance=key, state="failed", failure=failure))

    def rows(self, wait_s: float = STEADY_S) -> list[str]:
        self.clock_s += wait_s
        self.list.refresh(self.clock_s)
        return [row.name if isinstance(row, AgentRow) else f"{len(row.agents)} {row.name}" for row in self.list.rows]

    def group(self, name: str) -> AgentGroup:
        return next(row for row in self.list.rows if isinstance(row, AgentGroup) and row.name == name)


def test_they_come_as_people_count_and_are_sorted_by_what_is_asked() -> None:
    seen = Seen(12)
    seen.fail("n7")
    seen.tell(ev.AgentLost(agent="n9"), ev.AgentLoad(agent="n3", cpu=0.2), ev.AgentLoad(agent="n5", cpu=1.5))
    assert seen.rows()[:3] == ["n0", "n1", "n2"]
    first: dict[Any, list[str]] = {}
    for order in ORDERS[1:]:
        seen.list.sort(order)
        first[order] = seen.rows(0.0)[:2]
    assert first == {"name": ["n0", "n1"], "state": ["n9", "n7"], "failures": ["n7", "n0"], "load": ["n5", "n3"]}
    seen.list.sort("load")
    assert seen.rows(0.0)[0] == "n0", "asked for twice: as they come"


def test_what_changes_with_every_event_is_sorted_again_only_now_and_then() -> None:
    seen = Seen(12)
    seen.list.sort("failures")
    seen.rows()
    made = seen.list.rebuilt
    for number in range(12):
        seen.fail(f"n{number}")
        seen.rows(STEADY_S / 100)
    assert seen.list.rebuilt == made
    seen.rows()
    assert seen.list.rebuilt == made + 1


def test_events_alone_make_no_new_list() -> None:
    seen = Seen(12)
    seen.rows()
    made = seen.list.rebuilt
    seen.fail("n1", "n2")
    seen.rows()
    assert seen.list.rebuilt == made


def test_the_filters_hold_for_agents_too() -> None:
    seen = Seen(12)
    seen.fail("n7")
    seen.tell(ev.AgentFailed(agent="n4", code="x", message="no route"))
    seen.outline.failed_only = True
    assert seen.rows() == ["n4", "n7"]
    seen.outline.failed_only = False
    seen.outline.narrow(parse("agent:n1*"))
    assert seen.rows(0.0) == ["n1", "n10", "n11"]


def test_very_many_stand_in_groups_of_which_those_with_trouble_are_open() -> None:
    seen = Seen(GROUPED_FROM)
    seen.fail("n7", "n8")
    seen.tell(ev.AgentLost(agent="n9", message="gone"), ev.JobStarted(instance=InstanceId("s", "j", "n11")))
    assert seen.rows() == ["1 in trouble", "n9", "2 with failures", "n7", "n8", "1 at work", "996 at rest"]
    rest = seen.group("at rest")
    seen.list.toggle(rest)
    assert len(seen.rows(0.0)) == GROUPED_FROM + 3
    seen.list.toggle(rest)
    stage = seen.board.stages[0]
    states = [seen.group(name).cell_state(stage) for name in ("with failures", "at rest")]
    assert [state and state.name for state in states] == ["FAILED", None]


def test_a_group_of_very_many_in_trouble_is_folded() -> None:
    seen = Seen(GROUPED_FROM)
    seen.fail(*(f"n{number}" for number in range(100)))
    assert seen.rows() == ["100 with failures", "900 at rest"]


@pytest.mark.parametrize("order", ["name", "state", "failures", "load"])
def test_no_order_loses_an_agent(order: Any) -> None:
    seen = Seen(30)
    seen.fail("n3")
    seen.tell(ev.AgentStopped(agent="n5", is_clean=False), ev.AgentSuspect(agent="n6"))
    seen.list.sort(order)
    assert sorted(seen.rows()) == sorted(f"n{number}" for number in range(30))
