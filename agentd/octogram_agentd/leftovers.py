"""What runs have left on a machine: the daemon's program, directories of agents, of one run also its processes.

Its text travels, as that of boot.py. Alone with the standard library: it is run where nothing of ours need be. Prints a
line of JSON for each thing found, after a mark; removes what it was shown before, and nothing that a daemon uses.

Of one run it is told which agents were here, and where their files were: whoever looks may have another HOME, and files
that are gone prove nothing of processes.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

MARK = b"\0OCTOGRAM_PROCESS="  # in the environment of what agents start
GUARD = "octogram-guard"  # has no brand of its own
LEAST_BRAND = 1 << 61  # see processes/brand.py
DYING_S = 2.0


def main(mark: str, question: str, wanted: List[str]) -> None:
    """Tell what there is; remove what is `wanted`, by its path, and can be.

    question: JSON; with `run`, `agents` and `roots` it is about that run too, and with `ends` its processes are ended
    that have no directory by which a daemon could be asked to.
    """
    from json import dumps, loads

    asked = loads(question)
    run, roots, processes = asked.get("run", ""), list(asked.get("roots", ())), []
    if run:
        agents = frozenset(asked["agents"])
        processes = _processes(run, agents)
        roots += dict.fromkeys(root for one in processes if one["ours"] for root in _roots_of(one["pid"], run))
    found = list(_found(roots))
    if run:
        housed = _housed(run, found)
        if asked.get("ends"):
            processes = _end(run, agents, housed)
        print(mark + dumps({"kind": "machine", "path": os.uname().nodename.encode("utf-8", "replace").decode()}))
        for one in processes:
            told = {"kind": "process", "path": one["name"], "pid": one["pid"], "agent": one["agent"]}
            print(mark + dumps(dict(told, busy=one["agent"] in housed)))
    is_busy = any(one.get("busy") for one in found)
    for one in found:
        if one["kind"] == "program" and is_busy:
            one["busy"] = True  # which daemon runs from which is known to nobody
        if one["path"] in wanted and not one["busy"]:
            _remove(one["path"])
            one["gone"] = not os.path.lexists(one["path"])
        print(mark + dumps(one))
    if wanted:
        for directory in [*(directory for directory, _kind in _directories()), *map(os.path.dirname, roots)]:
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


def _found(roots: Iterable[str]) -> Iterator[Dict[str, Any]]:
    """Give what is in the usual places, and of the directories of a run that are known to have been elsewhere."""
    told = set()
    for directory, kind in _directories():
        if not _is_ours(directory):
            continue
        for name in sorted(os.listdir(directory)):
            path = "%s/%s" % (directory, name)
            if not _is_ours(path) or (kind == "program" and not name.startswith("agentd-")):
                continue
            told.add(_inode(path))
            yield _directory(kind, path)
    for path in dict.fromkeys(roots):
        try:
            inode = _inode(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            inode = (0, 0)  # what may not be looked at
        if inode in told:
            continue
        told.add(inode)
        if any(inode) and _is_ours(path):
            yield dict(_directory("run", path), elsewhere=True)
        else:
            yield {"kind": "unknown", "path": path}


def _directory(kind: str, path: str) -> Dict[str, Any]:
    agents = [path + "/" + agent for agent in os.listdir(path)] if kind == "run" else []
    return {"kind": kind, "path": path, "bytes": _size(path), "busy": any(map(_is_held, agents)), "gone": False}


def _inode(path: str) -> Tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino


def _housed(run: str, found: Sequence[Dict[str, Any]]) -> Dict[str, None]:
    """Give the agents of a run that have a directory: a daemon there is asked to end what they run, or does so."""
    roots = [one["path"] for one in found if one["kind"] == "run" and os.path.basename(one["path"]) == run]
    return dict.fromkeys(agent for root in roots for agent in os.listdir(root))


def _processes(run: str, agents: Iterable[str]) -> List[Dict[str, Any]]:
    """Give the live processes of some agents of a run, whoever's they are, and none that we descend from.

    They are known by what daemons, guards and bridges are called with (those are `ours`), by the mark or the brand of
    what was started, and by descending from any of these.
    """
    seen = {one["pid"]: one for one in map(_see, map(int, filter(str.isdigit, os.listdir("/proc")))) if one}
    above, pid = set(), os.getpid()
    while pid in seen:
        above.add(pid)
        pid = seen[pid]["parent"]
    brands, not_theirs = {}, {_brand(os.getpid()), 0}  # a run may be started by what another one has started
    for pid, one in seen.items():
        one["agent"] = _called(pid, run)
        one["ours"] = bool(one["agent"])
        if one["name"] == GUARD:
            not_theirs.add(_brand(pid))
        if not one["ours"]:
            one["agent"] = _marked(pid, run)
            if one["agent"]:
                brands[_brand(pid)] = one["agent"]
    for pid, one in seen.items() if brands else ():
        brand = 0 if one["agent"] else _brand(pid)
        if brand not in not_theirs:
            one["agent"] = brands.get(brand, "")
    for one in seen.values():
        line = [one]
        while not line[-1]["agent"] and line[-1]["parent"] in seen:
            line.append(seen[line[-1]["parent"]])
        one["agent"] = line[-1]["agent"]
    return [one for pid, one in seen.items() if one["agent"] in agents and pid not in above]


def _see(pid: int) -> Dict[str, Any]:
    """Look at one process; nothing when it has ended."""
    try:
        with open("/proc/%d/stat" % pid, "rb", 0) as file:
            head, _, rest = file.read(4096).decode("utf-8", "replace").rpartition(")")
        fields = rest.split()
        if fields[0] in "ZX" and int(fields[17]) < 2:  # else only its first thread has ended
            return {}
        name, parent, start = head.partition("(")[2], int(fields[1]), int(fields[19])
    except (OSError, ValueError, IndexError):
        return {}
    return {"pid": pid, "name": name, "state": fields[0], "parent": parent, "start": start}


def _read(pid: int, name: str) -> bytes:
    try:
        with open("/proc/%d/%s" % (pid, name), "rb", 0) as file:
            return file.read(1 << 20)
    except OSError:
        return b""  # it is gone, or may not be looked at


def _called(pid: int, run: str) -> str:
    """Give the agent that a daemon, its guard or a bridge is of: in the command line, or in the text it came as."""
    import re
    from binascii import a2b_base64

    said = _read(pid, "cmdline")
    text = re.search(rb'a2b_base64\("([\w+/=]+)"', said)
    if text is not None:
        try:
            said = a2b_base64(text.group(1))
        except ValueError:
            pass
    between = rb"\W{1,12}"
    words = between.join((rb"\battach", b"--run", re.escape(run.encode()), b"--agent", rb"([\w.~+=@-]+)"))
    found = re.search(words, said)
    return found.group(1).decode() if found else ""


def _marked(pid: int, run: str) -> str:
    mark = (b"\0" + _read(pid, "environ")).partition(MARK)[2].partition(b"\0")[0].decode("utf-8", "replace").split("/")
    return mark[1] if len(mark) > 2 and mark[0] == run else ""


def _brand(pid: int) -> int:
    """Give the number that whatever descends from one start inherits, also with an empty environment; 0: none."""
    words = _read(pid, "limits").partition(b"Max realtime timeout")[2].split(None, 1)
    return int(words[0]) if words and words[0].isdigit() and int(words[0]) >= LEAST_BRAND else 0


def _roots_of(pid: int, run: str) -> Iterator[str]:
    """Give the directory of a run that a daemon lives in, by the lock that it holds."""
    try:
        links = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
    except OSError:
        return
    for link in links:
        root = os.path.dirname(os.path.dirname(link))
        if os.path.basename(link) == "lock" and os.path.basename(root) == run:
            yield root


def _end(run: str, agents: Iterable[str], housed: Iterable[str]) -> List[Dict[str, Any]]:
    """End the processes of agents without a directory, wake the daemons of the others; gives what lives then."""
    import signal
    import time

    deadline_s = time.monotonic() + DYING_S
    while True:
        processes = _processes(run, agents)
        homeless = [one for one in processes if one["agent"] not in housed]
        for one in processes:
            if one in homeless:
                _signal(one, signal.SIGKILL)
            elif one["ours"] and one["state"] == "T":
                _signal(one, signal.SIGCONT)  # it could neither be asked nor end by itself
        if not homeless or time.monotonic() > deadline_s:
            return processes
        time.sleep(0.02)


def _signal(one: Dict[str, Any], number: int) -> None:
    if _see(one["pid"]).get("start") == one["start"]:
        try:
            os.kill(one["pid"], number)
        except OSError:
            pass  # it is gone, or somebody else's: the next look tells


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
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
