"""What one more trivial job may cost, counted and so the same on every machine: a fifth or so over what it does cost.

Whoever makes something cheaper lowers its number; whoever has to raise one says why.
"""

from __future__ import annotations

HOST = {
    # Of the host's process, 10 agents whose answers come one at a time: a turn of the loop for each.
    "function calls": 225.0,  # 190
    "events": 2.0,
    "journal bytes": 700.0,  # 601
    "journal writes": 1.2,  # 1.02
    "agent writes": 1.2,  # 1.04: one for the job; acknowledgements and signs of life are the rest
    "agent bytes": 140.0,  # 120
}
HOST_AHEAD = {
    # The same with look-ahead, as runs go: two jobs for each way there and back.
    "function calls": 215.0,  # 182
    "events": 2.0,
    "journal bytes": 700.0,
    "journal writes": 0.65,  # 0.52
    "agent writes": 0.7,  # 0.59
    "agent bytes": 175.0,  # 148: each job says after which one it comes
}
HOST_TOGETHER = {
    # The same when all agents answer at the same time: what is done once for a turn is shared by ten jobs.
    "function calls": 185.0,  # 157
    "events": 2.0,
    "journal bytes": 700.0,
    "journal writes": 0.08,  # 0.05
    "agent writes": 0.7,
    "agent bytes": 175.0,
}
