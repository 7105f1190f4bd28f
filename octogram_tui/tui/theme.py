"""Reads themes/: palettes (*.toml) become Textual themes and styles for the lines that we draw ourselves."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.style import Style
from textual.theme import Theme

from octogram_tui.errors import SettingsError
from octogram_tui.resources import themes_dir

DEFAULT = "dark"
WITHOUT_COLOUR = "no-colour"
FEW_COLOURS = "terminal"
STYLESHEET = "console.tcss"


class Palette(NamedTuple):
    """A palette: the theme for Textual, and by name the styles of our own lines."""

    name: str
    title: str
    theme: Theme
    styles: dict[str, Style]


def names() -> list[str]:
    """List the palettes that there are."""
    return sorted(path.stem for path in themes_dir().glob("*.toml"))


@lru_cache
def palette(name: str) -> Palette:
    """Read one palette. Raises SettingsError that says which there are."""
    path = themes_dir() / f"{name}.toml"
    if name not in names():
        raise SettingsError(f"there is no theme {name!r}", hint=f"themes: {', '.join(names())}")
    table = tomllib.loads(path.read_text("utf-8"))
    theme = Theme(
        name=name,
        dark=table["dark"],
        ansi=table.get("ansi", False),
        variables=table["variables"],
        **table["tokens"],
    )
    lines = {name: table["variables"][name].removeprefix("ansi_") for name in ("edge", "edge-focus")}
    title = table["tokens"]["secondary"].removeprefix("ansi_")
    titles = {"title": title, "title-focus": f"bold {lines['edge-focus']}"}
    styles = {key: Style.parse(text) for key, text in (lines | titles | table["styles"]).items()}
    return Palette(name, table["title"], theme, styles)


def stylesheet() -> Path:
    """Give the path of the console's layout."""
    return themes_dir() / STYLESHEET


def default() -> str:
    """Name the palette for whoever chose none: ours, or the terminal's own colours where it has sixteen or none.

    The nearest of sixteen to two of ours may be one and the same.
    """
    return DEFAULT if Console(force_terminal=True).color_system in ("256", "truecolor") else FEW_COLOURS
