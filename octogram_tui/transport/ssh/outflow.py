"""What a channel sends, made into packets here.

The library takes some forty calls for each message, and copies each byte of a file eleven times on the way: we thrice.
It reaches into the library's objects, and so does nothing but where they are as it knows them and the cipher is
AES-GCM, which is what we ask servers for. All else, as a packet while keys are exchanged, is left to the library, in
whose order and under whose counters these packets go.
"""

from __future__ import annotations

import os
import struct
import time
from typing import Any

import asyncssh
from asyncssh.constants import MSG_CHANNEL_DATA
from asyncssh.encryption import GCMEncryption
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from octogram_tui.transport.ssh import packets

MOST_BYTES = 512 * 1024  # of data that become packets before they go: a turn of the loop stays short
TAG_BYTES = 16
_HEAD = struct.Struct(">BBII")  # length of the padding, kind, channel, length of the data
_COUNTER = (1 << 64) - 1
PAD_POOL_BYTES = 4096  # of what fills packets up: asked of the system so much at a time


def following(nonce: bytes) -> bytes:
    """Give what the next packet is enciphered with (RFC 5647, 7.1)."""
    return nonce[:4] + ((int.from_bytes(nonce[4:], "big") + 1) & _COUNTER).to_bytes(8, "big")


class Outflow:
    """The data of one channel on its way out, in place of the library's `write` and `_flush_send_buf`."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._connection = channel.get_connection()
        self._leave_to_library = channel._flush_send_buf
        self._key = b""
        self._cipher: AESGCM
        self._pad = b""
        channel._flush_send_buf = self.flush

    @classmethod
    def when_known(cls, channel: asyncssh.SSHClientChannel[bytes]) -> Outflow | None:
        """Give one where that can be."""
        return cls(channel) if packets.is_known() else None

    def write(self, data: bytes | memoryview) -> None:
        """Send, as far as the other side takes it now; what is left is looked at later, until nothing is buffered."""
        channel, size = self._channel, len(data)
        if channel._send_state != "open":
            return
        fits = 0 < size <= channel._send_pktsize and size <= channel._send_window
        if fits and not channel._send_buf and not channel._send_paused and self._is_ours():
            self._connection._send(self._sealed_alone(data))
            return
        channel._send_buf.append((memoryview(data), None))
        channel._send_buf_len += size
        self.flush()

    def flush(self) -> None:
        """Send of what is buffered as much as the other side takes."""
        channel = self._channel
        waiting = channel._send_buf
        while waiting and channel._send_window and waiting[0][1] is None and self._is_ours():
            self._connection._send(self._sealed(waiting))
        if waiting and channel._send_window:
            waiting[:] = [(bytearray(data), kind) for data, kind in waiting]  # as the library has it
        self._leave_to_library()

    def _is_ours(self) -> bool:
        """Whether the next packet is one like any other: between two exchanges of keys, in a cipher that we know."""
        connection = self._connection
        return (
            type(connection._send_encryption) is GCMEncryption
            and connection._kex_complete
            and connection._auth_complete
            and not connection._compressor
            and not connection._deferred_packets
            and connection._rekey_bytes_sent < connection._rekey_bytes
            and not (connection._rekey_seconds and time.monotonic() >= connection._rekey_time)
            and connection._transport is not None
        )

    def _ciphered(self) -> Any:
        """Give the library's cipher, whose nonces count; ours has its key from here on."""
        gcm = self._connection._send_encryption._cipher
        if gcm._key is not self._key:
            self._key = gcm._key
            self._cipher = AESGCM(self._key)
        return gcm

    def _sealed_alone(self, data: bytes | memoryview) -> bytes:
        """Make the one packet that a message is, as almost all are."""
        channel, connection, size = self._channel, self._connection, len(data)
        gcm = self._ciphered()
        padding = self._padding(size)
        if len(self._pad) < padding:
            self._pad = os.urandom(PAD_POOL_BYTES)
        pad, self._pad = self._pad[:padding], self._pad[padding:]
        packet = b"".join((_HEAD.pack(padding, MSG_CHANNEL_DATA, channel._send_chan, size), data, pad))
        head, nonce = len(packet).to_bytes(4, "big"), gcm._iv
        gcm._iv = following(nonce)  # before anything can go wrong: none may be used twice
        connection._send_seq = connection._send_seq + 1 & 0xFFFFFFFF
        connection._rekey_bytes_sent += len(packet)
        channel._send_window -= size
        return head + self._cipher.encrypt(nonce, packet, head)

    def _padding(self, size_bytes: int) -> int:
        """Say how much fills a packet of so much data up."""
        block = self._connection._send_blocksize
        padding: int = -(self._connection._send_enchdrlen + _HEAD.size + size_bytes - 1) % block
        return padding if padding >= 4 else padding + block

    def _sealed(self, waiting: list[tuple[memoryview, int | None]]) -> bytes:
        """Make packets of what is buffered, each of its own nonce, and count them where the library counts."""
        channel, connection = self._channel, self._connection
        gcm = self._ciphered()
        seal, largest = self._cipher.encrypt, channel._send_pktsize
        sealed: list[bytes] = []
        sent_bytes = framed_bytes = 0
        framed, head = memoryview(b""), b""
        while waiting and waiting[0][1] is None and (room := min(channel._send_window, MOST_BYTES) - sent_bytes) > 0:
            data = waiting[0][0]
            going = data[:room]
            fixed, number = gcm._iv[:4], int.from_bytes(gcm._iv[4:], "big")
            # These nonces count as used before they are: whatever fails here, none of them is used twice.
            gcm._iv = fixed + (number - (-len(going) // largest) & _COUNTER).to_bytes(8, "big")
            for start in range(0, len(going), largest):
                piece = going[start : start + largest]
                if len(piece) != framed_bytes:
                    framed_bytes = len(piece)
                    framed = self._framed(framed_bytes)
                    head = len(framed).to_bytes(4, "big")
                framed[_HEAD.size : _HEAD.size + framed_bytes] = piece
                sealed += head, seal(fixed + number.to_bytes(8, "big"), framed, head)
                number = number + 1 & _COUNTER
                connection._rekey_bytes_sent += len(framed)
            sent_bytes += len(going)
            if len(going) < len(data):
                waiting[0] = data[len(going) :], None
            else:
                del waiting[0]
        connection._send_seq = connection._send_seq + len(sealed) // 2 & 0xFFFFFFFF
        channel._send_window -= sent_bytes
        channel._send_buf_len -= sent_bytes
        return b"".join(sealed)

    def _framed(self, size_bytes: int) -> memoryview:
        """Give a packet of so much data before it is sealed, with a gap where the data goes."""
        end = _HEAD.size + size_bytes
        padding = self._padding(size_bytes)
        frame = bytearray(end + padding)
        _HEAD.pack_into(frame, 0, padding, MSG_CHANNEL_DATA, self._channel._send_chan, size_bytes)
        frame[end:] = os.urandom(padding)
        return memoryview(frame)
