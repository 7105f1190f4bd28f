"""The directory of one agent of one run: ROOT with home/, data/, tmp/, log/, the socket and the lock.

Every directory on the way is ours alone (0700) or somebody's whom we trust; nothing is followed by a link when it is
removed.
"""

from __future__ import annotations

import errno
import os
import stat

from octogram_agentd.processes.filenames import RECORD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

SOCKET = "sock"
LOCK = "lock"
JOURNAL = "agentd.log"  # the daemon's own complaints
NOBODY = 65534  # who owns the system's directories as seen from a user namespace
NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~+=@-"


class HomeUnusable(Exception):
    """There is no place for the agent's files; the text says what is wrong with each one tried."""


def candidates(run: str, agent: str, given: str) -> List[str]:
    """Give the directories that may be ROOT, the preferred one first. `given` stands for ~/.octogram/runs."""
    for name in (run, agent):
        if not name or name.startswith(".") or len(name) > 200 or any(c not in NAME_CHARACTERS for c in name):
            raise HomeUnusable("%r cannot be the name of a directory" % name)
    if given:
        bases = [os.path.abspath(given)]
    else:
        bases = ["/var/tmp/octogram-%d/runs" % os.getuid()]
        login = os.environ.get("HOME", "")
        if login.startswith("/") and login != "/" and login == login.encode("utf-8", "replace").decode():
            bases.insert(0, login + "/.octogram/runs")
    return [os.path.join(base, run, agent) for base in bases]


def make(root: str) -> None:
    """Make ROOT and what is above it as far as it is missing. Raises OSError; EPERM when others could reach into it."""
    missing = [root]
    while not os.path.isdir(os.path.dirname(missing[-1])):
        missing.append(os.path.dirname(missing[-1]))
    for path in reversed(missing):  # not makedirs, whose mode is for the last one only
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            pass
    found = os.lstat(root)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(errno.EPERM, "it is not a directory of our own, writable by us alone")
    path = root
    while found.st_uid == os.getuid() and path != "/":
        if found.st_mode & 0o1002 == 0o0002 and not stat.S_ISLNK(found.st_mode):
            raise PermissionError(errno.EPERM, "others may rename what is in %s" % path)
        path = os.path.dirname(path)
        found = os.lstat(path)
    is_open = found.st_mode & 0o1002 == 0o0002 and not stat.S_ISLNK(found.st_mode)
    if found.st_uid not in (0, os.getuid(), NOBODY) or is_open:
        raise PermissionError(errno.EPERM, "%s is somebody else's" % path)


class Home:
    """ROOT as the daemon uses it."""

    def __init__(self, root: str, lock_fd: int) -> None:
        self.root = root
        self.lock_fd = lock_fd
        self.is_new = not os.path.lexists(self.path("home"))
        for name in ("home", "log"):
            try:
                os.mkdir(self.path(name), 0o700)
            except FileExistsError:
                pass

    def path(self, name: str) -> str:
        """Give the path of something in ROOT."""
        return os.path.join(self.root, name)

    def log_path(self, name: str) -> str:
        """Give the path that a log's files begin with."""
        safe = "".join(c if c in NAME_CHARACTERS else "_" for c in name)[:120]
        return os.path.join(self.root, "log", safe)

    def mark(self, run: str, agent: str) -> str:
        """Give what marks the processes of this directory's daemons, and nobody else's."""
        return "%s/%s/%d/" % (run, agent, os.stat(self.root).st_ino)

    def remove_contents(self, keep: bool) -> None:
        """Remove what the run has left, all of it or (`keep`) only what is of no use to anyone."""
        os.chdir("/")
        for name in ("tmp",) if keep else ("home", "data", "tmp", "log", "downloads"):
            remove_tree(self.path(name))
        if not keep:
            for name in self._names():
                if name not in (SOCKET, LOCK, RECORD, JOURNAL):
                    remove_tree(self.path(name))

    def _names(self) -> List[str]:
        try:
            return os.listdir(self.root)
        except FileNotFoundError:
            return []  # somebody has removed it all: nothing is left of it

    def leave(self, keep: bool) -> None:
        """Remove the rest, and the directories above as far as they are empty; the lock last."""
        for name in (SOCKET, RECORD) if keep else (SOCKET, RECORD, JOURNAL):
            unlink(self.path(name))
        unlink(self.path(LOCK))
        if not keep:
            _rmdirs(self.root)
        os.close(self.lock_fd)

    def never_used(self) -> None:
        """Remove what was made of it, where it was not there before: no daemon will be."""
        if self.is_new:
            for name in ("home", "log"):
                remove_tree(self.path(name))
            self.leave(keep=False)


def forsake(root: str) -> None:
    """Let go of ROOT, whose lock we hold, as no daemon has begun in it: what was made of it goes."""
    unlink(os.path.join(root, SOCKET))
    unlink(os.path.join(root, LOCK))
    _rmdirs(root)


def _rmdirs(root: str) -> None:
    try:
        os.rmdir(root)
        os.rmdir(os.path.dirname(root))
    except OSError:
        pass


def remove_tree(path: str) -> None:
    """Remove a file or a directory with all that is in it; links are removed, never followed. Never raises OSError."""
    try:
        directory = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        _remove(directory, os.path.basename(path))
    finally:
        os.close(directory)


def _remove(directory: int, name: str) -> None:
    try:
        if not stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=directory)
            return
        fd = _open(directory, name)
        try:
            for inner in os.listdir(fd):
                _remove(fd, inner)
        finally:
            os.close(fd)
        os.rmdir(name, dir_fd=directory)
    except OSError:
        pass  # what cannot be removed stays, and so does what it is in


def _open(directory: int, name: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, dir_fd=directory)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=directory)
        fd = os.open(name, flags, dir_fd=directory)
    if os.fstat(fd).st_mode & 0o300 != 0o300:
        os.fchmod(fd, 0o700)
    return fd


def unlink(path: str) -> None:
    """Remove a file, if it is there and can be."""
    try:
        os.unlink(path)
    except OSError:
        pass


def lock(root: str) -> Optional[int]:
    """Become the one daemon of ROOT: give the descriptor that holds the lock, None when somebody else is it."""
    import fcntl

    path = os.path.join(root, LOCK)
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(fd), os.stat(path)):
                return fd
        except FileNotFoundError:
            pass  # its holder has just left and removed it: again
        except OSError as error:
            os.close(fd)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return None
            raise
        os.close(fd)
