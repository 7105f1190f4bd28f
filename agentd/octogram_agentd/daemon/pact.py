"""What a daemon tells its guard: until when all is well. A few bytes that both have, and that outlive the daemon.

They are written in place: the guard is not woken by it, and finds the newest word however suddenly the daemon ended.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Tuple

IS_OVER = 1
IS_KEPT = 2
_BYTES = 9


def lease_clock() -> float:
    """Give seconds that go on while the machine sleeps, and that nobody can set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Pact:
    """A moment of the lease's clock, and what is to become of the directory."""

    def __init__(self, directory: str) -> None:
        try:
            self._fd = os.memfd_create("octogram-pact", 1)
        except (AttributeError, OSError):  # an old C library or kernel
            path = os.path.join(directory, ".pact-%d" % os.getpid())
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            os.unlink(path)
        os.pwrite(self._fd, bytes(_BYTES), 0)

    def fileno(self) -> int:
        """Give its descriptor."""
        return self._fd

    def tell(self, until_s: float, *, keep: bool = False, is_over: bool = False) -> None:
        """Say that all is well until then; that the directory is to be kept; that nothing more is to be guarded."""
        flags = (IS_KEPT if keep else 0) | (IS_OVER if is_over else 0)
        os.pwrite(self._fd, int(until_s * 1000).to_bytes(8, "little") + bytes((flags,)), 0)

    def read(self) -> Tuple[float, bool, bool]:
        """Give what was told last: the moment, whether to keep, whether it is over."""
        data = os.pread(self._fd, _BYTES, 0)
        return int.from_bytes(data[:8], "little") / 1000, bool(data[8] & IS_KEPT), bool(data[8] & IS_OVER)
