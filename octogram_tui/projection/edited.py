"""Which arguments the operator gave rows for their next attempts, and what the run would not take of it."""

from __future__ import annotations

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value

SETTING = "set arguments"
"""How a refusal names the request."""


class Edited:
    """The fold. An attempt takes what it was given along: then there is nothing for the next one."""

    def __init__(self) -> None:
        self.by_instance: dict[InstanceId, dict[str, Value]] = {}
        self.answered = 0  # how often the run said anything to a request
        self.problem = ""  # why it did not take the latest

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        if isinstance(event, ev.ArgumentsSet):
            if event.arguments:
                self.by_instance[event.instance] = event.arguments
            else:
                self.by_instance.pop(event.instance, None)
            self.answered += 1
            self.problem = ""
        elif isinstance(event, ev.JobStarted):
            self.by_instance.pop(event.instance, None)
        elif isinstance(event, ev.RequestRefused) and event.request == SETTING:
            self.answered += 1
            self.problem = event.message

    def of(self, key: InstanceId) -> dict[str, Value]:
        """Give what a row's next attempt is given by hand."""
        return self.by_instance.get(key, {})
