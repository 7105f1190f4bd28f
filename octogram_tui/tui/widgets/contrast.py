"""How well a colour is read on another, as WCAG computes it."""

from __future__ import annotations

from functools import lru_cache

from rich.color_triplet import ColorTriplet

LEAST_CONTRAST = 3.5
"""A little above what WCAG asks of large text and of signs (3), so that it holds below a dialog too."""

TEXT_CONTRAST = 4.8
"""A little above what it asks of text (4.5): palettes of 256 colours have not all of ours."""


@lru_cache(512)
def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """The ratio of two colours as WCAG computes it, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@lru_cache(512)
def readable(ink: ColorTriplet, ground: ColorTriplet) -> ColorTriplet:
    """Give the ink, or one of its hue that is lighter, or darker, and can be read as text on the ground."""
    if contrast(ink, ground) >= TEXT_CONTRAST:
        return ink
    end = max((ColorTriplet(0, 0, 0), ColorTriplet(255, 255, 255)), key=lambda one: contrast(one, ground))
    for tenths in range(1, 10):
        nearer = ColorTriplet(*(round(of + (to - of) * tenths / 10) for of, to in zip(ink, end, strict=True)))
        if contrast(nearer, ground) >= TEXT_CONTRAST:
            return nearer
    return end
