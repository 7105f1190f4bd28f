"""Output that has no line end yet: given after a moment, once, and never in the middle of a character."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octogram_agentd.processes.logs import UNFINISHED_S, LineCutter, LiveLines


class _Kernel:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.timers: list[_Timer] = []

    def later(self, seconds: float, function: Any) -> _Timer:
        assert seconds == UNFINISHED_S
        self.timers.append(_Timer(function))
        return self.timers[-1]

    def pass_time(self) -> None:
        """Let every timer be due."""
        due, self.timers = self.timers, []
        for timer in due:
            if timer.function is not None:
                timer.function()


class _Timer:
    def __init__(self, function: Any) -> None:
        self.function = function

    def cancel(self) -> None:
        self.function = None


def played(*steps: bytes | None) -> list[str]:
    """Feed bytes; None lets time pass. Gives the lines that came, and checks that every byte did."""
    kernel = _Kernel()
    came: list[str] = []
    raw = bytearray()

    def give(data: bytes, lines: list[str]) -> None:
        raw.extend(data)
        came.extend(lines)

    live = LiveLines(kernel, give)  # type: ignore[arg-type]
    for step in steps:
        if step is None:
            kernel.pass_time()
        else:
            live.feed(step)
    live.feed(b"")
    kernel.pass_time()
    assert bytes(raw) == b"".join(step or b"" for step in steps)
    return came


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        ((b"password: ", None, b"\nwelcome\n"), ["password: ", "welcome"]),
        ((b"10%\r", None, b"20%\r", b"30%\r", None, b"done\n"), ["10%\r", "20%\r30%\r", "done"]),
        ((b"one ", b"line\n", None), ["one line"]),
        ((b"wait", None, b"\r\n", b"\n"), ["wait", ""]),
        ((b"ch", None, b"eck ", None, b"ok\n"), ["ch", "eck ", "ok"]),
        ((b"\xe2\x9c", None, b"\x93\n"), ["\u2713"]),
        ((b"a\xe2\x9c", None, b"\x93\n"), ["a", "\u2713"]),
        ((b"a\xff", None, b"b\n"), ["a\ufffd", "b"]),
        ((b"end", None), ["end"]),
        ((b"end",), ["end"]),
    ],
)
def test_what_has_no_end_is_given_after_a_moment(steps: tuple[bytes | None, ...], lines: list[str]) -> None:
    assert played(*steps) == lines


@given(st.lists(st.one_of(st.none(), st.binary(max_size=6), st.sampled_from(["\u00e4\n".encode(), b"\xe2", b"\x9c"]))))
def test_nothing_is_lost_and_nothing_comes_twice(steps: list[bytes | None]) -> None:
    whole = b"".join(step or b"" for step in steps)
    cutter = LineCutter()
    at_once = "".join(cutter.feed(whole) + cutter.close())
    came = "".join(played(*[step for step in steps if step is None or step]))
    assert came.replace("\r", "").replace("\ufffd", "") == at_once.replace("\r", "").replace("\ufffd", "")
