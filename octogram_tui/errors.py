"""Every error that this program raises on purpose, and the exit code that each one means.

Imports nothing, so that every layer may use it. A job that fails is an event, never one of these.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class ExitCode(IntEnum):
    """What the process says to whoever started it; `octogram-tui help exit-codes` prints these texts."""

    OK = 0
    JOB_FAILED = 1
    USAGE = 2
    SCENARIO = 3
    UNREACHABLE = 4
    NOT_TRUSTED = 5
    NOT_STARTED = 6
    AGENT_LOST = 7
    TIME_LIMIT = 8
    RESUME_REFUSED = 9
    NOT_CLEANED = 10
    HELD = 11
    BUG = 70
    IO = 74
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


EXIT_TEXTS: dict[ExitCode, str] = {
    ExitCode.OK: "every job that had to succeed did, and every agent confirmed that nothing is left",
    ExitCode.JOB_FAILED: "a job failed",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.SCENARIO: "the scenario, one of its templates or its list of agents is wrong",
    ExitCode.UNREACHABLE: "an agent's machine could not be reached",
    ExitCode.NOT_TRUSTED: "a host key or an authentication was refused",
    ExitCode.NOT_STARTED: "an agent could not be started, or broke the protocol",
    ExitCode.AGENT_LOST: "an agent was lost during the run",
    ExitCode.TIME_LIMIT: "the time limit of the run, or of a stage, was reached",
    ExitCode.RESUME_REFUSED: "a run could not be resumed or attached to, refused a request, or its journal is damaged",
    ExitCode.NOT_CLEANED: "an agent did not confirm that nothing is left of the run",
    ExitCode.HELD: "the run had to wait for an operator, and there is none",
    ExitCode.BUG: "a defect of octogram-tui itself",
    ExitCode.IO: "this machine could not write the journal or another file of the run",
    ExitCode.HANGUP: "stopped because the terminal was closed; agents are clean",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C; agents are clean",
    ExitCode.TERMINATED: "stopped by a termination signal; agents are clean",
}


class OctogramError(Exception):
    """The root of the tree. `str()` is one sentence for a person; `hint` says what to do about it."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(OctogramError):
    """The command line asks for something that cannot be."""

    exit_code = ExitCode.USAGE


class SettingsError(OctogramError):
    """The configuration file or an environment variable is wrong."""

    exit_code = ExitCode.USAGE


class Problem(NamedTuple):
    """One thing that is wrong in a scenario: where (1-based line and column; 0 when unknown), what, and what to do."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    source: str = ""  # the offending line itself
    is_warning: bool = False


class ScenarioError(OctogramError):
    """A scenario that cannot be used; carries all of its problems, never only the first."""

    exit_code = ExitCode.SCENARIO

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        place = f"{first.file}:{first.line}:{first.column}" if first.line else first.file
        super().__init__(f"{place}: {first.message}{more}", hint=first.hint)
        self.problems = problems


class TemplateError(OctogramError):
    """A template that does not parse or cannot be expanded; `name` is the name at fault, where there is one.

    owner: the agent whose service was asked for, where that is at fault.
    """

    exit_code = ExitCode.SCENARIO

    def __init__(self, message: str, *, hint: str = "", name: str = "", owner: str = "") -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.owner = owner


class NoThread(OctogramError):
    """This machine makes no thread any more: there are too many processes."""

    exit_code = ExitCode.IO


class JournalError(OctogramError):
    """The journal cannot be written or read."""

    exit_code = ExitCode.IO


class DamagedJournal(JournalError):
    """A journal is not what was written: nothing is made of what follows the damage."""

    exit_code = ExitCode.RESUME_REFUSED


class DirectoryTaken(JournalError):
    """The directory that a run was to have is that of another one."""

    exit_code = ExitCode.RESUME_REFUSED


class RunGoesOn(JournalError):
    """A run that was to be taken up again has a process, or its journal has another writer."""

    exit_code = ExitCode.RESUME_REFUSED


class RunNotRestored(OctogramError):
    """A run cannot be gone on with: its journal does not give what it stood like."""

    exit_code = ExitCode.RESUME_REFUSED


class AttachRefused(OctogramError):
    """There is no run of that name, or it cannot be joined."""

    exit_code = ExitCode.RESUME_REFUSED


class RequestDenied(OctogramError):
    """A run would not do what it was asked."""

    exit_code = ExitCode.RESUME_REFUSED


class NewKey(NamedTuple):
    """A host key that is not on file: whose, which, and how it is accepted. That gives why it was not kept, or ''."""

    name: str
    says: str  # its type and fingerprint
    accept: Callable[[], str]


class TransportError(OctogramError):
    """Bytes could not be brought to an agent's machine. `code` is stable and drives logic; the text is for people."""

    exit_code = ExitCode.UNREACHABLE
    code = "net.failed"
    is_retryable = False
    jump = ""  # the jump machine at which it went wrong, when it was not the agent's own
    new_key: NewKey | None = None  # that would be accepted on request

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message, hint=hint)
        if code:
            self.code = code


class ConnectFailed(TransportError):
    """No connection: unknown name, refused, timed out, not an SSH server."""

    is_retryable = True


class AuthFailed(TransportError):
    """The server knows us not."""

    exit_code = ExitCode.NOT_TRUSTED
    code = "auth.refused"


class HostKeyRefused(TransportError):
    """We know the server not, or it is not who it was."""

    exit_code = ExitCode.NOT_TRUSTED
    code = "trust.refused"


class BootstrapFailed(TransportError):
    """The machine was reached, but no daemon came up on it."""

    exit_code = ExitCode.NOT_STARTED
    code = "boot.failed"


class LinkLost(TransportError):
    """A connection that worked is gone."""

    exit_code = ExitCode.AGENT_LOST
    code = "agent.lost"
    is_retryable = True


class ProtocolError(TransportError):
    """What came over the channel is not what the protocol allows."""

    exit_code = ExitCode.NOT_STARTED
    code = "agent.protocol"


class EngineBug(OctogramError):
    """The engine contradicts itself: always our defect. Carries the last stimuli, for the bug report."""

    def __init__(self, message: str, stimuli: list[object]) -> None:
        super().__init__(message, hint="please report this with the run's journal")
        self.stimuli = stimuli
