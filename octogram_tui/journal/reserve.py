"""Space on the disk that is a journal's before it needs it, so that a full disk leaves room for the end of a run.

It is reserved beyond the end of the journal's own file, where nobody else can take it, and given back when that is
closed. A file system that cannot do that is given a file of that size beside it, removed when there is no more space.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

RESERVE_BYTES = 1024 * 1024
STEP_BYTES = 64 * 1024

AGAIN_S = 1.0
"""How long a disk that was full is not asked again."""

BALLAST = "ballast"
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_CANNOT = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENODEV})
_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE


class Reserve:
    """What is kept free for one open file. is_short: the disk is full, and no more can be had than there is."""

    def __init__(self, fd: int, path: Path, size_bytes: int) -> None:
        """Reserve. Raises OSError when there is no space even for this, or for another fault."""
        self.is_short = False
        self._fd = fd
        self._allocate = _allocate()
        self._ballast = path.with_name(BALLAST)
        self._has_ballast = False
        self._reserved_to = 0
        self._asked_s = 0.0
        longest_bytes, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        self._longest_bytes = None if longest_bytes == resource.RLIM_INFINITY else longest_bytes
        self._grow(size_bytes)

    def left_bytes(self, size_bytes: int) -> int:
        """Give how much there is beyond what is written."""
        if self._has_ballast:
            return RESERVE_BYTES
        return max(0, self._reserved_to - size_bytes)

    def renew(self, size_bytes: int) -> None:
        """See that the reserve is whole, with so much written; `is_short` says whether it is."""
        if not self.is_short and (self._has_ballast or self._reserved_to - size_bytes >= RESERVE_BYTES):
            return
        now_s = time.monotonic()
        if self.is_short and now_s - self._asked_s < AGAIN_S:
            return
        self._asked_s = now_s
        try:
            self._grow(size_bytes)
            self.is_short = False
        except OSError:  # whatever it is, what is written next finds out
            self.is_short = True

    def let_go(self) -> bool:
        """Free what is not in the file itself, so that it can be written; whether there was any."""
        if not self._has_ballast:
            return False
        self.is_short = True
        self._has_ballast = False
        self._asked_s = time.monotonic()
        with contextlib.suppress(OSError):
            self._ballast.unlink()
        return True

    def close(self, size_bytes: int) -> None:
        """Give back what was not needed. Raises OSError."""
        if self._has_ballast:
            self._ballast.unlink(missing_ok=True)
        elif self._reserved_to > size_bytes:
            os.ftruncate(self._fd, size_bytes)
            self._reserved_to = size_bytes

    def _grow(self, size_bytes: int) -> None:
        """Reserve some more than has to be there, so that this is seldom done. Raises OSError."""
        if self._longest_bytes is not None and size_bytes + RESERVE_BYTES > self._longest_bytes:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        if self._allocate is not None:
            begin = max(self._reserved_to, size_bytes)
            try:
                self._allocate(self._fd, begin, size_bytes + RESERVE_BYTES + STEP_BYTES - begin)
                self._reserved_to = size_bytes + RESERVE_BYTES + STEP_BYTES
                return
            except OSError as error:
                if error.errno not in _CANNOT or self._reserved_to:
                    raise
            self._allocate = None
        fd = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            for _ in range(RESERVE_BYTES >> 16):
                os.write(fd, bytes(1 << 16))
            os.fsync(fd)
        except OSError:
            self._ballast.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)
        self._has_ballast = True


def _allocate() -> Callable[[int, int, int], None] | None:
    """Give the system's call that reserves and leaves a file as long as it is: Python has none."""
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).fallocate
    except (OSError, AttributeError):
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]

    def allocate(fd: int, begin: int, length: int) -> None:
        if call(fd, _KEEP_SIZE, begin, length):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    return allocate
