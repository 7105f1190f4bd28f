"""Texts from outside as HTML: escaped, with every character made visible, and of what colours them the colours only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from octogram_tui.cuts import beginning
from octogram_tui.export.bounds import VALUE_CHARACTERS
from octogram_tui.export.outputs import Line
from octogram_tui.projection.ansi import Ink, drawn
from octogram_tui.projection.text import visible
from octogram_tui.projection.value_text import block, stamp

_WEIGHTS = {"bold": "b", "dim": "d", "italic": "i", "underline": "u", "reverse": "v", "strike": "k"}
_PALETTE = (
    (0, 0, 0), (170, 0, 0), (0, 130, 0), (150, 110, 0), (0, 0, 200), (150, 0, 150), (0, 130, 150), (170, 170, 170),
    (100, 100, 100), (255, 80, 80), (80, 220, 80), (255, 230, 80), (90, 110, 255), (255, 90, 255), (80, 230, 255),
    (255, 255, 255),
)  # fmt: skip
"""The colours that have a class of style: a page that lets no style in has no others."""


def shown(value: Any) -> Any:
    """Make what a template writes safe to look at; that it is escaped as well, the template's environment sees to."""
    if isinstance(value, Markup):
        return value
    return visible(beginning(value, 2 * VALUE_CHARACTERS)) if isinstance(value, str) else value


def output_html(lines: Sequence[Line]) -> Markup:
    """Write lines of output, each an element with its time and its stream, the text with its colours."""
    return Markup("").join(_line_html(line) for line in lines)


def _line_html(line: Line) -> Markup:
    # Every part is escaped already, or a word of ours. What has colours is drawn, what has none is written as it is.
    words = (
        Markup("").join(_run_html(text, codes) for text, codes in drawn(line.text))
        if "\x1b" in line.text or "\r" in line.text or "\b" in line.text
        else escape(visible(line.text))
    )
    kind = "e" if line.stream == "stderr" else "o"
    return Markup(f'<span class="{kind}" data-t="{stamp(line.at_s)}">{words}\n</span>')


def _run_html(text: str, codes: str) -> Markup:
    names = _classes(codes) if codes else ""
    return Markup(f'<span class="{names}">{escape(text)}</span>') if names else escape(text)


@lru_cache(1024)
def _classes(codes: str) -> str:
    """Name the styles of a look."""
    ink = Ink().changed(codes)
    names = [_WEIGHTS[weight] for weight in sorted(ink.weights) if weight in _WEIGHTS]
    for letter, colour in (("f", ink.fore), ("g", ink.back)):
        if colour is not None:
            names.append(f"{letter}{_nearest(colour)}")
    return " ".join(names)


def _nearest(colour: int | tuple[int, int, int]) -> int:
    """Give the colour of the sixteen that is most like one."""
    if isinstance(colour, int):
        if colour < 16:
            return colour
        if colour >= 232:
            colour = (8 + 10 * (colour - 232),) * 3
        else:
            steps = (0, 95, 135, 175, 215, 255)
            colour = steps[(colour - 16) // 36], steps[(colour - 16) // 6 % 6], steps[(colour - 16) % 6]
    wanted = colour
    return min(range(16), key=lambda place: sum((a - b) ** 2 for a, b in zip(wanted, _PALETTE[place], strict=True)))


def value_text(value: Any) -> str:
    """Write a value over lines, and not all of a very long one."""
    if isinstance(value, str):
        text = value  # `visible` keeps its lines
    else:
        text = "\n".join(block(value))
    return text if len(text) <= VALUE_CHARACTERS else _cut(text)


def _cut(text: str) -> str:
    return f"{beginning(text, VALUE_CHARACTERS)}\n(cut: {len(text)} characters; the journal has them)"
