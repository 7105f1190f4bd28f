"""The SHA-256 of a file, by a process of its own, so that the daemon does not wait for it."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List


def main(argv: List[str]) -> int:
    """Print it: `digest PATH`."""
    import hashlib

    digest = hashlib.sha256()
    try:
        with open(argv[0], "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
    except OSError as error:
        sys.stderr.write("%s\n" % error)
        return 1
    sys.stdout.write(digest.hexdigest() + "\n")
    return 0
