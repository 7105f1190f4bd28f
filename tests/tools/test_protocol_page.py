"""The protocol's page is made from the code (test_frame.py holds it to that), and says all of it."""

from __future__ import annotations

from octogram_agentd.wire.messages import MESSAGES
from tools import protocol_page


def test_the_page_has_every_message() -> None:
    for name, (_direction, _meaning, fields) in MESSAGES.items():
        assert f"### {name}\n" in protocol_page.page()
        assert all(f"| `{field}` |" in protocol_page.page() for field in fields)
