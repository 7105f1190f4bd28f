"""Where this program is, for the small programs of it that run as processes of their own (serve, download)."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

_START = (  # a program of one line, for `python -c`
    "import sys;sys.path.insert(0,sys.argv.pop(1));import octogram_agentd.%s as m;sys.exit(m.main(sys.argv[1:]))"
)


def argv(module: str, *arguments: str) -> List[str]:
    """Give the command that runs `main` of a module of this package (`network.download`), in a zipapp or a checkout."""
    place = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if place.startswith("/proc/self/"):  # a bundle without a file: the new process finds it where we have it open
        place = "/proc/%d/%s" % (os.getpid(), place[len("/proc/self/") :])
    return [sys.executable, "-ISXutf8", "-c", _START % module, place, *arguments]
