"""Reads the ssh configuration as ssh itself does, where the library's own reading of it differs.

What ssh takes and the library refuses: comments behind a value, times with units, `Match exec` with tokens or a `=` in
its command, names of services as ports. What both take, and ssh otherwise: a backslash, the order of included files,
and that of ProxyJump and ProxyCommand the first counts. Beyond that, directives about host keys are kept for us.
A test holds the outcome to what `ssh -G` says.
"""

from __future__ import annotations

import glob
import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.config import SSHClientConfig

from octogram_tui.transport.sshconfig import MAX_INCLUDE_DEPTH, SYSTEM_FILE, split_line

_RIVALS = {"ProxyJump": "ProxyCommand", "ProxyCommand": "ProxyJump"}
_WHOLE_LINES = ("proxycommand", "remotecommand")
_TIME = re.compile(r"([0-9]+)([smhdw]?)", re.IGNORECASE)
_UNIT_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Directives(SSHClientConfig):
    """What the files say of one destination; made by `read`."""

    runs_commands = False  # whether any was run to find out

    def parse(self, path: Path, depth: int = 0) -> None:
        """Take a file in. Raises ConfigParseError, which names file and line."""
        if depth == 0:
            self._relative_to = "/etc/ssh" if str(path) == SYSTEM_FILE else os.path.expanduser("~/.ssh")
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        self._path, self._line_no, self._matching = path, 0, True
        self._tokens.setdefault("%", "%")
        for number, line in enumerate(text.split("\n"), 1):
            self._line_no = number
            try:
                name, args, rest = split_line(line)
            except ValueError as error:
                self._error(str(error))
            name = name.lower()
            if not name or not (self._matching or name in ("host", "match")):
                continue
            if name == "include":
                self._include_files(args, depth)
                self._path, self._line_no, self._matching = path, number, True
            elif name in self._handlers:
                self._take(name, [rest] if name in _WHOLE_LINES else args)
        if depth == 0:
            self._fill_in()

    def _take(self, name: str, args: list[str]) -> None:
        option, handler = self._handlers[name]
        if not args or not args[0]:
            self._error(f"Missing {option} value")
        rival = _RIVALS.get(option)
        if rival in self._options and (rival == "ProxyCommand" or self._options[rival] is not None):
            return  # `ProxyCommand none` rules a jump out; `ProxyJump none` no command
        if name == "match":
            args = self._conditions(args)
        handler(self, option, args)
        if args:
            self._error(f"Extra data at end: {' '.join(args)}")

    def _include_files(self, patterns: Sequence[str], depth: int) -> None:
        if depth >= MAX_INCLUDE_DEPTH:
            self._error("Too many files include each other")
        for pattern in patterns:
            whole = os.path.join(self._relative_to, os.path.expanduser(pattern))
            for found in sorted(glob.glob(whole)):
                if os.path.isfile(found):
                    self._include_file(found, depth)

    def _include_file(self, name: str, depth: int) -> None:
        try:
            self.parse(Path(name), depth + 1)
        except OSError as error:
            self._error(f"{name} cannot be read: {error.strerror or error}")

    def _conditions(self, args: list[str]) -> list[str]:
        """Take `host=x` apart, and fill in what `exec` is told of the destination."""
        self._set_tokens()
        words: list[str] = []
        is_keyword = True
        for arg in args:
            keyword = arg.lower().lstrip("!")
            if is_keyword and "=" in arg:
                words += arg.split("=", 1)
                continue
            if not is_keyword and words[-1].lower().lstrip("!") == "exec":
                self.runs_commands = True
                arg = re.sub("%(.)", lambda found: self._tokens.get(found[1], found[0]), arg)
            words.append(arg)
            is_keyword = not is_keyword or keyword in ("all", "canonical", "final")
        return words

    def _fill_in(self) -> None:
        self._set_tokens()
        for option in self._percent_expand:
            value = self._options.get(option)
            if isinstance(value, list):
                self._options[option] = [self._expand_val(item) for item in value]
            elif isinstance(value, str):
                self._options[option] = self._expand_val(value)

    def _set_time(self, option: str, args: list[str]) -> None:
        """Take seconds, with or without units; `none` is what leaving it out means."""
        text = args.pop(0)
        parts = _TIME.findall(text)
        if text.lower() == "none":
            self._options.setdefault(option, None)
        elif not parts or "".join(number + unit for number, unit in parts) != text:
            self._error(f"Invalid {option} time value: {text}")
        else:
            self._options.setdefault(option, sum(int(number) * _UNIT_S[unit.lower()] for number, unit in parts))

    def _set_port(self, option: str, args: list[str]) -> None:
        text = args.pop(0)
        try:
            port = int(text) if text.isascii() and text.isdigit() else socket.getservbyname(text, "tcp")
        except OSError:
            port = 0
        if not 0 < port < 65536:
            self._error(f"Invalid {option} value: {text}")
        self._options.setdefault(option, port)

    def _set_wanted(self, option: str, args: list[str]) -> None:
        """Take yes, no, or yes under conditions."""
        self._options.setdefault(option, args.pop(0).lower() not in ("no", "false"))

    def _set_verdict(self, option: str, args: list[str]) -> None:
        """Keep what to do about unknown host keys, and where that is said."""
        self._options.setdefault(option, args.pop(0).lower())
        self._options.setdefault(f"{option} place", f"{self._path}:{self._line_no}")

    def _set_files(self, option: str, args: list[str]) -> None:
        """Keep names of files, and where they are said."""
        self._set_string_list(option, args)
        self._options.setdefault(f"{option} place", f"{self._path}:{self._line_no}")

    _handlers = {  # noqa: RUF012 - the library declares it as of an instance
        **SSHClientConfig._handlers,
        "connecttimeout": ("ConnectTimeout", _set_time),
        "serveraliveinterval": ("ServerAliveInterval", _set_time),
        "port": ("Port", _set_port),
        "pubkeyauthentication": ("PubkeyAuthentication", _set_wanted),
        "stricthostkeychecking": ("StrictHostKeyChecking", _set_verdict),
        "userknownhostsfile": ("UserKnownHostsFile", _set_files),
        "hashknownhosts": ("HashKnownHosts", SSHClientConfig._set_bool),
        "checkhostip": ("CheckHostIP", SSHClientConfig._set_bool),
    }


class Read(asyncssh.SSHClientConnectionOptions):
    """What has been read, in the form in which further options begin with it; no options by itself."""

    def __init__(self, config: Directives) -> None:
        self.config = config
        self.kwargs: dict[str, Any] = {}


def read(files: Sequence[str], address: str, port: int | None, user: str | None, local_user: str) -> Directives:
    """Read the files for a destination. Raises ConfigParseError, and OSError for a file that cannot be read."""
    told = (local_user, () if user is None else user, address, () if port is None else port)
    config = Directives.load(None, list(files), False, False, False, *told)
    if config.has_match_final():
        config = Directives.load(config, list(files), True, False, True, *told)
    assert isinstance(config, Directives)
    return config
