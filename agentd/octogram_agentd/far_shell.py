"""Becomes a shell, or a command, in a directory and with an environment that are told on its standard input.

`octogram-tui shell` has it executed on an agent's machine, sent as text: no daemon is asked, and none is disturbed. The
environment is told and not given as words of a command, which everybody on the machine could read.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

READ_BYTES = 65536
LOOK_S = 0.1  # how often it is seen whether the shell has ended
NO_SHELLS = ("nologin", "false", "true", "sync")


def main(mark: str) -> None:
    """Say that we listen, take the order, and become what it names."""
    order = json.loads(_read_order(mark))
    environment = _environment(order)
    try:
        os.chdir(order["directory"])
    except OSError as error:
        said = "cannot enter %s: %s" % (order["directory"], error.strerror)
        if order["argv"]:  # meant for that directory, and for no other
            _say(said)
            sys.exit(1)
        _say("%s; this is %s" % (said, _go_home(environment)))
    argv = order["argv"] or [_shell(environment)]
    if order["terminal"] and not os.isatty(0):
        sys.exit(_in_terminal(argv, environment, order["terminal"]))
    _become(argv, environment)


def _read_order(mark: str) -> bytes:
    """Read a line, byte by byte: what follows it is for whom we become. A terminal does not show it."""
    kept = None
    if os.isatty(0):
        import termios

        kept = termios.tcgetattr(0)
        quiet = termios.tcgetattr(0)
        quiet[3] &= ~(termios.ECHO | termios.ICANON)  # a terminal's own line holds 4096 bytes
        termios.tcsetattr(0, termios.TCSANOW, quiet)
    os.write(1, mark.encode())
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit(0)
        line += byte
    if kept is not None:
        termios.tcsetattr(0, termios.TCSANOW, kept)
    return line


def _environment(order: Dict[str, Any]) -> Dict[str, str]:
    base = {} if order["is_whole"] else dict(os.environ)
    base.update(order["environment"])
    if order["terminal"]:
        base["TERM"] = order["terminal"]["name"]
    return base


def _go_home(environment: Dict[str, str]) -> str:
    home = environment.get("HOME") or "/"
    try:
        os.chdir(home)
    except OSError:
        os.chdir("/")
    return os.getcwd()


def _shell(environment: Dict[str, str]) -> str:
    """Choose the user's own shell, where it is one."""
    import pwd

    try:
        own = pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        own = ""
    for shell in (environment.get("SHELL", ""), own):
        if shell and os.access(shell, os.X_OK) and os.path.basename(shell) not in NO_SHELLS:
            return shell
    return "/bin/sh"


def _become(argv: List[str], environment: Dict[str, str]) -> None:
    try:
        os.execvpe(argv[0], argv, environment)
    except (OSError, ValueError) as error:
        _say("cannot start %s: %s" % (argv[0] or "nothing", getattr(error, "strerror", None) or error))
        os._exit(127)


def _in_terminal(argv: List[str], environment: Dict[str, str], terminal: Dict[str, Any]) -> int:
    """Have a terminal where the way here gave none; gives the exit status."""
    import fcntl
    import pty
    import select
    import struct
    import termios

    pid, master = pty.fork()
    if not pid:
        columns, rows = terminal["size"]
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        _become(argv, environment)
    status = None
    while True:
        ready = select.select([0, master], [], [], LOOK_S if status is None else 0.0)[0]
        if status is not None and master not in ready:  # others may hold the terminal: they stay
            break
        if master in ready:
            try:
                data = os.read(master, READ_BYTES)
            except OSError:
                data = b""
            if not data:
                break
            _write(1, data)
        if 0 in ready and status is None:
            data = os.read(0, READ_BYTES)
            if not data:  # whoever typed is gone: so is the terminal
                break
            _write(master, data)
        ended, found = os.waitpid(pid, os.WNOHANG) if status is None else (0, 0)
        status = found if ended else status
    os.close(master)
    status = os.waitpid(pid, 0)[1] if status is None else status
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _say(text: str) -> None:
    os.write(2, ("octogram-tui: %s\n" % text).encode("utf-8", "replace"))
