"""How well a colour is read on another, as WCAG computes it."""

from __future__ import annotations

from functools import lru_cache

from rich.color_triplet import ColorTriplet

LEAST_CONTRAST = 3.5
"""A little above what WCAG asks of large text and of signs (3), so that it holds below a dialog too."""


@lru_cache(512)
def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """The ratio of two colours as WCAG computes it, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
