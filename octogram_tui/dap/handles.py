"""Values that a client may unfold, by number: each knows what it holds, what that is called, and how it is set."""

from __future__ import annotations

import json
import math
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NoReturn

from octogram_tui.cuts import beginning
from octogram_tui.dap.messages import RequestFailed
from octogram_tui.projection.text import safe

MOST_HANDLES = 50_000
"""The oldest are forgotten: who unfolds so much has long let go of them."""
MOST_CHILDREN = 1_000
"""So many are shown at one place; those behind them stand in a place of their own."""
SHOWN_CHARACTERS = 2_000
SHORT_CHARACTERS = 60
SHORT_ENTRIES = 8

_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")

Key = str | int
Setting = Callable[[tuple[Key, ...], Any], Awaitable[None]]
"""Sets what is at a path to a value. Raises RequestFailed."""


class Place:
    """Something with parts: a map or a list of a value, or a scope that is read when somebody looks.

    What was set is seen when a place is unfolded again, by the number that it has: each reads itself anew from the
    scope that it is in.

    path      from the value that it is part of
    name      how an expression names it; empty where none does
    setting   sets a part, None where nothing can be set
    watched   whether its parts are variables of the run, of which a change can be waited for
    """

    def __init__(
        self,
        value: dict[Any, Any] | list[Any] | Callable[[], Awaitable[Any]],
        *,
        path: tuple[Key, ...] = (),
        name: str = "",
        setting: Setting | None = None,
        watched: bool = False,
        first: int = 0,
    ) -> None:
        self._value = value
        self._of: tuple[Place, Key] | None = None  # the place that this is a part of, and which
        self._is_stale = False
        self.path = path
        self.name = name
        self.setting = setting
        self.watched = watched
        self.first = first  # the children before it stand elsewhere

    async def children(self, *, is_whole: bool = False) -> list[tuple[Key, Any]]:
        """Give the parts, in order. is_whole: those too that stand in a place before this one."""
        value = await self._read()
        pairs: Iterable[tuple[Key, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        return list(pairs)[0 if is_whole else self.first :]

    async def _read(self) -> dict[Any, Any] | list[Any]:
        if self._is_stale and self._of is not None:
            whole, key = self._of
            found = dict(await whole.children(is_whole=True)).get(key)
            if not isinstance(found, (dict, list)):
                raise RequestFailed("this is not there any more: look again")
            self._value, self._is_stale = found, False
        return self._value if isinstance(self._value, (dict, list)) else await self._value()

    def become_stale(self) -> None:
        """Something that is shown here may have been set."""
        self._is_stale = True

    async def named(self, name: str) -> tuple[Key, Any]:
        """Find the part that is shown by a name. Raises RequestFailed, also where two are shown by the same."""
        found = [(key, value) for key, value in await self.children() if shown_name(key) == name]
        if len(found) == 1:
            return found[0]
        if found:
            raise RequestFailed(f"{len(found)} are shown as {safe(name, limit=80)}: set it in the debug console")
        raise RequestFailed(f"there is no {safe(name, limit=80)} here")

    def part(self, key: Key, value: Any) -> Place:
        """Give a part that has parts itself."""
        part = Place(value, path=(*self.path, key), name=self.expression(key), setting=self.setting)
        part._of = self, key
        return part

    def expression(self, key: Key) -> str:
        """Write the expression that gives a part; empty where none does."""
        if not self.name:
            return ""
        if self.name == "*":  # a part is a name by itself
            return key if isinstance(key, str) and _WORD.fullmatch(key) else ""
        if isinstance(key, str) and _WORD.fullmatch(key):
            return f"{self.name}.{key}"
        return f"{self.name}[{json.dumps(key)}]"

    def rest(self, count: int) -> Place:
        """Give what comes after so many parts."""
        rest = Place(
            self._value, path=self.path, name=self.name, setting=self.setting, watched=self.watched,
            first=self.first + count,
        )  # fmt: skip
        rest._of = self._of
        return rest


class Handles:
    """The places that were shown, by number. Those of an agent are forgotten when it goes on."""

    def __init__(self) -> None:
        self._places: OrderedDict[int, tuple[str, Place]] = OrderedDict()
        self._last = 0

    def add(self, agent: str, place: Place) -> int:
        """Give the number of a place. agent: whose stack it was shown for, empty for what is the run's."""
        self._last += 1
        self._places[self._last] = (agent, place)
        if len(self._places) > MOST_HANDLES:
            self._places.popitem(last=False)
        return self._last

    def find(self, number: int) -> tuple[str, Place]:
        """Give the agent and the place. Raises RequestFailed."""
        found = self._places.get(number)
        if found is None:
            raise RequestFailed("what is asked for was shown before the run went on: ask for the scopes again")
        return found

    def forget(self, agents: Iterable[str]) -> None:
        """Let go of what was shown for agents, and of what is the run's."""
        gone = {*agents, ""}
        for number in [number for number, (agent, _) in self._places.items() if agent in gone]:
            del self._places[number]

    def refresh(self) -> None:
        """Have all that is shown read itself anew when it is looked at: something was set."""
        for _, place in self._places.values():
            place.become_stale()

    def shown(self, agent: str, value: Any, place: Place | None) -> dict[str, Any]:
        """Write a value as the protocol has it: value, type, and the number by which it is unfolded.

        place: as it is to be unfolded, if it has parts
        """
        told: dict[str, Any] = {"value": text_of(value), "type": type_of(value), "variablesReference": 0}
        if isinstance(value, (dict, list)) and value and place is not None:
            told["variablesReference"] = self.add(agent, place)
            told["indexedVariables" if isinstance(value, list) else "namedVariables"] = len(value)
        return told


def shown_name(key: Key) -> str:
    """Write the name of a part as it is shown."""
    return str(key) if isinstance(key, int) else safe(key, limit=SHOWN_CHARACTERS)


def type_of(value: Any) -> str:
    """Name the type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "list"
    return "map"


def text_of(value: Any) -> str:
    """Write a value on one line, as JSON; of what has parts the beginning."""
    if isinstance(value, dict):
        entries = [f"{_short(name)}: {_short(each)}" for name, each in list(value.items())[:SHORT_ENTRIES]]
        return _around(entries, len(value), "{}")
    if isinstance(value, list):
        return _around([_short(each) for each in value[:SHORT_ENTRIES]], len(value), "[]")
    return safe(_scalar(value, SHOWN_CHARACTERS), limit=SHOWN_CHARACTERS)


def _around(entries: list[str], count: int, brackets: str) -> str:
    more = [f"… {count} in all"] if count > len(entries) else []
    return safe(f"{brackets[0]}{', '.join([*entries, *more])}{brackets[1]}", limit=SHOWN_CHARACTERS)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return "[…]" if value else "[]"
    return _scalar(value, SHORT_CHARACTERS)


def _scalar(value: Any, most: int) -> str:
    return json.dumps(beginning(value, most) if isinstance(value, str) else value, ensure_ascii=False, default=str)


def value_of(text: str) -> Any:
    """Read what somebody typed for a value: JSON; what is not JSON is a text as it stands. Raises RequestFailed."""
    try:
        found = json.loads(text, parse_constant=_no_value)
    except RecursionError:
        raise RequestFailed("a value is nested too deep") from None
    except ValueError:
        return text
    return text if isinstance(found, float) and not math.isfinite(found) else found


def _no_value(_: str) -> NoReturn:
    raise ValueError


def with_part(value: Any, path: tuple[Key, ...], new: Any) -> Any:
    """Give a value with another part at a path. Raises RequestFailed when there is no such part any more."""
    if not path:
        return new
    key, rest = path[0], path[1:]
    try:
        if isinstance(value, dict):
            return {**value, key: with_part(value[key] if rest else None, rest, new)}
        if isinstance(value, list) and isinstance(key, int):
            return [*value[:key], with_part(value[key], rest, new), *value[key + 1 :]]
    except (KeyError, IndexError):
        pass
    raise RequestFailed("what is to be set is not there any more: look again")
