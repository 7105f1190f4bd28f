"""Small differences of spelling between the original's templates and ours, bridged before parsing. Pure text.

In plain text `\\{` and `\\}` are literal braces; inside of tags `&&`, `||` and `!` are `and`, `or` and `not`.
"""

from __future__ import annotations

import re

_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
# Read in one way only, and what is never closed takes all the rest: whatever is written is looked at once.
_INSIDE = rf"(?:(?>{_STRING}|[^'\"]))*?"
_PATTERN = (
    r"(?P<raw>\{%[-+]?\s*raw\s*[-+]?%\}(?:.*?\{%[-+]?\s*endraw\s*[-+]?%\}|.*))"
    r"|(?P<comment>\{\#.*?(?:\#\}|\Z))"
    r"|(?P<brace>\\[{}])"
    r"|(?P<return>\r)"
    rf"|(?P<tag>\{{\{{{_INSIDE}\}}\}}|\{{%{_INSIDE}%\}})"
    r"|(?P<open>\{[{%].*)"
)
_PIECES = re.compile(_PATTERN, re.DOTALL)
# Where braces are not unescaped, a backslash before a tag is a backslash before a tag.
_PIECES_BUT_BRACES = re.compile(_PATTERN.replace(r"|(?P<brace>\\[{}])", ""), re.DOTALL)
_WORDS = re.compile(rf"(?P<string>{_STRING})|(?P<open>['\"][\s\S]*)|(?P<word>&&|\|\||!(?!=))")
_SPELLINGS = {"&&": " and ", "||": " or ", "!": " not "}
_NEEDED = re.compile(r"\\[{}]|\r|&&|\|\||!")
_MARK = re.compile(r"\{[{%#]")
_MARK_OR_BRACE = re.compile(r"\{[{%#]|\\[{}]")


def is_template(text: str, *, braces: bool = True) -> bool:
    """Tell whether expanding a text could change it; `braces`: as `\\{` does in the original's fields."""
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
            case "tag":
                return prepare_expression(whole)
            case _:
                return whole

    return (_PIECES if braces else _PIECES_BUT_BRACES).sub(piece, text)


def prepare_expression(text: str) -> str:
    """The same for what stands inside of a tag."""
    if _NEEDED.search(text) is None:
        return text
    return _WORDS.sub(lambda m: _SPELLINGS[m.group()] if m.lastgroup == "word" else m.group(), text)
