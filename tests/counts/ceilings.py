"""What one more trivial job may cost, counted and so the same on every machine: a fifth or so over what it does cost.

Whoever makes something cheaper lowers its number; whoever has to raise one says why.
"""

from __future__ import annotations

HOST_ASKS = {
    # Of the host's process, 10 agents whose answers come one at a time.
    "system calls": 2.4,  # 2.0: a look at what has come, and a write of the journal
    "looks at a clock": 7.3,  # 6.0
    "blocks left": 25.0,  # 20.4, of the first thousand jobs: much of it is in caches of a bounded size
}
CONSOLE = {
    # Of the console's process, an event of a run of fifty agents: its line read, and all folds of it.
    "function calls": 57.0,  # 47
    "calls of what is built in": 66.0,  # 55
}

HOST = {
    # Of the host's process, 10 agents whose answers come one at a time: a turn of the loop for each.
    "function calls": 185.0,  # 161
    "events": 2.0,
    "journal bytes": 700.0,  # 601
    "journal writes": 1.2,  # 1.02
    "agent writes": 1.2,  # 1.04: one for the job; acknowledgements and signs of life are the rest
    "agent bytes": 140.0,  # 120
}
HOST_AHEAD = {
    # The same with look-ahead, as runs go: two jobs for each way there and back.
    "function calls": 172.0,  # 149
    "events": 2.0,
    "journal bytes": 700.0,
    "journal writes": 0.65,  # 0.52
    "agent writes": 0.7,  # 0.59
    "agent bytes": 175.0,  # 148: each job says after which one it comes
}
HOST_TOGETHER = {
    # The same when all agents answer at the same time: what is done once for a turn is shared by ten jobs.
    "function calls": 148.0,  # 127
    "events": 2.0,
    "journal bytes": 700.0,
    "journal writes": 0.08,  # 0.05
    "agent writes": 0.7,
    "agent bytes": 175.0,
}
AGENT_OVER_SSH = {
    # One more machine with one agent, from its start to its end.
    "function calls": 4300.0,  # 3700
    "connections": 1.0,
    "channels": 1.0,  # each costs the server a process, and a shell with all that it reads first
    "writes": 16.5,  # 14
}
