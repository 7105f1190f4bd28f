"""Reads a file of settings, the user's or a project's: which keys it has, and in which line each stands."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from octogram_tui.errors import SettingsError

MAX_BYTES = 1 << 16
"""More than anybody sets; a project's file may be anything, such as a name for /dev/zero."""


class Entry(NamedTuple):
    """What a file says for one key. line: 1-based, 0 where it is not found."""

    value: Any
    line: int


def read(path: Path) -> dict[str, Entry]:
    """Give what a file sets, nothing for one that is not there. Raises SettingsError for one that cannot be read."""
    try:
        text = _content(path).decode("utf-8-sig")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: byte {error.start}", hint="save it as UTF-8") from error
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number with too many digits
        raise SettingsError(f"{path} is not TOML: {error}", hint="write `key = value` lines") from error
    return {key: Entry(value, _line_of(text, key)) for key, value in table.items()}


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would have us wait for its writer
    with open(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise SettingsError(f"cannot read {path}: it is not a regular file")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise SettingsError(f"cannot read {path}: it has more than {MAX_BYTES >> 10} KiB")
    return content


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
    # The reader of TOML tells no lines. A key stands at the beginning of one, as a table's name or before its `=`; what
    # only looks like that, within a text of several lines, has before it what is no TOML by itself.
    name = re.escape(key)
    for found in re.finditer(rf"^[ \t]*\[*[ \t]*([\"']?){name}\1[ \t]*[\].=]", text, re.MULTILINE):
        before = text[: found.start()]
        try:
            if key not in tomllib.loads(before):
                return before.count("\n") + 1
        except (ValueError, RecursionError):
            continue
    return 0
