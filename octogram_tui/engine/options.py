"""What the operator chose for a run, beside the scenario itself."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from octogram_tui.dataclass import dataclass
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.selection import Selection
from octogram_tui.model.values import Value

if TYPE_CHECKING:
    from octogram_tui.model.carried import CarriedRows
    from octogram_tui.model.trace import Trace


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The choices of one run.

    on_failure  what happens when a job fails that does not say so itself
    confirm     the answer to `ask_confirmation`; `fail` ends the run, `ask` waits for an operator
    keep_alive  whether the agents stay up after the last stage until the operator stops the run
    collect_s   how long `always` stages may take once the run is being stopped
    breakpoints  what is set from the start, each with who sets it, beside the one that on_failure `pause` is
    on_break    what a breakpoint does that stops something: hold, end the run, or be told of only
    look_ahead  whether an agent may be given its next attempt while it has one
    rerun_failed  the run of which only what failed, or never ran, runs; '' for all
    carried     of that one the rows that went well, which are passed over
    metrics_port  where this machine serves the run's own metrics; 0 when it does not
    trace       the distributed trace that the run is part of, if it is
    """

    run: str
    version: str = ""
    on_failure: Literal["abort", "pause", "keep_going"] = "abort"
    confirm: Literal["ask", "yes", "no", "fail"] = "fail"
    keep_alive: bool = False
    start_paused: bool = False
    selection: Selection = Selection()
    timeout_s: float | None = None
    collect_s: float = 10.0
    breakpoints: tuple[tuple[Breakpoint, str], ...] = ()
    on_break: Literal["hold", "fail", "continue"] = "hold"
    metrics_port: int = 0
    rerun_failed: str = ""
    carried: CarriedRows = field(default_factory=dict)
    look_ahead: bool = False  # of a run that was begun before there was such a thing, too
    trace: Trace | None = None

    def public(self) -> dict[str, Value]:
        """Give what `run_started` tells of them: those that differ from the default."""
        leave = ("selection", "breakpoints", "look_ahead", "trace", "carried")
        shown = _differing(self, RunOptions(run=self.run, version=self.version), leave)
        if self.trace is not None and self.trace.is_told:
            shown["trace"] = self.trace.public()
        return {**shown, **_differing(self.selection, Selection())}


Options = RunOptions | Selection


def _differing(given: Options, default: Options, leave: tuple[str, ...] = ()) -> dict[str, Value]:
    """Give the fields whose values are not the default ones, as JSON."""
    shown: dict[str, Value] = {}
    for name in given.__slots__:
        value = getattr(given, name)
        if name not in leave and value != getattr(default, name):
            shown[name] = sorted(value) if isinstance(value, frozenset) else value
    return shown
