"""How much the console does for one more event, counted: folding it, with nothing of it drawn."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType

from ceilings import CONSOLE

from octogram_tui.engine import events as ev
from octogram_tui.engine.events import Event
from octogram_tui.journal import codec
from octogram_tui.model.entries import AgentEntry, StageEntry
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui.model import Model

AGENTS, JOBS = 50, 30
BATCH = 100


def told() -> list[Event]:
    """Tell of a run in which all agents do the same jobs, three events for each."""
    names = [f"node_{number}" for number in range(AGENTS)]
    plan: list[StageEntry] = [{"stage": "s", "jobs": [{"job": f"job {n}", "procedure": "own.p"} for n in range(JOBS)]}]
    agents: list[AgentEntry] = [{"agent": name} for name in names]
    events: list[Event] = [ev.RunStarted(run="r", scenario="s", plan=plan, agents=agents)]
    events += [ev.AgentReady(agent=name, home="/") for name in names]
    events.append(ev.StageStarted(stage="s", agents=names))
    for number in range(JOBS):
        for name in names:
            key = InstanceId("s", f"job {number}", name)
            events.append(ev.JobStarted(instance=key, procedure="own.p", arguments={"number": number}))
            events.append(ev.JobOutput(instance=key, agent=name, lines=[f"did {number}"]))
            events.append(ev.JobFinished(instance=key, state="ok", duration_s=0.5, result={"exit_code": 0}))
    for seq, event in enumerate(events, 1):
        event.seq, event.at_s = seq, seq / 1000
    return events


def test_what_one_event_costs_the_console() -> None:
    lines = [codec.encode(event) for event in told()]
    model = Model(clock=lambda: 0.0)
    done: Counter[str] = Counter()

    def count(_: FrameType, event: str, __: object) -> None:
        done[event] += 1

    begun = AGENTS + 2
    model.apply([codec.decode(line) for line in lines[:begun]])
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        for start in range(begun, len(lines), BATCH):
            model.apply([codec.decode(line) for line in lines[start : start + BATCH]])
    finally:
        sys.setprofile(before)
    events = len(lines) - begun
    found = {"function calls": done["call"] / events, "calls of what is built in": done["c_call"] / events}
    too_much = {name: (round(found[name], 1), most) for name, most in CONSOLE.items() if found[name] > most}
    assert not too_much, f"for one event (found, ceiling): {too_much}"
    assert len(model.board.instances) == AGENTS * JOBS
