"""What a command prints, while it runs and when it has ended."""

from __future__ import annotations

from octogram_agentd.cuts import beginning, ending
from octogram_agentd.jobs.attempt import LAST_LINES
from octogram_agentd.processes.logs import LiveLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

    from octogram_agentd.kernel import Kernel
    from octogram_agentd.procedures.context import CommandResult

    PrintLines = Callable[[str, bytes, List[str], str], None]  # stream, bytes, lines, program

RESULT_CHARACTERS = 80 * 1024  # of one stream as JSON, so that two tails fit into a result


class Capture:
    """Takes a command's output: the tails for its result, lines for the log."""

    __slots__ = ("_kernel", "_limit_bytes", "_lines", "_print", "_tails", "program")

    def __init__(self, kernel: Kernel, print_lines: Optional[PrintLines], limit_bytes: int) -> None:
        self.program = ""
        self._kernel = kernel
        self._print = print_lines
        self._limit_bytes = limit_bytes
        self._tails: Dict[str, bytearray] = {}
        self._lines: Dict[str, LiveLines] = {}

    def take(self, stream: str, data: bytes) -> None:
        """Take what came; nothing means that the stream has ended."""
        if not data and stream not in self._lines:
            return
        if data:
            tail = self._tails.get(stream)
            if tail is None:
                tail = self._tails[stream] = bytearray()
            tail += data
            if len(tail) > 2 * self._limit_bytes:
                del tail[: -self._limit_bytes]
        if self._print is None:
            return
        live = self._lines.get(stream)
        if live is None:
            live = self._lines[stream] = LiveLines(self._kernel, self._passing_on(stream))
        live.feed(data)

    def _passing_on(self, stream: str) -> Callable[[bytes, List[str]], None]:
        # No partial: `functools` takes longer to import than a job takes.
        def pass_on(data: bytes, lines: List[str]) -> None:
            if self._print is not None:
                self._print(stream, data, lines, self.program)

        return pass_on

    def text(self, stream: str) -> str:
        """Give the end of a stream, short enough for a result."""
        tail = self._tails.get(stream)
        if not tail:
            return ""
        text = bytes(tail[-self._limit_bytes :]).decode("utf-8", "replace")
        return text if len(text) < RESULT_CHARACTERS // 12 else _within(text)


def _within(text: str) -> str:
    """Cut the beginning off a text whose escapes would make it too long for a result."""
    from octogram_agentd.wire.lines import encode

    while len(encode({"": text})) > RESULT_CHARACTERS:
        text = text[len(text) // 8 + 1 :]
    return text


def detail_of(result: CommandResult) -> Dict[str, Any]:
    """Give what an error says of a program that has failed."""
    lines = (result.stderr.rstrip("\n") or result.stdout.rstrip("\n")).split("\n")[-LAST_LINES:]
    return {
        "exit_code": result.exit_code,
        "argv": [beginning(word, 1000) for word in result.argv[:100]],
        "last_lines": [ending(line, 2000) for line in lines if line],
    }
