"""Base58check as Tezos uses it: addresses and hashes to bytes. Pure."""

from __future__ import annotations

import hashlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Tuple

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {letter: value for value, letter in enumerate(ALPHABET)}

PREFIXES: Dict[str, Tuple[bytes, int]] = {
    "sr1": (b"\x06\x7c\x75", 20),
    "KT1": (b"\x02\x5a\x79", 20),
    "tz1": (b"\x06\xa1\x9f", 20),
    "tz2": (b"\x06\xa1\xa1", 20),
    "tz3": (b"\x06\xa1\xa4", 20),
    "tz4": (b"\x06\xa1\xa6", 20),
    "tz5": (b"\x06\xa1\xa9", 20),
}
"""How a kind of text begins: the bytes in front of its payload, and the payload's size in bytes."""

PUBLIC_KEY_HASHES = ("tz1", "tz2", "tz3", "tz4", "tz5")


def payload(text: str) -> bytes:
    """Give the bytes that an address stands for, without prefix. Raises ValueError, saying why."""
    if text[:3] not in PREFIXES:
        raise ValueError("%r is no address that Tezos knows (sr1, KT1, tz1 ... tz5)" % text)
    prefix, size_bytes = PREFIXES[text[:3]]
    number = 0
    for letter in text:
        if letter not in _DIGITS:
            raise ValueError("%r holds %r, which base58 has not" % (text, letter))
        number = number * 58 + _DIGITS[letter]
    width = len(prefix) + size_bytes + 4
    if number.bit_length() > 8 * width:
        raise ValueError("%r is too long" % text)
    raw = number.to_bytes(width, "big")
    body, check = raw[:-4], raw[-4:]
    if hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] != check or not body.startswith(prefix):
        raise ValueError("%r is misspelt: its check sum does not fit" % text)
    return body[len(prefix) :]


def hex_address(text: str) -> str:
    """Give an address as lower-case hexadecimal, without prefix: 40 characters for sr1 and KT1."""
    return payload(text).hex()


def is_public_key_hash(text: str) -> bool:
    """Tell whether a text is a public key hash, rather than an alias."""
    if text[:3] not in PUBLIC_KEY_HASHES:
        return False
    try:
        payload(text)
    except ValueError:
        return False
    return True
