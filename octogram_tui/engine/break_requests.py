"""What an operator asks of breakpoints is done, or refused in an event."""

from __future__ import annotations

from octogram_tui.engine.breakpoint_check import problem_of
from octogram_tui.engine.breakpoint_table import MOST, BreakpointTable
from octogram_tui.engine.core import Core
from octogram_tui.engine.events import RequestRefused
from octogram_tui.engine.stimuli import BreakRequest, RemoveBreakRequest, SwitchBreakRequest
from octogram_tui.model.breakpoint import Breakpoint


class BreakRequests:
    """The requests for the table of breakpoints."""

    def __init__(self, core: Core, breakpoints: BreakpointTable) -> None:
        self._core = core
        self._breakpoints = breakpoints

    def set(self, stimulus: BreakRequest) -> None:
        """Set one, or make another one of it."""
        given = Breakpoint(
            stimulus.pattern,
            stimulus.when,
            stimulus.name,
            stimulus.condition,
            stimulus.hits,
            stimulus.log,
            stimulus.is_once,
            stimulus.is_on,
        )
        problem = problem_of(given)
        if not problem and not stimulus.number and self._breakpoints.is_full:
            problem = f"there are {MOST} breakpoints: remove some first"
        same = None if problem or not stimulus.number else self._breakpoints.like(given)
        if same is not None and same.number != stimulus.number:
            problem = f"breakpoint {same.number} is that already"
        if problem:
            self._refuse("break", problem)
        elif not stimulus.number:
            self._breakpoints.warn_of_nothing(self._breakpoints.add(given))
        elif self._breakpoints.change(stimulus.number, given):
            self._breakpoints.warn_of_nothing(stimulus.number)
        else:
            self._refuse("break", _none(stimulus.number))

    def switch(self, stimulus: SwitchBreakRequest) -> None:
        """Switch one, or all of them."""
        if not self._breakpoints.switch(stimulus.number, is_on=stimulus.is_on):
            self._refuse("switch_break", _none(stimulus.number))

    def remove(self, stimulus: RemoveBreakRequest) -> None:
        """Take one away, or all of them."""
        if not self._breakpoints.remove(stimulus.number):
            self._refuse("remove_break", _none(stimulus.number))

    def _refuse(self, request: str, message: str) -> None:
        self._core.emit(RequestRefused(request=request, message=message))


def _none(number: int) -> str:
    return f"there is no breakpoint {number}" if number else "there are no breakpoints"
