"""What a failure was about: the line that tells it, how it ended, and what is alike in the failures of many agents."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from octogram_tui.cuts import beginning
from octogram_tui.model.failure import Failure

CAUSE_CHARACTERS = 500
COMPARED_CHARACTERS = 200
"""Causes that are alike this far are one, so that what a cut leaves of long lines decides nothing."""

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_STATUS = re.compile(r"^(?P<status>.{0,200}? ended with (?P<exit>exit status -?\d+[^:;]*))", re.DOTALL)
_ERROR = re.compile(
    r"error|exception|fatal|panic|fail|cannot|can't|could not|denied|refused|not found|no such|invalid|killed|unable",
    re.IGNORECASE,
)
_FOREWORD = re.compile(r"(?:error|fatal(?: error)?): +(?=\S)", re.IGNORECASE)
_AFTERWORD = re.compile(
    r"note:|hint:|help:|at \S|node\.js v\d|make(\[\d+\])?: \*\*\*|usage:|try '|try \"|for more information|"
    r"run with `?rust_backtrace|command exited with|see (the )?log|traceback \(most recent",
    re.IGNORECASE,
)
"""How lines begin that programs print after what they have to say."""


class Cause(NamedTuple):
    """Why something failed, for people: what is telling, and, where that is not the same, how it ended."""

    text: str
    status: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.status})" if self.status else self.text


def cause_of(failure: Failure) -> Cause:
    """Tell a failure by its own message, or, where that only says that a command ended, by the command's last words."""
    message = plain(failure.message)
    found = _STATUS.match(message)
    if found is None:
        return Cause(message)
    lines = failure.detail.get("last_lines")
    said = telling_line(lines if isinstance(lines, list) else ())
    by_signal = "(signal" in found["exit"]
    if not said or said == message or (by_signal and not _ERROR.search(said)):
        # What a program that was killed printed last has seldom to do with its end.
        return Cause(message[: found.end()] if by_signal else message)
    return Cause(said, " ".join(found["status"].split()))


def telling_line(lines: Iterable[object]) -> str:
    """Pick the line that says what was wrong: the last with words in it, but for what programs say before and after."""
    words = [text for line in lines if (text := plain(str(line))) and any(sign.isalnum() for sign in text)]
    line = next((text for text in reversed(words) if not _AFTERWORD.match(text)), words[-1] if words else "")
    return line[found.end() :] if (found := _FOREWORD.match(line)) else line


def plain(text: str) -> str:
    """Give a text as a terminal would leave it: on one line, without what colours it or was overwritten."""
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    text = " ".join(beginning(text, CAUSE_CHARACTERS * 4).split())
    return text if len(text) <= CAUSE_CHARACTERS else text[: CAUSE_CHARACTERS - 3] + "..."


_UNREACHABLE = re.compile(r"cannot reach [^ ]+: ")


def of_agent(message: str, agent: str) -> str:
    """Tell why an agent is not there, without the address that is another for each."""
    return _UNREACHABLE.sub("", plain(message).removeprefix(f"agent {agent}: "), count=1)


# What differs from agent to agent though the cause is one

_DIFFERING = re.compile(
    r"(?P<code>\b(?:status|code|errno|error|signal|http|https|exit|answered|returned)(?:[ =:#]|/[\d.]+ )+\d{1,3}\b)"
    r"|(?P<plain>[^\W\d_]+(?![\w.-]|:[0-9a-f:]))"
    r"|(?P<date>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?[\d.,]*(?:Z|[+-]\d\d:?\d\d)?)"
    r"|(?P<hex>0x[0-9a-fA-F]+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
    r"|(?P<colons>\[(?:[0-9a-f]{0,4}:){2,7}[0-9a-f.]*\]|(?<![\w:])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4})?(?:\.\d+)?(?![\w:]))"
    r"|(?P<number>(?<![\w.])\d+(?:[.,:]\d+)*(?:\s?(?:ns|us|µs|ms|s|sec|seconds?|min|minutes?|h|hours?)\b)?(?![\w]))"
    r"|(?P<word>\w(?:[\w.-]*\w)?)",
    re.IGNORECASE,
)
_WORDS = ("word", "plain")
_DIGITS = re.compile(r"\d+")
_PART = re.compile(r"[.-]")
_SMALLER_PART = re.compile(r"[._-]")
_RANDOM = re.compile(r"tmp[\w.-]{4,}|(?=[^_]*\d)(?=[^_]*[A-Za-z])[A-Za-z0-9]{20,}|(?=\w*\d)(?=\w*[a-f])[0-9a-f]{7,}")
LEAST_RANDOM = 7
ANY = "#"
"""Stands for what differs."""
_PLACE = re.compile(f"{ANY}(?::{ANY})+")


def _is_word(text: str) -> bool:
    found = _DIFFERING.fullmatch(text)
    return found is not None and found.lastgroup in _WORDS


class Names:
    """The words that stand for agents: their names, hosts and addresses. Grows as agents come up."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._phrases: set[str] = set()  # what is not one word

    def add(self, *names: str) -> None:
        """Know further names; empty ones are none."""
        for name in names:
            name = name.rpartition("@")[2]
            if _is_word(name):
                self._words.add(name)
            elif name and _DIFFERING.fullmatch(name) is None:
                self._phrases.add(name)

    def alike(self, text: str, *own: str) -> str:
        """Write a text so that it is the same for every agent.

        own: texts of the one that it is about, replaced wherever they stand: its home, its item.
        """
        there = [each for each in own if each and each in text]
        words = {each for each in there if _is_word(each)}
        # What differs by itself, a number say, is no phrase: it would cut words and exit codes that hold it.
        phrases = self._phrases.union(each for each in there if _DIFFERING.fullmatch(each) is None)
        for phrase in sorted(phrases, key=len, reverse=True) if phrases else ():
            text = text.replace(phrase, ANY)
        replaced = _DIFFERING.sub(lambda found: self._replace(found, words), text)
        if f"{ANY}:{ANY}" in replaced:
            replaced = _PLACE.sub(ANY, replaced)
        return replaced[:COMPARED_CHARACTERS]

    def _replace(self, found: re.Match[str], own: set[str]) -> str:
        text, kind = found[0], found.lastgroup
        if kind == "code":
            return text.lower()
        if kind not in _WORDS or text in self._words or text in own:
            return ANY
        if kind == "plain":
            return text
        if len(text) >= LEAST_RANDOM and _RANDOM.fullmatch(text):
            return ANY
        for cut in (_PART, _SMALLER_PART):
            parts = cut.split(text)
            if len(parts) > 1 and not self._words.isdisjoint(parts):
                return ".".join(ANY if part in self._words else _DIGITS.sub(ANY, part) for part in parts)
        return _DIGITS.sub(ANY, text) if not text.isalpha() else text
