"""What is cut for a message says so, on both sides of the wire alike."""

from __future__ import annotations

from typing import Any

import pytest

from octogram_agentd import cuts as of_the_agent
from octogram_tui import cuts

BOTH = [cuts, of_the_agent]


@pytest.mark.parametrize("module", BOTH)
def test_what_is_short_enough_stays_as_it_is(module: Any) -> None:
    assert module.beginning("12345678", 8) == module.ending("12345678", 8) == "12345678"
    assert module.quoted("it's", 4) == '"it\'s"'
    assert of_the_agent.ends("12345678", 8) == "12345678"


@pytest.mark.parametrize("module", BOTH)
def test_what_is_longer_is_as_long_as_may_be_with_its_sign(module: Any) -> None:
    assert module.beginning("123456789", 8) == "1234567…"
    assert module.ending("123456789", 8) == "…3456789"
    assert module.ending("123456789", 1) == "…"


def test_a_sign_stands_at_both_sides_of_a_hole() -> None:
    assert of_the_agent.ends("123456789", 8) == "123…789"
    assert of_the_agent.ends("123456789", 7) == "123…789"


@pytest.mark.parametrize("module", BOTH)
def test_a_text_is_cut_before_it_is_quoted(module: Any) -> None:
    assert module.quoted("1234\n6789", 6) == "'1234\\n…'"
    assert module.quoted(b"123456789", 6) == "'12345…'"
    assert module.quoted(["1234", "6789"], 8) == "['1234'…"
    assert module.quoted(None, 8) == "None"


def test_bytes_are_cut_between_characters() -> None:
    assert cuts.ending_bytes(b"12345678", 8) == b"12345678"
    assert cuts.ending_bytes(bytearray("1€€".encode()), 6).decode() == "…€"
    assert cuts.ending_bytes("1€€".encode(), 5).decode() == "…"
    kept = b""
    for piece in (b"12345", b"678", b"90"):  # the sign is no part of what is cut the next time
        kept = cuts.ending_bytes(kept + piece, 8)
    assert kept.decode() == "…67890"
