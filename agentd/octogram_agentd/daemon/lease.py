"""The lease: how long a daemon goes on without a word from its orchestrator. Its guard is told of it."""

from __future__ import annotations

from octogram_agentd.daemon.guard import ENDING_S, FIRST_LEASE_S, PATIENCE_S
from octogram_agentd.daemon.pact import lease_clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from octogram_agentd.daemon.guard import Tie
    from octogram_agentd.kernel import Kernel

LONGEST_LOOK_S = 5.0  # the kernel's time stops while the machine sleeps
BEAT_S = 1.0  # between signs of life to the guard while the daemon ends
REMOVAL_S = 600.0  # for removing a directory: nothing else is done meanwhile
MOST_GUARDS = 4
SHARE = 0.01  # of the lease: the guard need not be told of less


class Lease:
    """Renewed by every line from the orchestrator. `on_end` is called with the reason when it is over."""

    def __init__(self, kernel: Kernel, tie: Tie, on_end: Callable[[str], None]) -> None:
        self._kernel = kernel
        self._tie = tie
        self._on_end = on_end
        self._lease_s = FIRST_LEASE_S
        self._renewed_s = lease_clock()
        self._told_s = 0.0
        self._keep = False
        self._is_ending = False
        self._guards = 1

    def begin(self) -> None:
        """Watch the time, and the guard."""
        self._kernel.later(1.0, self._watch)
        self._kernel.watch(self._tie.fileno(), on_read=self._unguarded)

    def renew(self) -> None:
        """Somebody is there."""
        self._renewed_s = now_s = lease_clock()
        if now_s - self._told_s > self._lease_s * SHARE and not self._is_ending:
            self._tell()

    def settle(self, lease_s: float, keep: bool) -> None:
        """Take how long it is from now on, and whether the directory stays."""
        self._lease_s = lease_s
        self._keep = keep
        self._told_s = 0.0
        self.renew()
        self._tie.wake()

    def ending(self, keep: bool) -> None:
        """Say from now on, again and again, that the daemon is ending what it started."""
        self._keep = keep
        if not self._is_ending:
            self._is_ending = True
            self._beat()
            self._tie.wake()

    def removing(self) -> None:
        """Say that all has been ended, and the directory is being removed."""
        self._tie.pact.tell(lease_clock() + REMOVAL_S, keep=self._keep)

    def over(self) -> None:
        """Say that there is nothing left to guard: the process ends now."""
        self._tie.pact.tell(0.0, is_over=True)

    def _tell(self) -> None:
        self._told_s = self._renewed_s
        lease_s = self._lease_s + min(PATIENCE_S, self._lease_s / 4)
        self._tie.pact.tell(self._renewed_s + lease_s, keep=self._keep)

    def _beat(self) -> None:
        self._tie.pact.tell(lease_clock() + ENDING_S, keep=self._keep)
        self._kernel.later(BEAT_S, self._beat)

    def _watch(self) -> None:
        left_s = self._renewed_s + self._lease_s - lease_clock()
        if left_s <= 0:
            self._on_end("no orchestrator for %g s" % self._lease_s)
        else:
            self._kernel.later(min(left_s, LONGEST_LOOK_S) + 0.01, self._watch)

    def _unguarded(self) -> None:
        """Get a new guard: what runs goes on. Whoever kills that too, again and again, does not want us here."""
        self._kernel.unwatch(self._tie.fileno())
        if self._is_ending:
            return
        self._guards += 1
        try:
            if self._guards > MOST_GUARDS:
                raise OSError("the processes that guard this agent were killed, one after the other")
            self._tie.again()
        except OSError as error:
            self._on_end("nothing guards this agent: %s" % error)
        else:
            self._kernel.watch(self._tie.fileno(), on_read=self._unguarded)
