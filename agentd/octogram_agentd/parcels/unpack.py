"""Unpacking an archive (`.tar.gz`) into one directory, by a process of its own: nothing of it lands anywhere else.

Names lead down from that directory only, through no link, and no link leads out of it; there are files, directories and
links, of our own, without setuid, setgid and sticky; never a device. What is there is replaced, as `tar` does. A file
appears under its name when it is complete. Names are printed, as `tar -v` does.
"""

from __future__ import annotations

import os
import sys

from octogram_agentd import signals
from octogram_agentd.parcels.archive import Archive, broken
from octogram_agentd.parcels.landing import open_directory
from octogram_agentd.parcels.parcel import MAX_DEPTH, MAX_ENTRIES, failure, show
from octogram_agentd.parcels.partial import kind_at, partial_name
from octogram_agentd.procedures.values import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple

    from octogram_agentd.parcels.archive import ArchiveEntry

    Parts = Tuple[bytes, ...]

MAX_BYTES = 64 << 30
FIRST_STATUS = 64
KINDS = (
    "damaged",
    "path",
    "not_a_file",
    "too_large",
    "no_space",
    "is_directory",
    "not_directory",
    "permission",
    "missing",
    "io",
)
"""The kinds of failure by exit status, from FIRST_STATUS on."""
_SPARE_BYTES = 32 << 20  # of the disk are left to everybody else


def main(argv: List[str]) -> int:
    """Unpack: `unpack ARCHIVE DIRECTORY`. Standard error says why not, and the hint after two spaces."""
    for number in (signals.TERM, signals.HUP, signals.INT):
        signals.handle(number, _end)
    try:
        unpack(os.fsencode(argv[0]), os.fsencode(argv[1]))
        return 0
    except ProcedureFailed as error:
        sys.stdout.flush()
        sys.stderr.write(error.message + "\n" + ("  %s\n" % error.hint if error.hint else ""))
        return FIRST_STATUS + KINDS.index(error.kind if error.kind in KINDS else "io")


def _end(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def unpack(archive: bytes, directory: bytes) -> None:
    """Unpack all of an archive. Raises ProcedureFailed; what came before the reason is there then."""
    import gzip
    import zlib

    unpacking = None
    try:
        with open(archive, "rb") as file, gzip.GzipFile(fileobj=file) as stream:
            unpacking = _Unpacking(os.open(os.path.realpath(directory), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            content = Archive(stream)
            for entry in content:
                unpacking.take(entry, content)
            unpacking.finish()
    except EOFError:
        raise broken("it ends too early") from None
    except (zlib.error, UnicodeError) as error:
        raise broken(str(error)) from None
    except OSError as error:
        if error.errno is None:  # gzip's own
            raise broken(str(error).lower()) from None
        raise failure("unpack", (unpacking.name if unpacking is not None else b"") or archive, error) from None
    finally:
        if unpacking is not None:
            unpacking.close()


class _Unpacking:
    """What is under way, below a directory whose descriptor it takes over."""

    def __init__(self, root_fd: int) -> None:
        self.name = b""  # of the latest entry
        self._root_fd = root_fd
        self._entries = 0
        self._size_bytes = 0
        self._open: Tuple[Parts, int] = ((), root_fd)  # the directory that was used last
        self._links: Dict[Parts, bytes] = {}  # made last: nothing that comes may go through one
        self._modes: Dict[Parts, int] = {}  # of directories, set last: one may be closed to us

    def take(self, entry: ArchiveEntry, content: Archive) -> None:
        """Put an entry where it belongs."""
        self.name = entry.name
        parts = _parts_of(entry.name)
        self._entries += 1
        self._size_bytes += entry.size_bytes
        if self._entries > MAX_ENTRIES:
            raise ProcedureFailed("the archive has more than %d entries" % MAX_ENTRIES, kind="too_large")
        if self._size_bytes > MAX_BYTES:
            raise ProcedureFailed("the archive holds more than %d bytes" % MAX_BYTES, kind="too_large")
        sys.stdout.write(show(entry.name) + "\n")
        if entry.kind == "dir":
            if parts:
                self._directory(parts)
                self._modes[parts] = entry.mode
            return
        if not parts:
            raise broken("%s is no name for a file" % show(entry.name))
        self._links.pop(parts, None)
        if entry.kind == "symlink":
            _check_target(entry, parts)
            self._links[parts] = entry.target
        elif entry.kind == "link":
            self._link(parts, _parts_of(entry.target))
        else:
            self._file(parts, entry, content)

    def finish(self) -> None:
        """Make the links, and give directories their modes."""
        for parts, target in self._links.items():
            self.name = b"/".join(parts)
            fd = self._directory(parts[:-1])
            partial = partial_name()
            os.symlink(target, partial, dir_fd=fd)
            self._settle(fd, partial, parts[-1])
        for parts, mode in sorted(self._modes.items(), reverse=True):
            self.name = b"/".join(parts)
            os.fchmod(self._directory(parts), mode)

    def close(self) -> None:
        """Let go of the directories."""
        if self._open[0]:
            os.close(self._open[1])
        os.close(self._root_fd)

    def _file(self, parts: Parts, entry: ArchiveEntry, content: Archive) -> None:
        fd = self._directory(parts[:-1])
        room = os.fstatvfs(fd)
        if entry.size_bytes > room.f_bavail * room.f_frsize - _SPARE_BYTES and entry.size_bytes:
            raise ProcedureFailed(
                "there is no space for %s (%d bytes)" % (show(entry.name), entry.size_bytes), kind="no_space"
            )
        partial = partial_name()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(partial, flags, 0o600, dir_fd=fd), "wb", buffering=0) as file:
                for piece in content.pieces():
                    view = memoryview(piece)
                    while view:
                        view = view[file.write(view) or 0 :]
                os.fchmod(file.fileno(), entry.mode)
                if 0 <= entry.mtime_s < 1 << 33:
                    os.utime(file.fileno(), (entry.mtime_s, entry.mtime_s))
        except BaseException:
            os.unlink(partial, dir_fd=fd)
            raise
        self._settle(fd, partial, parts[-1])

    def _link(self, parts: Parts, target: Parts) -> None:
        """Give a file that is there another name."""
        if target in self._links:
            if target[:-1] != parts[:-1]:
                raise broken("%s is another name of a link elsewhere" % show(self.name))
            self._links[parts] = self._links[target]
            return
        source = os.dup(self._directory(target[:-1], is_made=False))
        try:
            if not target or kind_at(source, target[-1]) != "file":
                raise broken("%s is another name of %s, which is no file" % (show(self.name), show(b"/".join(target))))
            fd = self._directory(parts[:-1])
            partial = partial_name()
            os.link(target[-1], partial, src_dir_fd=source, dst_dir_fd=fd, follow_symlinks=False)
            self._settle(fd, partial, parts[-1])
        finally:
            os.close(source)

    def _settle(self, fd: int, partial: bytes, name: bytes) -> None:
        try:
            if kind_at(fd, name) == "directory":
                raise ProcedureFailed("%s is a directory there" % show(self.name), kind="is_directory")
            os.rename(partial, name, src_dir_fd=fd, dst_dir_fd=fd)
        finally:
            try:
                os.unlink(partial, dir_fd=fd)  # still there when it failed, and when both names were one file already
            except OSError:
                pass

    def _directory(self, parts: Parts, *, is_made: bool = True) -> int:
        """Open a directory, made where it is missing; the descriptor is ours, until the next one is asked for."""
        if parts == self._open[0]:
            return self._open[1]
        fd = os.dup(self._root_fd)
        for part in parts:
            outer = fd
            try:
                try:
                    if is_made:
                        os.mkdir(part, 0o700, dir_fd=outer)
                except FileExistsError:
                    kind = kind_at(outer, part)
                    if kind != "directory":
                        what = "link, and nothing is unpacked through it" if kind == "link" else "file"
                        raise ProcedureFailed(
                            "%s: %s there is a %s" % (show(self.name), show(part), what),
                            kind="path" if kind == "link" else "not_directory",
                        ) from None
                fd = open_directory(outer, part)
            finally:
                os.close(outer)
        if self._open[0]:
            os.close(self._open[1])
        if not parts:
            os.close(fd)
            fd = self._root_fd
        self._open = (parts, fd)
        return fd


def _parts_of(name: bytes) -> Parts:
    """Give the names that lead to an entry. Raises ProcedureFailed; a first `/` does not count, as for `tar`."""
    parts = tuple(part for part in name.split(b"/") if part not in (b"", b"."))
    if b".." in parts or b"\0" in name:
        raise ProcedureFailed("%s in the archive leads out of the directory" % show(name), kind="path")
    if len(parts) > MAX_DEPTH:
        raise ProcedureFailed("%s in the archive is nested deeper than %d" % (show(name), MAX_DEPTH), kind="too_large")
    return parts


def _check_target(entry: ArchiveEntry, parts: Parts) -> None:
    """See that a link stays inside: it may go up first, and then only down, so that no other link can turn it."""
    steps = [step for step in entry.target.split(b"/") if step not in (b"", b".")]
    ups = next((count for count, step in enumerate(steps) if step != b".."), len(steps))
    is_inside = not entry.target.startswith(b"/") and b".." not in steps[ups:] and ups < len(parts)
    if not is_inside or not entry.target or b"\0" in entry.target:
        raise ProcedureFailed(
            "%s in the archive is a link to %s, which leads out of the directory"
            % (show(entry.name), show(entry.target)),
            kind="path",
            hint="pack what it leads to (tar -h), or unpack with builtins.shell what you trust",
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
