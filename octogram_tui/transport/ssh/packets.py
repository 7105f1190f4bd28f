"""What the library does for each packet beside sending it, and nobody needs: for small messages that is half of it all.

It overrides methods of single objects. A version of the library that calls others instead does all of it, as before.
"""

from __future__ import annotations

import logging
from typing import Any

import asyncssh
from asyncssh.constants import MSG_IGNORE

VERSIONS = ("2.24.",)
"""How versions of the library begin whose insides are those that inflow.py and outflow.py reach into."""


def is_known() -> bool:
    """Whether the library is as we know it and nobody listens to its log of packets: then we may take its place."""
    return asyncssh.__version__.startswith(VERSIONS) and not logging.getLogger("asyncssh").isEnabledFor(logging.DEBUG)


def leave_out_ignored(connection: asyncssh.SSHClientConnection) -> None:
    """Send no empty packet before each one, unless the cipher is of the kind that this is a defence for.

    With CBC the last block that was sent is how the next packet is enciphered, and whoever sees it can choose a text to
    find out another (RFC 4251, 9.3.1). The ciphers that we ask for count; a configuration may name others.
    """
    send = connection.send_packet

    def send_packet(kind: int, *parts: bytes, handler: Any = None) -> None:
        if kind != MSG_IGNORE or _is_chained(connection):
            send(kind, *parts, handler=handler)

    connection.send_packet = send_packet  # type: ignore[method-assign, assignment]


def _is_chained(connection: asyncssh.SSHClientConnection) -> bool:
    """Whether the cipher is, or may be, one that chains blocks; it may be another one after each exchange of keys."""
    cipher = str(connection.get_extra_info("send_cipher") or "")
    return not (cipher.endswith("-ctr") or "-gcm" in cipher or "poly1305" in cipher)


def leave_out_log(channel: asyncssh.SSHClientChannel[bytes]) -> None:
    """Put together no text for a log of each packet, unless somebody listens to the library's own."""
    if not logging.getLogger("asyncssh").isEnabledFor(logging.DEBUG):
        channel.log_sent_packet = _no_log  # type: ignore[method-assign, assignment]
        channel.log_received_packet = _no_log  # type: ignore[method-assign, assignment]


def _no_log(*_: object) -> None:
    pass
