"""The Pythons of this machine that the agent's side has to work with."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from functools import cache

OLDEST, NEWEST = (3, 8), (3, 14)


@cache
def _found() -> dict[tuple[int, int], str]:
    """Find one interpreter of each minor version, the one that runs the tests for its own."""
    found = {(sys.version_info[0], sys.version_info[1]): sys.executable}
    names = [shutil.which(f"python3.{minor}") for minor in range(OLDEST[1], NEWEST[1] + 1)]
    names += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python")))
    for name in names:
        if name is None or "shims" in name:
            continue
        asked = subprocess.run(
            [name, "-IS", "-c", "import sys;print(*sys.version_info[:2])"], capture_output=True, text=True, check=False
        )
        if asked.returncode == 0:
            major, minor = map(int, asked.stdout.split())
            if OLDEST <= (major, minor) <= NEWEST:
                found.setdefault((major, minor), name)
    return dict(sorted(found.items()))


def every_interpreter() -> list[str]:
    """Give one of each supported minor version."""
    return list(_found().values())


def interpreters() -> list[str]:
    """Give the one that runs the tests, the oldest and the newest."""
    found = every_interpreter()
    return list(dict.fromkeys([sys.executable, found[0], found[-1]]))


def version_of(python: str) -> str:
    """Give the version of an interpreter, as `3.8`."""
    return next(f"{major}.{minor}" for (major, minor), path in _found().items() if path == python)
