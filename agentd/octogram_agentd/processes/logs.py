"""What programs print: kept in memory while it is little, in bounded files when it is much.

A log keeps its beginning and its end. The middle of a long one is dropped, and says how much was.
"""

from __future__ import annotations

import os

from octogram_agentd.cuts import SIGN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Callable, List, Optional, Tuple

    from octogram_agentd.kernel import Kernel, Timer

MEMORY_BYTES = 64 * 1024
LINE_BYTES = 64 * 1024  # a longer line is cut in pieces
UNFINISHED_S = 0.5  # how long a line may lack its end before what is there of it is given
HEAD_BYTES = 4 << 20
SEGMENT_BYTES = 8 << 20
SEGMENTS = 2


class LineCutter:
    """Bytes in, lines out, however the bytes are cut. What is not UTF-8 becomes U+FFFD."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> List[str]:
        """Take bytes and give the lines that are complete."""
        if self._rest:
            data = self._rest + data
        end = data.rfind(b"\n")
        if end < 0:
            lines: List[str] = []
            self._rest = data
        else:
            self._rest = data[end + 1 :]
            text = data[:end].decode("utf-8", "replace")
            lines = text.split("\n")
            if end > LINE_BYTES and max(map(len, lines)) * 4 > LINE_BYTES:
                lines = [piece for line in data[:end].split(b"\n") for piece in _pieces(line)]
        if len(self._rest) > LINE_BYTES:
            pieces, self._rest = _whole_pieces(self._rest)
            lines += pieces
        return lines

    @property
    def rest(self) -> bytes:
        """What came after the last line's end."""
        return self._rest

    def give_rest(self) -> List[str]:
        """Give the unfinished line as if it had ended, but for a character of which only the beginning is there."""
        rest = self._rest
        end = len(rest)
        while end > max(0, len(rest) - 3) and rest[end - 1] & 0xC0 == 0x80:
            end -= 1
        begins_character = end and 0xC2 <= rest[end - 1] <= 0xF4 and len(rest) - end < _following(rest[end - 1])
        end = end - 1 if begins_character else len(rest)
        self._rest = rest[end:]
        return [rest[:end].decode("utf-8", "replace")] if end else []

    def close(self) -> List[str]:
        """Give the last line, when it has no end."""
        rest, self._rest = self._rest, b""
        return [rest.decode("utf-8", "replace")] if rest else []


class LiveLines:
    """Cuts output into lines, and gives one that does not end, such as a prompt or a bar, after UNFINISHED_S too."""

    __slots__ = ("_cutter", "_give", "_has_begun", "_kernel", "_timer")

    def __init__(self, kernel: Kernel, give: Callable[[bytes, List[str]], None]) -> None:
        self._kernel = kernel
        self._give = give
        self._cutter = LineCutter()
        self._has_begun = False  # the beginning of the line under way was given already
        self._timer: Optional[Timer] = None

    def feed(self, data: bytes) -> None:
        """Take bytes, none at the end of them, and give what they are together with the lines that are complete."""
        lines = self._cutter.feed(data) if data else self._cutter.close()
        if lines:
            if self._has_begun and lines[0] in ("", "\r"):
                del lines[0]  # only the end of what was given
            self._has_begun = False
            self._stop()
        self._give(data, lines)
        if not self._cutter.rest:
            self._stop()
        elif self._timer is None:
            self._timer = self._kernel.later(UNFINISHED_S, self._give_rest)

    def _give_rest(self) -> None:
        self._timer = None
        lines = self._cutter.give_rest()
        if lines:
            self._has_begun = True
            self._give(b"", lines)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _following(byte: int) -> int:
    """Say how many bytes follow the first one of a character."""
    return 3 if byte >= 0xF0 else 2 if byte >= 0xE0 else 1


def _pieces(line: bytes) -> List[str]:
    pieces, rest = _whole_pieces(line)
    return [*pieces, rest.decode("utf-8", "replace")] if rest or not pieces else pieces


def _whole_pieces(line: bytes) -> Tuple[List[str], bytes]:
    """Cut off full pieces, never inside of a character."""
    pieces = []
    start = 0
    while len(line) - start > LINE_BYTES:
        end = start + LINE_BYTES
        while end > start + LINE_BYTES - 4 and line[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(line[start:end].decode("utf-8", "replace"))
        start = end
    return pieces, line[start:]


class Log:
    """The output of one program, as it came. Offsets count from its first byte.

    Files are made only when there is more than the memory holds: PATH.head, then PATH.1, PATH.2, ... of which the
    last few are kept.
    """

    def __init__(self, path: str, *, head_bytes: int = HEAD_BYTES, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.size_bytes = 0
        self.trouble = ""  # why the files are not complete
        self._path = path
        self._head_bytes = head_bytes
        self._segment_bytes = segment_bytes
        self._memory = bytearray()
        self.has_files = False
        self._files: List[Tuple[int, str]] = []  # where each begins, and its path; the first one is the head
        self._file: Optional[BinaryIO] = None
        self._file_left_bytes = 0
        self._count = 0

    @property
    def memory_bytes(self) -> int:
        """How much of it is in memory."""
        return len(self._memory)

    def write(self, data: bytes) -> None:
        """Take more output."""
        memory = self._memory
        if not self.has_files:
            if self.size_bytes + len(data) > MEMORY_BYTES:
                self.has_files = True
                self._store(bytes(memory), 0)
                self._store(data, self.size_bytes)
        else:
            self._store(data, self.size_bytes)
        self.size_bytes += len(data)
        memory += data
        if len(memory) > 2 * MEMORY_BYTES:
            del memory[:-MEMORY_BYTES]

    def tail(self, size_bytes: int = MEMORY_BYTES) -> bytes:
        """Give the last bytes; from the files when that is more than the memory holds."""
        if size_bytes <= len(self._memory) or not self.has_files:
            return bytes(self._memory[-size_bytes:]) if size_bytes > 0 else b""
        parts: List[bytes] = []
        offset = max(0, self.size_bytes - size_bytes)
        while True:
            data, offset, _gap = self.read(offset)
            if not data:
                return b"".join(parts)[-size_bytes:]
            parts.append(data)

    def last_lines(self, count: int) -> List[str]:
        """Give the last lines as text, from memory."""
        if count <= 0 or not self._memory:
            return []
        data = bytes(self._memory[-MEMORY_BYTES:])
        lines = data.rstrip(b"\n").decode("utf-8", "replace").split("\n")
        if len(data) < self.size_bytes:
            lines[0] = SIGN + lines[0]
        return lines[-count:]

    def last_text(self, size_bytes: int) -> List[str]:
        """Give the lines of the last bytes as text; the first one is whole, or the only one."""
        data = self.tail(size_bytes)
        if len(data) < self.size_bytes and b"\n" in data[:-1]:
            data = data[data.index(b"\n") + 1 :]
        return data.rstrip(b"\n").decode("utf-8", "replace").split("\n") if data else []

    def read(self, offset: int, size_bytes: int = MEMORY_BYTES) -> Tuple[bytes, int, int]:
        """Give bytes from an offset on, the offset after them, and how many bytes before them were dropped."""
        start = self.size_bytes - len(self._memory)
        if offset >= start:
            data = bytes(self._memory[offset - start : offset - start + size_bytes])
            return data, offset + len(data), 0
        for number, (begin, path) in enumerate(self._files):
            end = self._end_of(number)
            if offset < end:
                gap = max(0, begin - offset)
                offset = max(offset, begin)
                data = self._read_file(path, offset - begin, min(size_bytes, end - offset))
                if data:
                    return data, offset + len(data), gap
        data = bytes(self._memory[:size_bytes])
        return data, start + len(data), start - offset

    def gaps(self) -> List[Tuple[int, int]]:
        """Give the ranges of offsets that were dropped."""
        found = []
        for number, (begin, _path) in enumerate(self._files[1:], 1):
            end_before = self._end_of(number - 1)
            if begin > end_before:
                found.append((end_before, begin))
        return found

    def close(self) -> None:
        """Write no more; what is there can still be read."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Delete the files."""
        self.close()
        for _begin, path in self._files:
            _unlink(path)
        self._files = []

    def _end_of(self, number: int) -> int:
        begin, path = self._files[number]
        try:
            return begin + os.stat(path).st_size
        except OSError:
            return begin

    def _read_file(self, path: str, position: int, size_bytes: int) -> bytes:
        try:
            with open(path, "rb", 0) as file:
                file.seek(position)
                return file.read(size_bytes)
        except OSError:
            return b""

    def _store(self, data: bytes, offset: int) -> None:
        view = memoryview(data)
        try:
            while view:
                if self._file_left_bytes == 0:
                    self._next_file(offset)
                assert self._file is not None
                written = self._file.write(view[: self._file_left_bytes]) or 0
                self._file_left_bytes -= written
                offset += written
                view = view[written:]
        except OSError as error:
            self.trouble = "its log could not be written: %s" % error.strerror
            self._file_left_bytes = 0  # what follows goes to a new file, at its true offset

    def _next_file(self, offset: int) -> None:
        self.close()
        if self._count == 0:
            path, size_bytes = self._path + ".head", self._head_bytes
        else:
            path, size_bytes = "%s.%d" % (self._path, self._count), self._segment_bytes
        self._file = open(path, "wb", 0)  # noqa: SIM115 - closed when it is full
        self._count += 1
        self._file_left_bytes = size_bytes
        self._files.append((offset, path))
        while len(self._files) > 1 + SEGMENTS:
            _unlink(self._files.pop(1)[1])


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
