"""The socket in a daemon's directory, through which bridges hand over what they were given by SSH.

Only ourselves may come in. Cleaners of temporary directories take sockets for rubbish: one that is gone is made again.
"""

from __future__ import annotations

import _socket
import os
import sys

from octogram_agentd.daemon.home import SOCKET, unlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List

    from octogram_agentd.kernel import Kernel

DIAL_S = 2.0
LOOK_S = 2.0  # how often to look whether the socket is still there: a bridge waits for longer


def dial(root: str) -> _socket.socket:
    """Connect to the socket of a directory. Raises OSError, also when too many wait: a daemon may stand still."""

    def act(sock: _socket.socket) -> None:
        sock.settimeout(DIAL_S)
        sock.connect(SOCKET)
        sock.settimeout(None)

    return _at(root, act)


def listen(root: str) -> _socket.socket:
    """Make the socket of a directory, in place of whatever stands there, and listen. Raises OSError."""
    path = os.path.join(root, SOCKET)
    unlink(path)
    if os.path.lexists(path):  # a directory: it goes with the rest
        os.rename(path, "%s.%s" % (path, os.urandom(4).hex()))

    def act(sock: _socket.socket) -> None:
        sock.bind(SOCKET)
        sock.listen(8)

    return _at(root, act)


def _at(root: str, act: Callable[[_socket.socket], None]) -> _socket.socket:
    """Act on a new socket inside of a directory: the path of a Unix socket may have 107 bytes at most."""
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        os.chdir(root)
        act(sock)
    except OSError:
        sock.close()
        raise
    finally:
        os.chdir("/")
    return sock


def peer_uid(sock: _socket.socket) -> int:
    """Give the user of the process at the other end."""
    data = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return int.from_bytes(data[4:8], sys.byteorder)


class Door:
    """The socket of one daemon. take: gets descriptors to read, to write, and of the bridge."""

    def __init__(self, kernel: Kernel, root: str, listener: _socket.socket, take: Callable[[List[int]], None]) -> None:
        self._kernel = kernel
        self._root = root
        self._path = os.path.join(root, SOCKET)
        self._take = take
        self._open(listener)
        kernel.later(LOOK_S, self._look)

    def close(self) -> None:
        """Let nobody in any more."""
        self._kernel.unwatch(self._listener.fileno())
        self._listener.close()

    def _open(self, listener: _socket.socket) -> None:
        self._listener = listener
        self._inode = self._found()
        listener.setblocking(False)
        self._kernel.watch(listener.fileno(), on_read=self._accept)

    def _found(self) -> int:
        try:
            return os.lstat(self._path).st_ino
        except OSError:
            return 0

    def _look(self) -> None:
        """Make the socket again where it was removed, or something else stands in its place."""
        found = self._found()
        if not found or found != self._inode:
            try:
                listener = listen(self._root)
            except OSError:
                pass  # the directory is gone, or full: perhaps later
            else:
                self.close()
                self._open(listener)
        self._kernel.later(LOOK_S, self._look)

    def _accept(self) -> None:
        """Take the descriptors that a bridge hands over; anybody but ourselves is turned away."""
        try:
            fd, _address = self._listener._accept()  # type: ignore[attr-defined]
        except OSError:
            return
        bridge = _socket.socket(fileno=fd)
        received: List[int] = []
        try:
            bridge.settimeout(1.0)  # it sends before it waits for anything
            received = _receive(bridge)
            if peer_uid(bridge) == os.getuid() and len(received) == 2:
                self._take([*received, bridge.detach()])
                received = []
        except OSError:
            pass
        finally:
            for fd in received:
                os.close(fd)
            bridge.close()


def _receive(bridge: _socket.socket) -> List[int]:
    _data, ancillary, _flags, _address = bridge.recvmsg(64, _socket.CMSG_SPACE(4 * 8))
    fds: List[int] = []
    for level, kind, content in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            fds += [int.from_bytes(content[at : at + 4], sys.byteorder) for at in range(0, len(content) // 4 * 4, 4)]
    for fd in fds:
        os.set_inheritable(fd, False)
    return fds
