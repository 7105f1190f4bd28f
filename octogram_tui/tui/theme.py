"""Reads palettes (*.toml): ours of themes/, and the user's, which stand on one of ours and change what they name."""

from __future__ import annotations

import difflib
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.errors import StyleSyntaxError
from rich.style import Style
from textual.theme import Theme

from octogram_tui.errors import SettingsError
from octogram_tui.resources import themes_dir

DEFAULT = "dark"
WITHOUT_COLOUR = "no-colour"
FEW_COLOURS = "terminal"
STYLESHEET = "console.tcss"
_COLOUR = re.compile("#[0-9a-fA-F]{6}")
_ANSI = re.compile("ansi_(default|(bright_)?(black|red|green|yellow|blue|magenta|cyan|white))")
TABLES = ("tokens", "variables", "styles")


class Palette(NamedTuple):
    """A palette: the theme for Textual, and by name the styles of our own lines.

    grounds     by name, what lines stand on that have no ground of their own
    complaints  what is hard to read in it; of ours nothing is
    """

    name: str
    title: str
    theme: Theme
    styles: dict[str, Style]
    grounds: dict[str, str]
    complaints: tuple[str, ...] = ()


def names(config_dir: Path | None = None) -> list[str]:
    """List the palettes that there are; a user's of the same name stands for ours."""
    own = config_dir.glob("themes/*.toml") if config_dir else ()
    return sorted({path.stem for path in (*themes_dir().glob("*.toml"), *own)})


@lru_cache
def palette(name: str, config_dir: Path | None = None) -> Palette:
    """Read one palette. Raises SettingsError that says which there are, or names the file, the key and the fault."""
    path = config_dir / "themes" / f"{name}.toml" if config_dir else None
    if path is not None and "/" not in name and path.is_file():
        return _made(name, _users(path))
    if name not in names():
        known = names(config_dir)
        close = difflib.get_close_matches(name, known, 1)
        meant = f"did you mean {close[0]!r}? " if close else ""
        raise SettingsError(f"there is no theme {name!r}", hint=f"{meant}themes: {', '.join(known)}")
    return _made(name, _ours(name))


def stylesheet() -> Path:
    """Give the path of the console's layout."""
    return themes_dir() / STYLESHEET


def default() -> str:
    """Name the palette for whoever chose none: ours, or the terminal's own colours where it has sixteen or none.

    The nearest of sixteen to two of ours may be one and the same.
    """
    return DEFAULT if Console(force_terminal=True).color_system in ("256", "truecolor") else FEW_COLOURS


def _ours(name: str) -> dict[str, Any]:
    return tomllib.loads((themes_dir() / f"{name}.toml").read_text("utf-8"))


def _users(path: Path) -> dict[str, Any]:
    """Put a user's palette over the one that it names as its base."""
    try:
        given = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error
    base = given.pop("base", DEFAULT)
    if base not in names():
        raise SettingsError(f"{path}: base: there is no theme {base!r}", hint=f"themes: {', '.join(names())}")
    whole: dict[str, Any] = {**_ours(base), "title": path.stem}
    for key, value in given.items():
        _check_known(key, ("base", "title", "dark", *TABLES), f"{path}")
        kind: type = dict if key in TABLES else bool if key == "dark" else str
        if not isinstance(value, kind):
            raise SettingsError(f"{path}: {key}: {value!r} is not {'a table' if kind is dict else kind.__name__}")
        whole[key] = {**whole[key], **_checked(key, given[key], whole, path)} if key in TABLES else value
    return whole


def _checked(table: str, given: dict[str, Any], whole: dict[str, Any], path: Path) -> dict[str, str]:
    for key, value in given.items():
        where = f"{path}: {table}.{key}"
        _check_known(key, whole[table], f"{path}: {table}")
        if table == "styles":
            try:
                Style.parse(value)
            except (StyleSyntaxError, TypeError, AttributeError) as error:
                raise SettingsError(
                    f"{where}: {value!r} is no style", hint='as in "bold #56b4e9 on #111317"'
                ) from error
        elif not isinstance(value, str) or not (_ANSI if whole.get("ansi") else _COLOUR).fullmatch(value):
            hint = (
                'as in "ansi_blue": the base has the terminal\'s own colours'
                if whole.get("ansi")
                else 'as in "#56b4e9"'
            )
            raise SettingsError(f"{where}: {value!r} is no colour", hint=hint)
    return given


def _check_known(key: str, known: Any, where: str) -> None:
    if key not in known:
        close = difflib.get_close_matches(key, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
        raise SettingsError(f"{where}: there is no {key!r}", hint=hint)


def _made(name: str, table: dict[str, Any]) -> Palette:
    from octogram_tui.tui.theme_contrast import complaints

    theme = Theme(
        name=name,
        dark=table["dark"],
        ansi=table.get("ansi", False),
        variables=table["variables"],
        **table["tokens"],
    )
    tokens = table["tokens"]
    styles = {key: Style.parse(text) for key, text in table["styles"].items()}
    lines = {name: table["variables"][name].removeprefix("ansi_") for name in ("edge", "edge-focus")}
    titles = {"title": tokens["secondary"].removeprefix("ansi_"), "title-focus": f"bold {lines['edge-focus']}"}
    drawn = {key: Style.parse(text) for key, text in (lines | titles).items()} | styles
    grounds = {
        "the background": tokens["background"],
        "a dialog": tokens["surface"],
        "a bar": table["variables"]["bar"],
        "a panel": tokens["panel"],
    }
    found = () if theme.ansi else tuple(complaints(styles, tokens["foreground"], grounds))
    return Palette(name, table["title"], theme, drawn, grounds, found)
