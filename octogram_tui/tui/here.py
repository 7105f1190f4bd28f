"""An expression's value where no host can be asked, as in a replay: from what the events have told so far."""

from __future__ import annotations

from typing import Any

from octogram_tui.projection.rows import AgentRow, Group, InstanceRow
from octogram_tui.tui.model import Model, Subject

GLANCE_S = 0.25
"""What an expression may take: the keys wait for it."""


def value_here(model: Model, expression: str, subject: Subject | None) -> dict[str, Any]:
    """Give {value} or {problem}."""
    from octogram_tui.errors import TemplateError
    from octogram_tui.template.bound import glancing
    from octogram_tui.template.environment import evaluate
    from octogram_tui.template.scope import make_scope

    agent = subject.agent if isinstance(subject, (Group, InstanceRow)) else ""
    if isinstance(subject, AgentRow):
        agent = subject.name
    row = model.board.agents.get(agent)
    last = subject.last if isinstance(subject, InstanceRow) else None
    scope = make_scope(
        model.variables.values,
        agent=agent or None,
        address=row.address if row is not None else "",
        item=subject.item if isinstance(subject, InstanceRow) else None,
        result=last.result if last is not None else None,
        has_result=last is not None and last.result is not None,
    )
    try:
        with glancing(GLANCE_S):
            return {"problem": "", "value": evaluate(expression, scope)}
    except TemplateError as error:
        return {"problem": error.message}
