"""The texts by which a secret's value may be met again: as it is, quoted, escaped, encoded, and line by line.

Best effort: what is encrypted, compressed, reversed or spelled out is another text, and is not known here.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from octogram_tui.model.ids import InstanceId
from octogram_tui.secrecy.names import SHORTEST, SHORTEST_LINE
from octogram_tui.secrecy.views import LOOSE
from octogram_tui.template.numbers import integer

AS_NUMBER = "number"
"""How the text is made of a value that was read as a number: an item is, and an argument that is to be one."""

_QUOTES = (("&#34;", "&#39;"), ("&quot;", "&#39;"), ("&quot;", "&#039;"), ("&quot;", "&apos;"), ("&quot;", "'"))
"""How others than Python write both quotes in HTML and XML."""
_OF_URIS = (("!'()*", "URL component"), (";/?:@&=+$,#!'()*", "whole URL"))
"""What encodeURIComponent and encodeURI of JavaScript leave as it is."""
_NOT_PLAIN = re.compile(r"([^\w@%+=:,./-])", re.ASCII)


class Form(NamedTuple):
    """One text of a secret. how: in a word or two, how it is made of the value; empty for the value itself."""

    text: str
    how: str = ""


def forms_of(value: str) -> list[Form]:
    """Give the texts of a value, each once, the value itself first; none where it is too short to be looked for."""
    if len(value) < SHORTEST:
        return []
    found: dict[str, str] = {}
    for text, how in _all(value):
        if len(text) >= SHORTEST and text not in found:
            found[text] = how
    return [Form(text, how) for text, how in found.items()]


def _all(value: str) -> Iterator[tuple[str, str]]:
    yield value, ""
    yield from _numbers(value)
    yield from _quoted(value)
    yield from _encoded(value)
    lines = value.splitlines()
    if len(lines) > 1:
        yield "".join(lines), "one line"
        yield LOOSE.bare(value), "one line, no indents"
        for number, line in enumerate(lines, 1):
            bare = line.strip()
            if len(bare) >= SHORTEST_LINE and not bare.startswith("-----"):  # what all keys begin with tells nothing
                yield bare, f"line {number}"
                for text, how in _quoted(bare):
                    yield text, f"line {number}, {how}"


def _numbers(value: str) -> Iterator[tuple[str, str]]:
    if len(value) <= _LONGEST_NUMBER:
        try:
            yield str(integer(value)), AS_NUMBER
        except ValueError:
            return


def _quoted(value: str) -> Iterator[tuple[str, str]]:
    """Give it as it stands within quotes, or with its signs escaped."""
    import html

    as_json = json.dumps(value)[1:-1]
    yield as_json, "JSON"
    yield json.dumps(value, ensure_ascii=False)[1:-1], "JSON, UTF-8"
    yield json.dumps(as_json)[1:-1], "JSON in JSON"
    as_utf8 = json.dumps(value, ensure_ascii=False)[1:-1]
    for text, how in ((as_json, "JSON"), (as_utf8, "JSON, UTF-8")):
        yield text.translate(_OF_GO), f"{how}, for HTML"
        yield text.replace("/", r"\/"), f"{how}, slashes"
    if "'" in value:
        yield value.replace("'", "''"), "YAML"
        yield shlex.quote(value)[1:-1], "quoted"
        yield value.replace("'", r"'\''"), "quoted, shell"
    yield _NOT_PLAIN.sub(r"\\\1", value), "escaped"
    yield re.sub(r'(["\\$`])', r"\\\1", value), "in double quotes"
    yield repr(value)[1:-1], "Python"
    yield html.escape(value, quote=False), "XML"
    yield html.escape(value), "HTML"
    for number, (double, single) in enumerate(_QUOTES, 2):
        yield html.escape(value, quote=False).replace('"', double).replace("'", single), f"HTML {number}"
    yield str(InstanceId("s", "j", "a", value))[len("s/j@a[") : -1], "a name"
    as_url = quote(value, safe="")
    in_urls = [(as_url, "URL"), (quote(value), "URL path"), (quote_plus(value), "URL form")]
    in_urls += [(quote(value, safe=safe), how) for safe, how in _OF_URIS]
    for text, how in (*in_urls, (quote(as_url, safe=""), "URL in URL")):
        yield text, how
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text), f"{how}, lower case"


def _encoded(value: str) -> Iterator[tuple[str, str]]:
    """Give it as base64 wherever it begins in the bytes that are encoded, and as hexadecimal digits."""
    data = value.encode("utf-8", "surrogateescape")
    for before in range(3):
        standard = _base64_within(data, before)
        how = f"base64+{before}" if before else "base64"
        yield standard, how
        yield standard.translate(_URL_SAFE), f"{how}, URL"
        yield _base64_within(base64.b64encode(data).rstrip(b"="), before), f"base64 in {how}"
    yield data.hex(), "hex"
    yield data.hex().upper(), "HEX"
    for between, how in ((" ", "spaces"), (":", "colons")):  # as `od`, `hexdump` and fingerprints write it
        yield data.hex(between), f"hex, {how}"
        yield data.hex(between).upper(), f"HEX, {how}"
    digits = [f"{byte:02x}" for byte in data]
    for between, how in ((r"\x", "\\x"), (" 0x", "0x, spaces"), (", 0x", "0x, commas")):
        yield between.lstrip(" ,") + between.join(digits), f"hex, {how}"
        yield between.lstrip(" ,") + between.join(digits).upper().replace("X", "x"), f"HEX, {how}"
    for first in (2, 1):  # as `xxd` does, where it begins at an even byte, or at an odd one
        yield f"{data[:first].hex()} {data[first:].hex(' ', -2)}", f"hex, pairs+{2 - first}"
    yield repr(data)[2:-1], "Python bytes"


_OF_GO = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})
_LONGEST_NUMBER = 1000
_URL_SAFE = str.maketrans("+/", "-_")


def _base64_within(data: bytes, before: int) -> str:
    """Give the signs that are made of nothing but these bytes, after some others."""
    text = base64.b64encode(bytes(before) + data).decode().rstrip("=")
    is_shared = (before + len(data)) % 3 != 0  # the last sign is made of what follows, too
    return text[(0, 2, 3)[before] : len(text) - is_shared]
