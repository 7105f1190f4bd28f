"""What a connection receives, taken out of its packets here.

The library takes some forty calls for each packet, with a timer made anew, and copies all that has come for each of
them. As with outflow.py: only AES-GCM, only data and what lets more data be sent, and only where the library is as we
know it. Every other packet is handed to the library as it came, in just the state in which it would have been.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import asyncssh
from asyncssh.constants import MSG_CHANNEL_DATA, MSG_CHANNEL_WINDOW_ADJUST
from asyncssh.encryption import GCMEncryption
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from octogram_tui.transport.ssh import packets
from octogram_tui.transport.ssh.outflow import TAG_BYTES, following

LENGTH_BYTES = 4
MOST_BYTES = 256 * 1024  # of a packet, where the library has no limit of its own, as 2.24.0: it judges what is larger
_LENGTH = struct.Struct(">I")
_HEAD = struct.Struct(">BBII")  # length of the padding, kind, channel; length of the data, or how much more may come


class Inflow:
    """All that comes over one connection, in place of the library's `data_received`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._loop = connection._loop
        self._leave_to_library: Callable[[bytes], None] = connection.data_received
        self._look_for_life: Callable[[], None] = connection._keepalive_timer_callback
        self._heard_s = 0.0
        self._rest = b""  # of a packet that has come in part
        self._key = b""
        self._cipher: AESGCM
        connection.data_received = self.take
        connection._keepalive_timer_callback = self._keep_alive

    @classmethod
    def where_known(cls, connection: asyncssh.SSHClientConnection) -> Inflow | None:
        """Have one where that can be."""
        return cls(connection) if packets.is_known() else None

    def take(self, data: bytes, _kind: Any = None) -> None:
        """Take what has come, however it is cut."""
        self._heard_s = self._loop.time()
        rest, self._rest = self._rest, b""
        if not rest:
            self._take(data)
            return
        # Only what ends the packet that has begun is put together with it: the rest may be long.
        missing = max(0, self._end_of(rest, 0) - len(rest))
        if len(rest) >= LENGTH_BYTES and missing < len(data):
            self._take(rest + data[:missing])
            data = data[missing:]
            rest, self._rest = self._rest, b""
        self._take(rest + data)

    def _keep_alive(self) -> None:
        """Ask for a sign of life, unless there was one that the library has not seen: it makes a timer for each."""
        connection = self._connection
        quiet_s = self._loop.time() - self._heard_s
        if quiet_s < connection._keepalive_interval:
            wait_s = connection._keepalive_interval - quiet_s
            connection._keepalive_timer = self._loop.call_later(wait_s, self._keep_alive)
        else:
            self._look_for_life()

    def _take(self, data: bytes) -> None:
        start, end = 0, len(data)
        writable: dict[Any, None] = {}
        while start < end:
            if not self._is_ours():
                self._leave_to_library(data[start:])
                break
            start, stop = self._deliver(data, start, writable)
            if not stop:
                self._rest = data[start:]
                break
            if start < stop:
                self._leave_to_library(data[start:stop])
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

    def _end_of(self, data: bytes, start: int) -> int:
        """Say where a packet ends, which may not be here yet; 0 for what cannot be one."""
        if len(data) - start < LENGTH_BYTES:
            return len(data) + 1
        length: int = _LENGTH.unpack_from(data, start)[0]
        connection = self._connection
        most = getattr(connection, "_max_recv_pktlen", MOST_BYTES)
        if length > most or length % connection._recv_blocksize or not length:
            return 0
        return start + LENGTH_BYTES + length + TAG_BYTES

    def _deliver(self, data: bytes, start: int, writable: dict[Any, None]) -> tuple[int, int]:
        """Open packets and do what they say, until one is not for us.

        Gives where that begins and ends, 0 for one that has not come whole; both are the same after data whose receiver
        may have changed anything. Of one that is not for us nothing has happened: the library is to judge it.
        """
        connection, end = self._connection, len(data)
        gcm = connection._recv_encryption._cipher
        if gcm._key is not self._key:
            self._key = gcm._key
            self._cipher = AESGCM(self._key)
        decrypt, view = self._cipher.decrypt, memoryview(data)
        while start < end:
            stop = self._end_of(data, start)
            if not stop:
                return start, end
            if stop > end:
                return start, 0
            nonce, begin = gcm._iv, start + LENGTH_BYTES
            try:
                plain = decrypt(nonce, view[begin:stop], view[start:begin])
            except InvalidTag:
                return start, stop
            if len(plain) < _HEAD.size:
                return start, stop
            padding, kind, number, value = _HEAD.unpack_from(plain)
            channel, last = connection._channels.get(number), len(plain) - padding
            if channel is None or channel._recv_state != "open" or channel._encoding:
                return start, stop
            is_data = kind == MSG_CHANNEL_DATA and last == _HEAD.size + value and value <= channel._recv_window
            if not is_data and (kind != MSG_CHANNEL_WINDOW_ADJUST or last != _HEAD.size):
                return start, stop
            gcm._iv = following(nonce)
            connection._recv_seq = connection._recv_seq + 1 & 0xFFFFFFFF
            start = stop
            if not is_data:
                channel._send_window += value
                writable[channel] = None
                continue
            try:
                channel._accept_data(plain[_HEAD.size : last])
            except Exception:  # as the library does with what its sessions raise
                connection.internal_error()
            if connection._transport is None:  # closed meanwhile
                return stop, stop
        return end, end
