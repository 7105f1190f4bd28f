"""How a plain scalar of YAML reads: as the original read it; and which spellings other readers take differently.

A number or a boolean may read back as another text than the one that was written (`1.10`, `0x1f`, `True`): that is said
too, for places where a text is due. Also durations, which are ours. Pure text to values.
"""

from __future__ import annotations

import math
import re
import string
from typing import Any, NamedTuple

from octogram_tui.template.text import text_of

NULLS = frozenset(("", "~", "null", "Null", "NULL"))
TRUES = frozenset(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"))
FALSES = frozenset(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"))
LONGEST_WORD = max(map(len, NULLS | TRUES | FALSES))
BEGINS_A_TEXT = frozenset(string.ascii_letters + "/") - frozenset("iInN")
"""What is longer than those words and begins like this is a text, whoever reads it: no number, `inf` or `nan`."""
_SAME_EVERYWHERE = frozenset(("true", "True", "TRUE", "false", "False", "FALSE"))
_SPECIAL = {
    ".inf": math.inf,
    ".Inf": math.inf,
    ".INF": math.inf,
    "+.inf": math.inf,
    "-.inf": -math.inf,
    "-.Inf": -math.inf,
    "-.INF": -math.inf,
    ".nan": math.nan,
    ".NaN": math.nan,
    ".NAN": math.nan,
}

# A number begins like this, whoever reads it; all other scalars are texts at once.
_MAY_BE_NUMBER = re.compile(r"[-+_.]*[0-9]|[-+]?(?:inf|nan)|0[oO]", re.IGNORECASE)
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_HEX = re.compile(r"([-+]?)0[xX]([0-9a-fA-F]+)")
_HEX_FLOAT = re.compile(r"[-+]?0[xX](?:[0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?|\.[0-9a-fA-F]+)(?:[pP][-+]?[0-9]+)?")
_NAMED = re.compile(r"([-+]?)(inf|infinity|nan)", re.IGNORECASE)

# Spellings that readers of YAML 1.1 and of YAML 1.2 take for different things.
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
_OCTAL_1_2 = re.compile(r"0o[0-7]+")
_BINARY_1_1 = re.compile(r"[-+]?0b[01_]+")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_EXPONENT_1_2 = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?[eE][0-9]+|[-+]?[0-9]+[eE][-+]?[0-9]+")


# An address or a hash, never a count: its digits are what matters, and the original lost some of them.
_LONG_HEX = re.compile(r"[-+]?0[xX][0-9a-fA-F_]{16,}")


class Reading(NamedTuple):
    """What a plain scalar is, and, where other readers disagree, what to say about it.

    is_respelled  whether the value's text is not what was written, which a place for texts has to say
    """

    value: Any
    warning: str = ""
    is_respelled: bool = False


def read_plain(text: str) -> Reading:
    """Read a scalar that is written without quotes."""
    reading = _read(text)
    if type(reading.value) is str or (reading.value is None and text != "~"):
        return reading
    return reading._replace(is_respelled=text_of(reading.value) != text)


def _read(text: str) -> Reading:
    if text in NULLS:
        return Reading(None)
    if text in TRUES or text in FALSES:
        value = text in TRUES
        return Reading(value, "" if text in _SAME_EVERYWHERE else _disagreement(text, f"the boolean {value}".lower()))
    if text in _SPECIAL:
        return Reading(_SPECIAL[text])
    if _MAY_BE_NUMBER.match(text) is None or text.count(".") > 1:  # such as an address
        return Reading(text)
    if _LONG_HEX.fullmatch(text):
        return Reading(text, _disagreement(text, "a text"))
    number = read_number(text)
    if number is None:
        if _OCTAL_1_2.fullmatch(text) or _BINARY_1_1.fullmatch(text) or _SEXAGESIMAL.fullmatch(text):
            return Reading(text, _disagreement(text, "a text"))
        return Reading(text)
    is_odd = (
        "_" in text
        or _LEADING_ZERO.fullmatch(text)
        or _NAMED.fullmatch(text)
        or _EXPONENT_1_2.fullmatch(text)
        or (_HEX_FLOAT.fullmatch(text) and not _HEX.fullmatch(text))
    )
    return Reading(number, _disagreement(text, f"the number {number}") if is_odd else "")


def _disagreement(text: str, reading: str) -> str:
    return f"`{text}` is {reading} here, and something else to other readers of YAML"


def read_number(text: str) -> int | float | None:
    """Read what the original takes for a number; None when it is none."""
    bare = text.replace("_", "")
    if _INTEGER.fullmatch(bare):
        # Longer ones are no numbers that anybody counts with, and slow to convert.
        return int(bare) if len(bare) <= 400 else float(bare)
    found = _HEX.fullmatch(bare)
    if found and len(bare) <= 400:
        return int(found[1] + found[2], 16)
    if _DECIMAL.fullmatch(bare):
        return float(bare)
    if _HEX_FLOAT.fullmatch(bare):
        try:
            return float.fromhex(bare)
        except OverflowError:
            return math.inf
    found = _NAMED.fullmatch(bare)
    if found:
        value = math.nan if found[2].lower() == "nan" else math.inf
        return -value if found[1] == "-" else value
    return None


def is_finite(value: int | float) -> bool:
    """Tell whether a number can be a float that is one: whole numbers may be too large for that."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+|[0-9]+(?:\.[0-9]+)?")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)?")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


def read_duration_s(value: Any) -> float | None:
    """Give the seconds of `30`, `30s`, `1.5m`, `1h30m`; None when it is no duration."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value) if value >= 0 and is_finite(value) else None
    if not isinstance(value, str) or len(value) > 64:
        return None
    text = value.strip().replace(" ", "")
    if not _DURATION.fullmatch(text):
        return None
    return float(sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(text)))
