"""Reads the user's own keys: keys.toml in the configuration directory, over a preset.

preset = "gdb"
step-over = "n F8"
first-failure = ["!", "ctrl+n"]
skip = ""                        # no key: the palette still has it
"""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

from octogram_tui.errors import SettingsError
from octogram_tui.tui.key_names import read_key, shown
from octogram_tui.tui.key_presets import DEFAULT, PRESETS, preset
from octogram_tui.tui.keymap import ACTIONS
from octogram_tui.tui.live_keys import BY_NAME, FIXED, Keys

FILE = "keys.toml"
FORMER = {"step": "it is two now: 'step-over', to the end of the row, and 'step-into', one attempt"}
"""What became of actions that had another name, in files that were written then."""


def load_keys(config_dir: Path | None, chosen: str = "") -> Keys:
    """Put the user's file over a preset: the one that is `chosen`, else the file's own, else the default.

    Raises SettingsError that names the file, the line and what to write instead: a key that does not do what its owner
    believes is worse than a console that does not open.
    """
    path = config_dir / FILE if config_dir else None
    text, table = _read(path) if path else ("", {})
    base = table.pop("preset", DEFAULT)
    if not isinstance(base, str):
        raise SettingsError(f"{path}: preset: {base!r} is not a text", hint="the name of a preset")
    try:
        changed = preset(chosen or base)
    except SettingsError as error:
        raise error if chosen else SettingsError(f"{_at(path, text, 'preset')}: {error}", hint=error.hint) from error
    for written, value in table.items():
        where = _at(path, text, written)
        changed[_action(written, where)] = _keys(value, where)
    keys = Keys(changed, preset=chosen or base)
    for clash in keys.clashes():
        mine = [name for name in (clash.one, clash.other) if {name, _dashed(name)} & table.keys()]
        where = _at(path, text, mine[0]) if mine else f"keys {keys.preset!r}"
        other = clash.other if mine[:1] == [clash.one] else clash.one
        raise SettingsError(
            f"{where}: {shown(clash.key)} is the key of {clash.one!r} and of {clash.other!r}",
            hint=f'give {_dashed(other)} another key there too: {_dashed(other)} = "..."',
        )
    return keys


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_bytes().decode()
        return text, tomllib.loads(text)
    except FileNotFoundError:
        return "", {}
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error


def _dashed(name: str) -> str:
    return name.replace(" ", "-")


def _at(path: Path | None, text: str, key: str) -> str:
    """Name the place of a key of the file: the file and, where it can be found, the line."""
    pattern = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
    spellings = {key, _dashed(key)}
    for number, line in enumerate(text.splitlines(), 1):
        name = line.partition("=")[0].strip().strip("\"'")
        if pattern.match(line) or name in spellings:
            return f"{path}:{number}"
    return str(path)


def _action(written: str, where: str) -> str:
    name = written.replace("-", " ").replace("_", " ")
    if name not in BY_NAME:
        longer = [each for each in BY_NAME if each.startswith(f"{name} ")]
        close = longer or difflib.get_close_matches(name, BY_NAME, 1)
        raise SettingsError(
            f"{where}: there is no action {written!r}",
            hint=FORMER.get(name)
            or (f"did you mean {_dashed(close[0])!r}?" if close else "the help (?) names every action"),
        )
    return name


def _keys(value: Any, where: str) -> tuple[str, ...]:
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise SettingsError(f"{where}: {value!r} is not a text of keys, or a list of them", hint='as in "n F8"')
    try:
        keys = tuple(dict.fromkeys(read_key(word) for word in words))
    except ValueError as error:
        raise SettingsError(f"{where}: {error}", hint="keys are written as n, N, F8, space, ctrl+s, PgDn") from error
    for key in keys:
        if key in FIXED:
            raise SettingsError(
                f"{where}: {shown(key)} always means {FIXED[key]!r}",
                hint="most terminals make a signal of it; take another key",
            )
    return keys


def template(keys: Keys) -> str:
    """Write a file that changes nothing: every action with its keys, each behind a `#`."""
    lines = [
        "# The keys of the console: take the # away before what you want otherwise.",
        f"# presets: {', '.join(PRESETS)}; keys are written as n, N, F8, space, ctrl+s, PgDn.",
        f'# preset = "{keys.preset}"',
    ]
    group = ""
    for action in ACTIONS:
        if action.group != group:
            group = action.group
            lines += ["", f"# {group}"]
        written = " ".join(key for key in keys.of(action.name) if key not in FIXED)
        lines.append(f'# {_dashed(action.name)} = "{written}"'.ljust(44) + f"  # {action.says}")
    return "\n".join(lines) + "\n"
