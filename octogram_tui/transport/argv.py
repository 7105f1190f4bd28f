"""The way to a machine through a command of the user's: srun, kubectl exec -i, docker exec -i, and the like."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from octogram_tui.errors import ConnectFailed
from octogram_tui.transport.base import Receiver
from octogram_tui.transport.local import ProcessChannel, end_processes, start_hint, start_process


class CommandTransport:
    """Commands behind a wrapper, which gets their words appended to its own and must pass them on unchanged."""

    def __init__(self, agent: str, wrapper: Sequence[str], files: tuple[int, int] | None = None) -> None:
        """files: how many the wrappers may have open, soft and hard limit; None: as many as we may."""
        self._agent = agent
        self._files = files
        self._wrapper = tuple(wrapper)
        self._channels: set[ProcessChannel] = set()

    @property
    def description(self) -> str:
        """The wrapper, as a shell would take it."""
        return shlex.join(self._wrapper)

    @property
    def host(self) -> str:
        """There is no host in between."""
        return ""

    async def reach(self) -> str:
        """Nobody knows where the wrapper leads; but all of them are started on this machine."""
        return "command"

    async def open(self, argv: Sequence[str], receiver: Receiver, *, bulk: bool = False) -> ProcessChannel:
        """Start a command through the wrapper. Raises ConnectFailed when the wrapper itself cannot be started."""
        if not self._wrapper:
            raise _unusable(self._agent, "its `command` is empty", "give it as a list: [kubectl, exec, -i, pod, --]")
        try:
            return start_process((*self._wrapper, *argv), receiver, self._channels, bulk=bulk, files=self._files)
        except OSError as error:
            leaf = self._wrapper[0]
            reason = f"cannot start its command `{leaf}` on this machine: {error.strerror or type(error).__name__}"
            hint = start_hint(error, f"see that `{leaf}` is installed, executable and on the PATH")
            raise _unusable(self._agent, reason, hint) from error

    async def connect(self, place: str, receiver: Receiver) -> ProcessChannel:
        """Nothing but commands goes through a wrapper. Raises ConnectFailed."""
        raise ConnectFailed(f"agent {self._agent}: no socket is reached through its `command`", code="net.command")

    async def close(self) -> None:
        """Drop every channel, and wait a bounded time for the wrappers to end."""
        await end_processes(self._channels)


def _unusable(agent: str, reason: str, hint: str) -> ConnectFailed:
    failure = ConnectFailed(f"agent {agent}: {reason}", hint=hint, code="net.command")
    failure.is_retryable = False
    return failure
