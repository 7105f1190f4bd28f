"""What a terminal sends, and what it never should: everything is read, and what means nothing is left out."""

import random
import signal

import pytest
from textual import events
from textual.app import App
from textual.message import Message

from octogram_tui.tui.terminal_driver import LOST_S, TerminalDriver, TerminalInput


class Reader(TerminalInput):
    """Keeps what it read."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.faults: list[Exception] = []
        super().__init__(self.messages.append, self.faults.append)

    @property
    def keys(self) -> str:
        return "".join(message.character or "" for message in self.messages if isinstance(message, events.Key))


@pytest.mark.parametrize(
    "junk",
    [
        b"\xff\xfe", b"\xc3\x28", b"\xe2\x82", b"\x1b[55296u", b"\x1b[99999999999u", b"\x1b[1;;;;u", b"\x1b[<;;M",
        b"\x1b[48;0;0;0;0t\x1b[<0;5;5M", b"\x1b[M\xff\xff\xff", b"\x1b[999~", b"\x1b]52;c;abc\x07", b"\x9b\x90",
    ],
)  # fmt: skip
def test_what_cannot_be_read_costs_nothing_that_comes_after(junk: bytes) -> None:
    reader = Reader()
    for number in range(3):
        reader.feed(junk, number)
        reader.tick()
        reader.feed(b"\x1b[Bj", number)
    assert reader.keys.count("j") == 3


def test_no_bytes_end_it() -> None:
    rng = random.Random(3)
    reader = Reader()
    for number in range(200):
        reader.feed(bytes(rng.choice([rng.randrange(256), 27, 91, 59]) for _ in range(rng.randrange(1, 60))), number)
        reader.tick()
    reader.feed(b"\x1b[201~\x1b[Bj", 999)
    assert reader.keys.endswith("j")


def test_a_letter_may_come_in_parts() -> None:
    reader = Reader()
    for byte in "é数".encode():
        reader.feed(bytes([byte]), 0)
    assert reader.keys == "é数"


def test_a_paste_whose_end_was_lost_is_ended_by_escape() -> None:
    reader = Reader()
    reader.feed(b"\x1b[200~half", 0)
    reader.feed(b"\x1b", LOST_S / 2)  # a part of it that came late
    reader.feed(b"[more", LOST_S)
    assert not any(isinstance(message, events.Paste) for message in reader.messages)
    reader.feed(b"\x03", 3 * LOST_S)
    assert [message.text[:4] for message in reader.messages if isinstance(message, events.Paste)] == ["half"]
    reader.feed(b"j", 4 * LOST_S)
    assert reader.keys.endswith("j")


async def test_no_answer_to_a_signal_outlives_the_app() -> None:
    """When it has ended, being let go on would start it again, without a loop: between two apps, or at the very end."""
    numbers = (signal.SIGTSTP, signal.SIGCONT)
    before = [signal.getsignal(number) for number in numbers]
    TerminalDriver(App[None]())
    assert [signal.getsignal(number) for number in numbers] == before
