"""The Pythons of this machine that the agent's side has to work with."""

from __future__ import annotations

import glob
import os
import subprocess
import sys


def interpreters() -> list[str]:
    """Give the oldest and the newest Python that is supported and here, and the one that runs the tests."""
    found = {
        (3, minor): path
        for minor in range(8, 14)
        for path in sorted(glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{minor}.*/bin/python")))
    }
    return list(dict.fromkeys([sys.executable, *(found[v] for v in sorted(found)[:1] + sorted(found)[-1:])]))


def version_of(python: str) -> str:
    """Give the version of an interpreter, as `3.8.18`."""
    return subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
