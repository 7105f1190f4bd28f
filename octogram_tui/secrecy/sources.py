"""Reads the values of secrets where the scenario or the command line says they are."""

from __future__ import annotations

import os
import stat
from typing import Any

from octogram_tui.errors import OctogramError, Problem, ScenarioError
from octogram_tui.model.scenario import SecretSpec

MAX_BYTES = 64 * 1024
COMMAND_S = 60.0
"""How long a command may take: one that asks somebody needs some time."""


class Unreadable(OctogramError):
    """The value of a secret cannot be had."""


def read_value(name: str, spec: SecretSpec) -> tuple[str, str]:
    """Give the value of a secret, and what is doubtful about it. Raises ScenarioError, which never has the value."""
    try:
        value, doubt = _READ[spec.kind](spec)
        return _checked(value), doubt
    except Unreadable as error:
        mark = spec.mark
        problem = Problem(
            mark.file or "--secret", mark.line, mark.column, f"secret `{name}`: {error.message}", error.hint
        )
        raise ScenarioError([problem]) from None


def _checked(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise Unreadable(f"its value has more than {MAX_BYTES >> 10} KiB", hint="large files travel by builtins.copy")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Unreadable("its value is not UTF-8", hint="encode it, as base64 say") from None
    text = text.rstrip("\r\n")
    if not text:
        raise Unreadable("its value is empty")
    if "\0" in text:
        raise Unreadable("its value has a zero byte", hint="encode it, as base64 say")
    return text


def _from_nowhere(_: SecretSpec) -> tuple[bytes, str]:
    raise Unreadable(
        "nothing says where its value comes from",
        hint="give --secret NAME=env:VARIABLE, or file:, command:, keyring:",
    )


def _from_environment(spec: SecretSpec) -> tuple[bytes, str]:
    (variable,) = spec.words
    value = os.environb.get(os.fsencode(variable))
    if value is None:
        raise Unreadable(
            f"there is no variable {variable} in the environment", hint=f"export {variable}, then run again"
        )
    return value, ""


def _from_file(spec: SecretSpec) -> tuple[bytes, str]:
    path = os.path.join(spec.directory, os.path.expanduser(spec.words[0]))
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from None
    is_open = stat.S_ISREG(status.st_mode) and status.st_mode & 0o077
    return data, f"others of this machine may read {path}: chmod 600 it" if is_open else ""


def _from_command(spec: SecretSpec) -> tuple[bytes, str]:
    import subprocess

    argv: Any = list(spec.words) if len(spec.words) > 1 else spec.words[0]
    shown = " ".join(spec.words)
    try:
        done = subprocess.run(
            argv,
            shell=isinstance(argv, str),
            cwd=spec.directory or None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable(f"`{shown}` took more than {COMMAND_S:.0f} s") from None
    except OSError as error:
        raise Unreadable(f"`{shown}`: {error.strerror or error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Unreadable(f"`{shown}` ended with exit status {done.returncode}", hint=said[-1][:200] if said else "")
    return done.stdout, ""


def _from_keyring(spec: SecretSpec) -> tuple[bytes, str]:
    service, user = spec.words
    try:
        import keyring
    except ImportError:
        raise Unreadable(
            "the keyring needs the package `keyring`", hint="pip install 'octogram-tui[keyring]', or use another source"
        ) from None
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # of whichever backend this machine has
        raise Unreadable(f"the keyring refused: {str(error) or type(error).__name__}") from None
    if value is None:
        raise Unreadable(f"the keyring has nothing for {user} of {service}", hint=f"keyring set {service} {user}")
    return value.encode(), ""


_READ = {
    "": _from_nowhere,
    "env": _from_environment,
    "file": _from_file,
    "command": _from_command,
    "keyring": _from_keyring,
}
