"""Makes what writes the events of one type as lines: a function of its own for each, without a loop over its members.

One is made when a type turns out to be frequent: compiling it costs as much as writing dozens of lines in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from json.encoder import encode_basestring_ascii as _quote
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from octogram_tui.engine.events import Event
    from octogram_tui.model.ids import InstanceId

LineWriter = Callable[["Event"], bytes]

_EXPRESSIONS = {
    "str": "quote(value)",
    "int": "repr(value) if type(value) is int else text_of(value)",
    "bool": "'true' if value is True else text_of(value)",
    "float": "repr(value) if type(value) is float and value - value == 0.0 else text_of(value)",
    "Failure": "text_of(value.as_json())",
    "Failure | None": "text_of(value.as_json())",
}
"""How members of each type are written, where that is quicker than by what writes any value of JSON."""


class Member(NamedTuple):
    """One of an event. may_lack: it is not written when it is empty, or only when it is None."""

    attribute: str
    name: str
    type_text: str
    may_lack: bool
    is_none_only: bool


def make_line_writer(
    opening: str,
    members: Sequence[Member],
    spread: tuple[str, ...],
    is_of_instance: bool,
    text_of: Callable[[Any], str],
) -> LineWriter:
    """Make it. opening: what follows the time. Raises ValueError or TypeError, as it does, for what JSON has not.

    spread: how the parts of an instance's name are called, and its text; is_of_instance: they are there even if empty
    """
    body = [f'text = f\'{{{{"seq":{{event.seq}},"at_s":{{event.at_s!r}}{opening}\'']
    for member in members:
        body.append(f"value = event.{member.attribute}")
        indent = ""
        if member.may_lack:
            body.append("if value is not None:" if member.is_none_only else "if value:")
            indent = " "
        if member.attribute == "instance":
            body.append(f"{indent}text += instance_text(value)")
        else:
            written = _EXPRESSIONS.get(member.type_text, "text_of(value)")
            body.append(f"{indent}text += {f',{chr(34)}{member.name}{chr(34)}:'!r} + ({written})")
    body.append("return (text + '}\\n').encode('ascii')")
    names: dict[str, Any] = {
        "quote": _quote,
        "text_of": text_of,
        "instance_text": _instance_texts(spread, is_of_instance),
    }
    exec("def write(event):\n " + "\n ".join(body), names)
    writer: LineWriter = names["write"]
    return writer


@cache
def _instance_texts(names: tuple[str, ...], is_required: bool) -> Callable[[InstanceId], str]:
    """Give what writes the members that an instance's name is spread out to: several events have the same."""
    body = ["text = ''"]
    for name in names:
        value = "str(instance)" if name == "key" else f"instance.{name}"
        written = f"text += {f',{chr(34)}{name}{chr(34)}:'!r} + quote({value})"
        body.append(written if is_required or name == "key" else f"if {value}: {written}")
    body.append("return text")
    found: dict[str, Any] = {"quote": _quote}
    exec("def text_of(instance):\n " + "\n ".join(body), found)
    text_of: Callable[[InstanceId], str] = lru_cache(8192)(found["text_of"])
    return text_of
