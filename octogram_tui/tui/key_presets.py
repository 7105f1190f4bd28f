"""Keys as other programs have them: what each preset changes in the table of actions."""

from __future__ import annotations

import difflib

from octogram_tui.errors import SettingsError

DEFAULT = "default"

PRESETS: dict[str, dict[str, str]] = {
    DEFAULT: {},
    # F5, F6, F9, F10 and F11 as in its debugger, F8 as from problem to problem, F1 for every command.
    # Most terminals send F23 for shift+F11, and F17 for shift+F5.
    "vscode": {
        "pause or go": "f6 space",
        "continue": "f5 c",
        "step over": "f10 n",
        "step into": "f11 s",
        "step out": "shift+f11 f23 o",
        "breakpoint": "f9 b",
        "first failure": "f8 exclamation_mark",
        "stop": "shift+f5 f17",
        "find": "ctrl+f slash",
        "palette": "f1 ctrl+p colon",
        "help": "question_mark",
        "page down": "pagedown",
        "page up": "pageup",
    },
    # c, n, s, u and b are its own; p for a variable's value, i for what this is, ctrl+d to leave.
    "gdb": {
        "edit variable": "p",
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
