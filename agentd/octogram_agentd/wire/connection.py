"""The descriptors of one attachment: messages in, bytes out, never blocking; and its bridge, where it came by one."""

from __future__ import annotations

import os

from octogram_agentd.wire.lines import LineFramer, WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

    from octogram_agentd.kernel import Kernel

READ_BYTES = 65536
ROOM_BYTES = 128 * 1024  # how much may wait in our own buffer before log lines wait elsewhere


class Connection:
    """Reads and writes until either end is gone; closing it is what lets the bridge go."""

    def __init__(
        self,
        kernel: Kernel,
        fds: List[int],
        on_messages: Callable[[Connection, List[Dict[str, Any]]], None],
        on_room: Callable[[Connection], None],
        on_closed: Callable[[Connection, str], None],
    ) -> None:
        self.is_open = True
        self._kernel = kernel
        self._fds = fds
        self._read_fd, self._write_fd = fds[:2]
        self._on_messages = on_messages
        self._on_room = on_room
        self._on_closed = on_closed
        self._framer = LineFramer()
        self._waiting = b""
        self._is_closing = False
        for fd in fds:
            os.set_blocking(fd, False)
        for bridge_fd in fds[2:]:
            kernel.watch(bridge_fd, on_read=self._bridge_gone)
        try:
            kernel.watch(self._read_fd, on_read=self._read)
        except PermissionError:  # a regular file or /dev/null: nobody is there
            kernel.soon(self.close, "standard input is neither a pipe nor a socket")

    @property
    def room_bytes(self) -> int:
        """How much more may be handed to `send` before it should wait."""
        return ROOM_BYTES - len(self._waiting)

    def send(self, data: bytes) -> None:
        """Write now what can be written now, the rest when there is room."""
        if not self.is_open:
            return
        was_waiting = bool(self._waiting)
        self._waiting += data
        if not was_waiting:
            self._write()

    def finish(self) -> None:
        """Close as soon as everything has been written."""
        self._is_closing = True
        if not self._waiting:
            self.close("")

    def close(self, reason: str) -> None:
        """Let go of the descriptors, once; whoever is at the other end sees the end of file."""
        if not self.is_open:
            return
        self.is_open = False
        for fd in self._fds:
            self._kernel.unwatch(fd)
            os.close(fd)
        self._on_closed(self, reason)

    def _read(self) -> None:
        try:
            data = os.read(self._read_fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self.close(error.strerror or "cannot read")
            return
        if not data:
            self.close("the orchestrator's end was closed")
            return
        try:
            messages = self._framer.feed(data)
        except WireError as error:
            self.close("protocol: %s" % error)
            return
        if messages:
            self._on_messages(self, messages)

    def _write(self) -> None:
        try:
            while self._waiting:
                self._waiting = self._waiting[os.write(self._write_fd, self._waiting[:READ_BYTES]) :]
        except BlockingIOError:
            self._kernel.watch(self._write_fd, on_write=self._writable)
        except OSError as error:
            # Later, since whoever sends does not expect to find itself detached.
            self._kernel.soon(self.close, error.strerror or "cannot write")

    def _writable(self) -> None:
        self._kernel.unwatch(self._write_fd)
        self._write()
        if not self._waiting and self.is_open:
            if self._is_closing:
                self.close("")
            else:
                self._on_room(self)

    def _bridge_gone(self) -> None:
        self.close("the bridge has ended")
