"""The variables of a run as they are at one moment: changing them gives others, and copies no map that grows.

`register` over items adds one entry after the other to a map, while jobs under way still see it as it was. So only
the latest state of such a map has its entries; each earlier one knows what came after it, and makes a copy when it is
asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final

from octogram_tui.model.values import Value


class Absent(Enum):
    """Stands for the value of a variable that is not there."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""What stands for a variable that does not exist."""


class Grown:
    """One state of a map that grows."""

    __slots__ = ("_entries", "_is_given", "_key", "_next", "_was", "size")

    def __init__(self, entries: dict[str, Value]) -> None:
        self._entries: dict[str, Value] | None = entries  # None: those of the next state, but for one
        self._is_given = False  # somebody has the entries: they change no more
        self._next: Grown | None = None
        self._key = ""
        self._was: Value | Absent = ABSENT
        self.size = len(entries)

    @classmethod
    def of(cls, value: object) -> Grown:
        """Give what a value is as such a map: an empty one where it is no map."""
        if isinstance(value, Grown):
            return value
        return cls(dict(value) if isinstance(value, dict) else {})

    def with_entry(self, key: str, value: Value) -> Grown:
        """Give the state with one entry more, or another one."""
        entries = self._entries
        if entries is None or self._is_given:
            return Grown({**self.value(), key: value})
        newer = Grown(entries)
        self._entries, self._next = None, newer
        self._key, self._was = key, entries.get(key, ABSENT)
        entries[key] = value
        newer.size = len(entries)
        return newer

    def entry(self, key: str) -> Value | Absent:
        """Give one entry."""
        state = self
        while state._entries is None:
            if state._key == key:
                return state._was
            assert state._next is not None
            state = state._next
        return state._entries.get(key, ABSENT)

    def value(self) -> dict[str, Value]:
        """Give the map, which nobody changes any more."""
        if self._entries is None:
            self._entries = self._copied()
            self._next, self._was = None, ABSENT
        self._is_given = True
        return self._entries

    def _copied(self) -> dict[str, Value]:
        undone = []
        state = self
        while state._entries is None:
            undone.append((state._key, state._was))
            assert state._next is not None
            state = state._next
        entries = dict(state._entries)
        for key, was in reversed(undone):
            if isinstance(was, Absent):
                del entries[key]
            else:
                entries[key] = was
        return entries


class Variables(Mapping[str, Value]):
    """All variables at one moment. Nothing of it changes."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values: dict[str, Value | Grown] = dict(values._values if isinstance(values, Variables) else values)

    def __getitem__(self, name: str) -> Value:
        value = self._values[name]
        return value.value() if isinstance(value, Grown) else value

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def held(self, name: str) -> object:
        """Give what stands for a value, to be compared with what stood for it: it is another one when that changed."""
        return self._values.get(name, ABSENT)

    def entry(self, name: str, key: str) -> Value | Absent:
        """Give one entry of a map."""
        value = self._values.get(name)
        if isinstance(value, Grown):
            return value.entry(key)
        return value.get(key, ABSENT) if isinstance(value, dict) else ABSENT

    def with_value(self, name: str, value: Value) -> Variables:
        """Give them with another value of one."""
        return self._with({**self._values, name: value})

    def with_entry(self, name: str, key: str, value: Value) -> tuple[Variables, int]:
        """Give them with an entry more in one that is a map, or becomes one; and how many entries that has then."""
        grown = Grown.of(self._values.get(name)).with_entry(key, value)
        return self._with({**self._values, name: grown}), grown.size

    def without(self, name: str) -> Variables:
        """Give them without one."""
        return self._with({known: value for known, value in self._values.items() if known != name})

    @staticmethod
    def _with(values: dict[str, Value | Grown]) -> Variables:
        made = Variables.__new__(Variables)
        made._values = values
        return made
