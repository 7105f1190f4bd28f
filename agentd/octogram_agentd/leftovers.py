"""What runs have left on a machine: the daemon's program, directories of agents. Its text travels, as that of boot.py.

Alone with the standard library: it is run where nothing of ours need be. Prints a line of JSON for each thing found,
after a mark; with the word `remove`, removes what it was shown before, and nothing that a daemon uses.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Tuple


def main(mark: str, wanted: List[str]) -> None:
    """Tell what there is; remove what is `wanted`, by its path, and can be."""
    from json import dumps

    found = list(_found())
    is_busy = any(one["busy"] for one in found)
    for one in found:
        if one["kind"] == "program" and is_busy:
            one["busy"] = True  # which daemon runs from which is known to nobody
        if one["path"] in wanted and not one["busy"]:
            _remove(one["path"])
            one["gone"] = not os.path.lexists(one["path"])
        print(mark + dumps(one))
    if wanted:
        for directory, _kind in _directories():
            for path in (directory, os.path.dirname(directory)):
                if os.path.basename(path) in ("runs", ".octogram", "octogram", "octogram-%d" % os.getuid()):
                    _remove_empty(path)
    print(mark + "{}")


def _directories() -> Iterator[Tuple[str, str]]:
    """Give the directories that may hold something of ours, and what: where a boot, of now or of then, would put it."""
    home = os.environ.get("HOME", "")
    if home.startswith("/") and home != "/":
        yield home + "/.cache/octogram", "program"
        yield home + "/.octogram/runs", "run"
    bases = ["/var/tmp/octogram-%d" % os.getuid()]  # also where a home can be written now: then it could not
    if os.environ.get("TMPDIR"):
        bases.append("%s/octogram-%d" % (os.environ["TMPDIR"], os.getuid()))
    for base in dict.fromkeys(bases):
        yield base, "program"
        yield base + "/runs", "run"


def _found() -> Iterator[Dict[str, Any]]:
    for directory, kind in _directories():
        if not _is_ours(directory):
            continue
        for name in sorted(os.listdir(directory)):
            path = "%s/%s" % (directory, name)
            if not _is_ours(path) or (kind == "program" and not name.startswith("agentd-")):
                continue
            agents = [path + "/" + agent for agent in os.listdir(path)] if kind == "run" else []
            yield {"kind": kind, "path": path, "bytes": _size(path), "busy": any(map(_is_held, agents)), "gone": False}


def _is_ours(path: str) -> bool:
    """Tell whether it is a directory of this user, and no link to one."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return found.st_mode & 0o170000 == 0o040000 and found.st_uid == os.getuid()


def _is_held(root: str) -> bool:
    """Tell whether a daemon lives in the directory of an agent."""
    import fcntl

    try:
        fd = os.open(root + "/lock", os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def _size(path: str) -> int:
    size = 0
    for directory, _inner, names in os.walk(path):
        for name in names:
            try:
                size += os.lstat(directory + "/" + name).st_size
            except OSError:
                pass
    return size


def _remove(path: str) -> None:
    from shutil import rmtree

    for directory, _inner, _names in os.walk(path):
        try:
            os.chmod(directory, 0o700)  # what a job has shut
        except OSError:
            pass
    rmtree(path, ignore_errors=True)


def _remove_empty(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:
        pass


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
