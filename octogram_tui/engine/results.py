"""What an attempt's result means: whether it is enough, which variables it changes, and how failures are worded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, cast

from octogram_tui.engine.instances import Instance
from octogram_tui.errors import TemplateError
from octogram_tui.model.failure import ASSERTION, TEMPLATE, UNTIL, Failure
from octogram_tui.model.scenario import Text, VarUpdate
from octogram_tui.model.values import Value
from octogram_tui.model.variables import Variables
from octogram_tui.template.casting import cast_text
from octogram_tui.template.condition import decide
from octogram_tui.template.environment import expand, render

if TYPE_CHECKING:
    from octogram_tui.model.carried import CarriedUpdate


class Update(NamedTuple):
    """A change of one variable; `is_removed` takes it away, and with an `entry` only that of a map is changed.

    after: all variables as they are then. size: how many entries the map has then.
    """

    name: str
    value: Value
    after: Variables
    is_removed: bool = False
    entry: str | None = None
    size: int = 0


def judged(
    instance: Instance, result: Value, latest: Mapping[str, Value], variables: Variables
) -> list[Update] | Failure:
    """Give what the result of an attempt changes; a failure when it is not enough, or something cannot be expanded.

    latest: the variables that `until` goes by, where there is one
    """
    until, where = instance.job_run.spec.until, "until"
    try:
        if until is not None and not decide(until.source, _scope(instance, result, latest)):
            return Failure(UNTIL, f"not yet: {until.source}")
        where = "vars_updates"
        return updates(instance, result, variables)
    except TemplateError as problem:
        return template_failure(problem, where)


def updates(instance: Instance, result: Value, variables: Variables) -> list[Update]:
    """Expand `register` and `vars_updates` against the latest variables, entry after entry. Raises TemplateError."""
    spec = instance.job_run.spec
    if not spec.vars_updates and spec.register is None:
        return []
    latest = variables
    changes: list[Update] = []
    if spec.register is not None:
        register = _named(render(spec.register, _scope(instance, result, latest)), spec.register)
        changes.append(_registered(instance, register, _of_success(result), latest))
        latest = changes[-1].after
    for update in spec.vars_updates:
        scope = _scope(instance, result, latest)
        name = _named(render(update.name.source, scope), update.name.source)
        if update.value is None:
            latest = latest.without(name)
            changes.append(Update(name, None, latest, is_removed=True))
        else:
            value = _value(update, name, scope)
            latest = latest.with_value(name, value)
            changes.append(Update(name, value, latest))
    return changes


def after_failure(instance: Instance, result: Value, failure: Failure, variables: Variables) -> list[Update]:
    """Give what `register` keeps of a failure that the run goes on after. Raises TemplateError."""
    spec = instance.job_run.spec
    if spec.register is None or (spec.items is not None and instance.id.item is None):
        return []  # nobody wants it, or there were no items to run for
    kept = known_of(result, failure)
    register = _named(render(spec.register, _scope(instance, kept, variables)), spec.register)
    return [_registered(instance, register, kept, variables)]


def carried(update: CarriedUpdate, variables: Variables) -> Update:
    """Give a change that was made in an earlier run, as it is made now."""
    name, value = update.name, update.value
    if update.is_removed:
        return Update(name, None, variables.without(name), is_removed=True)
    if update.entry is not None:
        after, size = variables.with_entry(name, update.entry, value)
        return Update(name, value, after, entry=update.entry, size=size)
    return Update(name, value, variables.with_value(name, value))


def known_of(result: Value, failure: Failure | None) -> Value:
    """Give an attempt's end as `register` keeps it: `failed` is there to be asked for, whatever happened."""
    if failure is None:
        return _of_success(result)
    kept: dict[str, Value] = {"exit_code": failure.detail.get("exit_code"), "stdout": "", "stderr": ""}
    kept |= result if isinstance(result, dict) else {}
    return kept | {"failed": True, "error": {"kind": failure.kind, "message": failure.message}}


def _of_success(result: Value) -> Value:
    """Give a result with `failed` beside its members."""
    if result is None:
        return {"failed": False}
    return {"failed": False, **result} if isinstance(result, dict) else result


def _registered(instance: Instance, name: str, value: Value, variables: Variables) -> Update:
    """Put a result where it is registered: by its item when there are items."""
    if instance.job_run.spec.items is None:
        return Update(name, value, variables.with_value(name, value))
    entry = instance.id.item or ""
    after, size = variables.with_entry(name, entry, value)
    return Update(name, value, after, entry=entry, size=size)


def _scope(instance: Instance, result: Value, variables: Mapping[str, Value]) -> dict[str, Value]:
    return instance.job_run.lane.scope(variables, instance.item, result=result, has_result=True)


def holds(instance: Instance, variables: Mapping[str, Value]) -> bool:
    """Whether what an instance waits for is so; a variable that does not exist yet is what one waits for.

    Raises TemplateError for an expression that can never hold.
    """
    scope = instance.job_run.lane.scope(variables, instance.item)
    try:
        return decide(instance.expression, scope, is_null_false=True)
    except TemplateError as error:
        if error.name:
            return False
        raise


def template_failure(error: TemplateError, where: str) -> Failure:
    """Give the failure of an attempt whose template at `where` could not be expanded."""
    return Failure(TEMPLATE, f"{where}: {error.message}", error.hint or "")


def assertion_failure(arguments: Mapping[str, Value], scope: dict[str, Value]) -> Failure | None:
    """Give the failure of the first expression that does not hold."""
    that = arguments["that"]
    for expression in that if isinstance(that, list) else [that]:
        try:
            is_so = decide(str(expression), scope) if not isinstance(expression, bool) else expression
        except TemplateError as error:
            return template_failure(error, str(expression))
        if not is_so:
            message = arguments.get("message") or f"does not hold: {expression}"
            return Failure(ASSERTION, str(message), detail={"expression": str(expression)})
    return None


def _value(update: VarUpdate, name: str, scope: dict[str, Value]) -> Value:
    """Expand and convert one value of `vars_updates`. Raises TemplateError when it does not convert."""
    if not isinstance(update.value, Text):
        return update.value
    if update.cast == "kept":
        return cast("Value", expand(update.value.source, scope))
    if update.cast == "json":
        value = cast("Value", expand(update.value.source, scope))
        return cast("Value", cast_text(value, "json", name)) if isinstance(value, str) else value
    return cast("Value", cast_text(render(update.value.source, scope), update.cast, name))


def _named(name: str, written: str) -> str:
    """Give the name of a variable. Raises TemplateError when a template gave none."""
    if not name:
        raise TemplateError(f"{written!r} gives no name: a variable needs one")
    return name
