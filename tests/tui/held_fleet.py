"""A run that is held before a job, on many agents: what the run would tell, without one."""

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import StageEntry
from octogram_tui.model.ids import InstanceId

PLAN: list[StageEntry] = [
    {
        "stage": "one",
        "line": 4,
        "jobs": [
            {"job": "copy", "procedure": "builtins.shell", "line": 6},
            {"job": "build", "procedure": "builtins.shell", "line": 9},
        ],
    },
    {"stage": "two", "line": 13, "jobs": [{"job": "run", "procedure": "builtins.shell", "line": 15}]},
]
TEXT = """\
vars:
  level: 7
stages:
  - name: one
    jobs:
      - name: copy
        builtins.shell:
          script: 'cp {{ vars.level }} {{ agent.name }}'
      - name: build
        when: 'vars.level > 5 and vars.proto'
        builtins.shell:
          script: make
  - name: two
    jobs:
      - name: run
        builtins.shell:
          script: '{{ vars.proto }}'
"""


def key(agent: str, job: str = "copy", stage: str = "one", item: str | None = None) -> InstanceId:
    return InstanceId(stage, job, agent, item)


def held_events(
    agents: int = 3, *more: ev.Event, reason: str = "step", breakpoint_: int = 0, paused: str = "step"
) -> list[ev.Event]:
    """All agents held before the first job."""
    names = [f"n_{number}" for number in range(1, agents + 1)]
    told: list[ev.Event] = [
        ev.RunStarted(
            run="r",
            scenario="dir/s.yml",
            plan=PLAN,
            digest="d1",
            variables={"level": 7, "proto": "alpha"},
            agents=[{"agent": name, "transport": "local"} for name in names],
        ),
        *(ev.AgentReady(agent=name) for name in names),
        ev.StageStarted(stage="one", agents=names),
        ev.RunPaused(reason=paused),
        *(
            ev.JobHeld(instance=key(name), reason=reason, order=order, breakpoint=breakpoint_)
            for order, name in enumerate(names, 1)
        ),
    ]
    return numbered([*told, *more])


def numbered(events: list[ev.Event], after: int = 0) -> list[ev.Event]:
    """Give events their numbers and times."""
    for number, event in enumerate(events, after + 1):
        event.seq, event.at_s = number, number / 10
    return events
