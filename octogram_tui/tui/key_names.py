"""How keys are written: as people type them in a file, as the library names them, and as the screen shows them."""

from __future__ import annotations

import difflib
import string
import unicodedata

from textual.keys import KEY_NAME_REPLACEMENTS

NAMED = (
    "space enter escape tab backspace delete insert home end pageup pagedown up down left right".split()
    + [f"f{number}" for number in range(1, 25)]
)  # fmt: skip
OTHER_NAMES = {
    "esc": "escape", "return": "enter", "ret": "enter", "spc": "space", "bs": "backspace", "bksp": "backspace",
    "del": "delete", "ins": "insert", "pgup": "pageup", "pgdn": "pagedown", "pgdown": "pagedown", "control": "ctrl",
}  # fmt: skip
LETTERS = {"C-": "ctrl", "A-": "alt", "S-": "shift"}
MODIFIERS = ("ctrl", "alt", "shift")
SAME_IN_A_TERMINAL = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+j": "enter", "ctrl+h": "backspace"}
"""What most terminals send for these is what the other key sends."""

SHOWN = {
    "space": "Spc", "escape": "Esc", "enter": "Ret", "tab": "Tab", "pagedown": "PgDn", "pageup": "PgUp",
    "down": "Down", "up": "Up", "left": "Left", "right": "Right", "home": "Home", "end": "End",
    "backspace": "BkSp", "delete": "Del", "insert": "Ins",
}  # fmt: skip


def read_key(written: str) -> str:
    """Turn a key as people write it (`ctrl+s`, `F8`, `?`, `PgDn`) into the library's name.

    Raises ValueError that says what is wrong, and what may have been meant.
    """
    *before, last = _split(written)
    modifiers = {OTHER_NAMES.get(word.lower(), word.lower()) for word in before}
    for word in sorted(modifiers - set(MODIFIERS)):
        raise ValueError(f"{written!r}: {word!r} is none of {', '.join(MODIFIERS)}")
    name = _read_plain(last, written)
    if "shift" in modifiers and len(name) == 1 and name.isalpha():
        if "ctrl" in modifiers:
            raise ValueError(f"{written!r} is the same as ctrl+{name.lower()} in most terminals")
        modifiers.discard("shift")
        name = name.upper()
    if "ctrl" in modifiers and len(name) == 1:
        name = name.lower()
    key = "+".join([*(word for word in MODIFIERS if word in modifiers), name])
    if key in SAME_IN_A_TERMINAL:
        raise ValueError(f"{written!r} is the same as {SAME_IN_A_TERMINAL[key]} in most terminals")
    return key


def _split(written: str) -> list[str]:
    """Take modifiers from the key: `ctrl+s`, and also as the screen writes it, `^S`, `C-s`."""
    if len(written) == 2 and written[0] == "^":
        return ["ctrl", written[1]]
    words = []
    while len(written) > 2 and written[:2] in LETTERS:
        words.append(LETTERS[written[:2]])
        written = written[2:]
    head, plus, last = written.rpartition("+")
    if plus and not last:  # the key itself is a plus
        head, last = head.removesuffix("+"), "+"
    return [*words, *(head.split("+") if head else ()), last]


def _read_plain(last: str, written: str) -> str:
    if len(last) == 1 and last.isprintable():
        return name_of(last)
    lowered = OTHER_NAMES.get(last.lower(), last.lower())
    if lowered in NAMED or lowered in CHARACTERS:
        return lowered
    close = difflib.get_close_matches(lowered, [*NAMED, *OTHER_NAMES], 1)
    meant = f": did you mean {OTHER_NAMES.get(close[0], close[0])!r}?" if close else ""
    raise ValueError(f"there is no key {written!r}{meant}")


def name_of(character: str) -> str:
    """Give the library's name of the key of a character."""
    if character == " ":
        return "space"
    if character.isalnum():
        return character
    try:
        name = unicodedata.name(character).lower().replace("-", "_").replace(" ", "_")
    except ValueError:
        return character
    return KEY_NAME_REPLACEMENTS.get(name, name)


CHARACTERS = {name_of(character): character for character in string.punctuation}


def shown(key: str) -> str:
    """Write a key as the screen shows it: few cells, and ASCII only."""
    *modifiers, name = key.split("+")
    text = SHOWN.get(name) or (name.upper() if name in NAMED else CHARACTERS.get(name, name))
    if modifiers == ["ctrl"] and len(text) == 1:
        return f"^{text.upper()}"
    letters = {word: letter for letter, word in LETTERS.items()}
    return "".join(letters[word] for word in modifiers) + text
