"""A run in which one job fails on many agents: events to fold, with as many causes as one likes."""

from collections.abc import Callable, Sequence
from typing import Any

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId

STAGE, JOB = "activate protocol", "activate"


def exit_failure(line: str, *, code: int = 3, program: str = "sh") -> Failure:
    """What the shell procedure says of a command that failed."""
    message = f"{program} ended with exit status {code}" + (f": {line}" if line else "")
    return Failure("exit", message, detail={"exit_code": code, "last_lines": [line] if line else []})


def stock_is_empty(number: int) -> Failure:
    """The same cause on every agent, told with the agent's own number."""
    return exit_failure(f"error: variable `stock_{number}` is 0, has to be 1 or more")


def names_of(agents: int) -> list[str]:
    return [f"node_{number}" for number in range(1, agents + 1)]


def struck_events(
    agents: int = 12,
    failing: Sequence[int] = (2, 7, 9),
    failure: Callable[[int], Failure] = stock_is_empty,
    *,
    is_paused: bool = True,
) -> list[ev.Event]:
    """Start the agents, run a stage that ends well, and one whose last job fails on the agents of those numbers."""
    names = names_of(agents)
    plan: list[Any] = [
        {"stage": "deploy", "line": 3, "jobs": [{"job": "copy", "procedure": "copy", "line": 4}]},
        {"stage": STAGE, "line": 9, "jobs": [{"job": JOB, "procedure": "builtins.shell", "line": 10}]},
        {"stage": "measure", "line": 20, "jobs": [{"job": "read", "procedure": "builtins.http", "line": 21}]},
    ]
    events: list[ev.Event] = [
        ev.RunStarted(run="r", scenario="dal.yml", plan=plan, agents=[{"agent": name} for name in names]),
        *(ev.AgentReady(agent=name, home=f"/run/octogram/{name}", host="here", python="3.11.9") for name in names),
        ev.StageStarted(stage="deploy", agents=names),
    ]
    for name in names:
        events += _ran(InstanceId("deploy", "copy", name), None)
    events += [ev.StageFinished(stage="deploy", state="ok"), ev.StageStarted(stage=STAGE, agents=names)]
    for number, name in enumerate(names, 1):
        events += _ran(InstanceId(STAGE, JOB, name), failure(number) if number in failing else None)
    if is_paused and failing:
        events.append(ev.RunPaused(reason="failure", message="activate failed"))
    for seq, event in enumerate(events, 1):
        event.seq, event.at_s = seq, seq / 10
    return events


def _ran(key: InstanceId, failure: Failure | None) -> list[ev.Event]:
    state = "ok" if failure is None else "failed"
    return [
        ev.JobStarted(instance=key, procedure="builtins.shell"),
        ev.JobFinished(instance=key, state=state, failure=failure, duration_s=1.5),
    ]
