"""Events as JSON lines and back: the format of the journal, of `--events` and of the run's control socket.

A line is one object: `seq`, `at_s`, `type`, then the fields of the event (engine/events.py). Fields that are empty, as
they are by default, are left out, but for those that scripts look for (ALWAYS). Unknown fields are ignored on reading,
unknown types kept as they are, so that an older program reads what a newer one of the same version wrote.
"""

from __future__ import annotations

import json
import json.encoder
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, field, fields
from json.encoder import encode_basestring_ascii as _quote
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, cast

from octogram_tui.cuts import quoted
from octogram_tui.dataclass import dataclass
from octogram_tui.engine.events import EVENT_TYPES, Event, RunStarted
from octogram_tui.journal import seal
from octogram_tui.journal.line_reader import (
    MOST,
    OFTEN,
    SPREAD,
    Form,
    check_numbers,
    form_of,
    gathered,
    make_line_reader,
    not_named,
    numbers_of,
)
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import without_nan

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

_FIRST = ("seq", "at_s", "type")
_NOT_FIELDS = frozenset((*_FIRST, seal.NAME))


@dataclass(slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event of a type that this program does not know; written again it gives the same line."""

    TYPE: ClassVar[str] = ""
    name: str
    fields: dict[str, Any] = field(default_factory=dict)


class Shape:
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
        self.forms: dict[tuple[str, ...], Form] = {}  # by the names that a record has, in their order
        self.values = attrgetter("seq", "at_s", *inner)
        required = [f.name for f in own if f.default is MISSING and f.default_factory is MISSING]
        # The name of an instance is spread out: its parts, and its text.
        self.at = inner.index("instance") if "instance" in inner else None
        self.spread = tuple(name for name in SPREAD if name not in inner)
        self.has_failure = "failure" in inner
        self.names = tuple(_flat(inner, self.spread))
        self.required = frozenset(_flat(required, self.spread))
        self.known = frozenset(("seq", "at_s", *self.names))
        self.numbers = numbers_of(cls, own)
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


def _is_empty_by_default(own: Any) -> bool:
    return own.default_factory is not MISSING or (own.default is not MISSING and not own.default)


_SHAPES = {cls: Shape(cls) for cls in EVENT_TYPES.values()}


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
    if not (0 <= seq <= MOST and -MOST <= at_s <= MOST):
        raise ValueError(f"an event cannot be number {quoted(seq, 40)} at {quoted(at_s, 40)} s")
    cls = EVENT_TYPES.get(name)
    if cls is None:
        if not is_event(record):
            raise ValueError(f"a line of type {name} is no event")
        unknown = {k: v for k, v in record.items() if k not in _NOT_FIELDS}
        return UnknownEvent(seq=seq, at_s=at_s, name=name, fields=unknown)
    shape = _SHAPES[cls]
    form = shape.forms.get(tuple(record)) or form_of(shape, record)
    if form.read is not None:
        return form.read(record)
    form.seen += 1
    if form.seen == OFTEN:
        form.read = make_line_reader(shape, form)
    if form.numbers:
        check_numbers(record, form)
    values = dict(zip(form.names, form.take(record), strict=True))
    if shape.at is not None:
        values["instance"] = instance = gathered(record, shape.spread)
        if instance is None and shape.is_of_instance:
            not_named(record)
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
        text = _text_of(without_nan(record))
    return text.encode("ascii") + b"\n"


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
