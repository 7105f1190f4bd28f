"""Reading a tar archive, entry by entry. Made for archives that nobody vouches for: what it cannot read it refuses.

It knows the formats of GNU tar, BSD tar and POSIX (long names and pax records), and no more of them than names, kinds,
modes, sizes and times. Owners, devices and everything else that an archive may ask for are not even read.
"""

from __future__ import annotations

from octogram_agentd.parcels.parcel import show
from octogram_agentd.procedures.values import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, Optional

BLOCK_BYTES = 512
MAX_EXTRA_BYTES = 256 * 1024  # of what stands before an entry: a long name, pax records
_MAX_REST_BYTES = 64 << 20  # of what may follow the end
_FILES = (b"0", b"\0", b"7")
_SKIPPED = (b"V", b"g")  # a label; records about all entries, which tell comments mostly
_REFUSED = {b"3": "device", b"4": "device", b"6": "pipe", b"S": "sparse file"}


class ArchiveEntry:
    """One entry. `kind`: file, dir, link (another name of a file that came before) or symlink."""

    __slots__ = ("kind", "mode", "mtime_s", "name", "size_bytes", "target")

    def __init__(self, kind: str, name: bytes, target: bytes, mode: int, size_bytes: int, mtime_s: float) -> None:
        self.kind = kind
        self.name = name
        self.target = target
        self.mode = mode
        self.size_bytes = size_bytes
        self.mtime_s = mtime_s


class Archive:
    """A stream (with `read`) of an archive. After each entry its content is read with `pieces`, or passed over."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._left = 0  # bytes of the entry's content that were not read
        self._padding = 0

    def __iter__(self) -> Iterator[ArchiveEntry]:
        extra: Dict[str, bytes] = {}
        while True:
            for _ in self.pieces():
                pass
            block = self._exactly(BLOCK_BYTES, may_end=not extra)
            if block is None or not any(block):
                break
            if _number(block[148:156]) != sum(block[:148]) + sum(block[156:]) + 8 * 0x20:
                raise broken("a header's sum is wrong")
            kind = block[156:157]
            size_bytes = _number(block[124:136])
            if kind in b"LKx" or kind in _SKIPPED:
                data = self._extra(size_bytes)
                if kind == b"L":
                    extra["path"] = data.rstrip(b"\0")
                elif kind == b"K":
                    extra["linkpath"] = data.rstrip(b"\0")
                elif kind == b"x":
                    extra.update(_records(data))
                continue
            entry = _entry(block, kind, size_bytes, extra)
            extra = {}
            self._begin(entry.size_bytes)
            yield entry
        rest = 0
        while True:  # what checks the compressed stream comes at its end
            piece = self._stream.read(1 << 16)
            rest += len(piece)
            if not piece:
                return
            if rest > _MAX_REST_BYTES:
                raise broken("there is too much after its end")

    def pieces(self, size: int = 1 << 18) -> Iterator[bytes]:
        """Give what is left of the entry's content."""
        while self._left:
            piece = self._stream.read(min(size, self._left))
            if not piece:
                raise broken("it ends too early")
            self._left -= len(piece)
            yield piece
        if self._padding:
            self._exactly(self._padding)
            self._padding = 0

    def _begin(self, size_bytes: int) -> None:
        self._left, self._padding = size_bytes, -size_bytes % BLOCK_BYTES

    def _extra(self, size_bytes: int) -> bytes:
        if size_bytes > MAX_EXTRA_BYTES:
            raise broken("a name or a record of %d bytes" % size_bytes)
        self._begin(size_bytes)
        return b"".join(self.pieces())

    def _exactly(self, size: int, *, may_end: bool = False) -> Optional[bytes]:
        parts = []
        left = size
        while left:
            piece = self._stream.read(left)
            if not piece:
                if may_end and left == size:
                    return None
                raise broken("it ends too early")
            parts.append(piece)
            left -= len(piece)
        return b"".join(parts)


def broken(why: str) -> ProcedureFailed:
    """Make the error for what is no archive, or a damaged one."""
    return ProcedureFailed("the archive cannot be read: %s" % why, kind="damaged")


def _entry(block: bytes, kind: bytes, size_bytes: int, extra: Dict[str, bytes]) -> ArchiveEntry:
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and block[345]:
        name = _text(block[345:500]) + b"/" + name
    name = extra.get("path", name)
    target = extra.get("linkpath", _text(block[157:257]))
    if any(key.startswith("GNU.sparse") for key in extra):
        kind = b"S"
    if kind in _REFUSED:
        raise ProcedureFailed(
            "%s in the archive is a %s: files, directories and links are unpacked" % (show(name), _REFUSED[kind]),
            kind="not_a_file",
        )
    try:
        mtime_s = float(extra["mtime"]) if "mtime" in extra else float(_number(block[136:148]))
        size_bytes = int(extra["size"]) if "size" in extra else size_bytes
    except ValueError:
        raise broken("%s has an odd time or size" % show(name)) from None
    if size_bytes < 0:
        raise broken("%s has an odd size" % show(name))
    mode = _number(block[100:108])
    if kind in _FILES:
        what = "dir" if name.endswith(b"/") and kind != b"7" else "file"
    elif kind in (b"1", b"2", b"5"):
        what = {b"1": "link", b"2": "symlink", b"5": "dir"}[kind]
    else:
        raise broken("%s is of a kind that is not known (%s)" % (show(name), show(kind)))
    return ArchiveEntry(what, name, target, mode & 0o777, size_bytes if what == "file" else 0, mtime_s)


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """Read a number: octal digits, or binary after a byte of 0x80. Raises ProcedureFailed."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise broken("a header holds no number where one should be") from None


def _records(data: bytes) -> Dict[str, bytes]:
    """Read pax records: `LENGTH KEY=VALUE` and a line end, again and again."""
    found = {}
    while data:
        length, _, rest = data.partition(b" ")
        size = int(length) if length.isdigit() and len(length) < 9 else 0
        key, equals, value = rest[: max(0, size - len(length) - 1)].partition(b"=")
        if not equals or value[-1:] != b"\n":
            raise broken("a record makes no sense")
        found[key.decode("utf-8", "replace")] = value[:-1]
        data = data[size:]
    return found
