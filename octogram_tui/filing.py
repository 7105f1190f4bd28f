"""The one way of writing a file of the user's: what is there keeps being what it is.

A file is drafted beside its place and renamed, so that nobody reads half of it, and keeps its mode and its owner; a
symbolic link is followed; a device, a pipe and an open descriptor (`/dev/stdout`, `>(...)`) are written into.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import select
import stat
import time
from collections.abc import Iterable
from pathlib import Path

from octogram_agentd.procedures.placing import copy_attributes
from octogram_tui import faults

READER_WAIT_S = 5.0
"""How long a pipe may have no reader, or one that takes nothing, before it is given up."""

_PIECE_BYTES = 4096  # a pipe that is ready takes as much without blocking
_DESCRIPTORS = re.compile(r"/proc/(?:self|thread-self|\d+(?:/task/\d+)?)/fd")
# A place where no draft can be made or renamed, though the file itself may be writable: the directory of somebody else,
# one that is sticky or read-only, a file that is mounted by itself into a container.
_NO_DRAFT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_RENAME = frozenset({errno.EBUSY, errno.EPERM})


class _NoDraft(Exception):
    """The file can only be written in its place."""


def write_whole(path: str | Path, data: bytes | memoryview, *, mode: int = 0o666, durable: bool = False) -> None:
    """Make the data the content of a file, all of it or, for a file, nothing; a draft never stays.

    mode: of a file that is not there yet, less the umask; durable: on the disk when this returns.
    May wait for the reader of a pipe, READER_WAIT_S at most. Raises OSError.
    """
    found = check_writable(path)
    if _own_descriptor(path) is not None or (found is not None and not stat.S_ISREG(found.st_mode)):
        write_into(path, [data])
        return
    target = os.path.realpath(path)
    try:
        if found is not None and found.st_nlink > 1:
            raise _NoDraft  # a rename would leave its other names with the old content
        _replace(target, data, found, mode=mode, durable=durable)
    except _NoDraft:
        fd = os.open(target, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        _fill(fd, data, durable=durable)


def write_into(path: str | Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Write into a device, a pipe or an open descriptor, piece by piece. May wait as `write_whole`. Raises OSError."""
    from octogram_tui.pipes import unread_bytes

    fd = _open_into(path)
    try:
        ready = select.poll()
        ready.register(fd, select.POLLOUT)
        for piece in pieces:
            left = memoryview(piece)
            while left:
                unread = unread_bytes(fd)
                if not ready.poll(READER_WAIT_S * 1000):
                    still = unread_bytes(fd)
                    if unread is None or still is None or still >= unread:
                        raise OSError(errno.ETIMEDOUT, "its reader takes nothing")
                    continue
                left = left[os.write(fd, left[:_PIECE_BYTES]) :]
    finally:
        os.close(fd)


def open_stream(path: str | Path, *, mode: int = 0o666) -> int:
    """Open for writing bit by bit: a file from its start, emptied, anything else as `write_into`. Raises OSError.

    A file that somebody else of us has open in this way is refused: each would write over the lines of the other.
    """
    found = check_writable(path)
    if _own_descriptor(path) is not None or (found is not None and not stat.S_ISREG(found.st_mode)):
        return _open_into(path)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(errno.EBUSY, "another run is writing it: give each run a file of its own") from None
        except OSError:
            pass  # not every file system has locks
        os.truncate(fd, 0)
    except OSError:
        os.close(fd)
        raise
    return fd


def make_private(directory: Path) -> None:
    """Make a directory, and those above it that are not there yet, for their user alone. Raises OSError."""
    for place in (*reversed(directory.absolute().parents), directory.absolute()):
        if place.is_dir():
            continue
        with contextlib.suppress(FileExistsError):  # somebody else of us makes it too
            os.mkdir(place, 0o700)
            os.chmod(place, 0o700)  # whatever the umask has left of it
    if not directory.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is no directory", os.fspath(directory))


def check_writable(path: str | Path) -> os.stat_result | None:
    """Say what is there, None for nothing, and see that it can be written as far as that shows. Raises OSError."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        directory = os.path.dirname(os.path.realpath(path))
        if not os.path.isdir(directory):
            raise FileNotFoundError(errno.ENOENT, "there is no such directory") from None
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "its directory may not be written") from None
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a directory")
    if stat.S_ISSOCK(found.st_mode) and _own_descriptor(path) is None:
        raise OSError(errno.ENXIO, "it is a socket")
    if _own_descriptor(path) is None and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "it may not be written")
    return found


def is_file(path: str | Path) -> bool:
    """Tell whether a path is that of a file, or free for one: what can be kept up to date by writing it again."""
    return (os.path.isfile(path) or not os.path.exists(path)) and _own_descriptor(path) is None


def _own_descriptor(path: str | Path) -> int | None:
    """Give the descriptor of this process that a path names, such as /dev/stdout or the /dev/fd/63 of a shell."""
    place = os.fspath(path)
    for _ in range(40):  # as many links as the system follows
        directory, name = os.path.split(place)
        directory = os.path.realpath(directory)
        if _DESCRIPTORS.fullmatch(directory) and name.isdigit():
            is_ours = directory.split("/")[2] == str(os.getpid())
            return int(name) if is_ours else None
        try:
            place = os.path.join(directory, os.readlink(os.path.join(directory, name)))
        except OSError:
            return None
    return None


def _open_into(path: str | Path) -> int:
    """Open without waiting for ever: a pipe without a reader cannot be opened at all."""
    descriptor = _own_descriptor(path)
    if descriptor is not None:
        return os.dup(descriptor)
    deadline_s = time.monotonic() + READER_WAIT_S
    while True:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            is_pipe = error.errno == errno.ENXIO and stat.S_ISFIFO(os.stat(path).st_mode)
            if not is_pipe:
                raise
            if time.monotonic() >= deadline_s:
                raise OSError(errno.ENXIO, "it is a pipe that nobody reads") from None
            time.sleep(0.02)
        else:
            os.set_blocking(fd, True)
            return fd


def _replace(target: str, data: bytes | memoryview, found: os.stat_result | None, *, mode: int, durable: bool) -> None:
    """Draft beside and rename. Raises _NoDraft when a file that is there has to be written in its place, or OSError."""
    directory = os.path.dirname(target)
    draft = os.path.join(directory, f".octogram-{os.urandom(8).hex()}.part")  # short enough beside any name
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode if found is None else 0o600)
    except OSError as error:
        if found is not None and error.errno in _NO_DRAFT:
            raise _NoDraft from error
        raise
    try:
        if found is not None:
            try:
                _adopt(fd, target, found)
            except OSError as error:
                os.close(fd)
                raise _NoDraft from error
        _fill(fd, data, durable=durable)
        try:
            faults.hit("filing.rename")
            os.replace(draft, target)
        except OSError as error:
            if found is not None and error.errno in _NO_RENAME:
                raise _NoDraft from error
            raise
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def _adopt(fd: int, target: str, found: os.stat_result) -> None:
    """Give a draft the access list, the owner and the mode of what it replaces."""
    copy_attributes(target, fd)
    own = os.fstat(fd)
    if (own.st_uid, own.st_gid) != (found.st_uid, found.st_gid):
        os.fchown(fd, found.st_uid, found.st_gid)
    os.fchmod(fd, stat.S_IMODE(found.st_mode))


def _fill(fd: int, data: bytes | memoryview, *, durable: bool) -> None:
    """Write everything and close; some file systems say only then that there is no space."""
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
        if durable:
            os.fsync(fd)
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
