"""Cuts texts for messages: where something is missing there is a `…`, which also tells a masker of secrets to look.

A secret that is cut off without a sign is neither the secret nor marked as a part of one, and so would be shown.
Whoever quotes cuts first: the sign stands inside of the quotation. Imports nothing, so that every layer may use it.
"""

from __future__ import annotations

SIGN = "…"
_SIGN = SIGN.encode()


def beginning(text: str, most: int) -> str:
    """Give the first characters of a text, the sign among them where it is longer than `most`."""
    return text if len(text) <= most else text[: most - 1] + SIGN


def ending(text: str, most: int) -> str:
    """Give the last characters of a text, the sign among them where it is longer than `most`."""
    return text if len(text) <= most else SIGN + text[len(text) - most + 1 :]


def ending_bytes(data: bytes | bytearray, most: int) -> bytes:
    """Do the same for what is decoded later; the sign is followed by a whole character."""
    if len(data) <= most:
        return bytes(data)
    kept = bytes(data[len(data) - most + len(_SIGN) :])
    first = next((at for at, byte in enumerate(kept[:4]) if byte & 0xC0 != 0x80), len(kept[:4]))
    return _SIGN + kept[first:]


def quoted(value: object, most: int) -> str:
    """Give any value as Python writes it; of a text, of `most` characters before its quotation marks and escapes."""
    if isinstance(value, bytes | bytearray):
        value = value.decode("utf-8", "replace")
    return repr(beginning(value, most)) if isinstance(value, str) else beginning(repr(value), most)
