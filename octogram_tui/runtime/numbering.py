"""What must not be lost, in both directions: numbered, kept until acknowledged, repeated after a cut. Sends nothing."""

from __future__ import annotations

from collections import deque
from typing import Any

from octogram_agentd.wire.lines import MAX_DEPTH, MAX_LINE_BYTES, depth, encode


class Numbering:
    """The numbers of one conversation with one daemon; a new daemon begins a new one."""

    def __init__(self, seen: int = 0, sent: int = 0) -> None:
        self.seen = seen  # the highest number that came from the daemon, all below it being here too
        self.told = seen  # up to where we have acknowledged that
        self._sent = sent
        self._kept: deque[tuple[int, bytes]] = deque()

    @property
    def unacknowledged(self) -> list[bytes]:
        """What the daemon has not confirmed, in order."""
        return [line for _, line in self._kept]

    def number(self, message: dict[str, Any]) -> bytes:
        """Give a message its number, and its line. Raises ValueError or TypeError; it has no number then.

        What the daemon could not read must not get a number: it would be repeated, and refused, for ever.
        """
        message["seq"] = self._sent + 1
        line = encode(message)
        if len(line) > MAX_LINE_BYTES:
            raise ValueError(f"they have {len(line)} bytes as JSON, and the limit is {MAX_LINE_BYTES}")
        if line.count(b"{") + line.count(b"[") > MAX_DEPTH and depth(line) > MAX_DEPTH:
            raise ValueError(f"they are nested deeper than {MAX_DEPTH}")
        self._sent += 1
        self._kept.append((self._sent, line))
        return line

    def acknowledged(self, seq: int) -> None:
        """Forget what the daemon has."""
        while self._kept and self._kept[0][0] <= seq:
            self._kept.popleft()

    def is_new(self, seq: int) -> bool:
        """Whether a number is the next one; False when it was there before. Raises ValueError for a gap."""
        if seq <= self.seen:
            return False
        if seq != self.seen + 1:
            raise ValueError(f"message {seq} after {self.seen}")
        return True
