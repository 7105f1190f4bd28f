"""What a procedure sees of the agent that runs it."""

from __future__ import annotations


class Context:
    """Replaced by the daemon's engineer."""
