"""A file or a directory as one stream of bytes: how copies and fetches travel. Knows neither channels nor agents.

A parcel is one entry after the other, a directory before what is in it:

    {"t":"dir","name":"bin","mode":493}\n
    {"t":"file","name":"bin/tool","mode":493,"size":5}\n  00000005 hello 00000000  <SHA-256 of the content, 32 bytes>
    {"t":"kept","name":"bin/lib","mode":420,"size":7,"at":"/abs/lib","sha256":"..."}\n
    {"t":"end","entries":2}\n

Names are relative to the root, whose own name is empty; the receiver decides what the root is called. Content comes in
pieces, each after its length (4 bytes, big endian); a length of zero ends the file. The length FFFFFFFF, possible
wherever an entry or a length is, and a line of type `error` end a parcel that cannot go on. Bytes of names that are
not UTF-8 travel as lone surrogates.

A file that is `kept` brings no content: that is on the receiver's machine already, at its destination or at another
path, and is worth its SHA-256 only; an empty one means the sender's own file, on one machine with the receiver.

The sender follows symbolic links, so what arrives is files and directories only; a link that leads back to a directory
it is in, or nowhere, is an error. The receiver (landing.py) follows links to files, as far as it is allowed. Modes are
kept to the bit, but setuid, setgid and sticky are dropped; times and owners are not kept.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat

from octogram_agentd.procedures.values import ProcedureFailed
from octogram_agentd.wire.lines import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Generator, Iterator, List, Optional, Tuple, Union

    Identity = Tuple[int, int, int, int, int]
    Chunk = Union[bytes, memoryview]

MAGIC = b"octogram-parcel 1\n"  # comes before everything, so that what a login shell prints is not taken for an answer
PIECE_BYTES = 512 * 1024
MAX_LINE_BYTES = 64 * 1024
MAX_DEPTH = 200  # each level that is being written holds a file descriptor
MAX_ENTRIES = 1000000
ERROR_LENGTH = 0xFFFFFFFF
_LARGE_BYTES = 64 * 1024  # of a part, which is then not put together with others
UNKNOWN_SIZE_BYTES = 1 << 40  # /proc says 0 for files that are not empty
_KIND_OF_ERRNO = {
    errno.ENOENT: "missing",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.EROFS: "permission",
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "no_space",
    errno.EISDIR: "is_directory",
    errno.ENOTDIR: "not_directory",
}


def show(name: bytes) -> str:
    """Give a file's name as text that is safe to print."""
    text = name.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else ascii(text)[1:-1]


def to_text(name: bytes) -> str:
    """Give a file's name as it travels in JSON."""
    return name.decode("utf-8", "surrogateescape")


def to_bytes(name: str) -> bytes:
    """Give a file's name back as the bytes that it is. Raises ValueError for surrogates that stand for no byte."""
    return name.encode("utf-8", "surrogateescape")


def failure(doing: str, name: bytes, error: OSError) -> ProcedureFailed:
    """Turn an error of the operating system into one line: `cannot DOING NAME: why`."""
    why = (error.strerror or str(error)).lower()
    kind = _KIND_OF_ERRNO.get(error.errno or 0, "io")
    return ProcedureFailed("cannot %s %s: %s" % (doing, show(name), why), kind=kind, errno=error.errno)


class ParcelEntry:
    """One file or directory to send: where it is, what the parcel calls it, and its size in bytes if it is a file."""

    __slots__ = ("identity", "is_dir", "mode", "name", "path", "size_bytes")

    def __init__(self, path: bytes, name: bytes, is_dir: bool, status: os.stat_result) -> None:
        self.path = path
        self.name = name
        self.is_dir = is_dir
        self.mode = stat.S_IMODE(status.st_mode) & 0o777
        self.size_bytes = 0 if is_dir else status.st_size
        self.identity = identity_of(status)


class Kept:
    """Where the receiver has a file's content already, and its SHA-256 in hexadecimal digits."""

    __slots__ = ("at", "sha256")

    def __init__(self, at: str, sha256: str) -> None:
        self.at = at
        self.sha256 = sha256


def identity_of(status: os.stat_result) -> Identity:
    """Give what is another after each change of a file's content, unless that comes within a tick of the clock."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def walk(root: bytes) -> Iterator[ParcelEntry]:
    """Give a file, or a directory and all that is in it, in the order of names, links followed."""
    return _walk(root, b"", ())


def _walk(path: bytes, name: bytes, above: Tuple[Tuple[int, int], ...]) -> Iterator[ParcelEntry]:
    try:
        status = os.stat(path)
    except OSError as error:
        if error.errno == errno.ENOENT and os.path.islink(path):
            raise ProcedureFailed("%s is a link to nothing" % show(path), kind="missing") from None
        raise failure("read", path, error) from None
    if stat.S_ISREG(status.st_mode):
        yield ParcelEntry(path, name, False, status)
        return
    if not stat.S_ISDIR(status.st_mode):
        raise ProcedureFailed("%s is neither a file nor a directory" % show(path), kind="not_a_file")
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        raise ProcedureFailed("%s is a link that leads back to a directory it is in" % show(path), kind="loop")
    if len(above) >= MAX_DEPTH:
        raise ProcedureFailed("%s is nested deeper than %d" % (show(path), MAX_DEPTH), kind="too_large")
    yield ParcelEntry(path, name, True, status)
    try:
        children = sorted(os.listdir(path))
    except OSError as error:
        raise failure("read", path, error) from None
    for child in children:
        yield from _walk(os.path.join(path, child), name + b"/" + child if name else child, (*above, identity))


def survey(root: bytes) -> Tuple[int, int, int]:
    """Count entries and bytes of what `walk` gives; the third differs as soon as one of them does, in this process.

    Raises ProcedureFailed for what cannot be sent.
    """
    entries = size_bytes = print_ = 0
    for entry in walk(root):
        entries += 1
        size_bytes += entry.size_bytes
        print_ = hash((print_, entry.name, entry.mode, entry.identity))
        if entries > MAX_ENTRIES:
            raise ProcedureFailed("%s has more than %d entries" % (show(root), MAX_ENTRIES), kind="too_large")
    return entries, size_bytes, print_


def pack(
    root: bytes,
    kept: Callable[[ParcelEntry], Optional[Kept]] = lambda entry: None,
    on_sent: Callable[[ParcelEntry, str], None] = lambda entry, sha256: None,
    known: Callable[[ParcelEntry], str] = lambda entry: "",
    most_blocks: int = 2,
) -> Generator[Chunk, None, None]:
    """Give the parcel of a file or a directory, in chunks of about PIECE_BYTES.

    kept         says which files the receiver has already
    on_sent      told the SHA-256 of each file whose content was sent and did not change meanwhile
    known        gives the SHA-256 of a file that was sent before and is the same still: it is not computed again
    most_blocks  how many chunks there are at a time: one may be changed when so many more have been asked for
    Raises ProcedureFailed when something cannot be read; `error_piece` then ends the parcel. Kind `changed`: a file
    whose SHA-256 was known became another while it was read.
    """
    waiting: List[bytes] = []
    waiting_bytes = 0
    count = 0
    blocks = [bytearray(PIECE_BYTES)]
    for entry in walk(root):
        count += 1
        for part in _pack_entry(entry, kept, on_sent, known, blocks):
            is_large = len(part) >= _LARGE_BYTES
            if not is_large:
                waiting.append(bytes(part))
                waiting_bytes += len(part)
            if waiting and (is_large or waiting_bytes >= PIECE_BYTES):
                yield b"".join(waiting)
                waiting, waiting_bytes = [], 0
            if is_large:
                yield part
                blocks.insert(0, blocks.pop() if len(blocks) == most_blocks else bytearray(PIECE_BYTES))
    waiting.append(encode({"t": "end", "entries": count}))
    yield b"".join(waiting)


def error_piece(error: ProcedureFailed) -> bytes:
    """Give what ends a parcel that cannot go on. The receiver understands it between and within files."""
    return ERROR_LENGTH.to_bytes(4, "big") + error_line(error)


def error_line(error: ProcedureFailed) -> bytes:
    """Give the line that says why something cannot be."""
    return encode({"t": "error", "kind": error.kind, "message": error.message, "hint": error.hint})


def told_error(fields: Dict[str, Any]) -> ProcedureFailed:
    """Give the error that such a line tells of."""
    return ProcedureFailed(str(fields.get("message")), kind=str(fields.get("kind")), hint=str(fields.get("hint") or ""))


def _pack_entry(
    entry: ParcelEntry,
    kept: Callable[[ParcelEntry], Optional[Kept]],
    on_sent: Callable[[ParcelEntry, str], None],
    known: Callable[[ParcelEntry], str],
    blocks: List[bytearray],
) -> Iterator[Chunk]:
    """Give the parts of an entry; the longer ones lie in the first of the blocks, with their lengths."""
    if entry.is_dir:
        yield encode({"t": "dir", "name": to_text(entry.name), "mode": entry.mode})
        return
    there = kept(entry)
    if there is not None:
        fields = {"name": to_text(entry.name), "mode": entry.mode, "size": entry.size_bytes}
        yield encode({"t": "kept", **fields, "at": there.at, "sha256": there.sha256})
        return
    try:
        # Not blocking: the file may have become a pipe since it was looked at.
        fd = os.open(entry.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise ProcedureFailed("%s vanished while it was copied" % show(entry.path), kind="missing") from None
        raise failure("read", entry.path, error) from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise ProcedureFailed("%s is no longer a file" % show(entry.path), kind="not_a_file")
        mode = stat.S_IMODE(status.st_mode) & 0o777
        yield encode({"t": "file", "name": to_text(entry.name), "mode": mode, "size": status.st_size})
        sha256 = known(entry) if identity_of(status) == entry.identity else ""
        digest = hashlib.sha256()
        left = status.st_size or UNKNOWN_SIZE_BYTES  # a log that grows while it is read ends where it ended
        while left > 0:
            block = memoryview(blocks[0])
            try:
                count = os.readv(fd, [block[4 : 4 + left]])
            except OSError as error:
                raise failure("read", entry.path, error) from None
            if not count:
                break
            left -= count
            if not sha256:
                digest.update(block[4 : 4 + count])
            block[:4] = count.to_bytes(4, "big")
            yield block[: 4 + count]
        is_same = not left and identity_of(os.fstat(fd)) == entry.identity
        if sha256 and not is_same:
            raise ProcedureFailed("%s changed while it was copied" % show(entry.path), kind="changed")
        sha256 = sha256 or digest.hexdigest()
        yield b"\0\0\0\0" + bytes.fromhex(sha256)
        if is_same:
            on_sent(entry, sha256)
    finally:
        os.close(fd)
