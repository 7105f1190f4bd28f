"""Why something did not end well: one value, wherever it was found, from the agent to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from octogram_tui.cuts import quoted
from octogram_tui.dataclass import dataclass
from octogram_tui.model.values import Value

AGENT_LOST: Final = "agent_lost"
ORCHESTRATOR_LOST: Final = "orchestrator_lost"
TEMPLATE: Final = "template"
UNTIL: Final = "until"
ASSERTION: Final = "assert"
TIMEOUT: Final = "timeout"
CANCELLED: Final = "cancelled"
ARGUMENTS: Final = "arguments"
FILES: Final = "files"
BUG: Final = "bug"
FAILED: Final = "failed"
"""Kinds that this side finds by itself; FAILED is for whoever gives no kind. Procedures have further ones (`exit`,
`missing`, `refused` ..., and own procedures what they like), so the list is open: nothing here decides by those."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure. `kind` is stable and for programs, the rest for people.

    detail: JSON that explains it: exit_code, argv, last_lines, waited_s ...
    """

    kind: str
    message: str
    hint: str = ""
    detail: Mapping[str, Value] = field(default_factory=dict)

    def as_json(self) -> dict[str, Value]:
        """Give it as events, reports and the journal write it: {kind, message, hint, detail}, empty parts left out."""
        written: dict[str, Value] = {"kind": self.kind, "message": self.message}
        if self.hint:
            written["hint"] = self.hint
        if self.detail:
            written["detail"] = dict(self.detail)
        return written

    @classmethod
    def from_json(cls, value: object) -> Failure:
        """Read it back, or what an agent sent; what is missing gets its plainest word. Raises ValueError."""
        if not isinstance(value, dict):
            raise ValueError(f"not a failure: {quoted(value, 80)}")
        kind, message, hint = (_word(value.get(name)) for name in ("kind", "message", "hint"))
        detail = value.get("detail")
        if detail is not None and not isinstance(detail, dict):
            detail = {"detail": detail}
        return cls(kind or FAILED, message or "no reason was given", hint, detail or {})


def _word(value: object) -> str:
    """Give a text that can be written anywhere: one with a lone surrogate would end whoever prints it."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"not a text: {quoted(value, 80)}")
    if not value.isascii():
        value.encode()
    return value


NO_REASON: Final = Failure(FAILED, "no reason was given")
