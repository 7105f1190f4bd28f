"""What a terminal can be left in by a program that ended as it liked, and how it is brought back."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
from collections.abc import Iterator
from typing import Any

ENDS_TEXTUAL = b"\x1b[<u\x1b[?1004l\x1b[?2004l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?7h\x1b[?25h\x1b[?1049l"
"""Undoes what Textual asked of the terminal, for when Textual cannot: keyboard, focus, paste, mouse, wrap, screen."""

ENDS_ANYTHING = (
    b"\x18\x1b\\"  # a sequence that was begun
    b"\x1b[?1047l"  # the other screen; 1049 would move the cursor up where this is not that screen
    b"\x1b7\x1b[r\x1b[?69l\x1b8"  # region and margins, which move the cursor
    b"\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse, focus
    b"\x1b[?2004l\x1b[?2026l\x1b[?2048l"  # paste, an update that was held back, sizes told in band
    b"\x1b[?1l\x1b>\x1b[?5l\x1b[4l\x1b[20l"  # keypad, reverse, insert, new lines
    b"\x1b(B\x0f\x1b[0m\x1b[?7h\x1b[?25h\x1b[0 q"  # line drawing, colours, wrap, the cursor and its shape
)
"""Undoes what any program may have asked of the terminal; what none asked for stays as it is."""


def descriptor() -> int:
    """Give what the terminal is read by."""
    return sys.__stdin__.fileno() if sys.__stdin__ else 0


def write(data: bytes) -> None:
    """Write to the terminal past the library, which does not hold it now. One that is gone is not written to."""
    with contextlib.suppress(OSError, ValueError):
        for stream in (sys.__stderr__, sys.__stdout__):
            if stream is not None and stream.isatty():
                stream.flush()
                os.write(stream.fileno(), data)
                return


def attributes() -> list[Any] | None:
    """Read how the terminal reads lines and echoes; None where there is no terminal."""
    try:
        return termios.tcgetattr(descriptor())
    except (termios.error, OSError, ValueError):
        return None


def give_back(attributes: list[Any] | None) -> None:
    """Bring back whose turn it is, and lines and echo as they were; nothing is written."""
    take_foreground()
    if attributes is not None:
        with contextlib.suppress(termios.error, OSError, ValueError):
            termios.tcsetattr(descriptor(), termios.TCSANOW, attributes)


def restore(attributes: list[Any] | None) -> None:
    """Bring the terminal back, whoever had it: whose turn it is, lines and echo as they were, all modes off."""
    give_back(attributes)
    write(ENDS_ANYTHING)
    # What was typed, or answered by the terminal to a question of the program, was not meant for us.
    with contextlib.suppress(termios.error, OSError, ValueError):
        termios.tcflush(descriptor(), termios.TCIFLUSH)


def make_sane() -> None:
    """Let the terminal echo and edit lines again."""
    with contextlib.suppress(termios.error, OSError, ValueError):
        mended = termios.tcgetattr(descriptor())
        mended[0] |= termios.ICRNL | termios.IXON
        mended[3] |= termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG
        mended[3] &= ~termios.NOFLSH
        termios.tcsetattr(descriptor(), termios.TCSANOW, mended)


def is_foreground() -> bool:
    """Whether the terminal is ours to be written to; also where there is none to share."""
    try:
        return os.tcgetpgrp(descriptor()) == os.getpgrp()
    except (OSError, ValueError):
        return True


def take_foreground() -> None:
    """Become who the terminal's keys and signals are for: a shell that was killed has kept them for itself."""
    if is_foreground():
        return
    with _without_stop(), contextlib.suppress(OSError, ValueError):
        os.tcsetpgrp(descriptor(), os.getpgrp())


@contextlib.contextmanager
def _without_stop() -> Iterator[None]:
    # The system stops who changes a terminal that is not theirs, unless they would not hear of it.
    old = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTTOU, old)
