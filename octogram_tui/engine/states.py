"""The states of agents, job instances and the run, and every move between them, with what causes it.

Nothing else moves a state; the page with the diagrams and the tests are made from these tables.
"""

from __future__ import annotations

from typing import Literal

InstanceState = Literal["planned", "held", "running", "watching", "retrying", "undecided", "stopped", "done"]
"""planned: drawn, and not begun. held: before the gate. running: an attempt is under way. watching: an attempt waits
until an expression holds. retrying: waits for its next attempt. undecided: failed, and holds its lane until the
operator decides. stopped: an attempt has ended, and what follows from that is held at the gate."""

INSTANCE_MOVES: dict[InstanceState, dict[InstanceState, str]] = {
    "planned": {
        "held": "the gate is shut",
        "running": "the gate lets it through",
        "stopped": "its `when` does not hold, and a breakpoint holds its lane after it",
        "done": "its `when` does not hold",
    },
    "held": {
        "running": "the gate lets it through",
        "stopped": "its `when` does not hold, and a breakpoint holds its lane after it",
        "done": "its `when` does not hold, the operator skips it, or its stage ends",
    },
    "running": {
        "watching": "it waits for an expression, and no agent is needed",
        "retrying": "the attempt failed, and there are retries left",
        "undecided": "the attempt failed, and the run pauses on failures",
        "stopped": "the attempt ended, its updates are applied, and a breakpoint holds its lane after it",
        "done": "the attempt ended",
    },
    "watching": {
        "retrying": "the time of the wait is over, and there are retries left",
        "undecided": "the time of the wait is over, and the run pauses on failures",
        "stopped": "the wait ended, and a breakpoint holds its lane after it",
        "done": "the expression holds, or the wait ended otherwise",
    },
    "retrying": {
        "running": "the delay is over",
        "stopped": "the delay is over, and the gate holds its next attempt",
        "done": "its stage ends",
    },
    "undecided": {
        "running": "the operator has it run again",
        "stopped": "the operator skips it, and a breakpoint is there for the variable that it registers",
        "done": "the operator skips it, or its stage ends",
    },
    "stopped": {
        "running": "its next attempt is let through, or the operator has it run again",
        "retrying": "it is let go on, and is tried again after the delay",
        "stopped": "the operator skips it, and a breakpoint is there for the variable that it registers",
        "done": "it is let go on, the operator skips it, or its stage ends",
    },
    "done": {},
}

BEGUN: frozenset[InstanceState] = frozenset({"running", "watching", "retrying", "undecided", "stopped"})
"""Begun and not done: a sequential job goes on when none of its instances is."""

AT_GATE: frozenset[InstanceState] = frozenset({"held", "stopped"})
"""What stands at the gate, in the order in which it came."""

IN_FLIGHT: frozenset[InstanceState] = frozenset({"running", "watching", "retrying"})
"""What `max_concurrency` counts."""

AgentState = Literal["new", "starting", "ready", "suspect", "lost", "failed", "stopping", "stopped"]

AGENT_MOVES: dict[AgentState, frozenset[AgentState]] = {
    "new": frozenset({"starting", "stopped"}),
    "starting": frozenset({"starting", "ready", "failed", "stopping", "lost"}),
    "ready": frozenset({"suspect", "lost", "stopping", "starting"}),
    "suspect": frozenset({"ready", "lost", "stopping", "starting"}),
    "lost": frozenset({"stopping", "stopped"}),
    "failed": frozenset({"stopping", "stopped", "starting"}),
    "stopping": frozenset({"stopped", "stopping", "starting"}),
    "stopped": frozenset(),
}
"""To `starting` again: the run was taken up by another process, which asks every agent that is not over."""

RunPhase = Literal["new", "starting", "running", "ending", "idle", "stopping", "finished"]
"""ending: a failure or a stop was seen, `always` stages run. idle: all stages done, agents kept alive."""

PHASE_MOVES: dict[RunPhase, frozenset[RunPhase]] = {
    "new": frozenset({"starting"}),
    "starting": frozenset({"running", "stopping"}),
    "running": frozenset({"ending", "idle", "stopping"}),
    "idle": frozenset({"running", "stopping"}),
    "ending": frozenset({"stopping"}),
    "stopping": frozenset({"finished"}),
    "finished": frozenset(),
}
