"""What an action of the console is: keymap.py has the table of all of them."""

from __future__ import annotations

from typing import NamedTuple

from octogram_tui.runtime import verbs

NO_KEY = "no-key"
"""Stands where an action has no keys: no terminal sends it, and the library takes an empty text for unset."""


class Action(NamedTuple):
    """One thing that the operator can do here.

    keys    by default, as the library names them, with commas between; people may give it others (live_keys.py)
    call    what Textual calls
    where   the pane that takes the key (`log`), `list` for each of them; empty: the screen, whatever has the focus
    help    what it does; left empty where the one verb that it becomes says it
    short   the word in the footer, with its rank there (0: not shown)
    verbs   what it may ask of the run
    """

    name: str
    keys: str
    call: str
    group: str
    help: str = ""
    short: str = ""
    rank: int = 0
    where: str = ""
    verbs: tuple[str, ...] = ()

    @property
    def needs_control(self) -> bool:
        """Whether who only watches cannot do it."""
        return any(verbs.VERBS[name].needs_control for name in self.verbs)

    @property
    def default_keys(self) -> tuple[str, ...]:
        """Its keys, where nobody gave it others."""
        return tuple(self.keys.split(",")) if self.keys else ()

    @property
    def binding_id(self) -> str:
        """What the library knows its keys by."""
        return f"{self.where or 'run'}.{self.name}"

    @property
    def says(self) -> str:
        """What it does, in a line."""
        return self.help or verbs.VERBS[self.verbs[0]].help
