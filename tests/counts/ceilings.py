"""What one more trivial job may cost, counted and so the same on every machine: a fifth or so over what it does cost.

Whoever makes something cheaper lowers its number; whoever has to raise one says why.
"""

from __future__ import annotations

HOST = {
    # Of the host's process, 10 agents whose answers come one at a time: a turn of the loop for each.
    "function calls": 178.0,  # 155
    "events": 2.0,
    "journal bytes": 700.0,  # 601
    "journal writes": 1.2,  # 1.02
    "agent writes": 1.2,  # 1.04: one for the job; acknowledgements and signs of life are the rest
    "agent bytes": 140.0,  # 120
}
HOST_TOGETHER = {
    # The same when all agents answer at the same time: what is done once for a turn is shared by ten jobs.
    "function calls": 130.0,  # 113
    "events": 2.0,
    "journal bytes": 700.0,
    "journal writes": 0.15,  # 0.1
    "agent writes": 1.2,
    "agent bytes": 140.0,
}
