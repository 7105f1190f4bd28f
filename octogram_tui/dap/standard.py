"""The standard streams as the way to the client: nothing else of this process may ever write there."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys

from octogram_tui.dap.framing import MOST_HEADER_BYTES
from octogram_tui.errors import UsageError


async def open_streams() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Take standard input and output for the protocol; what is printed goes to standard error from now on.

    Raises UsageError for what cannot be listened to.
    """
    loop = asyncio.get_running_loop()
    coming, going = _apart(0), _apart(1)
    if not (_can_talk(coming) and _can_talk(going)):
        raise UsageError(
            "dap talks with an editor, over pipes or a socket", hint="the editor starts it; or give --port"
        )
    sys.stdout.flush()
    os.dup2(2, 1)
    if _is_one_socket(coming, going):  # two transports of one socket would take what is for the other
        os.close(going)
        return await asyncio.open_connection(sock=socket.socket(fileno=coming), limit=MOST_HEADER_BYTES)
    reader = asyncio.StreamReader(limit=MOST_HEADER_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(coming, "rb", 0))
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(going, "wb", 0))
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def _apart(fd: int) -> int:
    try:
        return os.dup(fd)
    except OSError:
        raise UsageError("dap needs its standard input and output", hint="or give --port") from None


def _can_talk(fd: int) -> bool:
    """Tell whether an editor may be at the other end: files, terminals and /dev/null have none."""
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _is_one_socket(coming: int, going: int) -> bool:
    both = [os.fstat(fd) for fd in (coming, going)]
    return stat.S_ISSOCK(both[0].st_mode) and os.path.samestat(*both)
