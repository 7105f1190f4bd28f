"""The list of breakpoints: what each is for, how often it was met, and whether it can be met at all."""

from __future__ import annotations

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import StageEntry
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.breakpoints import BreakpointList

PLAN: list[StageEntry] = [
    {"stage": "build", "jobs": [{"job": "compile", "items": False}]},
    {"stage": "measure", "jobs": [{"job": "ping", "items": True}, {"job": "sum", "items": False}]},
]


def fold(*events: ev.Event) -> BreakpointList:
    found = BreakpointList()
    agents = [{"agent": "n_1"}, {"agent": "n_2"}]
    found.apply(ev.RunStarted(run="r", scenario="s.yml", plan=PLAN, agents=agents))  # type: ignore[arg-type]
    for event in events:
        found.apply(event)
    return found


def test_each_is_listed_with_what_it_is_for_and_how_it_does() -> None:
    found = fold(
        ev.BreakpointSet(number=1, pattern="*", when="failed", by="run"),
        ev.BreakpointSet(number=2, pattern="measure/ping@n_2", condition="vars.level > 5", hits="%2", is_once=True),
        ev.BreakpointSet(number=3, pattern="*", when="variable", name="level", log="now {{ vars.level }}", is_off=True),
        ev.BreakpointMet(number=2, count=4, instance=InstanceId("measure", "ping", "n_2", "1"), at_s=12.5, seq=40),
    )
    assert [one.words for one in found.listed] == [
        "failed *",
        "before measure/ping@n_2, if vars.level > 5, hits %2, once",
        "variable level, log now {{ vars.level }}",
    ]
    assert [one.standing for one in found.listed] == [
        "not met yet",
        "met 4 times, last at measure/ping@n_2[1]",
        "off",
    ]
    last = found.by_number[2].last
    assert last is not None
    assert (last.at_s, last.seq) == (12.5, 40)


def test_what_is_changed_keeps_its_number_and_its_past_and_what_is_removed_is_gone() -> None:
    found = fold(
        ev.BreakpointSet(number=1, pattern="build"),
        ev.BreakpointMet(number=1, count=1, row="build"),
        ev.BreakpointSet(number=1, pattern="build", is_off=True),
        ev.BreakpointSet(number=2, pattern="measure"),
        ev.BreakpointRemoved(number=2),
    )
    assert [(one.number, one.standing) for one in found.listed] == [(1, "off; met once, last at build")]
    found.apply(ev.BreakpointSet(number=1, pattern="build", condition="vars.x > 1"))  # its hits are counted anew
    assert found.by_number[1].standing == "not met yet"


def test_it_says_what_matches_nothing_and_an_edit_may_change_that() -> None:
    patterns = ["build", "bulid", "measure/ping@n_9", "build/compile[1]", "measure/ping[1]", "*/sum@n_*"]
    found = fold(*(ev.BreakpointSet(number=n, pattern=p) for n, p in enumerate(patterns, 1)))
    assert [one.is_for_nothing for one in found.listed] == [False, True, True, True, False, False]
    found.apply(ev.ScenarioReloaded(plan=[{"stage": "bulid", "jobs": [{"job": "compile", "items": True}]}]))
    assert [one.is_for_nothing for one in found.listed] == [True, False, True, True, True, True]
    assert found.by_number[1].standing == "matches nothing now"
    found.apply(ev.ScenarioReloaded(plan=PLAN))
    found.apply(ev.AgentStarting(agent="n_9"))
    assert [one.is_for_nothing for one in found.listed] == [False, True, False, True, False, False]


def test_what_stands_beside_a_line_is_what_names_its_job() -> None:
    whens = [("*", "failed"), ("build", "before"), ("/ping", "after"), ("measure", "stage"), ("@n_1", "before")]
    found = fold(*(ev.BreakpointSet(number=n, pattern=p, when=w) for n, (p, w) in enumerate(whens, 1)))
    assert [one.number for one in found.of_job("build", "compile")] == [2]
    assert [one.number for one in found.of_job("measure", "ping")] == [3]
    assert [one.number for one in found.of_stage("measure")] == [4]
    assert [one.number for one in found.of_agent("n_1")] == [5]
    assert [one.number for one in found.of_row(InstanceId("measure", "ping", "n_1", "1"))] == [1, 3, 5]


def test_what_another_version_wrote_is_left_out() -> None:
    found = fold(ev.BreakpointSet(number=1, pattern="a\\"), ev.BreakpointMet(number=1))
    assert found.listed == []
