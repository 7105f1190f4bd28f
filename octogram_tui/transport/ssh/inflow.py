"""What a connection receives, taken out of its packets here: the library copies all that has come for each of them.

As with outflow.py: only AES-GCM, only data and what lets more data be sent, and only where the library is as we know
it. Every other packet is handed to the library as it came, which opens it again.
"""

from __future__ import annotations

import logging
import struct
from typing import Any

from asyncssh.constants import MSG_CHANNEL_DATA, MSG_CHANNEL_WINDOW_ADJUST
from asyncssh.encryption import GCMEncryption
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from octogram_tui.transport.ssh.outflow import TAG_BYTES

LENGTH_BYTES = 4
_LENGTH = struct.Struct(">I")
_HEAD = struct.Struct(">BBII")  # length of the padding, kind, channel; length of the data, or how much more may come
_OF_CONNECTION = (
    "_auth_complete",
    "_auth_final",
    "_channels",
    "_decompressor",
    "_inpbuf",
    "_max_recv_pktlen",
    "_recv_blocksize",
    "_recv_encryption",
    "_recv_handler",
    "_recv_pkthdr",
    "_recv_seq",
    "_reset_keepalive_timer",
    "_transport",
)


class Inflow:
    """All that comes over one connection, in place of the library's `data_received`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._leave_to_library = connection.data_received
        self._rest = b""  # of a packet that has come in part
        self._key = b""
        self._cipher: AESGCM
        connection.data_received = self.take

    @classmethod
    def where_known(cls, connection: Any) -> None:
        """Have one where the library is as we know it, and nobody listens to its log of packets."""
        is_known = all(hasattr(connection, name) for name in _OF_CONNECTION)
        if is_known and not logging.getLogger("asyncssh").isEnabledFor(logging.DEBUG):
            cls(connection)

    def take(self, data: bytes, _kind: Any = None) -> None:
        """Take what has come, however it is cut."""
        view = memoryview(data)
        if self._rest:
            rest, self._rest = self._rest, b""
            first = max(0, self._end_of(memoryview(rest), 0) - len(rest))  # so much ends the packet that has begun
            if first <= len(view) and len(rest) >= LENGTH_BYTES:
                self._take(memoryview(rest + view[:first]))
                view = view[first:]
            else:
                view = memoryview(rest + view)
        self._take(view)

    def _take(self, view: memoryview) -> None:
        self._connection._reset_keepalive_timer()
        start, end = 0, len(view)
        writable: dict[Any, None] = {}
        is_ours = self._is_ours()
        while start < end:
            stop = self._end_of(view, start) if is_ours else 0
            if not stop:
                self._leave_to_library(bytes(view[start:]))
                break
            if stop > end:
                self._rest = bytes(view[start:])
                break
            if not self._took(view[start:stop], writable):
                self._leave_to_library(bytes(view[start:stop]))
                is_ours = self._is_ours()
            start = stop
        for channel in writable:
            channel._flush_send_buf()

    def _is_ours(self) -> bool:
        """Whether a packet begins here that is one like any other, in a cipher that we know."""
        connection = self._connection
        return (
            type(connection._recv_encryption) is GCMEncryption
            and not connection._inpbuf
            and connection._recv_handler == connection._recv_pkthdr
            and connection._auth_final
            and connection._auth_complete
            and not connection._decompressor
            and connection._transport is not None
        )

    def _end_of(self, view: memoryview, start: int) -> int:
        """Say where a packet ends, which may not be here yet; 0 for what cannot be one."""
        if len(view) - start < LENGTH_BYTES:
            return len(view) + 1
        length: int = _LENGTH.unpack_from(view, start)[0]
        if length > self._connection._max_recv_pktlen or length % self._connection._recv_blocksize or not length:
            return 0
        return start + LENGTH_BYTES + length + TAG_BYTES

    def _took(self, packet: memoryview, writable: dict[Any, None]) -> bool:
        """Open a packet and do what it says. False: nothing has happened, and the library is to judge it."""
        connection = self._connection
        gcm = connection._recv_encryption._cipher
        if gcm._key is not self._key:
            self._key = gcm._key
            self._cipher = AESGCM(self._key)
        try:
            plain = self._cipher.decrypt(gcm._iv, packet[LENGTH_BYTES:], packet[:LENGTH_BYTES])
        except InvalidTag:
            return False
        if len(plain) < _HEAD.size:
            return False
        padding, kind, number, value = _HEAD.unpack_from(plain)
        channel, end = connection._channels.get(number), len(plain) - padding
        if channel is None or channel._recv_state != "open" or channel._encoding or connection._transport is None:
            return False
        if kind == MSG_CHANNEL_DATA and end == _HEAD.size + value and value <= channel._recv_window:
            is_data = True
        elif kind == MSG_CHANNEL_WINDOW_ADJUST and end == _HEAD.size:
            is_data = False
        else:
            return False
        gcm._update_iv()
        connection._recv_seq = connection._recv_seq + 1 & 0xFFFFFFFF
        if not is_data:
            channel._send_window += value
            writable[channel] = None
            return True
        try:
            channel._accept_data(plain[_HEAD.size : end])
        except Exception:
            connection.internal_error()
        return True
