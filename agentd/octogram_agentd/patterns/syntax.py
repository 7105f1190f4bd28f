"""Text of a regular expression -> tree. What Perl and Python both write, without what needs to go back.

There is no looking around, no reference to a group, nothing possessive or atomic: those are what a search in one pass
cannot do. `\\Q...\\E`, `(?<name>...)`, `[[:alpha:]]`, `\\z` and the flags `i`, `m`, `s` are there.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, NoReturn, Optional, Tuple

    Test = Callable[[str], bool]
    Node = Tuple[Any, ...]

MAX_CHARACTERS = 2000
MAX_REPEAT = 1000
MAX_DEPTH = 50

START, END, LINE_START, LINE_END, LAST_LINE_END, WORD_EDGE, NO_WORD_EDGE = range(7)

INSTEAD = "say what is to be found, with `|`, sets and anchors; expressions are searched in one pass"


class PatternFault(Exception):
    """A regular expression that cannot be used: why, where (an index, or None), and what to write instead."""

    def __init__(self, message: str, position: Optional[int] = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.position is None else "%s at character %d" % (self.message, self.position + 1)


def is_word(char: str) -> bool:
    """Tell whether a character is one of a word (`\\w`)."""
    return char == "_" or char.isalnum()


CATEGORIES: Dict[str, Test] = {"d": str.isdecimal, "w": is_word, "s": str.isspace}
_NAMED: Dict[str, Test] = {
    "alpha": str.isalpha,
    "digit": str.isdecimal,
    "alnum": str.isalnum,
    "upper": str.isupper,
    "lower": str.islower,
    "space": str.isspace,
    "word": is_word,
    "blank": " \t".__contains__,
    "xdigit": "0123456789abcdefABCDEF".__contains__,
    "punct": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".__contains__,
}
_LETTERS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_PLACES = {"A": START, "z": END, "Z": END, "b": WORD_EDGE, "B": NO_WORD_EDGE}
_REFUSED = {
    "?=": "looking ahead",
    "?!": "looking ahead",
    "?<=": "looking behind",
    "?<!": "looking behind",
    "?P=": "a reference to a group",
    "?(": "a condition",
    "?>": "an atomic group",
}


def _no(test: Test) -> Test:
    return lambda char: not test(char)


def _folded(test: Test) -> Test:
    """Take a character in either case."""

    def folded(char: str) -> bool:
        return any(test(variant) for variant in (char, char.lower(), char.upper()) if len(variant) == 1)

    return folded


def _any(tests: List[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda char: any(test(char) for test in tests)


def _not_newline(char: str) -> bool:
    return char != "\n"


def _everything(char: str) -> bool:
    return True


class Parser:
    """Reads an expression from its left to its right."""

    def __init__(self, source: str) -> None:
        if len(source) > MAX_CHARACTERS:
            raise PatternFault(
                "the expression has %d characters; at most %d are allowed" % (len(source), MAX_CHARACTERS)
            )
        self._text = source
        self._at = 0
        self._flags = ""
        self._depth = 0
        self._quoted_to = -1  # the end of a \\Q...\\E under way
        self.groups = 0
        self._names: List[str] = []

    def whole(self) -> Node:
        """Read all of it."""
        tree = self._branches()
        if self._at < len(self._text):
            self._refuse("unbalanced parenthesis")
        return tree

    def _refuse(self, message: str, position: Optional[int] = None, hint: str = "") -> NoReturn:
        raise PatternFault(message, self._at if position is None else position, hint)

    def _next_is(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _take(self, text: str) -> bool:
        if self._next_is(text):
            self._at += len(text)
            return True
        return False

    def _branches(self) -> Node:
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else ("any", branches)

    def _sequence(self) -> Node:
        parts: List[Node] = []
        while self._at < len(self._text) and not (self._quoted_to < 0 and self._text[self._at] in "|)"):
            part = self._atom()
            if part is not None:
                parts.append(self._repeated(part))
        return parts[0] if len(parts) == 1 else ("all", parts)

    def _repeated(self, node: Node) -> Node:
        counts = self._counts() if self._quoted_to < 0 else None
        if counts is None:
            return node
        if node[0] == "where":
            self._refuse("nothing to repeat", self._at - 1)
        is_lazy = self._take("?")
        at = self._at
        if self._take("+"):
            self._refuse("a possessive repetition is not part of the language", at, INSTEAD)
        if self._counts() is not None:
            self._refuse("multiple repeat", at)
        return ("repeat", node, counts[0], counts[1], is_lazy)

    def _counts(self) -> Optional[Tuple[int, Optional[int]]]:
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return counts
        end = self._text.find("}", self._at)
        if not self._next_is("{") or end < 0:
            return None
        least, comma, most = self._text[self._at + 1 : end].partition(",")
        if not all(not part or (part.isascii() and part.isdigit()) for part in (least, most)) or not (least or comma):
            return None
        if max(len(least), len(most)) > 9 or max(int(least or 0), int(most or 0)) > MAX_REPEAT:
            self._refuse("it is too large: at most %d repetitions can be counted" % MAX_REPEAT)
        low = int(least or 0)
        high = int(most) if most else None if comma else low
        if high is not None and high < low:
            self._refuse("min repeat greater than max repeat")
        self._at = end + 1
        return low, high

    def _atom(self) -> Optional[Node]:
        if self._quoted_to >= 0:
            return self._quoted()
        char = self._text[self._at]
        if char in "*+?":
            self._refuse("nothing to repeat")
        if char == "(":
            return self._group()
        self._at += 1
        if char == "[":
            return ("test", self._set(self._at - 1))
        if char == "\\":
            return self._escape()
        if char == ".":
            return ("test", _everything if "s" in self._flags else _not_newline)
        if char == "^":
            return ("where", LINE_START if "m" in self._flags else START)
        if char == "$":
            return ("where", LINE_END if "m" in self._flags else LAST_LINE_END)
        return self._letter(char)

    def _letter(self, char: str) -> Node:
        if "i" in self._flags:
            return ("letter", "", _folded(char.__eq__))
        return ("letter", char, char.__eq__)

    def _quoted(self) -> Optional[Node]:
        letter = self._text[self._at : self._at + 1] if self._at < self._quoted_to else ""
        self._at += len(letter)
        if self._at >= self._quoted_to:  # what repeats the last letter comes after the end of the quotation
            self._at = min(self._at + 2, len(self._text))
            self._quoted_to = -1
        return self._letter(letter) if letter else None

    def _escape(self) -> Optional[Node]:
        at = self._at - 1
        char = self._text[self._at : self._at + 1]
        if char in _PLACES and char:
            self._at += 1
            return ("where", _PLACES[char])
        if char.lower() in CATEGORIES:
            self._at += 1
            test = CATEGORIES[char.lower()]
            return ("test", test if char in CATEGORIES else _no(test))
        if char == "Q":
            end = self._text.find("\\E", self._at)
            self._at += 1
            self._quoted_to = len(self._text) if end < 0 else end
            return None if self._at < len(self._text) else ("all", [])
        if char == "E":
            self._at += 1
            return None
        if char and char in "123456789":
            self._refuse("a reference to a group (\\%s) is not part of the language" % char, at, INSTEAD)
        return self._letter(self._escaped_letter())

    def _escaped_letter(self) -> str:
        """Read what follows a backslash and stands for one character."""
        at = self._at - 1
        char = self._text[self._at : self._at + 1]
        if not char:
            self._refuse("it ends with a backslash", at)
        self._at += 1
        if char in _LETTERS:
            return _LETTERS[char]
        if char in "xuU":
            length = {"x": 2, "u": 4, "U": 8}[char]
            digits = self._text[self._at : self._at + length]
            self._at += length
            try:
                return chr(int(digits, 16)) if len(digits) == length else self._refuse("incomplete escape", at)
            except (ValueError, OverflowError):
                self._refuse("bad escape \\%s%s" % (char, digits), at)
        if char == "0":
            end = self._at
            while end < self._at + 2 and self._text[end : end + 1] in tuple("01234567"):
                end += 1
            digits, self._at = self._text[self._at : end], end
            return chr(int(digits or "0", 8))
        if char.isascii() and char.isalnum():
            self._refuse("bad escape \\%s" % char, at)
        return char

    def _set(self, opened_at: int) -> Test:
        is_negated = self._take("^")
        tests: List[Test] = []
        letters = set()
        is_first = True
        while is_first or not self._next_is("]"):
            is_first = False
            low = self._member(opened_at, tests)
            at = self._at
            if self._next_is("-") and not self._next_is("-]") and self._at + 1 < len(self._text):
                self._at += 1
                high = self._member(opened_at, [])
                if low is None or high is None or high < low:
                    self._refuse("bad character range", at)
                tests.append(_between(low, high))
            elif low is not None:
                letters.add(low)
        self._at += 1
        if letters:
            tests.append(frozenset(letters).__contains__)
        test = _any(tests)
        if "i" in self._flags:
            test = _folded(test)
        return _no(test) if is_negated else test

    def _member(self, opened_at: int, tests: List[Test]) -> Optional[str]:
        """Read one character of a set and give it; a class of them is added to the tests, and None given."""
        if self._at >= len(self._text):
            self._refuse("unterminated character set", opened_at)
        named_end = self._text.find(":]", self._at) if self._next_is("[:") else -1
        name = self._text[self._at + 2 : named_end].lstrip("^") if named_end > 0 else ""
        if name in _NAMED:
            test = _NAMED[name]
            tests.append(_no(test) if self._next_is("[:^") else test)
            self._at = named_end + 2
            return None
        char = self._text[self._at]
        self._at += 1
        if char != "\\":
            return char
        escaped = self._text[self._at : self._at + 1]
        if escaped.lower() in CATEGORIES:
            self._at += 1
            test = CATEGORIES[escaped.lower()]
            tests.append(test if escaped in CATEGORIES else _no(test))
            return None
        if escaped == "b":
            self._at += 1
            return "\b"
        if escaped and escaped in "123456789":
            self._refuse("bad escape \\%s" % escaped, self._at - 1)
        return self._escaped_letter()

    def _group(self) -> Optional[Node]:
        opened_at = self._at
        self._at += 1
        number: Optional[int] = None
        flags = self._flags
        if self._next_is("?#"):
            end = self._text.find(")", self._at)
            if end < 0:
                self._refuse("missing ), unterminated comment", opened_at)
            self._at = end + 1
            return None
        if self._next_is("?") and self._question(opened_at):
            return None
        if self._text[opened_at + 1 : opened_at + 2] != "?" or self._text[self._at - 1] == ">":
            self.groups += 1
            number = self.groups
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse("it is too large: nested deeper than %d" % MAX_DEPTH, opened_at)
        inner = self._branches()
        self._depth -= 1
        if not self._take(")"):
            self._refuse("missing ), unterminated subpattern", opened_at)
        self._flags = flags
        return ("all", [inner]) if number is None else ("group", number, inner)

    def _question(self, opened_at: int) -> bool:
        """Read what follows `(?`. Tells whether that was all: flags for the rest of the expression."""
        if self._take("?:"):
            return False
        for start, what in _REFUSED.items():
            if self._next_is(start):
                self._refuse("%s is not part of the language" % what, opened_at, INSTEAD)
        for start in ("?P<", "?<"):
            if self._take(start):
                end = self._text.find(">", self._at)
                name = self._text[self._at : max(end, self._at)]
                if not name.isidentifier() or name in self._names:
                    self._refuse("a group needs a name of its own", opened_at)
                self._names.append(name)
                self._at = end + 1
                return False
        end = self._at + 1
        while self._text[end : end + 1] in tuple("imsu"):
            end += 1
        given, closing = self._text[self._at + 1 : end], self._text[end : end + 1]
        if not given or closing not in (":", ")") or (closing == ")" and opened_at > 0):
            self._refuse(
                "`(?` must be followed by `:`, `<name>` or `i:`",
                opened_at,
                "flags are i, m and s: at the very start as `(?i)`, elsewhere as `(?i:...)`",
            )
        self._flags += given
        self._at = end + 1
        return closing == ")"


def _between(low: str, high: str) -> Test:
    return lambda char: low <= char <= high
