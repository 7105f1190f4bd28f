"""`--events FILE|-`: the events as JSON lines, as they come."""

from __future__ import annotations

import os
from collections.abc import Sequence

from octogram_tui import filing
from octogram_tui.engine.events import Event
from octogram_tui.errors import JournalError
from octogram_tui.journal import codec


class JsonLines:
    """Writes each batch at once. When a pipe's reader goes away, the run goes on without it."""

    def __init__(self, fd: int, name: str, *, owns_fd: bool) -> None:
        self._fd = fd
        self._name = name
        self._owns_fd = owns_fd
        self.is_broken = False

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
        """Write a batch. Raises JournalError when the file cannot take it."""
        if self.is_broken or not events:
            return
        data = memoryview(codec.encode_all(events))
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except BrokenPipeError:
            self.is_broken = True
        except OSError as error:
            self.is_broken = True
            raise JournalError(f"cannot write events to {self._name}: {error.strerror}") from error

    def close(self) -> None:
        """Let the file go."""
        if self._owns_fd:
            self._owns_fd = False
            os.close(self._fd)
