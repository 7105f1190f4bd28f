"""`--events FILE|-`: the events as JSON lines, as they come."""

from __future__ import annotations

import os
from collections.abc import Sequence

from octogram_tui import filing, streams
from octogram_tui.engine.events import Event
from octogram_tui.errors import JournalError
from octogram_tui.journal import codec
from octogram_tui.streams import Outlet


class JsonLines:
    """Writes each batch as soon as its reader takes it. The run never waits for that, and goes on without a reader."""

    def __init__(self, fd: int, name: str, *, owns_fd: bool) -> None:
        self._fd = fd
        self._outlet = Outlet(fd)
        self._name = name
        self._owns_fd = owns_fd
        self._is_told = False

    @classmethod
    def open(cls, target: str, stdout_fd: int = 1) -> JsonLines:
        """Write to a file, made anew with mode 0600, or with `-` to the standard output. Raises JournalError.

        May wait for the reader of a pipe, some seconds at most.
        """
        if target == "-":
            return cls(stdout_fd, "standard output", owns_fd=False)
        try:
            fd = filing.open_stream(target, mode=0o600)
        except OSError as error:
            raise JournalError(f"cannot write events to {target}: {error.strerror}") from error
        return cls(fd, target, owns_fd=True)

    def apply(self, events: Sequence[Event]) -> None:
        """Write a batch. Raises JournalError, once, when events are lost: no room, or no reader any more."""
        if events:
            self._outlet.write(codec.encode_all(events))
            self._tell()

    def close(self) -> None:
        """Give a slow reader the time to take the rest, and let the file go. Raises JournalError as `apply` does."""
        try:
            self._outlet.drain(filing.READER_WAIT_S if self._owns_fd else streams.READER_WAIT_S)
            self._tell()
        finally:
            if self._owns_fd:
                self._owns_fd = False
                os.close(self._fd)

    def _tell(self) -> None:
        fault = self._outlet.fault
        if fault is not None and not self._is_told:
            self._is_told = True
            raise JournalError(f"cannot write events to {self._name}: {fault.strerror}") from fault
