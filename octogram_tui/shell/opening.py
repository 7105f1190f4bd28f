"""Opens a shell where it is to be: here by becoming it, elsewhere by a connection of our own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence

from octogram_tui.errors import ExitCode, OctogramError, TransportError
from octogram_tui.projection.text import safe
from octogram_tui.shell.place import ShellPlace
from octogram_tui.shell.talk import Talk
from octogram_tui.transport.argv import CommandTransport
from octogram_tui.transport.base import Channel, TerminalKind, Transport

NO_SHELLS = ("nologin", "false", "true", "sync")


class ShellFailed(OctogramError):
    """The shell, or the command, cannot be started here. status: what a shell of such a machine would end with."""

    exit_code = ExitCode.JOB_FAILED
    status = 127


class NoDirectory(ShellFailed):
    """The directory is not there."""

    status = 1


def here(place: ShellPlace, argv: Sequence[str], *, comes_back: bool) -> int:
    """Have a shell on this machine: become it, or wait for it and give its exit status. Raises ShellFailed."""
    environment = {**({} if place.is_whole else os.environ), **place.environment}
    environment["TERM"] = os.environ.get("TERM", "dumb")
    try:
        os.chdir(place.directory)
    except OSError as error:
        said = f"cannot enter {safe(place.directory)}: {error.strerror}"
        if argv:  # meant for that directory, and for no other
            raise NoDirectory(said) from error
        home = environment.get("HOME") or "/"
        os.chdir(home if os.path.isdir(home) else "/")
        environment["PWD"] = os.getcwd()
        print(f"octogram-tui: {said}; this is {safe(os.getcwd())}", file=sys.stderr)
    words = list(argv) or [_own_shell(environment)]
    program = shutil.which(words[0], path=environment.get("PATH"))
    if program is None:
        said = f"cannot start {safe(words[0]) or 'nothing'}: there is no such program"
        raise ShellFailed(said, hint="looked for in the agent's PATH")
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if not comes_back:
            os.execve(program, words, environment)
        for number in (signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, lambda *_: None)  # what is pressed there is the shell's; which has its own again
        return subprocess.call(words, executable=program, env=environment)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ShellFailed(f"cannot start {safe(program)}: {why}") from error


def _own_shell(environment: dict[str, str]) -> str:
    try:
        own = pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        own = ""
    found = (each for each in (environment.get("SHELL", ""), own) if os.access(each, os.X_OK))
    return next((each for each in found if os.path.basename(each) not in NO_SHELLS), "/bin/sh")


async def elsewhere(place: ShellPlace, argv: Sequence[str], terminal: TerminalKind | None) -> int:
    """Talk to a shell on another machine until it ends; gives its exit status. Raises TransportError."""
    mark = f"OCTO-{secrets.token_hex(8)}"
    talk = Talk(mark, place.order(argv, terminal), _write)
    transport = _transport(place)
    try:
        channel = await _open(transport, place.argv(mark), talk, terminal)
        try:
            return await talk.hold(channel, is_terminal=terminal is not None)
        finally:
            channel.abort()
    finally:
        await transport.close()


def _transport(place: ShellPlace) -> Transport:
    if place.spec.transport == "command":
        return CommandTransport(place.spec.name, place.spec.command)
    from octogram_tui.transport.ssh import Machines, SshTransport

    return SshTransport(place.spec, Machines(ssh_config=place.ssh_config, accept_new=place.accept_new))


async def _open(transport: Transport, argv: Sequence[str], talk: Talk, terminal: TerminalKind | None) -> Channel:
    from octogram_tui.transport.ssh import SshTransport

    if terminal is not None and isinstance(transport, SshTransport):
        return await transport.open_terminal(argv, talk, terminal)
    return await transport.open(argv, talk)


def _write(fd: int, data: bytes) -> None:
    """Write all of it. Whoever does not read any more is no reason to end the command."""
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError as error:
        raise TransportError(f"nobody reads what the command writes: {error.strerror}") from error
