"""A machine that shows no processes, as a bare chroot: no agent can be there, and whoever asked for one is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from daemon_client import START, argv_of

HIDDEN = """
import os
list_of = os.listdir
def listdir(path="."):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(2, "No such file or directory", path)
    return list_of(path)
os.listdir = listdir
"""


def test_whoever_attaches_is_told(tmp_path: Path) -> None:
    argv = argv_of(sys.executable, "attach", "--run", "run", "--agent", "agent", "--root", str(tmp_path))
    argv[argv.index(START)] = HIDDEN + START.replace(";", "\n")
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert "/proc/self/fd" in done.stderr
    assert done.stdout == ""
