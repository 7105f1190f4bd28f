"""Appends events to a run's journal: one write for each batch, synced in groups, and nothing more after an error.

The writer holds the file locked for as long as it lives: that, and no process number, tells whether a run is running.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from octogram_tui import faults
from octogram_tui.engine.events import Event
from octogram_tui.errors import DirectoryTaken, JournalError, RunGoesOn
from octogram_tui.journal import codec, seal
from octogram_tui.journal.inputs import QUIET_EVENTS
from octogram_tui.journal.recovery import Condition, go_on_from
from octogram_tui.journal.reserve import NO_SPACE, RESERVE_BYTES, Reserve

GROUP_S = 0.05
"""How long a change may wait for others, so that one sync serves them all."""

LOCK_S = 2.0
"""How long a lock is waited for: who lists the runs has it for a moment."""


Space = Literal["enough", "little", "scarce"]
"""little: no more than the reserve, so that the run should come to its end; scarce: half of that."""

_PASSING = re.compile(
    rb'\{"seq":\d+,"at_s":[^,]+,"type":"(?:%b)"' % "|".join(event.TYPE for event in QUIET_EVENTS).encode()
)


class JournalWriter:
    """The one writer of a journal.

    on_synced: called from a thread with the highest `seq` that is on the disk, after each sync in the background.
    """

    def __init__(self, path: Path, *, run: str, version: str, on_synced: Callable[[int], None] | None = None) -> None:
        """Begin a new journal. Raises JournalError when the file exists or cannot be made."""
        try:
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _cannot("create", path, error) from error
        try:
            # Who lists the runs holds a shared lock for a moment at most, so this wait is short.
            fcntl.flock(fd, fcntl.LOCK_EX)
            self._open(path, fd, Condition(), on_synced)
            self._put([codec.header(run, version)])
            os.fsync(fd)
            _sync_directory(path.parent)
        except OSError as error:
            os.close(fd)
            with contextlib.suppress(OSError):  # the directory is as it was: it can be tried again
                path.unlink()
            raise _cannot("create", path, error) from error
        self._thread.start()

    @classmethod
    def go_on(cls, path: Path, *, on_synced: Callable[[int], None] | None = None) -> JournalWriter:
        """Go on with a journal whose writer is gone, once it is proven and what is torn is cut off.

        Raises JournalError; RunGoesOn when its writer lives.
        """
        try:
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            raise _cannot("open", path, error) from error
        try:
            lock(path, fd)
            condition = go_on_from(path)
            os.fsync(fd)  # what the last writer wrote may be with the system only
            self = cls.__new__(cls)
            self._open(path, fd, condition, on_synced)
        except OSError as error:
            os.close(fd)
            raise _cannot("go on with", path, error) from error
        except JournalError:
            os.close(fd)
            raise
        self._thread.start()
        return self

    def _open(self, path: Path, fd: int, condition: Condition, on_synced: Callable[[int], None] | None) -> None:
        self.path = path
        self.written_seq = self.synced_seq = condition.last_seq
        self._fd = fd
        self._on_synced = on_synced
        self._failure: JournalError | None = None
        self._size_bytes = condition.size_bytes
        self._synced_bytes = condition.size_bytes
        self._crc = condition.crc  # of the file as it is
        self._reserve = Reserve(fd, path, self._size_bytes)
        self._space: Space = "enough"
        self._on_space: Callable[[Space], None] | None = None
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._syncing = threading.Lock()
        self._thread = threading.Thread(target=self._sync_in_background, name="journal-sync", daemon=True)

    def tell_space_to(self, on_space: Callable[[Space], None]) -> None:
        """Call this, from `append`, whenever the space for the journal becomes less or more."""
        self._on_space = on_space

    def append(self, events: Sequence[Event], inputs: Sequence[dict[str, Any]] = ()) -> None:
        """Write events in one piece; they are with the system when this returns, and on the disk soon after.

        inputs: what was fed meanwhile, as inputs.py writes it; each line comes before the events that came of it.
        Where space is scarce, what nobody has to know later is left out. Raises JournalError when the rest cannot be
        written either; the file then ends with the last whole batch, and stays so.
        """
        if self._failure is not None:
            raise self._failure
        if not (events or inputs):
            return
        lines = codec.encode_turn(events, inputs) if inputs else codec.encode_each(events)
        try:
            try:
                self._put(lines if self._space != "scarce" else telling(lines))
            except OSError as error:
                if error.errno not in NO_SPACE:
                    raise
                self._reserve.let_go()
                self._put(telling(lines))
        except OSError as error:
            self._failure = _cannot("write", self.path, error)
            raise self._failure from error
        if events:
            self.written_seq = events[-1].seq
        if not self._changed.is_set():  # else whoever takes it back looks at `written_seq` after that
            self._changed.set()
        self._look_at_space()

    def sync(self) -> None:
        """Wait until all that was written is on the disk. Raises JournalError when that cannot be done."""
        if self._failure is not None:
            raise self._failure
        with self._syncing:
            self._changed.clear()  # before the next line: what is appended between the two is synced once more
            reached, size_bytes = self.written_seq, self._size_bytes
            try:
                faults.hit("journal.sync")
                os.fdatasync(self._fd)
            except OSError as error:
                # After a failed sync the system may have dropped the pages: nothing written later can be trusted.
                self._failure = _cannot("sync", self.path, error)
                raise self._failure from error
            self.synced_seq = max(self.synced_seq, reached)
            self._synced_bytes = size_bytes

    @property
    def unsynced_bytes(self) -> int:
        """How much was written that the disk may not have."""
        return self._size_bytes - self._synced_bytes

    def settle(self) -> None:
        """Do what takes a while of `close`, once nothing more is to come: from another thread, beside other ends."""
        with contextlib.suppress(OSError, JournalError):  # `close` does it again, and says so
            self._reserve.close(self._size_bytes)
            self.sync()

    def close(self) -> None:
        """Sync, and let the file go. Raises JournalError when the last sync fails, or nobody can find the file."""
        if self._closing.is_set():
            return
        self._closing.set()  # first: whoever takes back the next line's signal sees this one
        self._changed.set()
        self._thread.join()
        try:
            self._reserve.close(self._size_bytes)
            self.sync()
            self._check_in_place()
        except OSError as error:
            raise _cannot("close", self.path, error) from error
        finally:
            os.close(self._fd)

    def _check_in_place(self) -> None:
        """See that what was written is still where it belongs: a removed one takes all writes too."""
        try:
            in_place = os.path.samestat(os.stat(self.path), os.fstat(self._fd))
        except OSError:
            in_place = False
        if not in_place:
            raise JournalError(
                f"the journal {self.path} was removed or moved while the run went on: nothing more is kept of the run",
                hint="let nothing clean up the directory of --run-dir, or that of the runs, during a run",
            )

    def _put(self, lines: Sequence[bytes]) -> None:
        """Write lines, all or none. Raises OSError."""
        data, crc = seal.sealed(lines, self._crc)
        if not faults.IS_IDLE:
            faults.hit("journal.write")
        written = os.write(self._fd, data)
        if written != len(data):
            os.ftruncate(self._fd, self._size_bytes)
            raise OSError(errno.ENOSPC, "only a part of it was taken; is the disk full?")
        self._size_bytes += written
        self._crc = crc

    def _look_at_space(self) -> None:
        self._reserve.renew(self._size_bytes)
        if not self._reserve.is_short:
            space: Space = "enough"
        else:
            space = "little" if self._reserve.left_bytes(self._size_bytes) > RESERVE_BYTES // 2 else "scarce"
        if space != self._space:
            self._space = space
            if self._on_space is not None:
                self._on_space(space)

    def _sync_in_background(self) -> None:
        while not self._closing.is_set():
            self._changed.wait()
            if self._closing.wait(GROUP_S):
                return
            try:
                self.sync()
            except JournalError:
                return  # kept: the next append raises it
            if self._on_synced is not None:
                self._on_synced(self.synced_seq)


def telling(lines: Sequence[bytes]) -> list[bytes]:
    """Leave out what only passes something on, and changes nothing."""
    return [line for line in lines if _PASSING.match(line) is None]


def lock(path: Path, fd: int) -> None:
    """Lock a journal for as long as we live. Raises RunGoesOn when somebody has it, OSError."""
    deadline_s = time.monotonic() + LOCK_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline_s:
                raise RunGoesOn(
                    f"the run of {path.parent} goes on, or is being cleaned: another process has its journal",
                    hint="`octogram-tui attach` joins one that goes on",
                ) from None
            time.sleep(0.02)


def _cannot(verb: str, path: Path, error: OSError) -> JournalError:
    if isinstance(error, FileExistsError):
        return DirectoryTaken(f"{path} already holds the journal of a run", hint="give an empty directory")
    hint = "free some space, or give another directory with --run-dir"
    if error.errno == errno.EFBIG:
        hint = "let files be longer: `ulimit -f` says how long they may be"
    return JournalError(f"cannot {verb} the journal {path}: {error.strerror}", hint=hint)


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
