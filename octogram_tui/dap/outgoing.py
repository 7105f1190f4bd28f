"""What goes to the client: events, and answers, numbered as they go out."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from octogram_tui.dap.framing import framed
from octogram_tui.dap.messages import Request, RequestFailed, refusal, success
from octogram_tui.errors import OctogramError
from octogram_tui.projection.text import safe

LAST_WORDS_S = 2.0


class Outgoing:
    """Writes to one client. is_restarting: one run ends and another begins, of which the client hears no end."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._seq = 0
        self.is_restarting = False

    def emit(self, event: str, body: dict[str, Any]) -> None:
        """Tell of something."""
        if self.is_restarting and event in ("exited", "terminated"):
            return
        self._send({"type": "event", "event": event, **({"body": body} if body else {})})

    def emit_important(self, said: str) -> None:
        """Tell the user what has to be seen."""
        self.emit("output", {"category": "important", "output": f"octogram-tui: {safe(said)}\n"})

    def answer(self, request: Request, body: dict[str, Any] | None) -> None:
        """Answer what was done."""
        self._send(success(request, body))

    def refuse(self, request: Request, error: BaseException) -> None:
        """Answer what was not, and say why in one line."""
        match error:
            case asyncio.CancelledError():
                failed = RequestFailed("cancelled")
            case RequestFailed():
                failed = error
            case OctogramError():
                said = f"{error.message}\n{error.hint}".strip().splitlines()
                failed = RequestFailed(safe("; ".join(line.strip() for line in said)), is_shown=True)
            case _:
                failed = RequestFailed(safe(f"a defect of octogram-tui: {error!r}"), is_shown=True)
                context = {"message": f"request {request.command!r}", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)
        self._send(refusal(request, failed))

    def _send(self, message: dict[str, Any]) -> None:
        self._seq += 1
        if not self._writer.is_closing():
            self._writer.write(framed({"seq": self._seq, **message}))

    async def drain(self) -> None:
        """Wait while the client has much to read. Raises ConnectionError."""
        await self._writer.drain()

    async def last_words(self) -> None:
        """Give the client a while to take what is left; whoever does not read is not waited for."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self._writer.drain()
