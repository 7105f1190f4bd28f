"""The secret by which the agents of a run know who may speak to them: whoever goes on with the run, and nobody else."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from octogram_tui import records
from octogram_tui.errors import JournalError

TOKEN = "token"
MOST_BYTES = 256
_TOKEN = re.compile("[0-9a-f]{32}")


def make(run_dir: Path) -> str:
    """Make the token of a new run, and keep it where its user alone can read it. Raises JournalError."""
    token = secrets.token_hex(16)
    place = run_dir / TOKEN
    try:
        fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            os.fchmod(fd, 0o600)
            file.write(token.encode("ascii"))
            file.flush()
            os.fsync(fd)
    except OSError as error:
        raise JournalError(f"cannot write {place}: {error.strerror}") from error
    return token


def find(run_dir: Path) -> str:
    """Give the token of a run; '' for one that has none. Raises JournalError when it cannot be read, or is none."""
    place = run_dir / TOKEN
    try:
        token = records.read(place, MOST_BYTES).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise JournalError(f"cannot read {place}: {error.strerror}") from error
    if not _TOKEN.fullmatch(token):
        raise JournalError(
            f"{place} is damaged: it holds no token",
            hint="what the run has left ends by itself when the lease is over; then remove that file, and try again",
        )
    return token
