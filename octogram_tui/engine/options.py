"""What the operator chose for a run, beside the scenario itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The choices of one run.

    on_failure  what happens when a job fails that does not say so itself
    confirm     the answer to `ask_confirmation`; `fail` ends the run, `ask` waits for an operator
    keep_alive  whether the agents stay up after the last stage until the operator stops the run
    collect_s   how long `always` stages may take once the run is being stopped
    metrics_port  where this machine serves the run's own metrics; 0 when it does not
    """

    run: str
    version: str = ""
    on_failure: Literal["abort", "pause"] = "abort"
    confirm: Literal["ask", "yes", "no", "fail"] = "fail"
    keep_alive: bool = False
    start_paused: bool = False
    from_stage: str | None = None
    until_stage: str | None = None
    only_stages: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    timeout_s: float | None = None
    collect_s: float = 10.0
    metrics_port: int = 0

    def public(self) -> dict[str, Any]:
        """Give what `run_started` tells of them: those that differ from the default."""
        default = RunOptions(run=self.run)
        shown: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            if name in ("run", "version") or value == getattr(default, name):
                continue
            shown[name] = sorted(value) if isinstance(value, frozenset) else value
        return shown
