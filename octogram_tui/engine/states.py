"""The states of agents and job instances, and every move between them that is allowed. Nothing else moves a state."""

from __future__ import annotations

from typing import Literal

InstanceState = Literal["held", "running", "retrying", "failed", "done"]
"""held: before the gate. retrying: waits for its next attempt. failed: holds its agent until the operator decides."""

INSTANCE_MOVES: dict[InstanceState, frozenset[InstanceState]] = {
    "held": frozenset({"running", "done", "failed"}),
    "running": frozenset({"retrying", "failed", "done"}),
    "retrying": frozenset({"running", "done"}),
    "failed": frozenset({"running", "done", "failed"}),
    "done": frozenset(),
}

AgentState = Literal["new", "starting", "ready", "suspect", "lost", "failed", "stopping", "stopped"]

AGENT_MOVES: dict[AgentState, frozenset[AgentState]] = {
    "new": frozenset({"starting", "stopped"}),
    "starting": frozenset({"ready", "failed", "stopping", "lost"}),
    "ready": frozenset({"suspect", "lost", "stopping"}),
    "suspect": frozenset({"ready", "lost", "stopping"}),
    "lost": frozenset({"stopping", "stopped"}),
    "failed": frozenset({"stopping", "stopped", "starting"}),
    "stopping": frozenset({"stopped", "stopping"}),
    "stopped": frozenset(),
}

Phase = Literal["new", "starting", "running", "ending", "idle", "stopping", "finished"]
"""ending: a failure or a stop was seen, `always` stages run. idle: all stages done, agents kept alive."""

PHASE_MOVES: dict[Phase, frozenset[Phase]] = {
    "new": frozenset({"starting"}),
    "starting": frozenset({"running", "stopping"}),
    "running": frozenset({"ending", "idle", "stopping"}),
    "idle": frozenset({"running", "stopping"}),
    "ending": frozenset({"stopping"}),
    "stopping": frozenset({"finished"}),
    "finished": frozenset(),
}
