"""One file of a parcel on its way: written beside its place, and put there as the user means it."""

from __future__ import annotations

import errno
import hashlib
import os
import select
import stat
import time

from octogram_agentd.parcels.parcel import PIECE_BYTES, UNKNOWN_SIZE_BYTES, failure, show, to_text
from octogram_agentd.procedures.placing import adopt
from octogram_agentd.procedures.values import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

READER_WAIT_S = 5.0
"""How long a pipe may have no reader, or one that takes nothing, before it is given up."""


_AT_ONCE_BYTES = 32 << 20
_BLOCK_BYTES = 128 * 1024  # of what is read, hashed and written: it stays in the processor's cache
_NO_DRAFT = (errno.EACCES, errno.EPERM, errno.EROFS)


class PartialFile:
    """A file that is being written beside its place."""

    def __init__(
        self,
        directory_fd: int,
        name: bytes,
        shown: bytes,
        mode: int,
        within: Optional[bytes],
        below: Optional[bytes] = None,
    ) -> None:
        kind = kind_at(directory_fd, name)
        self._place = os.path.realpath(b"/proc/self/fd/%d/%s" % (directory_fd, name)) if kind else b""
        if kind == "directory" or (kind and os.path.isdir(self._place)):
            raise ProcedureFailed(
                "%s is a directory there, and a file of that name is to be copied" % show(shown or name),
                kind="is_directory",
            )
        if kind == "link" and within is not None and not self._place.startswith(os.path.realpath(within) + b"/"):
            raise ProcedureFailed(
                "%s is a symbolic link that leads out of the home directory" % show(shown or name),
                kind="path",
                hint="remove it there, or copy to another name",
            )
        if kind == "link" and below is not None and not self._place.startswith(os.path.realpath(below) + b"/"):
            raise ProcedureFailed(
                "%s is a symbolic link here that leads out of %s" % (show(shown or name), show(below)),
                kind="path",
                hint="remove it, or fetch to another place",
            )
        if within is None and kind == "special" and stat.S_ISFIFO(os.stat(self._place).st_mode):
            raise ProcedureFailed("%s is a pipe there" % show(shown or name), kind="not_a_file")
        self._is_poured = kind in ("link", "special")
        self.digest = hashlib.sha256()
        self.shown = shown
        self._directory_fd = directory_fd
        self._name = name
        self._mode = mode
        self._partial = partial_name()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._fd = os.open(self._partial, flags, 0o600, dir_fd=directory_fd)
        except OSError as error:
            if not kind or error.errno not in _NO_DRAFT:
                raise
            # Its directory may not be written, and it may: the draft has no name, and is poured into it.
            self._partial = b""
            self._is_poured = True
            self._fd = os.open(os.environ.get("TMPDIR") or "/tmp", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)

    def write(self, piece: memoryview) -> None:
        """Write all of a piece."""
        self.digest.update(piece)
        try:
            while piece:
                piece = piece[os.write(self._fd, piece) :]
        except OSError as error:
            raise failure("write", self.shown or self._name, error) from None

    def fill(self, path: bytes, size_bytes: int, sha256: str, on_bytes: Callable[[int], None]) -> None:
        """Take all of another file's content: of what should be there (its SHA-256), or of whatever is, unhashed.

        Raises ProcedureFailed, kind `stale` when that is something else.
        """
        try:
            fd = open_file(path)
        except OSError as error:
            raise (_stale(path) if sha256 else failure("read", path, error)) from None
        try:
            if sha256 and os.fstat(fd).st_size != size_bytes:
                raise _stale(path)
            left = size_bytes or UNKNOWN_SIZE_BYTES  # as for what is sent: a log that grows ends where it ended
            if not sha256:
                left -= self._fill_within_the_system(fd, size_bytes, on_bytes)
            block = memoryview(bytearray(_BLOCK_BYTES))
            while left > 0:
                try:
                    count = os.readv(fd, [block[:left]])
                except OSError as error:
                    raise failure("read", path, error) from None
                if not count:
                    break
                left -= count
                self.write(block[:count])
                on_bytes(count)
        finally:
            os.close(fd)
        if sha256 and self.digest.hexdigest() != sha256:
            raise _stale(path)

    def _fill_within_the_system(self, fd: int, size_bytes: int, on_bytes: Callable[[int], None]) -> int:
        """Take as much as the system copies, or shares, by itself; gives how much that is, and is not in `digest`."""
        done = 0
        try:
            while done < size_bytes:
                count = os.copy_file_range(fd, self._fd, min(_AT_ONCE_BYTES, size_bytes - done))
                if not count:
                    break
                done += count
                on_bytes(count)
        except (AttributeError, OSError):
            pass  # not here, or not between these two file systems: reading and writing says what is wrong
        return done

    def settle(self) -> None:
        """Give the file its mode and its name."""
        try:
            if self._is_poured:
                self._pour()
                self.discard()
                return
            if self._place:
                adopt(self._fd, self._place)
            os.fchmod(self._fd, self._mode)
            os.close(self._fd)  # some file systems say only here that there is no space
            self._fd = -1
            os.rename(self._partial, self._name, src_dir_fd=self._directory_fd, dst_dir_fd=self._directory_fd)
        except OSError as error:
            raise failure("write", self.shown or self._name, error) from None

    def _pour(self) -> None:
        """Write what has arrived into what is there. Raises OSError, also when a pipe has no reader within a while."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC
        target = _open_patiently(self._place, flags, self._mode)
        try:
            if stat.S_ISREG(os.fstat(target).st_mode):
                os.ftruncate(target, 0)
            ready = select.poll()
            ready.register(target, select.POLLOUT)
            os.lseek(self._fd, 0, os.SEEK_SET)
            while True:
                piece = memoryview(os.read(self._fd, PIECE_BYTES))
                if not piece:
                    return
                while piece:
                    if not ready.poll(READER_WAIT_S * 1000):
                        raise OSError(errno.ETIMEDOUT, "its reader takes nothing")
                    piece = piece[os.write(target, piece[:4096]) :]  # as much as a pipe that is ready takes
        finally:
            os.close(target)

    def discard(self) -> None:
        """Remove what was written so far."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if not self._partial:
            return
        try:
            os.unlink(self._partial, dir_fd=self._directory_fd)
        except OSError:
            pass  # settled, or the directory went away with it


def partial_name() -> bytes:
    """Give a name for something unfinished: hidden, never guessed, short enough wherever the final name is."""
    return b".octogram-" + os.urandom(8).hex().encode() + b".part"


def kind_at(directory_fd: int, name: bytes) -> str:
    """Say what has that name in a directory: directory, file, link, special, or nothing (an empty text)."""
    try:
        mode = os.stat(name, dir_fd=directory_fd, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return ""
    kinds = {stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFREG: "file"}
    return kinds.get(stat.S_IFMT(mode), "special")


def _stale(path: bytes) -> ProcedureFailed:
    # The hint is for the sender, who then sends the content.
    return ProcedureFailed("%s is no longer what it was" % show(path), kind="stale", hint=to_text(path))


def open_file(path: bytes, directory_fd: Optional[int] = None, flags: int = 0) -> int:
    """Open a file for reading. Raises OSError, also when it is something else, as a pipe that would hold us."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | flags, dir_fd=directory_fd)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is not a file")
    return fd


def is_there(directory_fd: int, name: bytes, mode: int, size_bytes: int, sha256: str) -> bool:
    """Whether the file of that name has such content already: it then gets its mode. No link is followed."""
    try:
        fd = open_file(name, directory_fd, os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if os.fstat(fd).st_size != size_bytes:
            return False
        digest, block = hashlib.sha256(), bytearray(_BLOCK_BYTES)
        while True:
            count = os.readv(fd, [block])
            if not count:
                break
            digest.update(memoryview(block)[:count])
        if digest.hexdigest() != sha256:
            return False
        os.fchmod(fd, mode)
        return True
    except OSError:
        return False  # it is replaced, as any other
    finally:
        os.close(fd)


def _open_patiently(place: bytes, flags: int, mode: int) -> int:
    """Open for writing; a pipe that nobody reads yet is tried for a while."""
    deadline_s = time.monotonic() + READER_WAIT_S
    while True:
        try:
            return os.open(place, flags, mode)
        except OSError as error:
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(place).st_mode):
                raise
            if time.monotonic() >= deadline_s:
                raise OSError(errno.ENXIO, "it is a pipe that nobody reads") from None
            time.sleep(0.02)
