"""Runs as lists of events, written by hand: what the reports are tried on."""

from __future__ import annotations

from typing import Any

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import AgentEntry, StageEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId

PLAN: list[StageEntry] = [
    {"stage": "open", "line": 10, "jobs": [{"job": "fill", "procedure": "builtins.write_file", "line": 12}]},
    {
        "stage": "sell",
        "line": 20,
        "jobs": [{"job": "sell one", "procedure": "builtins.shell", "items": True, "line": 22}],
    },
    {"stage": "count", "line": 30, "jobs": [{"job": "all sold", "procedure": "builtins.assert", "line": 31}]},
    {"stage": "close", "always": True, "line": 40, "jobs": [{"job": "lights", "procedure": "builtins.shell"}]},
]
AGENTS: list[AgentEntry] = [{"agent": f"shop_{n}", "transport": "local"} for n in (1, 2)]
HOSTILE = "\x1b]0;owned\x07\x1b[31mred ##vso[task.complete] \u202e::error::x\x00\udcff"


def numbered(events: list[ev.Event]) -> list[ev.Event]:
    """Give every event its number and its moment."""
    for seq, event in enumerate(events, 1):
        event.seq = seq
        event.at_s = seq / 4
    return events


def job(stage: str, name: str, agent: str, item: object = None, attempt: int = 1) -> dict[str, Any]:
    """Give what all events of one attempt carry."""
    instance = InstanceId(stage, name, agent, None if item is None else str(item))
    return {"instance": instance, "item": item, "attempt": attempt}


def started() -> list[ev.Event]:
    """Two agents come up."""
    return [
        ev.RunStarted(
            run="20261123-031409-shops-x7",
            scenario="shops.yml",
            digest="d1",
            started_wall="2026-11-23T03:14:09.000Z",
            version="0.1.0",
            host="runner-7",
            commit="0123456789abcdef0123456789abcdef01234567",
            plan=PLAN,
            agents=AGENTS,
        ),
        *(ev.AgentStarting(agent=f"shop_{n}", where="this machine") for n in (1, 2)),
        *(ev.AgentReady(agent=f"shop_{n}", home=f"/h/{n}", python="3.11.2") for n in (1, 2)),
    ]


def stopped() -> list[ev.Event]:
    """Both agents end cleanly."""
    return [ev.AgentStopped(agent="shop_1"), ev.AgentStopped(agent="shop_2")]


def good_stage(stage: str, name: str) -> list[ev.Event]:
    """One job succeeds on both agents."""
    both = ("shop_1", "shop_2")
    return [
        ev.StageStarted(stage=stage, agents=list(both)),
        *(ev.JobStarted(**job(stage, name, agent), procedure="builtins.shell") for agent in both),
        *(ev.JobFinished(**job(stage, name, agent), duration_s=0.02) for agent in both),
        ev.StageFinished(stage=stage, state="ok", duration_s=0.5),
    ]


def failing() -> list[ev.Event]:
    """A retry that helps, a failure that stays, a cancelled instance, a stage never reached, one that always runs."""
    lost = job("sell", "sell one", "shop_2", 2)
    error = {"kind": "exit", "message": "the script ended with exit status 3", "hint": "see its last lines"}
    return numbered(
        [
            *started(),
            *good_stage("open", "fill"),
            ev.StageStarted(stage="sell", agents=["shop_1", "shop_2"]),
            ev.JobStarted(**job("sell", "sell one", "shop_1", 1), procedure="builtins.shell"),
            ev.JobOutput(agent="shop_1", **job("sell", "sell one", "shop_1", 1), lines=["not yet"]),
            ev.JobFinished(
                **job("sell", "sell one", "shop_1", 1),
                state="failed",
                failure=Failure.from_json(error),
                will_retry=True,
                duration_s=1.25,
            ),
            ev.JobStarted(**job("sell", "sell one", "shop_1", 1, 2), procedure="builtins.shell", why="retry"),
            ev.JobOutput(agent="shop_1", **job("sell", "sell one", "shop_1", 1, 2), lines=["sold"]),
            ev.JobStarted(**lost, procedure="builtins.shell"),
            ev.JobStarted(**job("sell", "sell one", "shop_1", 2), procedure="builtins.shell"),
            ev.JobFinished(**job("sell", "sell one", "shop_1", 1, 2), duration_s=2.0),
            ev.JobOutput(agent=lost["instance"].agent, **lost, lines=[f"line {n}" for n in range(12)], dropped=3),
            ev.JobOutput(agent=lost["instance"].agent, **lost, lines=[HOSTILE, "\ttabbed <b>&amp;"], stream="stderr"),
            ev.JobFinished(**lost, state="failed", failure=Failure.from_json(error), duration_s=12.5),
            ev.StopRequested(by="failure"),
            ev.JobFinished(**job("sell", "sell one", "shop_1", 2), state="cancelled", reason="another job failed"),
            ev.StageFinished(stage="sell", state="failed", duration_s=14.0),
            *good_stage("close", "lights"),
            *stopped(),
            ev.RunFinished(exit_code=1, duration_s=15.0, counts={"ok": 5, "failed": 1, "cancelled": 1}, causes=[1]),
        ]
    )


def succeeding() -> list[ev.Event]:
    """Everything that is said of a run that goes well."""
    return numbered(
        [
            *started(),
            *good_stage("open", "fill"),
            ev.WarningGiven(message="stage sell matches no agent", stage="sell"),
            ev.StageFinished(stage="sell", state="skipped", reason="no agent takes part"),
            ev.VariableChanged(name="price", value=12, by="open/fill@shop_1"),
            ev.VariableChanged(name="::error::", removed=True),
            ev.ServiceAnnounced(agent="shop_1", kind="http", name="http", ports={"http": 8080}),
            ev.JobOutput(agent="shop_1", lines=["GET /"], process="http"),
            ev.ScenarioRejected(problems=[{"file": "shops.yml", "line": 3, "column": 1, "message": "unknown key 'x'"}]),
            ev.ScenarioReloaded(changes=["stage close: 1 job changed"], plan=PLAN),
            ev.AgentSuspect(agent="shop_2", message="the connection is down"),
            ev.ConfirmationAsked(stage="count"),
            ev.ConfirmationGiven(stage="count", by="--confirm"),
            ev.StageStarted(stage="count", agents=["shop_1"]),
            ev.JobStarted(**job("count", "all sold", "shop_1"), procedure="builtins.assert"),
            ev.ServiceAnnounced(agent="shop_1", kind="http", name="http", state="down", reason="exit status 1\nGET /"),
            ev.JobFinished(
                **job("count", "all sold", "shop_1"),
                state="failed",
                is_tolerated=True,
                failure=Failure.from_json({"kind": "assert", "message": "a shop sold nothing"}),
            ),
            ev.StageFinished(stage="count", state="ok"),
            ev.RunPaused(reason="operator", message="by the console"),
            *good_stage("close", "lights"),
            ev.StagesDone(),
            ev.ServiceAnnounced(agent="shop_2", kind="http", name="http", state="down", reason="stopped"),
            *stopped(),
            ev.RunFinished(exit_code=0, duration_s=9.0, counts={"ok": 4, "tolerated": 1}),
        ]
    )


def unreachable() -> list[ev.Event]:
    """One agent cannot be reached, the other does not end cleanly."""
    return numbered(
        [
            *started()[:3],
            ev.AgentReady(agent="shop_1", home="/h/1", python="3.11.2"),
            ev.AgentFailed(
                agent="shop_2",
                code="net.refused",
                message="10.0.0.2:22 refuses connections",
                hint="is an SSH server running there?",
                exit_code=4,
            ),
            ev.StopRequested(by="failure"),
            ev.AgentStopped(
                agent="shop_1", is_clean=False, remaining=[{"pid": 7, "name": "sleep"}], message="1 is left"
            ),
            ev.RunFinished(exit_code=10, duration_s=2.0, reason="shop_1 is not clean", causes=[4, 10]),
        ]
    )


def interrupted() -> list[ev.Event]:
    """An operator stops the run before anything failed."""
    return numbered(
        [
            *started(),
            *good_stage("open", "fill"),
            ev.StopRequested(by="SIGINT"),
            *stopped(),
            ev.RunFinished(exit_code=130, duration_s=4.0, counts={"ok": 2}),
        ]
    )
