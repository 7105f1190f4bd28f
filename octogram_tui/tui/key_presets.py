"""Keys as other programs have them: what each preset changes in the table of actions."""

from __future__ import annotations

import difflib

from octogram_tui.errors import SettingsError

DEFAULT = "default"

PRESETS: dict[str, dict[str, str]] = {
    DEFAULT: {},
    # F5, F6 and F10 as in its debugger, F8 as from problem to problem, F1 for every command.
    "vscode": {
        "pause or go": "f5 f6 space",
        "step": "f10 n",
        "first failure": "f8 exclamation_mark",
        "stop": "shift+f5",
        "find": "ctrl+f slash",
        "palette": "f1 ctrl+p colon",
        "help": "question_mark",
        "page down": "pagedown",
        "page up": "pageup",
    },
    # c, n and s, p for a variable's value, i for what this is, ctrl+d to leave.
    "gdb": {
        "pause or go": "c space",
        "step": "n s",
        "edit variable": "p e",
        "pin log": "P",
        "about": "i",
        "leave": "q ctrl+d",
    },
    "nohjkl": {"down": "down", "up": "up", "fold": "left", "unfold": "right"},
}
"""By preset and action, all its keys with a space between, named as the library names them."""


def preset(name: str) -> dict[str, tuple[str, ...]]:
    """Give what a preset changes. Raises SettingsError that says which there are."""
    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, 1)
        meant = f"did you mean {close[0]!r}? " if close else ""
        raise SettingsError(f"there are no keys {name!r}", hint=f"{meant}keys: {', '.join(PRESETS)}")
    return {action: tuple(keys.split()) for action, keys in PRESETS[name].items()}
