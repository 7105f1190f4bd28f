"""Attempts that wait until an expression over the variables holds: `builtins.wait_for` with `expression`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from octogram_tui.engine.schedule import Instance
from octogram_tui.errors import TemplateError
from octogram_tui.template.environment import evaluate
from octogram_tui.template.scope import make_scope


class Watch(NamedTuple):
    """One expression that somebody waits for."""

    instance: Instance
    expression: str

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """Look at the latest variables; one that does not exist yet is what one waits for. Raises TemplateError."""
        lane = self.instance.job_run.lane
        scope = make_scope(variables, agent=lane.agent, captures=lane.captures, item=self.instance.item)
        try:
            return bool(evaluate(self.expression, scope))
        except TemplateError as error:
            if error.name:
                return False
            raise


class Watches:
    """All of them, by attempt."""

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}

    def __contains__(self, attempt: str) -> bool:
        return attempt in self._watches

    def add(self, attempt: str, instance: Instance, expression: str) -> None:
        """Begin to wait."""
        self._watches[attempt] = Watch(instance, expression)

    def forget(self, attempt: str) -> None:
        """Wait no longer."""
        self._watches.pop(attempt, None)

    def settled(self, variables: Mapping[str, Any]) -> Iterator[tuple[str, TemplateError | None]]:
        """Give the attempts whose expression holds now, or cannot be evaluated."""
        for attempt, watch in list(self._watches.items()):
            try:
                if watch.holds(variables):
                    yield attempt, None
            except TemplateError as error:
                yield attempt, error
