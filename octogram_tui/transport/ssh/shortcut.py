"""The short way through the library for what a connection carries most: packets of data, whole, on an open channel.

The library takes some forty calls for each of them, and makes a cipher and a timer anew; that is more than all that
becomes of an agent's report here. The short way takes such a packet only where the library would do nothing but pass it
on, and touches nothing before that is known: whatever else comes, or is to be sent, goes the library's way from just
the state in which the library would have been. It reads what the library keeps to itself, so that it is for versions
that are known; with another one, and while somebody reads the library's log, all packets go the long way.
"""

from __future__ import annotations

import logging
import os
import time
from struct import Struct
from typing import TYPE_CHECKING, Any

import asyncssh
from asyncssh.constants import MSG_CHANNEL_DATA
from asyncssh.encryption import GCMEncryption
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Callable

VERSIONS = ("2.24.",)
"""How versions begin whose insides are those that are read here."""

_NAME = "octogram_shortcut"
_HEAD = Struct(">BBII")  # of a packet of data: how long its padding is, what it is, the channel, how much data
_LENGTH_BYTES = 4
_TAG_BYTES = 16
_BLOCK_BYTES = 16
_PAD_POOL_BYTES = 4096
_LAST_SEQ = 0xFFFFFFFF
_LAST_COUNT = (1 << 64) - 1


class Shortcut:
    """That of one connection."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self._connection: Any = connection
        self._loop: Any = self._connection._loop
        self._receive_long: Callable[[bytes], None] = connection.data_received
        self._keepalive_long: Callable[[], None] = self._connection._keepalive_timer_callback
        self._heard_s = 0.0
        self._receiving: Any = None  # the library's cipher that ours is of
        self._sending: Any = None
        self._opener = self._closer = AESGCM(bytes(16))
        self._pad = b""

    def begin(self) -> None:
        """Stand in for the library's own ways from here on."""
        self._connection.data_received = self.data_received
        self._connection._keepalive_timer_callback = self._keepalive
        self._connection.set_extra_info(**{_NAME: self})

    # -- receiving ------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes, datatype: Any = None) -> None:
        """Take bytes from the socket."""
        connection = self._connection
        if not self._may_take(connection):
            self._receive_long(data)
            return
        self._heard_s = self._loop.time()
        if connection._inpbuf:
            data = connection._inpbuf + data
        while data:
            try:
                at, stop = self._deliver(connection, data)
            except Exception:  # as the library does with what its sessions raise
                connection.internal_error()
                return
            if not stop:
                connection._inpbuf = data[at:]
                return
            connection._inpbuf, data = data[at:stop], data[stop:]
            self._receive_long(b"")
            if data and (connection._inpbuf or not self._may_take(connection)):
                self._receive_long(data)  # the library waits for something, or there are new keys, or it is closed
                return

    def _may_take(self, connection: Any) -> bool:
        """Whether the next byte begins a packet that the short way may be for."""
        cipher = connection._recv_encryption
        if not (
            connection._auth_final
            and type(cipher) is GCMEncryption
            and connection._decompressor is None
            and connection._recv_handler == connection._recv_pkthdr
        ):
            return False
        if cipher is not self._receiving:
            self._receiving, self._opener = cipher, AESGCM(cipher._cipher._key)
        return True

    def _deliver(self, connection: Any, data: bytes) -> tuple[int, int]:
        """Deliver what is data for open channels; gives where it ends, and where the library's part after it does.

        That is one packet, all that is left when it makes no sense, or nothing (0) when it has not arrived in full.
        """
        at, end = 0, len(data)
        cipher = self._receiving._cipher
        channels, most = connection._channels, connection._max_recv_pktlen
        while end - at >= _BLOCK_BYTES:
            begin = at + _LENGTH_BYTES
            length = data[at:begin]
            size = int.from_bytes(length, "big")
            stop = begin + size + _TAG_BYTES
            if size > most or size < _HEAD.size:
                return at, end
            if stop > end:
                break
            iv = cipher._iv
            try:
                packet = self._opener.decrypt(iv, data[begin:stop], length)
            except InvalidTag:
                return at, end
            padding, kind, number, size = _HEAD.unpack_from(packet)
            channel = channels.get(number)
            if (
                kind != MSG_CHANNEL_DATA
                or size + padding + _HEAD.size != len(packet)
                or channel is None
                or not size
                or channel._recv_state != "open"
                or channel._send_state in ("close_pending", "closed")
                or channel._recv_paused
                or channel._encoding
                or channel._session is None
                or channel._recv_window < channel._init_recv_window / 2
                or channel._recv_window < size
            ):
                return at, stop
            cipher._iv = _following(iv)
            connection._recv_seq = (connection._recv_seq + 1) & _LAST_SEQ
            channel._recv_window -= size
            at = stop
            channel._session.data_received(packet[_HEAD.size : _HEAD.size + size], None)
            if connection._transport is None:  # closed meanwhile
                return end, 0
        return at, 0

    def _keepalive(self) -> None:
        """Ask for a sign of life, unless there was one that the library has not seen."""
        connection = self._connection
        quiet_s = self._loop.time() - self._heard_s
        if quiet_s < connection._keepalive_interval:
            wait_s = connection._keepalive_interval - quiet_s
            connection._keepalive_timer = self._loop.call_later(wait_s, self._keepalive)
        else:
            self._keepalive_long()

    # -- sending --------------------------------------------------------------------------------------------------

    def write(self, channel: Any, data: bytes | memoryview) -> bool:
        """Send data on a channel; False when that has to go the library's way, and nothing was sent."""
        connection, size = self._connection, len(data)
        cipher = connection._send_encryption
        if not (
            connection._auth_final
            and connection._kex_complete
            and type(cipher) is GCMEncryption
            and connection._compressor is None
            and connection._rekey_bytes_sent < connection._rekey_bytes
            and not (connection._rekey_seconds and time.monotonic() >= connection._rekey_time)
            and channel._send_state == "open"
            and not channel._send_buf
            and not channel._send_paused
            and not channel._encoding
            and 0 < size <= channel._send_pktsize
            and size <= channel._send_window
        ):
            return False
        if cipher is not self._sending:
            self._sending, self._closer = cipher, AESGCM(cipher._cipher._key)
        padding = -(_HEAD.size + size) % _BLOCK_BYTES
        if padding < 4:
            padding += _BLOCK_BYTES
        if len(self._pad) < padding:
            self._pad = os.urandom(_PAD_POOL_BYTES)
        pad, self._pad = self._pad[:padding], self._pad[padding:]
        packet = b"".join((_HEAD.pack(padding, MSG_CHANNEL_DATA, channel._send_chan, size), data, pad))
        length = len(packet).to_bytes(_LENGTH_BYTES, "big")
        gcm = cipher._cipher
        sealed = self._closer.encrypt(gcm._iv, packet, length)
        gcm._iv = _following(gcm._iv)  # before anything can go wrong: none may be used twice
        connection._send_seq = (connection._send_seq + 1) & _LAST_SEQ
        connection._rekey_bytes_sent += len(packet)
        channel._send_window -= size
        connection._send(length + sealed)
        return True


def _following(iv: bytes) -> bytes:
    """Give what the next packet is enciphered with (RFC 5647, 7.1)."""
    return iv[:4] + ((int.from_bytes(iv[4:], "big") + 1) & _LAST_COUNT).to_bytes(8, "big")


def begin_shortcut(connection: asyncssh.SSHClientConnection) -> None:
    """Let a connection that has just begun have its short way, where there is one."""
    if asyncssh.__version__.startswith(VERSIONS) and not logging.getLogger("asyncssh").isEnabledFor(logging.DEBUG):
        Shortcut(connection).begin()


def shortcut_of(channel: asyncssh.SSHClientChannel[bytes]) -> Shortcut | None:
    """Give the short way of a channel's connection."""
    found: Shortcut | None = channel.get_extra_info(_NAME)
    return found
