"""Log lines on the agent's disk: those that wait to be sent, and those that were left out, for whoever asks.

They stand as the messages that they are sent as, in files of a few MiB; a file goes when nothing in it is of use any
more, and the oldest one goes when there are too many, or the disk is short of space.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

SEGMENT_BYTES = 4 << 20
MOST_SEGMENTS = 64
FREE_BYTES = 1 << 30  # of the disk, which are not touched


class Chunk:
    """Lines of one source: how many, what they count against the credit, and where they are."""

    __slots__ = ("_length", "_offset", "count", "segment", "size_bytes")

    def __init__(self, count: int, size_bytes: int, segment: Segment, offset: int, length: int) -> None:
        self.count = count
        self.size_bytes = size_bytes
        self.segment = segment
        self._offset = offset
        self._length = length

    @property
    def is_gone(self) -> bool:
        """Whether there was no room for them any more."""
        return self.segment.is_gone

    def read(self) -> bytes:
        """Give the messages; none when they cannot be read."""
        if self.segment.is_gone:
            return b""
        try:
            fd = os.open(self.segment.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                data = os.pread(fd, self._length, self._offset)
            finally:
                os.close(fd)
        except OSError:
            return b""
        return data if len(data) == self._length else b""


class Segment:
    """One of the files."""

    __slots__ = ("is_gone", "path", "size_bytes", "used")

    def __init__(self, path: str) -> None:
        self.path = path
        self.size_bytes = 0
        self.used = 0  # chunks that somebody has use for
        self.is_gone = False


class Spool:
    """All of them. path: what the names of the files begin with; empty: there is no place, and nothing is kept."""

    def __init__(
        self, path: str = "", *, segment_bytes: int = SEGMENT_BYTES, most: int = MOST_SEGMENTS, free: int = FREE_BYTES
    ) -> None:
        self.evictions = 0  # how often a file had to go that was of use
        self._path = path
        self._segment_bytes = segment_bytes
        self._most = most
        self._free_bytes = free
        self._segments: List[Segment] = []
        self._count = 0
        self._fd = -1

    def store(self, count: int, size_bytes: int, data: bytes) -> Optional[Chunk]:
        """Write messages; None when there is no room for them."""
        if not self._path:
            return None
        try:
            segment = self._segment()
            if segment is None:
                return None
            offset = segment.size_bytes
            written = os.write(self._fd, data)
            if written != len(data):
                os.ftruncate(self._fd, offset)
                return None
        except OSError:
            self._close()
            return None
        segment.size_bytes += written
        segment.used += 1
        return Chunk(count, size_bytes, segment, offset, written)

    def forget(self, chunk: Chunk) -> None:
        """Nobody has use for these any more."""
        segment = chunk.segment
        segment.used -= 1
        if not segment.used and not segment.is_gone and (segment is not self._segments[-1] or self._fd < 0):
            self._drop(segment)

    def _segment(self) -> Optional[Segment]:
        """Give the file to write to, open."""
        if self._fd >= 0:
            last = self._segments[-1]
            if last.size_bytes < self._segment_bytes:
                return last
            self._close()
            if not last.used:
                self._drop(last)
        while self._segments and (len(self._segments) >= self._most or self._is_short()):
            self._drop(self._segments[0])
            self.evictions += 1
        if self._is_short():
            return None
        self._count += 1
        path = "%s-%d" % (self._path, self._count)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._segments.append(Segment(path))
        return self._segments[-1]

    def _is_short(self) -> bool:
        disk = os.statvfs(os.path.dirname(os.path.dirname(self._path)))
        return disk.f_bavail * disk.f_frsize < self._free_bytes

    def _drop(self, segment: Segment) -> None:
        segment.is_gone = True
        self._segments.remove(segment)
        try:
            os.unlink(segment.path)
        except OSError:
            pass

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
