"""Which ssh configuration applies, and what in it we cannot honour. Reads files; knows no SSH library."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from octogram_tui.errors import ConnectFailed

USER_FILE = "~/.ssh/config"
SYSTEM_FILE = "/etc/ssh/ssh_config"
MAX_INCLUDE_DEPTH = 16

# Directives that change who is trusted or how a machine is reached, and that are not honoured; keys in lower case.
UNSUPPORTED = {
    "stricthostkeychecking": "host keys are always checked; write `accept-new`, or use --accept-new, to trust machines "
    "seen for the first time",
    "verifyhostkeydns": "host keys are not looked up in DNS; record them in known_hosts",
    "knownhostscommand": "no command is asked for host keys; record them in known_hosts",
    "revokedhostkeys": "mark revoked keys with @revoked in known_hosts instead",
    "nohostauthenticationforlocalhost": "the host key of this machine is checked too",
    "updatehostkeys": "known_hosts is only added to with --accept-new",
    "canonicalizehostname": "names are used as they are written",
    "connectionattempts": "how often to try again is decided here",
    "controlpath": "connections of running ssh clients are not reused; agents on one machine share ours",
    "proxyusefdpass": "the proxy command must pass bytes itself",
    "securitykeyprovider": "keys on a security token are used through ssh-agent only",
    "requiredrsasize": "the size of RSA keys is not checked",
    "bindinterface": "use BindAddress instead",
    "pubkeyacceptedalgorithms": "the library's own list applies",
    "pubkeyacceptedkeytypes": "the library's own list applies",
    "remotecommand": "only our own commands are run",
    "requesttty": "no terminal is asked for",
    "localcommand": "no command is run on this machine",
    "permitlocalcommand": "no command is run on this machine",
    "addkeystoagent": "no key is added to the ssh agent",
    "compression": "nothing is compressed on the way",
    "passwordauthentication": "passwords are never asked for",
    "kbdinteractiveauthentication": "passwords are never asked for",
    "forwardx11": "no display is forwarded",
    "localforward": "no ports are forwarded",
    "remoteforward": "no ports are forwarded",
    "dynamicforward": "no ports are forwarded",
    "gatewayports": "no ports are forwarded",
}
HARMLESS = {
    ("stricthostkeychecking", "yes"),
    ("stricthostkeychecking", "accept-new"),
    ("stricthostkeychecking", "ask"),  # nobody is there to be asked: an unknown key is refused, as by default
    ("remotecommand", "none"),
    ("requesttty", "no"),
    ("requesttty", "auto"),
    ("permitlocalcommand", "no"),
    ("addkeystoagent", "no"),
    ("compression", "no"),
    ("passwordauthentication", "no"),
    ("kbdinteractiveauthentication", "no"),
    ("forwardx11", "no"),
    ("controlpath", "none"),
    ("verifyhostkeydns", "no"),
    ("knownhostscommand", "none"),
    ("revokedhostkeys", "none"),
    ("updatehostkeys", "no"),
    ("proxyusefdpass", "no"),
    ("nohostauthenticationforlocalhost", "no"),
    ("connectionattempts", "1"),
    ("canonicalizehostname", "no"),
}


class Ignored(NamedTuple):
    """A directive that is not honoured: where it is written, as what, and what happens instead."""

    file: str
    line: int
    directive: str
    value: str
    instead: str


def config_files(given: str | None) -> tuple[str, ...]:
    """List the files to read, in order: the one given alone, or the user's and the system's where they exist.

    `none` means no file at all, as it does for ssh. Raises ConnectFailed when the one given cannot be read.
    """
    if given is None:
        candidates = (os.path.expanduser(USER_FILE), SYSTEM_FILE)
        return tuple(path for path in candidates if os.access(path, os.R_OK) and os.path.isfile(path))
    if given.lower() == "none":
        return ()
    path = os.path.expanduser(given)
    try:
        with open(path, encoding="utf-8"):
            pass
    except OSError as error:
        failure = ConnectFailed(
            f"the ssh configuration {given} cannot be read: {error.strerror or error}",
            hint="see --ssh-config",
            code="net.config",
        )
        failure.is_retryable = False
        raise failure from error
    return (path,)


def ignored_directives(files: tuple[str, ...]) -> list[Ignored]:
    """List the directives that matter and are not honoured, wherever in the files they stand."""
    return [
        Ignored(file, line, words[0], " ".join(words[1:]), UNSUPPORTED[words[0].lower()])
        for file, line, words in _directives(files, 0)
        if words[0].lower() in UNSUPPORTED and (words[0].lower(), " ".join(words[1:]).lower()) not in HARMLESS
    ]


def _directives(files: tuple[str, ...], depth: int) -> Iterator[tuple[str, int, list[str]]]:
    for file in files:
        try:
            with open(file, encoding="utf-8", errors="replace") as stream:
                lines = stream.read().splitlines()
        except OSError:
            continue
        for number, text in enumerate(lines, 1):
            try:
                name, arguments, _ = split_line(text)
            except ValueError:
                continue  # whoever reads the file for a destination says so
            if not name:
                continue
            words = [name, *arguments]
            yield file, number, words
            if words[0].lower() == "include" and depth < MAX_INCLUDE_DEPTH:
                for pattern in words[1:]:
                    path = os.path.join(os.path.expanduser("~/.ssh"), os.path.expanduser(pattern))
                    yield from _directives(tuple(sorted(glob.glob(path))), depth + 1)


def split_line(text: str) -> tuple[str, list[str], str]:
    """Give a line's directive, its words, and the words as they are written, as ssh takes them apart.

    Quotes hold words together, a backslash counts before a quote, a backslash or a space only, and a `#` before a word
    begins a comment. Raises ValueError for an open quotation. The directive is empty where the line says nothing.
    """
    name, words, rest = _split_line(text)
    return name, list(words), rest


@lru_cache(maxsize=4096)
def _split_line(text: str) -> tuple[str, tuple[str, ...], str]:
    """Do it once: a file is read for every machine."""
    found = re.fullmatch(r"\s*([^\s=#][^\s=]*)(?:\s*=\s*|\s+|$)(.*)", text.strip(), re.DOTALL)
    if found is None:
        return "", (), ""
    words: list[str] = []
    rest = found[2].strip()
    at = 0
    while at < len(rest) and rest[at] != "#":
        word, at = _word(rest, at)
        words.append(word)
        while at < len(rest) and rest[at].isspace():
            at += 1
    return found[1], tuple(words), rest


def _word(text: str, at: int) -> tuple[str, int]:
    """Read one word; gives it, and where it ends."""
    letters: list[str] = []
    quote = ""
    while at < len(text):
        letter = text[at]
        after = text[at + 1 : at + 2]
        if letter == "\\" and after and (after in "'\"\\" or (after == " " and not quote)):
            letters.append(after)
            at += 1
        elif quote:
            if letter == quote:
                quote = ""
            else:
                letters.append(letter)
        elif letter in "'\"":
            quote = letter
        elif letter.isspace():
            break
        else:
            letters.append(letter)
        at += 1
    if quote:
        raise ValueError(f"no closing quotation: {text}")
    return "".join(letters), at
