"""How CI services read a log: what in it each of them obeys, by the rules that it states or its own program has."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Command(NamedTuple):
    """What a service was told to do. values: what goes with it, unescaped."""

    name: str
    values: dict[str, str]


def github(log: str) -> list[Command]:
    """Read as its runner does: a line is trimmed as .NET trims, `##[` counts wherever it stands."""
    found = []
    for line in re.split(r"\r\n|\r|\n", log):
        if "##[" in line:
            found.append(Command("##[", {}))
        trimmed = line.lstrip()
        if not trimmed.startswith("::") or "::" not in trimmed[2:]:
            continue
        head, _, data = trimmed[2:].partition("::")
        name, _, given = head.partition(" ")
        pairs = (pair.partition("=") for pair in given.split(",") if "=" in pair)
        values = {key.strip(): _percent(value, ":,") for key, _, value in pairs}
        found.append(Command(name, {**values, "data": _percent(data, "")}))
    return found


def _percent(text: str, more: str) -> str:
    for sign in f"\r\n{more}":
        text = text.replace(f"%{ord(sign):02X}", sign)
    return text.replace("%25", "%")


_SECTION = re.compile(r"section_(start|end):(\d+):([a-zA-Z0-9_.-]+)(\[\w+=\w+(?:, ?\w+=\w+)*\])?\r\x1b\[0K")


def gitlab(log: str) -> list[Command]:
    """Read as GitLab renders a trace: a mark counts wherever in a line it stands."""
    return [Command(f"section_{each[1]}", {"at": each[2], "name": each[3]}) for each in _SECTION.finditer(log)]


_HEADER = re.compile(r"(?:---|\+\+\+|~~~)\s(.+)?$|\^\^\^\s+\+\+\+\s*$")


def buildkite(log: str) -> list[Command]:
    """Read as its agent does: colours are taken away before a line's beginning is looked at."""
    lines = (re.sub(r"\x1b\[[\d;]*[mK]", "", line).rstrip("\r") for line in log.split("\n"))
    return [Command(line[:3], {"title": line[4:]}) for line in lines if _HEADER.match(line)]


def teamcity(log: str) -> list[Command]:
    """Read service messages as they are documented; one that is malformed is refused, and stands for an attack too."""
    found = []
    for line in re.split(r"\r\n|\r|\n", log):
        at = line.find("##teamcity[")
        while at >= 0:
            message, end = _message(line, at + len("##teamcity["))
            found.append(message)
            at = line.find("##teamcity[", end)
    return found


def _message(line: str, at: int) -> tuple[Command, int]:
    name = re.compile(r"[A-Za-z]+").match(line, at)
    if name is None:
        return Command("malformed", {}), at
    at, values = name.end(), {}
    while at < len(line) and line[at] == " ":
        key = re.compile(r" ([A-Za-z]\w*)='").match(line, at)
        if key is None:
            return Command("malformed", {}), at
        at, text = key.end(), ""
        while line[at] != "'":
            if line[at] == "|":
                number = re.compile(r"\|0x([0-9a-f]{4})").match(line, at)
                text += chr(int(number[1], 16)) if number else _UNESCAPED[line[at + 1]]
                at = number.end() if number else at + 2
            else:
                assert line[at] not in "[]", "it has to be escaped"
                text += line[at]
                at += 1
        values[key[1]] = text.encode("utf-16", "surrogatepass").decode("utf-16")
        at += 1
    assert line[at] == "]"
    return Command(name[0], values), at + 1


_UNESCAPED = {"|": "|", "'": "'", "[": "[", "]": "]", "n": "\n", "r": "\r", "x": "\x85", "l": "\u2028", "p": "\u2029"}

READERS: dict[str, Callable[[str], list[Command]]] = {
    "github": github,
    "gitlab": gitlab,
    "buildkite": buildkite,
    "teamcity": teamcity,
}
