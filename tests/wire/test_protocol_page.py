"""The protocol's page is made from the code, and says all of it."""

from __future__ import annotations

from octogram_agentd import wire
from octogram_tui.dev import protocol


def test_the_page_is_current() -> None:
    assert protocol.main(["--check"]) == 0


def test_the_page_has_every_message() -> None:
    for name, (_direction, _meaning, fields) in wire.MESSAGES.items():
        assert f"### {name}\n" in protocol.page()
        assert all(f"| `{field}` |" in protocol.page() for field in fields)
