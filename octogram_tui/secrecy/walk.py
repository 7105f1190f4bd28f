"""Goes through a value of JSON and changes its texts; what holds nothing to change is given back itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Way(NamedTuple):
    """How texts are changed.

    is_plain: tells quickly of most that they stay. change: gives some that belong together as they are to be.
    number: gives what takes the place of a number whose text was changed; None where those stay as they are.
    """

    is_plain: Callable[[str], bool]
    change: Callable[[list[str]], list[str]]
    number: Callable[[str], str] | None = None


def walk(value: Any, way: Way) -> Any:
    """Give the value with its texts changed."""
    if isinstance(value, str):
        return value if way.is_plain(value) else _same_or(value, way.change([value])[0])
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        new = {walk(name, way): walk(each, way) for name, each in value.items()}
        is_same = all(a is b and new[a] is value[b] for a, b in zip(new, value, strict=False))
        return value if is_same and len(new) == len(value) else new
    if isinstance(value, list | tuple):
        return _sequence(value, way)
    if isinstance(value, int | float) and way.number is not None:
        text = repr(value)
        changed = way.change([text])[0]
        return value if changed == text else way.number(changed)
    return value


def _sequence(value: Any, way: Way) -> Any:
    new: list[Any]
    if len(value) > 1 and all(isinstance(each, str) for each in value):
        if way.is_plain("\n".join(value)) and all(map(way.is_plain, value)):
            return value
        new = way.change([*value])  # together: what is spread over them is found too
    else:
        new = [walk(each, way) for each in value]
    if all(a == b if isinstance(a, str) else a is b for a, b in zip(new, value, strict=True)):
        return value
    if isinstance(value, list):
        return new
    return value._make(new) if hasattr(value, "_make") else tuple(new)


def _same_or(text: str, changed: str) -> str:
    return text if changed == text else changed
