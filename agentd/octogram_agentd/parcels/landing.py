"""The receiving end of a parcel: see parcel.py for what comes. Trusts nothing of it, and lands where it may only."""

from __future__ import annotations

import hashlib
import os

from octogram_agentd.cuts import quoted
from octogram_agentd.parcels.parcel import (
    ERROR_LENGTH,
    MAX_DEPTH,
    MAX_ENTRIES,
    MAX_LINE_BYTES,
    PIECE_BYTES,
    failure,
    show,
    to_bytes,
    told_error,
)
from octogram_agentd.parcels.partial import PartialFile, is_there, kind_at, partial_name
from octogram_agentd.procedures.values import ProcedureFailed
from octogram_agentd.wire.lines import WireError, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Tuple

    from octogram_agentd.parcels.parcel import Chunk

_USUAL_LINE_BYTES = 512


class Landing:
    """Writes a stream below one directory, under the name that the caller chose. Feed it; `result` is set at the end.

    Each file is written beside its place and renamed when its hash is right; a directory that is new appears only when
    all of it has arrived, so a copy that failed can be repeated. One that exists is merged into. `close` in any case:
    it removes what is unfinished. Takes over `directory_fd`.

    What is there keeps being what it is, as with `cp`: a link to a file is followed, `within` a directory or anywhere
    when that is None; a device or a pipe is written into. Names that are the sender's choice, those within a directory,
    follow links to what is `below` a directory only. Links to directories are followed by nothing.

    `on_kept`, told how much there is so far, lets files be taken from where the sender says that they are on this
    machine: it is for senders that are trusted with what we can read. A file that is not as they say is kind `stale`.
    """

    def __init__(
        self,
        directory_fd: int,
        name: bytes,
        *,
        max_bytes: Optional[int] = None,
        max_entries: int = MAX_ENTRIES,
        within: Optional[bytes] = None,
        below: Optional[bytes] = None,
        on_kept: Optional[Callable[[int], None]] = None,
    ) -> None:
        self._within = within
        self._on_kept = on_kept
        self._below = below
        self.result: Optional[Dict[str, Any]] = None  # {bytes, files, sha256} once it is complete
        self.size_bytes = 0
        self.files = 0
        self.unchanged = 0  # files that were there already
        self._entries = 0
        self._root_name = name
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._digest = hashlib.sha256()  # of a tree: each file's name, a zero byte, and its own digest
        self._file_digest = b""  # of a single file, which has no name of its own
        self._stack: List[Tuple[bytes, int, Optional[int]]] = []  # directories under way: name, fd, mode still to set
        self._base_fd = directory_fd
        self._staged: Optional[bytes] = None  # the temporary name of a new root directory
        self._buffer = b""
        self._state = "entry"
        self._piece_left = 0
        self._file: Optional[PartialFile] = None

    @property
    def is_complete(self) -> bool:
        """Whether all of it is there; `result` then says how much that was."""
        return self._state == "end"

    def close(self) -> None:
        """Let go of everything; remove what did not become complete."""
        if self._file is not None:
            self._file.discard()
            self._file = None
        while self._stack:
            os.close(self._stack.pop()[1])
        if self._base_fd >= 0:
            if self._staged is not None:
                remove_tree(self._base_fd, self._staged)
            os.close(self._base_fd)
            self._base_fd = -1

    def feed(self, data: Chunk) -> None:
        """Take the next bytes, however they are cut. Raises ProcedureFailed; the landing is then of no more use."""
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        view = memoryview(data)
        at = 0
        end = len(view)
        while at < end:
            if self._state == "content":
                piece = view[at : at + self._piece_left]
                self._take_content(piece)
                at += len(piece)
                self._piece_left -= len(piece)
                if not self._piece_left:
                    self._state = "length"
                continue
            if self._state == "length":
                needed = at + 4
                if needed <= end:
                    self._take_length(int.from_bytes(view[at:needed], "big"))
            elif self._state == "digest":
                needed = at + 32
                if needed <= end:
                    self._check_digest(bytes(view[at:needed]))
            elif self._state == "end":
                raise _broken("bytes after the end")
            elif self._state == "entry" and view[at] == 0xFF:
                needed = at + 4
                if needed <= end:
                    self._take_length(int.from_bytes(view[at:needed], "big"))
            else:
                line = _line_at(view, at)
                if not line and end - at >= MAX_LINE_BYTES:
                    raise _broken("a line is too long")
                needed = at + len(line) if line else end + 1
                if line:
                    self._take_line(line)
            if needed > end:
                self._buffer = bytes(view[at:])
                return
            at = needed

    def _take_line(self, line: bytes) -> None:
        try:
            fields = decode(line, names_files=True)
            kind = fields["t"]
            if kind == "error":
                raise told_error(fields)
            if self._state == "error":
                raise ValueError("not an error")
            if kind == "end":
                self._finish(fields["entries"])
                return
            name = to_bytes(fields["name"])
            mode = _count(fields["mode"])
            is_dir = kind == "dir"
            size_bytes = 0 if is_dir else _count(fields["size"])
            kept = (to_bytes(fields["at"]), str(fields["sha256"])) if kind == "kept" and self._on_kept else None
            if not is_dir and kept is None and kind != "file":
                raise ValueError("no such entry")
        except (WireError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _broken("%s in %s" % (error, quoted(line, 200))) from None
        self._entries += 1
        if self._entries > self._max_entries:
            raise ProcedureFailed("there are more than %d entries" % self._max_entries, kind="too_large")
        if self._max_bytes is not None and self.size_bytes + size_bytes > self._max_bytes:
            raise ProcedureFailed("there are more than %d bytes" % self._max_bytes, kind="too_large")
        directory_fd, place = self._place_of(name)
        try:
            if is_dir:
                if len(self._stack) >= MAX_DEPTH:
                    raise _broken("it is nested deeper than %d" % MAX_DEPTH)
                self._enter_directory(directory_fd, place, mode & 0o777, is_root=not name)
            elif kept is not None and kept[1] and is_there(directory_fd, place, mode & 0o777, size_bytes, kept[1]):
                self.unchanged += 1
                self._count_kept(size_bytes)
                self._finish_file(name, bytes.fromhex(kept[1]))
            else:
                below = self._below if name else None
                self._file = PartialFile(directory_fd, place, name, mode & 0o777, self._within, below)
                self._state = "length"
                if kept is not None:
                    self._file.fill(kept[0], size_bytes, kept[1], self._count_kept)
                    self._settle()
        except OSError as error:
            raise failure("write", name or self._root_name, error) from None

    def _place_of(self, name: bytes) -> Tuple[int, bytes]:
        """Give the directory that an entry is in, and its name there."""
        parts = name.split(b"/") if name else []
        if any(part in (b"", b".", b"..") or b"\0" in part for part in parts):
            raise _broken("the name %s is not allowed" % show(name))
        if not parts and self._entries > 1:
            raise _broken("it has two roots")
        if not parts:
            return self._base_fd, self._root_name
        # The directories under way are exactly the parents of what comes next: nothing is ever opened by its path.
        while len(self._stack) > len(parts):
            self._leave_directory()
        if len(self._stack) != len(parts) or [entry[0] for entry in self._stack[1:]] != parts[:-1]:
            raise _broken("%s comes before the directory it is in" % show(name))
        return self._stack[-1][1], parts[-1]

    def _count_kept(self, count: int) -> None:
        assert self._on_kept is not None
        self.size_bytes += count
        self._check_size()
        self._on_kept(self.size_bytes)

    def _enter_directory(self, parent_fd: int, name: bytes, mode: int, is_root: bool) -> None:
        existing = kind_at(parent_fd, name)
        if existing not in ("", "directory"):
            raise ProcedureFailed(
                "%s is a %s there, and a directory of that name is to be copied" % (show(name), existing),
                kind="not_directory",
            )
        mode_to_set = None
        place = name
        if not existing:
            if is_root:
                place = self._staged = partial_name()
            os.mkdir(place, 0o700, dir_fd=parent_fd)
            mode_to_set = mode
        self._stack.append((name, open_directory(parent_fd, place), mode_to_set))

    def _leave_directory(self) -> None:
        _, fd, mode = self._stack.pop()
        try:
            if mode is not None:
                os.fchmod(fd, mode)
        finally:
            os.close(fd)

    def _take_length(self, length: int) -> None:
        if length == ERROR_LENGTH:
            self._state = "error"
        elif self._state == "entry" or length > PIECE_BYTES:
            raise _broken("a piece of %d bytes" % length)
        elif length:
            self._piece_left = length
            self._state = "content"
        else:
            self._state = "digest"

    def _take_content(self, piece: memoryview) -> None:
        assert self._file is not None
        self.size_bytes += len(piece)
        self._check_size()
        self._file.write(piece)

    def _check_size(self) -> None:
        if self._max_bytes is not None and self.size_bytes > self._max_bytes:
            raise ProcedureFailed("there are more than %d bytes" % self._max_bytes, kind="too_large")

    def _check_digest(self, digest: bytes) -> None:
        assert self._file is not None
        if self._file.digest.digest() != digest:
            raise ProcedureFailed("%s arrived damaged: its SHA-256 differs" % show(self._file.shown), kind="damaged")
        self._settle()

    def _settle(self) -> None:
        assert self._file is not None
        file = self._file
        file.settle()
        self._file = None
        self._finish_file(file.shown, file.digest.digest())

    def _finish_file(self, name: bytes, digest: bytes) -> None:
        if name:
            self._digest.update(name + b"\0" + digest)
        else:
            self._file_digest = digest
        self.files += 1
        self._state = "entry"

    def _finish(self, entries: object) -> None:
        if entries != self._entries or not self._entries:
            raise _broken("%d entries arrived of %s" % (self._entries, entries))
        while len(self._stack) > 1:
            self._leave_directory()
        if self._stack:
            _, fd, mode = self._stack.pop()
            try:
                if self._staged is not None:
                    # Renamed before its mode is set: a directory that may not be written to cannot be removed again.
                    os.rename(self._staged, self._root_name, src_dir_fd=self._base_fd, dst_dir_fd=self._base_fd)
                    self._staged = None
                if mode is not None:
                    os.fchmod(fd, mode)
            except OSError as error:
                raise failure("write", self._root_name, error) from None
            finally:
                os.close(fd)
        sha256 = self._file_digest.hex() if self._file_digest else self._digest.hexdigest()
        self.result = {"bytes": self.size_bytes, "files": self.files, "sha256": sha256}
        self._state = "end"


def _line_at(view: memoryview, at: int) -> bytes:
    """Give the line that begins there, with its end; nothing when that is not here, or too far away."""
    for most in (_USUAL_LINE_BYTES, MAX_LINE_BYTES):
        line, newline, _ = bytes(view[at : at + most]).partition(b"\n")
        if newline:
            return line + newline
    return b""


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(quoted(value, 80) + " is no size and no mode")
    return value


def _broken(why: str) -> ProcedureFailed:
    return ProcedureFailed("the stream of files is broken: %s" % why, kind="protocol")


def open_directory(directory_fd: int, name: bytes) -> int:
    """Open a directory within another, never through a link. Raises OSError."""
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory_fd)


def remove_tree(directory_fd: int, name: bytes) -> None:
    """Remove a directory of ours and all that is in it, as far as possible; follows no links."""
    try:
        fd = open_directory(directory_fd, name)
    except OSError:
        return
    try:
        os.fchmod(fd, 0o700)
        for child in map(os.fsencode, os.listdir(fd)):
            if kind_at(fd, child) == "directory":
                remove_tree(fd, child)
            else:
                os.unlink(child, dir_fd=fd)
        os.rmdir(name, dir_fd=directory_fd)
    except OSError:
        pass  # it stays, under a name that says what it is, until the home directory goes
    finally:
        os.close(fd)
