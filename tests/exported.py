"""Runs for the exports: lists of events, written to a file as `--events` does, with texts that somebody else chose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from octogram_tui.engine import events as ev
from octogram_tui.export.account import Account
from octogram_tui.export.bounds import Bounds
from octogram_tui.export.page import pages
from octogram_tui.export.recorded import Recorded
from octogram_tui.journal import codec
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId

EVIL = '</pre></script></title></style>--><script>window.pwned=1</script><img src=x onerror="window.pwned=1">\'`{{7*7}}'
ODD = "\x1b[1;31mred\x1b[0m \x1b]0;owned\x07 \x00\x08 \u202egnp.exe\u2069 \ud800 \u2028 ]]> &lt;b&gt; \x1b[48;2;1;2;3mx"


def numbered(events: Iterable[ev.Event]) -> list[ev.Event]:
    """Give every event its number, and a moment where it has none."""
    found = list(events)
    for seq, event in enumerate(found, 1):
        event.seq = seq
        event.at_s = event.at_s or seq / 8
    return found


def run_of(
    *,
    stage: str = "measure",
    job: str = "send",
    agents: Iterable[str] = ("n_1", "n_2", "n_3"),
    item: str | None = None,
    lines: Iterable[str] = ("one", "two"),
    message: str = "no route to host",
    name: str = "level",
    value: Any = 3,
    is_over: bool = True,
) -> list[ev.Event]:
    """One job on some agents, failed on the last of them after a retry; a variable, an operator, a breakpoint."""
    names = list(agents)
    rows = [InstanceId(stage, job, agent, item) for agent in names]
    plan: list[Any] = [
        {"stage": stage, "line": 3, "jobs": [{"job": job, "procedure": "builtins.shell", "line": 5, "texts": {}}]},
        {"stage": "later", "line": 9, "jobs": [{"job": "never", "procedure": "builtins.shell", "line": 10}]},
    ]
    ready = [ev.AgentReady(agent=agent, home=f"/h/{agent}", host=f"{agent}.site", python="3.11.2") for agent in names]
    given: dict[str, Any] = {
        "arguments": {"script": "run it", name: value},
        "procedure": "builtins.shell",
        "item": item,
    }
    events: list[ev.Event] = [
        ev.RunStarted(
            run="20261126-120000-r-x7",
            scenario="r.yml",
            started_wall="2026-11-26T12:00:00.000Z",
            plan=plan,
            agents=[{"agent": agent, "transport": "ssh"} for agent in names],
            variables={name: value},
        ),
        *ready,
        ev.StageStarted(stage=stage, agents=names),
        ev.BreakpointSet(number=2, pattern=f"{stage}/*", condition=message, by="operator"),
        ev.RunPaused(reason="operator", message=message),
        ev.RunResumed(),
    ]
    failure = Failure("exit", message, "look there", {"exit_code": 3, "last_lines": list(lines), name: value})
    for row in rows:
        is_last = row is rows[-1]
        events += [
            ev.JobStarted(instance=row, **given),
            ev.JobOutput(instance=row, agent=row.agent, lines=list(lines)),
            ev.JobOutput(instance=row, agent=row.agent, lines=[message], stream="stderr"),
            ev.JobFinished(
                instance=row,
                item=item,
                state="failed" if is_last else "ok",
                failure=failure if is_last else None,
                will_retry=is_last,
                duration_s=0.2,
                result={"stdout": message, "exit_code": 0},
            ),
        ]
    events += [
        ev.JobStarted(instance=rows[-1], attempt=2, why="retry", **given),
        ev.JobOutput(agent=names[0], process="node", lines=list(lines)),
        ev.VariableChanged(name=name, value=[value, message], by=str(rows[0])),
        ev.VariableChanged(name=name, value=message, by="operator", stale=1),
        ev.WarningGiven(message=message),
    ]
    if is_over:
        events += [
            ev.JobFinished(instance=rows[-1], item=item, attempt=2, state="failed", failure=failure, duration_s=0.25),
            ev.StageFinished(stage=stage, state="failed", duration_s=3.0),
            *(ev.AgentStopped(agent=agent) for agent in names),
            ev.RunFinished(exit_code=1, reason=f"{rows[-1]} failed", duration_s=5.0, counts={"ok": 2, "failed": 1}),
        ]
    return numbered(events)


def evil_run() -> list[ev.Event]:
    """Say evil and odd things wherever a text can be."""
    return run_of(
        stage=f"stage {EVIL}",
        job=f"job {ODD}",
        agents=(f"a{EVIL}", f"b{ODD}", 'c" onclick="window.pwned=1'),
        item=EVIL,
        lines=[EVIL, ODD, "A" * 1_000_000, "\r".join(["10%", "20%"])],
        message=EVIL + ODD,
        name=f"v{EVIL}",
        value={EVIL: [ODD, float("nan")]},
    )


def many(agents: int, jobs: int, lines: int) -> Iterator[ev.Event]:
    """As many rows as one likes, every hundredth of them failed."""
    names = [f"n_{number}" for number in range(agents)]
    plan: list[Any] = [{"stage": "s", "line": 1, "jobs": [{"job": f"j{number}"} for number in range(jobs)]}]
    yield ev.RunStarted(run="many", scenario="many.yml", plan=plan, agents=[{"agent": name} for name in names])
    yield ev.StageStarted(stage="s", agents=names)
    for number in range(jobs):
        for place, name in enumerate(names):
            row = InstanceId("s", f"j{number}", name)
            is_bad = (number * agents + place) % 100 == 99
            failure = Failure("exit", "sh ended with exit status 1") if is_bad else None
            yield ev.JobStarted(instance=row, arguments={"script": "x" * 100})
            yield ev.JobOutput(instance=row, agent=name, lines=[f"line {each}" + "y" * 60 for each in range(lines)])
            yield ev.JobFinished(instance=row, state="failed" if is_bad else "ok", failure=failure, duration_s=0.01)


def written(path: Path, events: Iterable[ev.Event]) -> Path:
    """Write a file of events."""
    path.write_bytes(codec.encode_all(list(events)))
    return path


def account_of(events: Iterable[ev.Event], bounds: Bounds | None = None) -> Account:
    """Fold a run."""
    account = Account(bounds or Bounds())
    for event in events:
        account.apply(event)
    return account


def page_of(path: Path, events: Iterable[ev.Event], bounds: Bounds | None = None) -> str:
    """Make a page of a run that lies nowhere else."""
    return "".join(pages(account_of(events, bounds), Recorded(path, None, None), bounds or Bounds()))
