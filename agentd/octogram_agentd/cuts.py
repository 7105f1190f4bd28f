"""Cuts texts for messages: where something is missing there is a `…`, which also tells who masks secrets to look.

A secret that is cut off without a sign is neither the secret nor marked as a part of one, and so would be shown.
Whoever quotes cuts first: the sign stands inside of the quotation.
"""

from __future__ import annotations

SIGN = "…"


def beginning(text: str, most: int) -> str:
    """Give the first characters of a text, the sign among them where it is longer than `most`."""
    return text if len(text) <= most else text[: most - 1] + SIGN


def ending(text: str, most: int) -> str:
    """Give the last characters of a text, the sign among them where it is longer than `most`."""
    return text if len(text) <= most else SIGN + text[len(text) - most + 1 :]


def ends(text: str, most: int) -> str:
    """Give both ends of a text, the sign between them where it is longer than `most`."""
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return text[:half] + SIGN + text[len(text) - half :]


def quoted(value: object, most: int) -> str:
    """Give any value as Python writes it; of a text, of `most` characters before its quotation marks and escapes."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return repr(beginning(value, most)) if isinstance(value, str) else beginning(repr(value), most)
