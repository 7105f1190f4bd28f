"""What a JSON Schema can say of texts: patterns that refuse nothing which the checks take, and that say why in words.

They are read alike by Python and by JavaScript, so `$` stands nowhere: here it would allow for a line break behind it.
What no expression can tell (lengths in bytes, IPv6, how deep a path leads) is left to `check`.
"""

from __future__ import annotations

from typing import Any

from octogram_tui.scenario.forms import LAST_PORT

Schema = dict[str, Any]

END = r"(?![\s\S])"
TEMPLATE = r"\{[{%#]|\\[{}]"
"""What makes a text a template in the fields of the original."""
SCRIPT_TEMPLATE = r"\{[{%]"
"""The same in all others, where `{#` and `\\{` belong to shells."""

_NUMBER = r"[0-9][0-9 ]*(\.[0-9 ]+)?"
DURATION = rf"\s*(({_NUMBER}(m ?s|s|m|h|d) *)+|{_NUMBER})\s*"
FLOAT = r"\s*[-+]?([0-9_]+\.?[0-9_]*|\.[0-9_]+)([eE][-+]?[0-9_]+)?\s*"
INTEGER = r"\+?(0[xX][0-9a-fA-F][0-9a-fA-F_]*|0[oO][0-7][0-7_]*|0[bB][01][01_]*|[0-9][0-9_]*)"

NAME = r"[^\s\x1c-\x1f\x85]|\ufeff"
"""Something to be seen: what else Python's `isspace` counts, and does not count, than JavaScript's `\\s`."""

_NO_NUL = r"(?![\s\S]*\0)"
_NO_BREAK = rf"(?![\s\S]*(?:\0|[\r\n]{END}))"
_PORT = (
    r"(?=[0-9]{1,9}(?![0-9]))0*(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
_HOST = r"(?:\[[^\]\s]*\]|(?!-)[^\s:/?#@\[\]\\*!\"'`;&|<>(){},]+)"
_ENDPOINT = rf"{_HOST}:{_PORT}"
_AFTER_SCHEME = rf"(?:[^/?#]*@)?{_HOST}(?::(?:{_PORT})?)?(?:[/?#][^\x00-\x1f\x7f]*)?"
_RANGE = r"\{[0-9]{1,9}\.\.[0-9]{1,9}\}"
_HOST_SIGN = r"[^\s\x00-\x20\x7f-\uffff@/\\\[\]*?!\"'`;&|<>(){}#,.]"
_SHELL_WORDS = rf"(?:[^'\"\\]|\\[\s\S]|'[^']*'|\"(?:[^\"\\]|\\[\s\S])*\")*{END}"
_FIRST_WORD = rf"(?=[\s\S]*[^ \t\r\n])(?![ \t\r\n]*(?:''|\"\")+(?:[ \t\r\n]|{END}))"
_PATH = rf"{_NO_BREAK}(?!~(?:/|{END}))"
_INNER = rf"{_PATH}(?!/)(?!(?:\./|/)*\.\.(?:/|{END}))"

_FORMS: dict[str, tuple[str, str]] = {
    "word": (_NO_NUL, "A NUL character cannot be given to a program."),
    "command": (rf"{_NO_NUL}{_FIRST_WORD}{_SHELL_WORDS}", "Write a program and its arguments: [ls, -l]."),
    "path": (_PATH, "`~` is not expanded on an agent: write a path from its home directory, or an absolute one."),
    "local_path": (rf"{_PATH}(?!{END})", "Write the path of a file or a directory; `~` is not expanded."),
    "inner_path": (_INNER, "Write a path inside of the agent's home directory, relative to it."),
    "inner_file": (rf"{_INNER}(?!(?:[\s\S]*/)?\.{{0,2}}{END})", "Write the path of a file, from the home directory."),
    "file_name": (rf"(?!-|\.\.?{END})[^/\x00-\x1f\x7f]*{END}", "Use letters, digits, `.`, `-` and `_`."),
    "port": (rf"{_PORT}{END}", "Ports go from 1 to 65535."),
    "own_port": (rf"(?:fresh|{_PORT}){END}", "Write a port from 1 to 65535, or `fresh` for one that is free."),
    "endpoint": (rf"{_ENDPOINT}{END}", "Write HOST:PORT, an IPv6 address as [::1]:PORT."),
    "peer": (rf"(?:{_HOST}|{_ENDPOINT}){END}", "Write HOST or HOST:PORT."),
    "port_or_endpoint": (rf"(?:{_PORT}|{_ENDPOINT}){END}", "Write a port, or HOST:PORT for another machine's."),
    "url": (rf"[hH][tT][tT][pP][sS]?://{_AFTER_SCHEME}{END}", "Write http://HOST:PORT/PATH."),
    "variables": (rf"[^=\0]+{END}", "An environment variable has letters, digits and `_`."),
    "headers": (rf"[A-Za-z0-9!#$%&'*+.^_`|~-]+{END}", "A header's name has letters, digits and `-`."),
    "header": (rf"[^\r\n\0\u0100-\uffff]*{END}", "A header's value is one line of Latin letters."),
}
_OF_AN_AGENT = r"\{\{"
MERGE = "<<"
"""What YAML merges a map by: editors take it for one of the names that stand there."""
_OF_NAMES = ("variables", "headers")
_OF_PORTS = ("port", "own_port", "port_or_endpoint")
_OF_TEXTS = ("url", "endpoint")

_OWNED = rf"(?:https?://{_AFTER_SCHEME}|(?!https?:)[A-Za-z0-9_-]+://[\s\S]+)"
_URI = rf"{_NO_BREAK}(?:{_OWNED}|{_ENDPOINT}(?:/[\s\S]*)?){END}"
_PEER = rf"{_NO_BREAK}(?:{_OWNED}|{_HOST}|{_ENDPOINT}){END}"

AGENT_NAME: Schema = {
    "type": ["string", "integer", "boolean"],
    "pattern": rf"^(?!-)(?![^{{]{{201}})([a-zA-Z0-9_-]|{_RANGE})+{END}",
    "minimum": 0,
    "patternErrorMessage": "A name has up to 200 letters, digits, `-` and `_`, and no `-` in front.",
}
_BEYOND_A_BYTE = r"0*(?:25[6-9]|2[6-9][0-9]|[3-9][0-9]{2}|[1-9][0-9]{3,})"
_NO_WRONG_IPV4 = (
    rf"(?![0-9]+(?:\.[0-9]+){{4,}}{END})"
    rf"(?!(?=[0-9]+(?:\.[0-9]+){{3}}{END})(?:[0-9]+\.)*{_BEYOND_A_BYTE}(?:\.|{END}))"
)
_MACHINE = (
    rf"{_NO_WRONG_IPV4}(?![.-])(?![^:]*:[^:]*{END})(?:{_HOST_SIGN}|\.(?!\.)|{_RANGE})+{END}",
    "Write a name or an address; a user, a port and several machines have places of their own.",
)
_USER = (rf"(?!-)[^\s\x00-\x20\x7f\"'`;&|<>(){{}}:/]+{END}", "Write the name of the user to log in as.")
OF_AGENTS: dict[str, tuple[str, str]] = {
    "address": _MACHINE,
    "data_address": _MACHINE,
    "user": _USER,
    "identity": (
        rf"{_NO_BREAK}(?![\s\S]*\.pub{END})[\s\S]",
        "Write the path of the private key; `.pub` is the public one.",
    ),
    "python": (rf"{_NO_BREAK}(?!~{END})[\s\S]", "Write the path of an interpreter, or leave it out."),
}
"""Texts of an agent's keys, by key: the pattern, and what is to be written."""

ITEM = rf"^(?:{_NO_BREAK}|[\s\S]*(?:{TEMPLATE}))"


def scalar(*types: str, pattern: str = "", says: str = "", template: str = "") -> Schema:
    """Give a schema of one scalar: the pattern is for its texts alone; what is a template passes by it."""
    schema: Schema = {"type": list(types) if len(types) > 1 else types[0]}
    if pattern:
        schema["pattern"] = rf"^(?:{pattern})" + (f"|{template}" if template else "")
        if says:
            schema["patternErrorMessage"] = says
    return schema


def of_form(form: str, template: str = "") -> Schema:
    """Give what a text of a form may be (`Field(form=...)`), as far as an expression can tell."""
    if form not in _FORMS or form in _OF_NAMES:
        return scalar("string", "number", "boolean")
    pattern, says = _FORMS[form]
    if form != "word":
        template = template or _OF_AN_AGENT  # what is still to be put in is not judged
    if form in _OF_PORTS:
        schema = scalar("string", "integer", pattern=pattern, says=says, template=template)
        return {**schema, "minimum": 1, "maximum": LAST_PORT}
    types = ("string",) if form in _OF_TEXTS else ("string", "number", "boolean")
    return scalar(*types, pattern=pattern, says=says, template=template)


def of_uri(kind: str, template: str = "") -> Schema:
    """Give what a URI may be that names a thing of this kind."""
    if kind.endswith("_peer"):
        says = "Write self://NAME, AGENT://NAME, or HOST:PORT."
        return scalar("string", "number", "boolean", pattern=_PEER, says=says, template=template)
    return scalar("string", pattern=_URI, says="Write self://NAME, AGENT://NAME, or a URL.", template=template)


def names_of(form: str) -> Schema:
    """Give what the keys of a map of a form may be; nothing for those that may be anything."""
    if form not in _OF_NAMES:
        return {}
    pattern, says = _FORMS[form]
    written = rf"^(?:{pattern}|{MERGE}{END})|{_OF_AN_AGENT}"
    return {"propertyNames": {"pattern": written, "patternErrorMessage": says}}


def first_word(of: Schema) -> Schema:
    """Give what a command that is a list needs: words, the first of them not empty."""
    return {"minItems": 1, "prefixItems": [{**of, "not": {"const": ""}}]}
