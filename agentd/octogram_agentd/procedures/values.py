"""What procedures and the daemon hand each other: a failure, and a URI that was resolved. base.py gives both on."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional


class Uri:
    """A resolved `agent://name`: `owned` is what this agent itself has by that name, else `remote` is a URL.

    path  of a file of another agent, how that agent calls it: `remote` has it quoted
    """

    __slots__ = ("owned", "path", "remote")

    def __init__(self, owned: Optional[str] = None, remote: Optional[str] = None, path: Optional[str] = None) -> None:
        self.owned = owned
        self.remote = remote
        self.path = path

    def __repr__(self) -> str:
        return "Uri(owned=%r)" % self.owned if self.remote is None else "Uri(remote=%r)" % self.remote


class ProcedureFailed(Exception):
    """A procedure's way to fail: `kind` is stable (exit, timeout, missing, refused, ...), the text is for people.

    `detail` is JSON: exit_code, argv, the last lines, whatever explains the failure. `result` is what run() would have
    returned had that been enough: a scenario that goes on after the failure can look at it.
    """

    def __init__(
        self, message: str, *, kind: str = "failed", hint: str = "", result: Any = None, **detail: Any
    ) -> None:
        super().__init__(message)
        self.result = result
        self.message = message
        self.kind = kind
        self.hint = hint
        self.detail = detail


def checked_timeout(timeout_s: float) -> float:
    """Give a limit in seconds. Raises ProcedureFailed kind `argument` for none at all: zero never means "no limit"."""
    if not timeout_s > 0:  # not a number is none either
        raise ProcedureFailed(
            "a timeout of %g s leaves no time to do anything" % timeout_s,
            kind="argument",
            hint="give more than zero seconds, or leave it out",
        )
    return float(timeout_s)
