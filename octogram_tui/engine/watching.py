"""Attempts that wait until an expression holds: no agent has them, and each has a time after which it was in vain."""

from __future__ import annotations

from collections.abc import Mapping

from octogram_tui.engine import results
from octogram_tui.engine.core import Core
from octogram_tui.engine.effects import ArmTimer, DisarmTimer
from octogram_tui.engine.instances import Instance, Instances
from octogram_tui.engine.timers import WaitOver
from octogram_tui.errors import TemplateError
from octogram_tui.model.failure import TIMEOUT, Failure
from octogram_tui.model.values import Value

WAIT_S = 60.0  # how long a wait for an expression may take that does not say so itself


class Watching:
    """Lets waits begin and end, and says what has come of them."""

    def __init__(self, core: Core, instances: Instances) -> None:
        self._core = core
        self._instances = instances

    def all(self) -> list[Instance]:
        """Give all that waits."""
        return list(self._instances.in_state("watching"))

    def begin(self, instance: Instance, arguments: Mapping[str, Value]) -> None:
        """Let an attempt wait."""
        instance.expression = str(arguments["expression"])
        self._instances.move(instance, "watching")
        given = arguments.get("timeout")
        limits_s = [float(given) if isinstance(given, int | float) else WAIT_S]
        if instance.job_run.spec.timeout_s is not None:
            limits_s.append(instance.job_run.spec.timeout_s)
        self._core.order(ArmTimer(WaitOver(instance.attempt_id), min(limits_s)))

    def holds(self, instance: Instance) -> bool | Failure:
        """Say whether its expression holds now, or why that cannot be said."""
        try:
            return results.holds(instance, self._core.variables)
        except TemplateError as error:
            return results.template_failure(error, "expression")

    def in_vain(self, instance: Instance) -> Failure:
        """Say that it has waited long enough."""
        spent_s = self._core.at_s - instance.started_s
        return Failure(TIMEOUT, f"the expression did not become true within {spent_s:.3g} s")

    def end(self, instance: Instance) -> float:
        """Let it wait no longer. Gives how long it took."""
        self._core.order(DisarmTimer(WaitOver(instance.attempt_id)))
        return self._core.at_s - instance.started_s
