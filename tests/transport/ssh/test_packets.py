"""Empty packets are left out where they defend nothing."""

from __future__ import annotations

from typing import Any

import pytest
from asyncssh.constants import MSG_CHANNEL_DATA, MSG_IGNORE

from octogram_tui.transport.ssh.packets import leave_out_ignored
from octogram_tui.transport.ssh.profile import CIPHERS


class Connection:
    """As much of the library's as there is to it: it sends an empty packet before each."""

    def __init__(self, cipher: str | None) -> None:
        self.cipher = cipher
        self.sent: list[int] = []

    def get_extra_info(self, name: str) -> str | None:
        return self.cipher if name == "send_cipher" else None

    def send_packet(self, kind: int, *parts: bytes, handler: Any = None) -> None:
        if kind != MSG_IGNORE:
            self.send_packet(MSG_IGNORE, b"")
        self.sent.append(kind)


@pytest.mark.parametrize(
    ("cipher", "has_empty"),
    [*((cipher, False) for cipher in CIPHERS), ("aes256-cbc", True), ("new", True), (None, True)],
)
def test_an_empty_packet_goes_before_each_only_where_blocks_are_chained(cipher: str | None, has_empty: bool) -> None:
    connection: Any = Connection(cipher)
    leave_out_ignored(connection)
    connection.send_packet(MSG_CHANNEL_DATA, b"x")
    assert connection.sent == ([MSG_IGNORE, MSG_CHANNEL_DATA] if has_empty else [MSG_CHANNEL_DATA])
    connection.cipher = "aes256-cbc"  # keys were exchanged again
    connection.send_packet(MSG_CHANNEL_DATA, b"x")
    assert connection.sent[-2:] == [MSG_IGNORE, MSG_CHANNEL_DATA]
