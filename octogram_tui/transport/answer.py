"""What a script on a machine answers: marked lines, so that what a login shell prints of its own does not matter."""

from __future__ import annotations

import asyncio
import secrets

from octogram_tui.cuts import ending_bytes
from octogram_tui.errors import TransportError

MAX_ANSWER_BYTES = 1024 * 1024


class Answer:
    """Takes what a script prints, a bounded amount of it. Lines that count begin with `nonce` and their kind."""

    def __init__(self) -> None:
        self.nonce = secrets.token_hex(8)
        self.data = bytearray()
        self.stderr = bytearray()
        self.error: TransportError | None = None
        self.ended = asyncio.Event()
        self._came = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.data += data
        if len(self.data) > MAX_ANSWER_BYTES * 2:
            del self.data[:-MAX_ANSWER_BYTES]
        self._came.set()

    def stderr_received(self, data: bytes) -> None:
        self.stderr = bytearray(ending_bytes(self.stderr + data, 4096))

    def channel_closed(self, error: TransportError | None) -> None:
        self.error = error
        self.ended.set()
        self._came.set()

    async def first(self, kind: str, within_s: float) -> str:
        """Wait for a fact of a kind; empty when none came in time, or before the end."""
        try:
            async with asyncio.timeout(within_s):
                while not (facts := self.facts(kind)) and not self.ended.is_set():
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return ""
        return facts[0] if facts else ""

    def facts(self, kind: str) -> list[str]:
        """Give the answers of one kind, without their marks; of whole lines only."""
        mark = f"{self.nonce} {kind}"
        text = self.data.decode("utf-8", "replace")
        lines = text.splitlines() if self.ended.is_set() else text[: text.rfind("\n") + 1].splitlines()
        return [line[line.index(mark) + len(mark) :].strip() or "yes" for line in lines if mark in line]

    @property
    def noise_bytes(self) -> int:
        """How much was printed that is not an answer."""
        lines = self.data.splitlines(keepends=True)
        return sum(len(line) for line in lines if not line.startswith(self.nonce.encode()))

    @property
    def said(self) -> str:
        """The end of what was printed, for messages."""
        said = " ".join(ending_bytes(self.stderr or self.data, 300).decode("utf-8", "replace").split())
        return "".join(letter for letter in said if letter.isprintable())
