"""What a run was fed, as lines of its journal beside the events: fed again, the same run stands as it stood.

A line is one object: `seq` (of the last event before it), `at_s`, `type`: `input`, then `fed`, the name of a stimulus
(engine/stimuli.py), and `with`, its fields; those that are as by default are left out. With `sealed`, there are seals
in the places of secrets. Nothing is written

- of what changes nothing (log lines, progress, load): its events are all that there is of it;
- of an attempt's end that its `job_finished` tells in full, as it does for most: that is read instead.

`bounds` has which evaluations of templates ended at a bound meanwhile, by their number: what takes too long here may be
in time elsewhere, so that it is told and not tried again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, NamedTuple, get_args, get_type_hints

from octogram_tui.cuts import quoted
from octogram_tui.engine import stimuli
from octogram_tui.engine.events import AgentLoad, Event, JobFinished, JobOutput, JobProgress
from octogram_tui.engine.stimuli import AgentLoadReport, AttemptReport, OutputReport, ProgressReport, Stimulus
from octogram_tui.engine.timers import RetryDue, RunTimer, StageOver, Timer, WaitOver
from octogram_tui.errors import Problem
from octogram_tui.journal import codec
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import AttemptId, Execution, InstanceId, parse_execution
from octogram_tui.model.scenario import Scenario
from octogram_tui.template.requests import Bound

ScenarioOf = Callable[[str], Scenario]
"""Gives the scenario of a digest, built again from what was kept of it: a new one each time, as when a file is read.

Raises OctogramError."""

_QUIET: dict[type, type[Event]] = {OutputReport: JobOutput, ProgressReport: JobProgress, AgentLoadReport: AgentLoad}
"""What only passes something on, and as what."""

QUIET_EVENTS = tuple(_QUIET.values())
"""Events of which the engine remembers nothing."""

NO_BOUNDS: Mapping[int, Bound] = {}
_EXACT = frozenset((str, int, bool, type(None)))  # what JSON has just so
_NOT_FINITE = "\0float"


# -- writing ----------------------------------------------------------------------------------------------------------


def record_of(
    stimulus: Stimulus, at_s: float, seq: int, events: Sequence[Event], bounds: Mapping[int, Bound] = NO_BOUNDS
) -> dict[str, Any] | None:
    """Give the line of what was fed, as an object; None when there is nothing to write.

    seq: of the last event before; events, bounds: what came of it.
    """
    cls = type(stimulus)
    if bounds:
        pass  # no event tells of them
    elif cls is AttemptReport:
        if events and _is_told(stimulus, events[0]):  # type: ignore[arg-type]
            return None
    elif cls in _QUIET:
        quiet = _QUIET[cls]
        if all(type(event) is quiet for event in events):
            return None
    shape = _SHAPES[cls]
    given = {}
    for name, default, write, _ in shape:
        value = getattr(stimulus, name)
        if value != default:
            given[name] = _finite(write(value))
    record: dict[str, Any] = {"seq": seq, "at_s": at_s, "type": codec.INPUT_TYPE, "fed": cls.__name__}
    if given:
        record["with"] = given
    if bounds:
        record["bounds"] = {str(number): bound for number, bound in bounds.items()}
    return record


def _is_told(report: AttemptReport, event: Event) -> bool:
    """Whether `told` gives of an event what was reported."""
    if type(event) is not JobFinished or event.state != report.state or event.reason:
        return False
    if report.agent != event.instance.agent:
        return False
    failure = report.failure
    return (
        report.attempt == (event.instance, event.attempt)
        and event.result is report.result
        and event.failure is failure
        and _is_plain(report.result)
        and (failure is None or bool(failure.kind and failure.message and _is_plain(failure.detail)))
    )


def _is_plain(value: object) -> bool:
    """Whether a value is read from JSON as it was written."""
    kind = type(value)
    if kind in _EXACT:
        return True
    if kind is float:
        return math.isfinite(value)  # type: ignore[arg-type]
    if kind is dict:
        for key, inner in value.items():  # type: ignore[attr-defined]
            if type(key) is not str:
                return False
            kind = type(inner)
            if kind not in _EXACT and not (math.isfinite(inner) if kind is float else _is_plain(inner)):
                return False
        return True
    return kind is list and all(map(_is_plain, value))  # type: ignore[call-overload]


def _finite(value: Any) -> Any:
    """Write infinities and NaN as JSON can have them."""
    if isinstance(value, float) and not math.isfinite(value):
        return {_NOT_FINITE: repr(value)}
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


# -- reading ----------------------------------------------------------------------------------------------------------


def told(event: Event) -> AttemptReport | None:
    """Give what an agent reported, of the event that tells it in full; None when it is no such event."""
    if type(event) is not JobFinished or event.state == "skipped" or event.reason:
        return None
    attempt = AttemptId(event.instance, event.attempt)
    if event.cause != f"{AttemptReport.__name__} {attempt}":
        return None
    return AttemptReport(event.agent, attempt, event.state, event.result, event.failure, event.duration_s)


def bounds_of(record: Mapping[str, Any]) -> Mapping[int, Bound]:
    """Give which evaluations ended at a bound, as an input line has it. Raises ValueError."""
    given = record.get("bounds")
    if given is None:
        return NO_BOUNDS
    if not isinstance(given, dict) or not all(bound in get_args(Bound) for bound in given.values()):
        raise ValueError("`bounds` has numbers, and at which bound each ended")
    return {int(number): bound for number, bound in given.items()}


def stimulus_of(record: Mapping[str, Any], scenario_of: ScenarioOf) -> Stimulus:
    """Give what an input line says was fed. Raises ValueError, and what scenario_of raises."""
    name, given = record.get("fed"), record.get("with") or {}
    cls = _BY_NAME.get(name) if isinstance(name, str) else None
    if cls is None:
        raise ValueError(f"a stimulus {quoted(name, 80)} is not known")
    values: dict[str, Any] = {}
    unknown = dict(given)
    for field, _, _, read in _SHAPES[cls]:
        if field in unknown:
            value = _as_was(unknown.pop(field))
            values[field] = None if value is None else scenario_of(value) if read is _scenario else read(value)
    if unknown:
        raise ValueError(f"a {name} with {', '.join(sorted(unknown))} is not known")
    try:
        return cls(**values)  # type: ignore[no-any-return]
    except TypeError as error:
        raise ValueError(f"not a {name}: {error}") from None


def _as_was(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_NOT_FINITE}:
            return float(value[_NOT_FINITE])
        return {key: _as_was(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_was(inner) for inner in value]
    return value


# -- fields -----------------------------------------------------------------------------------------------------------


class _Field(NamedTuple):
    """How a field of a stimulus is written and read."""

    name: str
    default: Any
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _write_failure(failure: Failure | None) -> list[Any] | None:
    return None if failure is None else [failure.kind, failure.message, failure.hint, dict(failure.detail)]


def _read_failure(value: list[Any]) -> Failure:
    kind, message, hint, detail = value
    return Failure(kind, message, hint, detail)


def _write_timer(timer: Timer) -> list[str]:
    match timer:
        case RetryDue(instance):
            return ["retry", str(instance)]
        case WaitOver(attempt):
            return ["wait", str(attempt)]
        case StageOver(stage):
            return ["stage", stage]
        case RunTimer():
            return ["run", timer.name]


def _read_timer(value: list[str]) -> Timer:
    kind, name = value
    if kind == "retry":
        return RetryDue(InstanceId.parse(name))
    if kind == "stage":
        return StageOver(name)
    return WaitOver(AttemptId.parse(name)) if kind == "wait" else RunTimer[name]


def _write_scenario(scenario: Scenario | None) -> str | None:
    return None if scenario is None else scenario.digest


def _scenario(value: str) -> Scenario:
    raise NotImplementedError  # stands for what only the reader's caller can build


def _texts(values: Sequence[object]) -> list[str]:
    return [str(value) for value in values]


_WAYS: dict[Any, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    InstanceId: (_text, InstanceId.parse),
    InstanceId | None: (_text, InstanceId.parse),
    Execution: (str, parse_execution),
    Execution | None: (_text, parse_execution),
    Failure | None: (_write_failure, _read_failure),
    Scenario | None: (_write_scenario, _scenario),
    Timer: (_write_timer, _read_timer),
    tuple[InstanceId, ...]: (_texts, lambda value: tuple(InstanceId.parse(text) for text in value)),
    tuple[Execution, ...]: (_texts, lambda value: tuple(parse_execution(text) for text in value)),
    tuple[Problem, ...]: (
        lambda problems: [list(p) for p in problems],
        lambda value: tuple(Problem(*p) for p in value),
    ),
}


def _shape_of(cls: Any) -> list[_Field]:
    hints = get_type_hints(cls)
    shape = []
    for field in fields(cls):
        hint = hints[field.name]
        write, read = _WAYS.get(hint, (_same, tuple if str(hint).startswith("tuple[") else _same))
        default = field.default if field.default_factory is MISSING else field.default_factory()
        shape.append(_Field(field.name, default, write, read))
    return shape


_SHAPES: dict[type, list[_Field]] = {cls: _shape_of(cls) for cls in get_args(stimuli.Stimulus)}
_BY_NAME: dict[str, Any] = {cls.__name__: cls for cls in _SHAPES}
