"""Which keys do what now: those of the table of actions, of a preset, and of the user's file, one over the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from octogram_tui.tui.key_names import shown
from octogram_tui.tui.keymap import ACTIONS, NO_KEY, Action

FIXED = {"ctrl+c": "stop", "ctrl+z": "suspend"}
"""What most terminals make a signal of, and so means the same whatever the keys are."""

BY_NAME = {action.name: action for action in ACTIONS}


class Clash(NamedTuple):
    """A key that two actions claim in one place."""

    key: str
    one: str
    other: str


class Keys:
    """The keys of every action, by its name. `changed` are those that are not the table's."""

    def __init__(self, changed: Mapping[str, tuple[str, ...]] | None = None, *, preset: str = "default") -> None:
        self.preset = preset
        changed = changed or {}
        self._keys = {action.name: changed.get(action.name, action.default_keys) for action in ACTIONS}
        for key, name in FIXED.items():
            if name in self._keys and key not in self._keys[name]:
                self._keys[name] = (*self._keys[name], key)

    def of(self, name: str) -> tuple[str, ...]:
        """Give the keys of an action, as the library names them."""
        return self._keys[name]

    def names(self, name: str) -> list[str]:
        """Give the keys of an action, as people read them."""
        return [shown(key) for key in self._keys[name]]

    def name(self, name: str) -> str:
        """Give the first key of an action as people read it; empty where it has none."""
        return next(iter(self.names(name)), "")

    def here(self, name: str, pane: str) -> list[str]:
        """Give the keys of an action that do it in a pane, as people read them: what the pane takes itself is not."""
        if BY_NAME[name].where:
            return self.names(name)
        own = {key for action in ACTIONS if action.where == pane for key in self._keys[action.name]}
        return [shown(key) for key in self._keys[name] if key not in own]

    def for_textual(self) -> dict[str, str]:
        """Give what App.set_keymap takes: all of it, since what is left out would keep the table's keys."""
        return {action.binding_id: ",".join(self._keys[action.name]) or NO_KEY for action in ACTIONS}

    def clashes(self) -> list[Clash]:
        """Find every key that two actions claim in one place, of which one would never be done."""
        found = []
        for number, one in enumerate(ACTIONS):
            for other in ACTIONS[number + 1 :]:
                if _meet(one, other):
                    found += [
                        Clash(key, one.name, other.name) for key in self.of(one.name) if key in self.of(other.name)
                    ]
        return found


def _meet(one: Action, other: Action) -> bool:
    """Whether two actions are for one place. A pane's own go before what holds everywhere, as `n` in the log does."""
    places = {one.where, other.where}
    return len(places) == 1 or "list" in places
