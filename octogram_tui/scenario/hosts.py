"""What can be the name or the address of a machine, and the user to log in as; what to write for what cannot."""

from __future__ import annotations

import functools
import ipaddress
import re

MAX_HOST_CHARACTERS = 253
MAX_USER_CHARACTERS = 255
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){3,}")
_WITH_USER = re.compile(r"(?P<user>[^@]+)@(?P<rest>.+)")
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[0-9]+))?")

_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
# What nearly all are, and well: an IPv4 address, or a name of words between dots.
_COMMON = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}|[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")

Problem = tuple[str, str]


def host_problem(text: str) -> Problem | None:
    """Say why a text is no name or address of a machine, and what to write instead; None when it may be one.

    Only what no configuration of ssh can make sense of is refused: a name may be an alias of it.
    """
    if len(text) <= MAX_HOST_CHARACTERS and _COMMON.fullmatch(text):
        return None
    if not text:
        return "is empty", "write the machine's name or its address"
    if len(text) > MAX_HOST_CHARACTERS:
        return f"has {len(text)} characters", f"a machine's name has at most {MAX_HOST_CHARACTERS}"
    if text.startswith("-"):
        return "begins with `-`, as options do", "write the machine's name or its address"
    if re.search(r"\s", text) or not text.isprintable():
        return "holds a space or a control character", "write one machine's name or its address; several as a list"
    if not text.isascii():
        return "has letters that host names cannot have", f"write it as {_punycode(text)}"
    if "," in text:
        return "holds a comma", f"write several as a list: [{', '.join(part for part in text.split(',') if part)}]"
    if ":" in text:
        try:
            ipaddress.IPv6Address(text)
        except ValueError:
            return "is neither a name nor an address", "write the machine's name or its address, and the port apart"
        return None
    found = re.search(r"[@/\\\[\]*?!\"'`;&|<>(){}#]", text)
    if found is not None:
        return f"holds `{found[0]}`", "write the machine's name or its address"
    if _NUMBERS.fullmatch(text) and (len(text.split(".")) > 4 or any(int(part) > 255 for part in text.split("."))):
        return "is no IPv4 address", "an address has four numbers up to 255"
    if ".." in text or text.startswith("."):
        return "has an empty part between two dots", "write the machine's name or its address"
    return None


def address_problem(text: str) -> Problem | None:
    """Say the same of an agent's `address`, with the keys in which all that else was written there belongs."""
    problem = host_problem(text)
    if problem is None or not text.isascii() or re.search(r"\s", text):
        return problem
    rest = text.partition("://")[2].rstrip("/") if text.lower().startswith(("ssh://", "sftp://")) else text
    user = _WITH_USER.fullmatch(rest)
    split = _WITH_PORT.fullmatch(user["rest"] if user else rest)
    if split is None or host_problem(split["v6"] or split["host"] or "") is not None:
        return problem
    keys = [f"`address: {_quoted(split['v6'] or split['host'])}`"]
    if user:
        keys.append(f"`user: {user['user']}`")
    if split["port"]:
        keys.append(f"`port: {split['port']}`")
    holds = [
        what
        for what, is_there in (
            ("a scheme", rest != text),
            ("a user", user is not None),
            ("brackets", split["v6"] is not None and not split["port"]),
            ("a port", bool(split["port"])),
        )
        if is_there
    ]
    return f"holds {' and '.join(holds)}", f"write {' and '.join(keys)}"


@functools.lru_cache(256)
def user_problem(text: str) -> Problem | None:
    """Say why nobody can log in as this user, and what to write instead."""
    if not text:
        return "is empty", "leave it out to have the ssh configuration's"
    if len(text) > MAX_USER_CHARACTERS:
        return f"has {len(text)} characters", "write the name of the user to log in as"
    if text.startswith("-"):
        return "begins with `-`, as options do", "write the name of the user to log in as"
    if re.search(r"\s", text) or not text.isprintable():
        return "holds a space or a control character", "write the name of the user to log in as"
    found = re.search(r"[\"'`;&|<>(){}:/]", text)  # those that ssh refuses, and those of a place
    if found is not None:
        return f"holds `{found[0]}`", "write the name of the user to log in as"
    return None


def _quoted(host: str) -> str:
    return f"'{host}'" if ":" in host else host


def _punycode(text: str) -> str:
    try:
        return f"`{text.encode('idna').decode('ascii')}`"
    except UnicodeError:
        return "it is registered, in ASCII"
