"""Which ssh configuration applies, and what in it we cannot honour. Reads files; knows no SSH library."""

from __future__ import annotations

import glob
import os
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from octogram_tui.errors import ConnectFailed

USER_FILE = "~/.ssh/config"
SYSTEM_FILE = "/etc/ssh/ssh_config"
MAX_INCLUDE_DEPTH = 16

# Directives that change who is trusted or how a machine is reached, and that are not honoured; keys in lower case.
UNSUPPORTED = {
    "stricthostkeychecking": "host keys are always checked; use --accept-new to trust machines seen for the first time",
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
    "localforward": "no ports are forwarded",
    "remoteforward": "no ports are forwarded",
    "dynamicforward": "no ports are forwarded",
    "gatewayports": "no ports are forwarded",
}
HARMLESS = {
    ("stricthostkeychecking", "yes"),
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
            words = _words(text)
            if not words:
                continue
            yield file, number, words
            if words[0].lower() == "include" and depth < MAX_INCLUDE_DEPTH:
                for pattern in words[1:]:
                    path = os.path.join(os.path.expanduser("~/.ssh"), os.path.expanduser(pattern))
                    yield from _directives(tuple(sorted(glob.glob(path))), depth + 1)


def _words(text: str) -> list[str]:
    text = text.strip()
    if not text or text.startswith("#"):
        return []
    name, _, rest = text.replace("=", " ", 1).partition(" ") if "=" in text.split(None, 1)[0] else text.partition(" ")
    try:
        return [name.strip(), *(word for word in shlex.split(rest) if word != "=")]
    except ValueError:
        return [name.strip(), rest.strip()]
