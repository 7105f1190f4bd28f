"""What is hard to read in a palette: every ink against every ground that it can stand on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.color import Color
from rich.style import Style

from octogram_tui.tui.widgets.contrast import contrast

TEXT = 4.5
"""What WCAG asks of text."""
MARKS = ("cursor", "cursor-idle", "banner-info", "banner-held", "banner-failed", "banner-ok", "fill-")
"""Styles that are a ground for others, whose inks give way to the plain one where they cannot be read on it."""


def complaints(styles: Mapping[str, Style], foreground: str, grounds: Mapping[str, str]) -> Iterator[str]:
    """Name each pair whose contrast is too low."""
    for name, style in styles.items():
        ink = style.color.name if style.color else foreground
        if style.bgcolor is not None:
            below = {"its own ground": style.bgcolor.name}
        elif name.startswith(MARKS):
            continue  # draws by other means than a ground
        else:
            below = dict(grounds)
        for place, ground in below.items():
            ratio = contrast(Color.parse(ink).get_truecolor(), Color.parse(ground).get_truecolor())
            if ratio < TEXT:
                yield f"{name} ({ink}) on {place} ({ground}) has a contrast of {ratio:.1f}, and needs {TEXT}"
