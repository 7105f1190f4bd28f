"""Copying: by OSC 52, which goes through SSH to the terminal that one sits at; within tmux by tmux itself.

tmux's default (`set-clipboard external`) ignores what programs in it send, and takes it from its own command.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib

MOST_BYTES = 1_000_000
"""tmux and some terminals drop what is longer, without a word."""
SOME_TAKE_BYTES = 74_994
"""So much every terminal takes that takes any: 100 000 bytes once it is written in letters."""


def osc52(text: str) -> str:
    """Give what puts a text into the clipboard of the terminal."""
    return f"\x1b]52;c;{base64.b64encode(text.encode('utf-8', 'replace')).decode()}\x1b\\"


def said_of(text: str) -> str:
    """Say what was copied, and that some terminals take no more than so much."""
    size = len(text.encode("utf-8", "replace"))
    count = text.rstrip("\n").count("\n") + 1
    said = f"copied {count} lines" if count > 1 else "copied"
    return said if size <= SOME_TAKE_BYTES else f"{said} ({size // 1000} KB; some terminals take 75 at most)"


def is_too_long(text: str) -> bool:
    """Whether no clipboard would take it."""
    return len(text.encode("utf-8", "replace")) > MOST_BYTES


async def by_tmux(text: str) -> bool:
    """Let tmux take it, for its buffer and for the terminal around it. False when it does not."""
    with contextlib.suppress(OSError, TimeoutError):
        process = await asyncio.create_subprocess_exec(
            "tmux",
            "load-buffer",
            "-w",
            "-",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await asyncio.wait_for(process.communicate(text.encode("utf-8", "replace")), 5.0)
        return process.returncode == 0
    return False
