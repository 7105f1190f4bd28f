"""The channel of a step, and the second process of `srun`, which would end the step if the first one died."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from octogram_tui.errors import TransportError
from octogram_tui.transport.base import Receiver
from octogram_tui.transport.local import ProcessChannel


class Step:
    """Receives for somebody; once something has come, the step no longer depends on the `srun` on this machine.

    Then a killed `srun` is a connection that is cut, and no more: the daemon lives on in its step, until its lease.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.channel: ProcessChannel | None = None

    def data_received(self, data: bytes) -> None:
        """Pass it on: the step has begun, so that all of `srun` is there."""
        if self.channel is not None:
            _part(self.channel.pid)
            self.channel = None
        self._receiver.data_received(data)

    def stderr_received(self, data: bytes) -> None:
        """Pass it on."""
        self._receiver.stderr_received(data)

    def channel_closed(self, error: TransportError | None) -> None:
        """Pass it on."""
        self._receiver.channel_closed(error)


def _part(srun: int) -> None:
    """End the process that only waits for the death of `srun`, to end the step then."""
    with contextlib.suppress(OSError, ValueError):
        for pid in Path(f"/proc/{srun}/task/{srun}/children").read_text().split():
            if Path(f"/proc/{pid}/comm").read_text() == "srun\n":
                os.kill(int(pid), signal.SIGKILL)
