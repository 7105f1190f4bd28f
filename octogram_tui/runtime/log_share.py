"""How much of a run's journal is for log lines: what is beyond stays on the agents' machines.

Nothing is thrown away here. Credit for further lines is held back instead: the daemon keeps the newest ones, and says
how many it had to drop. So nobody floods the disk, and every gap is one that can be seen.
"""

from __future__ import annotations

from octogram_tui.runtime.conduct import Allowance

MESSAGE_BYTES = 250  # what the journal takes for an event with log lines, beside the lines
LINE_BYTES = 4
AGENT_AT_ONCE_BYTES = 64 << 20
AGENT_PER_S_BYTES = 256 << 10
RUN_AT_ONCE_BYTES = 512 << 20
RUN_PER_S_BYTES = 2 << 20
RUN_BYTES = 8 << 30
NEVER_S = 3600.0


class LogShare:
    """The share of a run, all agents together. most_bytes: over the whole run; 0: any amount."""

    def __init__(self, most_bytes: int = RUN_BYTES) -> None:
        self.most_bytes = most_bytes
        self._taken_bytes = 0
        self._pace = Allowance(RUN_AT_ONCE_BYTES, RUN_PER_S_BYTES)

    @property
    def is_used_up(self) -> bool:
        """Whether no more log lines are for the journal."""
        return 0 < self.most_bytes <= self._taken_bytes

    def take(self, size_bytes: int, now_s: float) -> float:
        """Take a part; give for how many seconds no more should be asked for."""
        self._taken_bytes += size_bytes
        return self._pace.take(size_bytes, now_s)


class AgentShare:
    """The share of one agent."""

    def __init__(self, run: LogShare) -> None:
        self._run = run
        self._pace = Allowance(AGENT_AT_ONCE_BYTES, AGENT_PER_S_BYTES)
        self.wait_s = 0.0  # for how long no more should be asked for

    def take(self, lines: list[str], now_s: float) -> str:
        """Log lines go into the journal; give what is to be told of that, mostly nothing."""
        was_used_up = self._run.is_used_up
        size_bytes = sum(map(len, lines)) + LINE_BYTES * len(lines) + MESSAGE_BYTES
        own_s, all_s = self._pace.take(size_bytes, now_s), self._run.take(size_bytes, now_s)
        self.wait_s = max(own_s, all_s, NEVER_S if self._run.is_used_up else 0.0)
        if was_used_up or not self._run.is_used_up:
            return ""
        return (
            f"the log lines in this run's journal have {self._run.most_bytes >> 20} MiB now: only the newest are kept "
            "from here on, now and then; the machines of the agents have the rest"
        )
