"""The terms on which links deal with their agents: how long which wait may be, and what all links of a run share."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from octogram_tui.dataclass import dataclass
from octogram_tui.model.scenario import AgentSpec, BinarySource
from octogram_tui.transport.bundle import boot_argv, build_bundle, local_argv

if TYPE_CHECKING:
    from octogram_tui.model.trace import Trace

EPOCHS = 1 << 20  # attachments of one process at most, so that those of the next one count higher


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a link waits for what."""

    greeting_s: float = 60.0  # from an open channel to the daemon's answer, a slow machine's first unpacking included
    suspect_s: float = 10.0  # without a byte: the agent is shown as suspect
    silence_s: float = 20.0  # without a byte: the connection is given up and made again
    retry_s: float = 0.25  # before the first attempt to make it again; doubled each time
    longest_retry_s: float = 15.0
    hurried_retry_s: float = 0.5  # the same at the end of a run
    stop_grace_s: float = 10.0
    stop_slack_s: float = 10.0  # beyond the grace: KILL, two scans, removal of the home directory
    drain_s: float = 25.0  # beyond both, while log lines come that wait at the agent
    stop_reattach_s: float = 10.0  # to make a connection again that is down when the agent is to be stopped
    stop_boot_s: float = 5.0  # for a daemon that has been greeted, and has yet to answer
    forced_stop_s: float = 4.0
    close_s: float = 2.0  # for a task or a channel to end that was told to
    tail_s: float = 10.0
    where_s: float = 3.0  # a person waits for a shell, which does without


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What all links of a run share.

    token: the run's secret, which its daemons take from the first greeting, and ask of each later one
    trace: the distributed trace that the run is part of, of which its jobs are told
    take_up: how often the run was taken up again; nothing is known then of what was said before
    """

    run: str
    lease_s: float
    source: BinarySource
    keep: bool = False
    procedures: list[dict[str, str]] = field(default_factory=list)
    limits: Limits = Limits()
    token: str = ""
    take_up: int = 0
    trace: Trace | None = None

    @property
    def first_epoch(self) -> int:
        """What attachments are counted from."""
        return self.take_up * EPOCHS

    @property
    def fence_s(self) -> float:
        """For how long an agent that nobody reaches may go on: until its lease is over, and all that it ran has ended.

        Clocks differ a little, so a twentieth of the lease is added.
        """
        return self.lease_s * 1.05 + self.limits.stop_grace_s

    def argv(self, spec: AgentSpec, nonce: str, arguments: list[str]) -> list[str]:
        """Give the command that runs the daemon's program on an agent's machine."""
        if spec.transport == "local":
            return local_argv(nonce=nonce, args=arguments, python=spec.python)
        return boot_argv(self.source, build_bundle(), python=spec.python, nonce=nonce, args=arguments)


class Before(NamedTuple):
    """The daemon that an agent had: which one it was, and where its files are. Nobody: it had none yet."""

    birth: str = ""
    home: str = ""


NOBODY = Before()
