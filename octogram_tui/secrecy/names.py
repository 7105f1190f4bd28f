"""What a secret may be called, what stands for its value, and how its source is written in one text."""

from __future__ import annotations

import re

from octogram_tui.model.scenario import SecretKind, SecretSpec

KINDS: tuple[SecretKind, ...] = ("env", "file", "command", "keyring")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


SHORTEST = 6
"""Fewer signs than these are found all over in other texts, so such a value is known only where it stands alone."""
SHORTEST_LINE = 8
"""The same of one line among several."""


_MASK = re.compile(r"\((?:part of )?secret [A-Za-z_]")


def holds_mask(value: object) -> bool:
    """Tell whether something stands for a secret in a value of JSON."""
    if isinstance(value, dict):
        return any(holds_mask(name) or holds_mask(each) for name, each in value.items())
    if isinstance(value, list | tuple):
        return any(map(holds_mask, value))
    return isinstance(value, str) and _MASK.search(value) is not None


def label(name: str) -> str:
    """Give what stands for a secret's value."""
    return f"(secret {name})"


def parse_source(text: str, directory: str = "") -> SecretSpec:
    """Read `env:NAME`, `file:PATH`, `command:LINE` or `keyring:SERVICE/USER`. Raises ValueError, in words."""
    kind, separator, rest = text.partition(":")
    known: SecretKind = next((each for each in KINDS if each == kind), "")
    if not known or not separator or not rest.strip():
        raise ValueError("a source is env:VARIABLE, file:PATH, command:LINE or keyring:SERVICE/USER")
    words: tuple[str, ...] = (rest.strip(),)
    if kind == "keyring":
        service, separator, user = rest.strip().rpartition("/")
        if not separator or not service or not user:
            raise ValueError("a keyring's source is keyring:SERVICE/USER")
        words = (service, user)
    return SecretSpec(known, words, directory)
