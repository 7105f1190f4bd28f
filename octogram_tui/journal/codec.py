"""Events as JSON lines and back: the format of the journal, of `--events` and of the run's control socket.

A line is one object: `seq`, `at_s`, `type`, then the fields of the event (engine/events.py). Fields that are empty, as
they are by default, are left out, but for those that scripts look for (ALWAYS). Unknown fields are ignored on reading,
unknown types kept as they are, so that an older program reads what a newer one of the same version wrote.
"""

from __future__ import annotations

import json
import json.encoder
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, field, fields
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quote
from operator import attrgetter, itemgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, cast, get_args, get_origin, get_type_hints

from octogram_tui.cuts import quoted
from octogram_tui.dataclass import dataclass
from octogram_tui.engine.events import EVENT_TYPES, Event, RunStarted
from octogram_tui.journal import seal
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId

if TYPE_CHECKING:  # which is for what is written often
    from octogram_tui.journal.line_writer import LineWriter

FORMAT_VERSION = 2
"""Goes up when an older program would misread an event; `v` in the first of them."""

SEALED_FROM = 2
JOURNAL_VERSION = 3
"""The same of a journal; `v` in its first line. Its lines are sealed (seal.py) from version SEALED_FROM on."""

HEADER_TYPE = "journal"

INPUT_TYPE = "input"
"""Lines beside the events that have what the run was fed (inputs.py). Who reads events passes over them."""

ALWAYS = frozenset({"value", "exit_code", "arguments"})
"""Fields that are written even when they are empty."""

FREQUENT = 16
"""From how many events on a type has a writer of its own."""

_MOST = 1 << 62  # of any number that an event has of its own

_FIRST = ("seq", "at_s", "type")
_NOT_FIELDS = frozenset((*_FIRST, seal.NAME))
_SPREAD = ("stage", "job", "agent", "key")


@dataclass(slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event of a type that this program does not know; written again it gives the same line."""

    TYPE: ClassVar[str] = ""
    name: str
    fields: dict[str, Any] = field(default_factory=dict)


class _Shape:
    """How the events of one type are written and read, worked out once."""

    __slots__ = (
        "_inner",
        "_may_lack",
        "_written",
        "at",
        "cls",
        "forms",
        "has_failure",
        "is_of_instance",
        "known",
        "names",
        "numbers",
        "optional",
        "required",
        "spread",
        "values",
        "write",
    )

    def __init__(self, cls: type[Event]) -> None:
        own = [f for f in fields(cls) if f.name not in _FIRST and f.name != "cause"]
        inner = (*(f.name for f in own), "cause")
        self.cls = cls
        self.forms: dict[tuple[str, ...], _Form] = {}  # by the names that a record has, in their order
        self.values = attrgetter("seq", "at_s", *inner)
        required = [f.name for f in own if f.default is MISSING and f.default_factory is MISSING]
        # The name of an instance is spread out: its parts, and its text.
        self.at = inner.index("instance") if "instance" in inner else None
        self.spread = tuple(name for name in _SPREAD if name not in inner)
        self.has_failure = "failure" in inner
        self.names = tuple(_flat(inner, self.spread))
        self.required = frozenset(_flat(required, self.spread))
        self.known = frozenset(("seq", "at_s", *self.names))
        self.numbers = _numbers_of(cls, own)
        # None is compared as it is: `false` and 0 are values of a variable, and are written.
        self.optional = [
            (name, f.default is None)
            for f in own
            if f.name not in ALWAYS and f.name != "instance" and _is_empty_by_default(f)
            for name in _flat([f.name], ())
        ]
        self.optional.append(("cause", False))
        self.is_of_instance = "instance" in required
        if self.at is not None and not self.is_of_instance:
            self.optional += [(name, False) for name in self.spread]
        self._may_lack = {**dict(self.optional), "instance": True}
        self._inner = inner
        self.write: LineWriter | None = None  # once it is frequent
        self._written = 0

    def count(self) -> None:
        """One more of them is written the long way: from a number on it pays to make the short one."""
        self._written += 1
        if self._written < FREQUENT:
            return
        from octogram_tui.journal.line_writer import Member, make_line_writer

        hints = {f.name: str(f.type) for f in fields(self.cls)}
        members = []
        for attribute in self._inner:
            name = "error" if attribute == "failure" else attribute
            may_lack, is_none_only = name in self._may_lack, self._may_lack.get(name, False)
            members.append(Member(attribute, name, hints[attribute], may_lack, is_none_only))
        version = f',"v":{FORMAT_VERSION}' if self.cls is RunStarted else ""
        opening = f',"type":"{self.cls.TYPE}"{version}'
        self.write = make_line_writer(opening, members, self.spread, self.is_of_instance, _text_of)


class _Form:
    """What is to be done with records of one type that have the same names: which are passed on, which are checked.

    names: those of the fields that are given as they are; numbers: as in `_Shape`; seen: how many there were; read:
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


def _form_of(shape: _Shape, record: dict[str, Any]) -> _Form:
    """Work out how a record is read. Raises ValueError where something is missing."""
    present = record.keys() & shape.known
    if not present >= shape.required:
        missing = shape.required - present
        raise ValueError(f"an event of type {shape.cls.TYPE} needs {', '.join(sorted(missing))}")
    left_out = {*(("error",) if shape.has_failure else ()), *(shape.spread if shape.at is not None else ())}
    names = tuple(name for name in record if name in present and name not in left_out)
    numbers = tuple(number for number in shape.numbers if number[0] in record)
    form = _Form(names, numbers, has_error=shape.has_failure and "error" in record)
    if len(shape.forms) >= MOST_FORMS:
        shape.forms.clear()
    shape.forms[tuple(record)] = form
    return form


OFTEN = 200
"""Compiling what reads a form takes as long as reading so many records in general does."""


def _reader_of(shape: _Shape, form: _Form) -> Callable[[dict[str, Any]], Event]:
    """Write out what is done with records of a form: fields are set as `__init__` does it, which is not called.

    What stands in the text are names of fields of ours.
    """
    known: dict[str, Any] = {"cls": shape.cls, "new": object.__new__, "check": _check_numbers, "form": form}
    lines = []
    for name, kinds, holder in form.numbers:
        if holder is not None or NoneType in kinds:
            lines.append("check(record, form)")
            break
        is_other = " and ".join(f"type(value) is not {kind.__name__}" for kind in kinds)
        lines.append(f"value = record[{name!r}]")
        lines.append(f"if {is_other} or not {-_MOST} <= value <= {_MOST}: check(record, form)")
    lines.append("event = new(cls)")
    for each in fields(shape.cls):
        name = each.name
        if name == "instance":
            known["gathered"], known["spread"] = _gathered, shape.spread
            lines.append("event.instance = gathered(record, spread)")
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


Numbers = tuple[tuple[str, tuple[type, ...], type | None], ...]
"""Fields that hold numbers, which ones each takes, and what holds them where there are many."""


def _numbers_of(cls: type[Event], own: Sequence[Any]) -> Numbers:
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


def _check_numbers(record: dict[str, Any], form: _Form) -> None:
    """See that what is computed with are numbers. Raises ValueError: what wrote the record may not be of ours."""
    for name, kinds, holder in form.numbers:
        value: Any = record[name]
        if holder is not None and type(value) is not holder:
            raise ValueError(f"`{name}` holds no numbers, but {quoted(value, 80)}")
        values = (value,) if holder is None else value.values() if isinstance(value, dict) else value
        for one in values:
            if type(one) not in kinds or (one is not None and not -_MOST <= one <= _MOST):
                raise ValueError(f"`{name}` cannot be {quoted(one, 80)}")


def _flat(names: Iterable[str], spread: tuple[str, ...]) -> Iterator[str]:
    """Give the names of fields as they are written."""
    for name in names:
        if name == "instance":
            yield from spread
        else:
            yield "error" if name == "failure" else name


def _spread(instance: InstanceId | None, names: tuple[str, ...]) -> tuple[str, ...]:
    """Give the parts of an instance's name and its text, where there is one."""
    if instance is None:
        return ("",) * len(names)
    parts = (instance.stage, instance.job, instance.agent, str(instance))
    return parts if len(names) == len(parts) else (instance.stage, instance.job, str(instance))


def _gathered(record: dict[str, Any], spread: tuple[str, ...]) -> InstanceId | None:
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
        and (len(spread) < len(_SPREAD) or found[2] == record.get("agent"))
    ):
        return found
    return _former(key, record)


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


def _is_empty_by_default(own: Any) -> bool:
    return own.default_factory is not MISSING or (own.default is not MISSING and not own.default)


_SHAPES = {cls: _Shape(cls) for cls in EVENT_TYPES.values()}


def to_dict(event: Event) -> dict[str, Any]:
    """Give an event as a JSON object: `seq`, `at_s` and `type` first."""
    shape = _SHAPES.get(type(event))
    if shape is None:
        if isinstance(event, UnknownEvent):
            return {"seq": event.seq, "at_s": event.at_s, "type": event.name, **event.fields}
        raise TypeError(f"{type(event).__name__} is not a type of event")
    seq, at_s, *rest = shape.values(event)
    record: dict[str, Any] = {"seq": seq, "at_s": at_s, "type": shape.cls.TYPE}
    if shape.cls is RunStarted:
        record["v"] = FORMAT_VERSION
    if shape.at is not None:
        rest[shape.at : shape.at + 1] = _spread(rest[shape.at], shape.spread)
    record.update(zip(shape.names, rest, strict=True))
    if shape.has_failure and record["error"] is not None:
        record["error"] = record["error"].as_json()
    for name, is_none in shape.optional:
        value: Any = record[name]
        if value is None or (not is_none and not value):
            del record[name]
    return record


def from_dict(record: dict[str, Any]) -> Event:
    """Give the event of a JSON object. Raises ValueError when it is not one."""
    name = record.get("type")
    seq: Any = record.get("seq")
    at_s: Any = record.get("at_s")
    if not isinstance(name, str) or type(seq) is not int or type(at_s) not in (int, float):
        raise ValueError("an event has a number `seq`, a number `at_s` and a text `type`")
    if not (0 <= seq <= _MOST and -_MOST <= at_s <= _MOST):
        raise ValueError(f"an event cannot be number {quoted(seq, 40)} at {quoted(at_s, 40)} s")
    cls = EVENT_TYPES.get(name)
    if cls is None:
        if not is_event(record):
            raise ValueError(f"a line of type {name} is no event")
        unknown = {k: v for k, v in record.items() if k not in _NOT_FIELDS}
        return UnknownEvent(seq=seq, at_s=at_s, name=name, fields=unknown)
    shape = _SHAPES[cls]
    form = shape.forms.get(tuple(record)) or _form_of(shape, record)
    if form.read is not None:
        return form.read(record)
    form.seen += 1
    if form.seen == OFTEN:
        form.read = _reader_of(shape, form)
    if form.numbers:
        _check_numbers(record, form)
    values = dict(zip(form.names, form.take(record), strict=True))
    if shape.at is not None:
        values["instance"] = _gathered(record, shape.spread)
    if form.has_error and (error := record["error"]) is not None:
        values["failure"] = Failure.from_json(error)
    return cls(**values)


def _text_writer() -> Callable[[Any], str]:
    """Give what writes a value as JSON. The library's C part has no state, and is kept: it makes a new one each time.

    Circular data cannot come from JSON or YAML within the loader's limits, so the check for it is not paid for.
    """
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False, default=str)
        return encoder.encode
    pieces = make(None, str, _quote, None, ":", ",", False, False, False)
    join = "".join
    return lambda value: join(pieces(value, 0))


_text_of = _text_writer()


def dump(record: dict[str, Any]) -> bytes:
    """Give the line of a record, its end included; always ASCII, so that it survives any terminal and any pipe."""
    try:
        text = _text_of(record)
    except ValueError:  # a variable may hold .nan or .inf, which JSON has not
        text = _text_of(_without_nan(record))
    return text.encode("ascii") + b"\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(k) if isinstance(k, float) else k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(v) for v in value]
    return value


def encode(event: Event) -> bytes:
    """Give the line of an event, its end included: what `dump` gives of `to_dict`, without the object in between."""
    shape = _SHAPES.get(type(event))
    if shape is None or shape.write is None:
        if shape is not None:
            shape.count()
        return dump(to_dict(event))
    try:
        return shape.write(event)
    except (ValueError, TypeError):
        return dump(to_dict(event))


def encode_each(events: Iterable[Event]) -> list[bytes]:
    """Give the line of each event."""
    return [encode(event) for event in events]


def encode_all(events: Iterable[Event]) -> bytes:
    """Give the lines of some events in one piece."""
    return b"".join(encode_each(events))


def encode_turn(events: Sequence[Event], inputs: Sequence[dict[str, Any]]) -> list[bytes]:
    """Give the lines of some events and of what was fed meanwhile, each before the events that came of it."""
    lines = encode_each(events)
    first_seq = events[0].seq if events else 0
    for record in reversed(inputs):
        place = max(record["seq"] + 1 - first_seq, 0) if events else 0
        lines.insert(place, dump(record))
    return lines


_read = json.JSONDecoder().raw_decode


def load(line: bytes | str) -> dict[str, Any]:
    """Read a line as a JSON object. Raises ValueError when it is not one."""
    try:
        try:
            text = line if isinstance(line, str) else line.decode()
            record, end = _read(text)
            is_all = text[end:] in ("\n", "")
        except ValueError:
            is_all = False
        if not is_all:  # no line of ours: `json.loads`, twice as slow, knows white space and marks, and what is wrong
            record = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return record


def load_each(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """Read whole lines of ours, all at once, which takes half of the time. Raises ValueError when one is none."""
    try:
        text = (b"[%b]" % b",".join(lines)).decode()
        records, end = _read(text)
        if end == len(text) and len(records) == len(lines) and all(type(record) is dict for record in records):
            return cast("list[dict[str, Any]]", records)
    except (ValueError, RecursionError):
        pass  # one by one it is found which
    return [load(line) for line in lines]


def decode(line: bytes | str) -> Event:
    """Read an event's line. Raises ValueError when it is not one."""
    return from_dict(load(line))


def is_event(record: dict[str, Any]) -> bool:
    """Whether a line is about an event, and not beside them."""
    return record.get("type") not in (HEADER_TYPE, INPUT_TYPE)


def header(run: str, version: str) -> bytes:
    """Give the first line of a journal: which version of the format follows, of which run, written by which program."""
    return dump({"v": JOURNAL_VERSION, "type": HEADER_TYPE, "run": run, "program": f"octogram-tui {version}"})
