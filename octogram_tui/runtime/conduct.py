"""How an agent behaves, as judged from what it sends: what is its own to say, how much, how fast.

An agent's machine may be anybody's by now. What it says it can say only of what it was told to do; log lines it may
send as far as it was given credit, and everything else as far as an honest daemon ever would. What goes beyond is not
believed, and an agent that goes on is put in quarantine: its connection is closed, and its lease is not renewed.
"""

from __future__ import annotations

from octogram_agentd.jobs.answers import Names
from octogram_agentd.wire.lines import LINE_OVERHEAD_BYTES, OUTPUT_CREDIT_BYTES
from octogram_tui.cuts import quoted
from octogram_tui.model.ids import Execution
from octogram_tui.runtime.reading import Message

MOST_BREACHES = 100  # messages that are unknown, or about what is not the agent's, before a quarantine
CREDIT_SLACK_BYTES = 256 * 1024  # an honest daemon exceeds its credit by one line, or by one message
MESSAGES_AT_ONCE = 5_000  # that nobody asked for: progress, services, signs of life, answers
MESSAGES_PER_S = 2_000.0
BYTES_AT_ONCE = 16 << 20
BYTES_PER_S = 1 << 20
PROGRESS_AT_ONCE = 200  # of which more is not worth an event: it is the latest that counts
PROGRESS_PER_S = 50.0
MOST_NAMES = 1_000  # of services and processes, in a whole run, beside those of what it was told to do
NAMES_OF_ATTEMPT = 4
SERVICES_AT_ONCE = 2_000  # that come up or go down; a process that ends again and again is restarted more seldom
SERVICES_PER_S = 20.0
SERVICE_BYTES_AT_ONCE = 8 << 20
SERVICE_BYTES_PER_S = 64 << 10
GAPS_AT_ONCE = 5_000  # counts of dropped lines without a line: an honest daemon has one for each source, at most
GAPS_PER_S = 5.0


class Quarantine(Exception):
    """An agent has to be shut out; the text says why."""


class Allowance:
    """So much at once, and so much a second: what was taken comes back with time."""

    def __init__(self, at_once: float, per_s: float) -> None:
        self._at_once = at_once
        self._per_s = per_s
        self._left = at_once
        self._then_s = 0.0

    def take(self, amount: float, now_s: float) -> float:
        """Take an amount, be it there or not; give how many seconds too early that is."""
        self._left = min(self._at_once, self._left + (now_s - self._then_s) * self._per_s) - amount
        self._then_s = now_s
        return max(0.0, -self._left / self._per_s)


class Conduct:
    """What one agent was told to do, and how it behaves about it."""

    def __init__(self) -> None:
        self.breaches = 0
        self.connection = 0  # counts them
        # It may speak of each for as long as it likes, since log lines come late: of those that are over a few bytes
        # are kept, there may be any number.
        self._own: set[Execution] = set()
        self._over = Names()
        self.under_way: dict[str, Execution] = {}  # by name, so that the name is not read once more
        self._after: dict[Execution, str] = {}  # what it was given ahead, and the name of what it has until then
        self._messages = Allowance(MESSAGES_AT_ONCE, MESSAGES_PER_S)
        self._bytes = Allowance(BYTES_AT_ONCE, BYTES_PER_S)
        self._progress = Allowance(PROGRESS_AT_ONCE, PROGRESS_PER_S)
        self._services = Allowance(SERVICES_AT_ONCE, SERVICES_PER_S)
        self._service_bytes = Allowance(SERVICE_BYTES_AT_ONCE, SERVICE_BYTES_PER_S)
        self._gaps = Allowance(GAPS_AT_ONCE, GAPS_PER_S)
        self._service_count = 0
        self._names: set[str] = set()
        self._granted_bytes = 0  # up to where what it printed may grow
        self.printed_bytes = 0  # of this connection
        self._claimed_bytes = 0
        self.given_bytes = 0  # back, of its credit

    def told(self, execution: Execution, name: str = "", after: str = "") -> None:
        """The agent was told to do something, now or before we were here; or as soon as something else has ended."""
        self._own.add(execution)
        if after:
            self._after[execution] = after
        elif self._after:
            self._after.pop(execution, None)
        self.under_way[name or str(execution)] = execution

    @property
    def _told(self) -> int:
        return len(self._own) + len(self._over)

    def is_its_own(self, execution: Execution) -> bool:
        """Whether the agent may speak of something: nobody speaks for another agent, or of what nobody asked for."""
        return execution in self._own or execution in self._over

    def is_early(self, execution: Execution | None) -> bool:
        """Whether an agent speaks of something before it has said that what comes before it has ended.

        It does so when a connection was lost: the lines that were printed come first then.
        """
        after = self._after.get(execution) if self._after else None  # type: ignore[arg-type]
        if after is None:
            return False
        if after in self.under_way:
            return True
        del self._after[execution]  # type: ignore[arg-type]
        return False

    def ends(self, name: str) -> bool:
        """Whether this is the first time that the agent says of something under way that it has ended."""
        execution = self.under_way.get(name)
        if execution is None:
            return False
        after = self._after.get(execution) if self._after else None
        if after is not None:
            if after in self.under_way:  # it cannot have begun: what it says once it has is what counts
                return False
            del self._after[execution]
        del self.under_way[name]
        self._own.discard(execution)
        self._over.add(execution)
        return True

    def is_news(self, now_s: float) -> bool:
        """Whether one more line of progress is worth an event."""
        return not self._progress.take(1, now_s)

    def names(self, name: str) -> None:
        """Take note of a service or a process. Raises Quarantine for more than an agent can have had use for."""
        if name in self._names:
            return
        most = MOST_NAMES + NAMES_OF_ATTEMPT * self._told
        if len(self._names) >= most:
            raise Quarantine(f"more than {most} names of services and processes, the last one {quoted(name, 40)}")
        self._names.add(name)

    def serves(self, name: str, size_bytes: int, now_s: float) -> None:
        """Take note that a service came up or went down. Raises Quarantine when that is too often, or too much."""
        self.names(name)
        self._service_count += 1
        is_often = self._services.take(1, now_s) > 0 and self._service_count > NAMES_OF_ATTEMPT * self._told
        if self._service_bytes.take(size_bytes, now_s) or is_often:
            raise Quarantine(f"services that come and go more often than any could, the last one {quoted(name, 40)}")

    def left_out(self, now_s: float) -> None:
        """Take note of a gap that no line follows. Raises Quarantine for more than there could be."""
        if self._gaps.take(1, now_s):
            raise Quarantine("gaps in its log lines without end")

    def breach(self, what: str) -> None:
        """Take note of a message that counts for nothing. Raises Quarantine when there were too many."""
        self.breaches += 1
        if self.breaches >= MOST_BREACHES:
            raise Quarantine(f"{self.breaches} messages that it had no right to send, the last one {what}")

    def begins(self) -> None:
        """A connection begins: with the credit that each one begins with."""
        self.connection += 1
        self._granted_bytes = OUTPUT_CREDIT_BYTES
        self.printed_bytes = 0
        self._claimed_bytes = 0
        self.given_bytes = 0

    @property
    def owed_bytes(self) -> int:
        """How much credit the agent is to be given back: for what it printed, as far as it has counted that itself."""
        return min(self.printed_bytes, self._claimed_bytes) - self.given_bytes

    def grant(self, size_bytes: int, window_bytes: int) -> None:
        """Give so much of it back, and let so much be under way from here on."""
        self.given_bytes += size_bytes
        self._granted_bytes = max(self._granted_bytes, self.given_bytes + window_bytes)

    def printed(self, lines: list[str], claimed_bytes: int) -> None:
        """Take note of log lines. Raises Quarantine for more than there was credit for, whatever the agent counts."""
        # Without lines it tells of some that were left out, and counts as one.
        self.printed_bytes += sum(map(len, lines)) + LINE_OVERHEAD_BYTES * max(1, len(lines))
        self._claimed_bytes += claimed_bytes
        over_bytes = max(self.printed_bytes, self._claimed_bytes) - self._granted_bytes
        if over_bytes > CREDIT_SLACK_BYTES:
            raise Quarantine(f"{over_bytes} bytes of log lines more than it had credit for")

    def sent(self, message: Message, size_bytes: int, now_s: float) -> None:
        """Take note of a message that is not about what was asked. Raises Quarantine when they come too fast."""
        if self._messages.take(1, now_s) or self._bytes.take(size_bytes, now_s):
            raise Quarantine(
                f"more than {MESSAGES_PER_S:.0f} messages, or {BYTES_PER_S >> 20} MiB, a second that nobody asked for; "
                f"the last one was {quoted(message.get('t'), 40)}"
            )
