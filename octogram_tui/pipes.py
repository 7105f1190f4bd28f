"""How much waits in a pipe or a socket for its reader: by that one sees that it takes something, however slowly.

A pipe is ready for more only when 4096 bytes are free, for which a reader that takes a byte a second needs an hour.
"""

from __future__ import annotations

import fcntl
import os
import stat
import sys
import termios


def unread_bytes(fd: int) -> int | None:
    """Say how many bytes its reader has not taken yet; None where the system does not tell."""
    try:
        asked = termios.FIONREAD if stat.S_ISFIFO(os.fstat(fd).st_mode) else termios.TIOCOUTQ
        return int.from_bytes(fcntl.ioctl(fd, asked, bytes(4)), sys.byteorder)
    except OSError:
        return None
