"""Reads a file of settings, the user's or a project's: which keys it has, and in which line each stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from octogram_tui.errors import SettingsError


class Entry(NamedTuple):
    """What a file says for one key. line: 1-based, 0 where it is not found."""

    value: Any
    line: int


def read(path: Path) -> dict[str, Entry]:
    """Give what a file sets, nothing for one that is not there. Raises SettingsError for one that cannot be read."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: byte {error.start}") from error
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error
    return {key: Entry(value, _line_of(text, key)) for key, value in table.items()}


def place(path: Path, line: int) -> str:
    """Name a place in a file."""
    return f"{path}:{line}" if line else str(path)


def unknown(where: str, key: str, known: Iterable[str]) -> SettingsError:
    """Refuse a key that there is not, with the one that is nearest."""
    from difflib import get_close_matches

    names = list(known)
    close = get_close_matches(key, names, 1)
    return SettingsError(
        f"{where}: there is no setting {key!r}",
        hint=f"did you mean {close[0]!r}?" if close else f"settings: {', '.join(names)}",
    )


def _line_of(text: str, key: str) -> int:
    # The reader of TOML tells no lines. A key stands at the beginning of one, as a table's name or before its `=`.
    name = re.escape(key)
    found = re.search(rf"^[ \t]*\[*[ \t]*([\"']?){name}\1[ \t]*[\].=]", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 0
