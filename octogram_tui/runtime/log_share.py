"""How much of a run's journal is for what agents say: log lines that are beyond stay on the agents' machines.

Nothing is thrown away here. Credit for further lines is held back instead: the daemon keeps the newest ones, and says
how many it had to drop. So nobody floods the disk, and every gap is one that can be seen.
"""

from __future__ import annotations

from octogram_tui.runtime.conduct import Allowance

MESSAGE_BYTES = 250  # what the journal takes for an event, beside what the agent says
AGENT_AT_ONCE_BYTES = 384 << 20
AGENT_PER_S_BYTES = 256 << 10
RUN_AT_ONCE_BYTES = 1 << 30
RUN_PER_S_BYTES = 2 << 20
ROOM_SHARE = 8  # of the room that there is on the disk, a part that may be written at once
LEAST_AT_ONCE_BYTES = 64 << 20
RUN_BYTES = 8 << 30
NEVER_S = 3600.0
WINDOW_BYTES = 16 << 20  # of lines under way, all agents together: what may wait here, at worst
MOST_WINDOW_BYTES = 2 << 20  # of each agent
LEAST_WINDOW_BYTES = 64 << 10
PRINTS_S = 1.0  # for how long an agent that printed counts as one that prints


class LogShare:
    """The share of a run, all agents together.

    most_bytes: over the whole run; 0: any amount. room_bytes: on the disk, as the run begins
    """

    def __init__(self, most_bytes: int = RUN_BYTES, room_bytes: int = RUN_AT_ONCE_BYTES * ROOM_SHARE) -> None:
        self.most_bytes = most_bytes
        self._taken_bytes = 0
        at_once_bytes = min(RUN_AT_ONCE_BYTES, max(LEAST_AT_ONCE_BYTES, room_bytes // ROOM_SHARE))
        self._pace = Allowance(at_once_bytes, RUN_PER_S_BYTES)
        self._printing: set[AgentShare] = set()
        self._printed: set[AgentShare] = set()  # in the time before
        self._since_s = 0.0

    @property
    def is_used_up(self) -> bool:
        """Whether no more log lines are for the journal."""
        return 0 < self.most_bytes <= self._taken_bytes

    def take(self, size_bytes: int, now_s: float) -> tuple[float, bool]:
        """Take a part; give for how many seconds no more should be asked for, and whether it has used up the rest."""
        before_bytes, self._taken_bytes = self._taken_bytes, self._taken_bytes + size_bytes
        wait_s, most_bytes = self._pace.take(size_bytes, now_s), self.most_bytes
        if not most_bytes or self._taken_bytes < most_bytes:
            return wait_s, False
        return max(wait_s, NEVER_S), before_bytes < most_bytes

    def window_bytes(self, agent: AgentShare, now_s: float) -> int:
        """Say how much one of those that print may have under way: all of them as much."""
        if now_s - self._since_s > PRINTS_S:
            self._printed = self._printing if now_s - self._since_s < 2 * PRINTS_S else set()
            self._printing = set()
            self._since_s = now_s
        self._printing.add(agent)
        part_bytes = WINDOW_BYTES // max(len(self._printing), len(self._printed))
        return min(MOST_WINDOW_BYTES, max(LEAST_WINDOW_BYTES, part_bytes))


class AgentShare:
    """The share of one agent."""

    def __init__(self, run: LogShare) -> None:
        self._run = run
        self._pace = Allowance(AGENT_AT_ONCE_BYTES, AGENT_PER_S_BYTES)
        self.wait_s = 0.0  # for how long no more should be asked for

    def is_used_up(self, now_s: float) -> bool:
        """Whether what can be done without should be left out."""
        return self._run.is_used_up or self._pace.take(0, now_s) > 0

    def window_bytes(self, now_s: float) -> int:
        """Say how many bytes of lines may be under way."""
        return self._run.window_bytes(self, now_s)

    def take(self, line: bytes, now_s: float, times: int = 1) -> str:
        """What a line of the protocol says goes into the journal, so many times.

        Gives what is to be told of that, mostly nothing.
        """
        # The journal is ASCII: a character of two bytes takes six there.
        size_bytes = times * ((len(line) if line.isascii() else 3 * len(line)) + MESSAGE_BYTES)
        own_s, (all_s, is_last) = self._pace.take(size_bytes, now_s), self._run.take(size_bytes, now_s)
        self.wait_s = own_s if own_s > all_s else all_s
        if not is_last:
            return ""
        return (
            f"the log lines in this run's journal have {self._run.most_bytes >> 20} MiB now: only the newest are kept "
            "from here on, now and then; the machines of the agents have the rest"
        )
