"""A file that a run keeps up to date for others: replaced in one step, some seconds after something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from octogram_tui import filing, streams
from octogram_tui.errors import JournalError


class KeptFile:
    """The file, and what is to be in it.

    A device, a pipe or the standard output (`-`) cannot be kept up to date: it gets its content once, at the end.
    what: what it holds, for messages; content: gives that; every_s: it is not written more often
    """

    def __init__(self, path: str, what: str, content: Callable[[], bytes], every_s: float) -> None:
        self._path = Path(path)
        self._what = what
        self._content = content
        self._every_s = every_s
        self._is_stdout = path == "-"
        self._is_kept = not self._is_stdout and filing.is_file(path)
        self._next_write: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it is going to be written."""
        return self._next_write is not None

    def begin(self) -> None:
        """Write it for the first time, or see that it can be written. Raises JournalError."""
        if self._is_kept:
            self._write()
        elif not self._is_stdout:
            try:
                filing.check_writable(self._path)
            except OSError as error:
                raise self._cannot(error) from error

    def changed(self) -> None:
        """Have it written soon."""
        if self._is_kept and self._next_write is None:
            self._next_write = asyncio.get_running_loop().call_later(self._every_s, self._write_again)

    def close(self) -> None:
        """Write it for the last time. Raises JournalError."""
        if self._next_write is not None:
            self._next_write.cancel()
            self._next_write = None
        self._write()

    def _write_again(self) -> None:
        self._next_write = None
        try:
            self._write()
        except JournalError:
            pass  # a full disk may have room again later; the last write decides

    def _write(self) -> None:
        if self._is_stdout:
            streams.print_bytes(self._content())
            return
        try:
            filing.write_whole(self._path, self._content())
        except OSError as error:
            raise self._cannot(error) from error

    def _cannot(self, error: OSError) -> JournalError:
        return JournalError(f"cannot write {self._what} to {self._path}: {error.strerror}")
