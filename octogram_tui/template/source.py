"""Small differences of spelling between the original's templates and ours, bridged before parsing. Pure text.

In plain text `\\{` and `\\}` are literal braces; inside of tags `&&`, `||` and `!` are `and`, `or` and `not`, and
`elseif` is `elif`. What is no field of the original belongs to shells and the like (`braces=False`): there `\\{` is
what it is, and so is `{#`, which begins a comment in the original's fields.
"""

from __future__ import annotations

import re

_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
# Read in one way only, and what is never closed takes all the rest: whatever is written is looked at once.
_INSIDE = rf"(?:(?>{_STRING}|[^'\"]))*?"
_RAW = r"(?P<raw>\{%[-+]?\s*raw\s*[-+]?%\}(?:.*?\{%[-+]?\s*endraw\s*[-+]?%\}|.*))"
_TAG = rf"(?P<tag>\{{\{{{_INSIDE}\}}\}}|\{{%{_INSIDE}%\}})|(?P<open>\{{[{{%].*)"
_RETURN = r"(?P<return>\r)"
_PIECES = re.compile(rf"{_RAW}|(?P<comment>\{{\#.*?(?:\#\}}|\Z))|(?P<brace>\\[{{}}])|{_RETURN}|{_TAG}", re.DOTALL)
_PIECES_OF_SCRIPTS = re.compile(rf"{_RAW}|(?P<hash>\{{\#)|{_RETURN}|{_TAG}", re.DOTALL)
_WORDS = re.compile(rf"(?P<string>{_STRING})|(?P<open>['\"][\s\S]*)|(?P<word>&&|\|\||!(?!=))")
_SPELLINGS = {"&&": " and ", "||": " or ", "!": " not "}
_ELSEIF = re.compile(r"(\{%[-+]?\s*)elseif\b")
_NEEDED = re.compile(r"\\[{}]|\r|&&|\|\||!|\{#|\belseif\b")
_MARK = re.compile(r"\{[{%]")
_MARK_OR_BRACE = re.compile(r"\{[{%#]|\\[{}]")


def is_template(text: str, *, braces: bool = True) -> bool:
    """Tell whether expanding a text could change it; `braces`: as `\\{` and `{#` do in the original's fields."""
    if "{" not in text and (not braces or "\\" not in text):
        return False  # quicker than any expression
    return (_MARK_OR_BRACE if braces else _MARK).search(text) is not None


def prepare(text: str, *, braces: bool = True) -> str:
    """Give a template in the spelling of the template engine; the number of lines stays."""
    if _NEEDED.search(text) is None:
        return text

    def piece(found: re.Match[str]) -> str:
        whole = found.group()
        match found.lastgroup:
            case "brace":
                return "{{ '" + whole[1] + "' }}"
            case "return":
                return r'{{ "\r" }}'
            case "comment":  # of one that begins with the last sign of a text nothing is said by itself
                return whole if whole != "{#" else "{# "
            case "hash":
                return "{{ '{#' }}"
            case "tag":
                return prepare_expression(_ELSEIF.sub(r"\1elif", whole))
            case _:
                return whole

    return (_PIECES if braces else _PIECES_OF_SCRIPTS).sub(piece, text)


def prepare_expression(text: str) -> str:
    """The same for what stands inside of a tag."""
    if _NEEDED.search(text) is None:
        return text
    return _WORDS.sub(lambda m: _SPELLINGS[m.group()] if m.lastgroup == "word" else m.group(), text)


_TOKEN = re.compile(rf"{_STRING}|[^][{{}}()'\"]+|.", re.DOTALL)
_OPENING = {"(": ")", "[": "]", "{": "}"}


def whole_expression(text: str) -> str | None:
    """Give the expression of a text that is one `{{ }}` and nothing else but a last line end; None for other texts."""
    body = text.removesuffix("\n")
    if not body.startswith("{{") or not body.endswith("}}"):
        return None
    expected: list[str] = []  # closing brackets, the innermost last
    position = 3 if body[2:3] in ("-", "+") else 2
    start = position
    while position < len(body) - 1:
        if body.startswith("}}", position) and not expected:
            inner = body[start:position].removesuffix("-")
            return inner if position == len(body) - 2 and inner.strip() else None
        found = _TOKEN.match(body, position)
        assert found is not None
        token = found.group()
        if token in ("'", '"'):  # it is never closed
            return None
        if token in _OPENING:
            expected.append(_OPENING[token])
        elif expected and token == expected[-1]:
            expected.pop()
        position = found.end()
    return None
