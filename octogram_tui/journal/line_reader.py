"""Reads records of events: what is to be done with those that have the same names is worked out once.

What reads them is made for those that turn out to be frequent: compiling it costs as much as reading hundreds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from functools import lru_cache
from operator import itemgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, NoReturn, get_args, get_origin, get_type_hints

from octogram_tui.cuts import quoted
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId

if TYPE_CHECKING:
    from octogram_tui.engine.events import Event
    from octogram_tui.journal.codec import Shape

MOST = 1 << 62
"""Of any number that an event has of its own."""

SPREAD = ("stage", "job", "agent", "key")
"""What the name of an instance is written as."""

Numbers = tuple[tuple[str, tuple[type, ...], type | None], ...]
"""Fields that hold numbers, which ones each takes, and what holds them where there are many."""


class Form:
    """What is to be done with records of one type that have the same names: which are passed on, which are checked.

    names: those of the fields that are given as they are; numbers: as in `Shape`; seen: how many there were; read:
    does all of it, once there were many.
    """

    __slots__ = ("has_error", "names", "numbers", "read", "seen", "take")

    def __init__(self, names: tuple[str, ...], numbers: Numbers, *, has_error: bool) -> None:
        self.names = names
        self.take: Callable[[dict[str, Any]], tuple[Any, ...]] = itemgetter(*names)
        self.numbers = numbers
        self.has_error = has_error
        self.seen = 0
        self.read: Callable[[dict[str, Any]], Event] | None = None


MOST_FORMS = 64
"""So many ways to leave out fields are remembered for a type; our own lines have a handful."""


def form_of(shape: Shape, record: dict[str, Any]) -> Form:
    """Work out how a record is read. Raises ValueError where something is missing."""
    present = record.keys() & shape.known
    if not present >= shape.required:
        missing = shape.required - present
        raise ValueError(f"an event of type {shape.cls.TYPE} needs {', '.join(sorted(missing))}")
    left_out = {*(("error",) if shape.has_failure else ()), *(shape.spread if shape.at is not None else ())}
    names = tuple(name for name in record if name in present and name not in left_out)
    numbers = tuple(number for number in shape.numbers if number[0] in record)
    form = Form(names, numbers, has_error=shape.has_failure and "error" in record)
    if len(shape.forms) >= MOST_FORMS:
        shape.forms.clear()
    shape.forms[tuple(record)] = form
    return form


OFTEN = 200
"""Compiling what reads a form takes as long as reading so many records in general does."""


def make_line_reader(shape: Shape, form: Form) -> Callable[[dict[str, Any]], Event]:
    """Write out what is done with records of a form: fields are set as `__init__` does it, which is not called.

    What stands in the text are names of fields of ours.
    """
    known: dict[str, Any] = {"cls": shape.cls, "new": object.__new__, "check": check_numbers, "form": form}
    lines = []
    for name, kinds, holder in form.numbers:
        if holder is not None or NoneType in kinds:
            lines.append("check(record, form)")
            break
        is_other = " and ".join(f"type(value) is not {kind.__name__}" for kind in kinds)
        lines.append(f"value = record[{name!r}]")
        lines.append(f"if {is_other} or not {-MOST} <= value <= {MOST}: check(record, form)")
    lines.append("event = new(cls)")
    for each in fields(shape.cls):
        name = each.name
        if name == "instance":
            known["gathered"], known["spread"] = gathered, shape.spread
            lines.append("event.instance = gathered(record, spread)")
            if shape.is_of_instance:
                lines.append("if event.instance is None: not_named(record)")
                known["not_named"] = not_named
        elif name == "failure" and form.has_error:
            known["failure_of"] = Failure.from_json
            lines.append("error = record['error']")
            lines.append("event.failure = None if error is None else failure_of(error)")
        elif name in form.names:
            lines.append(f"event.{name} = record[{name!r}]")
        elif each.default_factory is not MISSING:
            known[f"new_{name}"] = each.default_factory
            lines.append(f"event.{name} = new_{name}()")
        else:
            known[f"default_{name}"] = each.default
            lines.append(f"event.{name} = default_{name}")
    exec("def read(record):\n " + "\n ".join([*lines, "return event"]), known)
    read: Callable[[dict[str, Any]], Event] = known["read"]
    return read


def numbers_of(cls: type[Event], own: Sequence[Any]) -> Numbers:
    """Give the fields that hold numbers, which ones each takes, and what holds them where there are many."""
    hints = get_type_hints(cls)
    found = []
    for f in own:
        hint = hints[f.name]
        parts = get_args(hint) or (hint,)
        holder = next((one for one in (dict, list) if get_origin(hint) is one), None)
        kind = parts[0] if holder is None else parts[-1]
        if kind in (int, float):
            kinds = (int, float) if kind is float else (int,)
            found.append((f.name, (*kinds, NoneType) if NoneType in parts else kinds, holder))
    return tuple(found)


def check_numbers(record: dict[str, Any], form: Form) -> None:
    """See that what is computed with are numbers. Raises ValueError: what wrote the record may not be of ours."""
    for name, kinds, holder in form.numbers:
        value: Any = record[name]
        if holder is not None and type(value) is not holder:
            raise ValueError(f"`{name}` holds no numbers, but {quoted(value, 80)}")
        values = (value,) if holder is None else value.values() if isinstance(value, dict) else value
        for one in values:
            if type(one) not in kinds or (one is not None and not -MOST <= one <= MOST):
                raise ValueError(f"`{name}` cannot be {quoted(one, 80)}")


def gathered(record: dict[str, Any], spread: tuple[str, ...]) -> InstanceId | None:
    """Read the name of an instance from its text, which agrees with its parts. Raises ValueError."""
    key = record.get("key") or ""
    if not isinstance(key, str):
        raise ValueError(f"not the name of an instance: {quoted(key, 80)}")
    if not key:
        return None
    found = _instance_named(key)
    if (
        found is not None
        and found[0] == record.get("stage")
        and found[1] == record.get("job")
        and (len(spread) < len(SPREAD) or found[2] == record.get("agent"))
    ):
        return found
    return _former(key, record)


def not_named(record: dict[str, Any]) -> NoReturn:
    """Refuse a record that is about an instance, and names none: whoever folds it relies on one. Raises ValueError."""
    raise ValueError(f"an event of type {record['type']} names the instance that it is about in `key`")


@lru_cache(8192)
def _instance_named(key: str) -> InstanceId | None:
    """Read a name: several events that come one after the other have the same, and then it is one object."""
    try:
        return InstanceId.parse(key)
    except ValueError:
        return None


def _former(key: str, record: dict[str, Any]) -> InstanceId:
    """Read a text of the time when parts were put together as they are: the parts tell where each ends.

    Raises ValueError.
    """
    stage, job, agent = (record.get(name) for name in ("stage", "job", "agent"))
    if isinstance(stage, str) and isinstance(job, str) and isinstance(agent, str):
        plain = f"{stage}/{job}@{agent}"
        if key == plain:
            return InstanceId(stage, job, agent)
        if key.startswith(f"{plain}[") and key.endswith("]"):
            return InstanceId(stage, job, agent, key[len(plain) + 1 : -1])
    found = InstanceId.parse(key)  # says what is wrong with it
    raise ValueError(f"{quoted(key, 120)} names another instance than its parts do: {quoted(str(found), 120)}")
