"""What state a journal's file is in, and what is cut off it before anything is appended again.

A last line without its end was being written when the machine or the disk failed: nobody was told of it, and it goes
into a file of its own. All else that is not as it was written is damage, and nothing goes on from there.
"""

from __future__ import annotations

import os
import re
from itertools import count
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from octogram_tui import faults
from octogram_tui.dataclass import dataclass
from octogram_tui.errors import DamagedJournal, JournalError
from octogram_tui.journal import codec, seal
from octogram_tui.journal.reader import damaged, newer

PIECE_BYTES = 1024 * 1024

_SEQ = re.compile(rb'\{"seq":(\d+),')


@dataclass(slots=True)
class Condition:
    """How far a journal is as it was written.

    size_bytes, lines, crc, last_seq: of what is good; torn_bytes: of a last line without its end; damage:
    what is wrong with the line after the good ones, where that is more than being torn.
    """

    version: int = codec.JOURNAL_VERSION
    size_bytes: int = 0
    lines: int = 0
    crc: int = 0
    last_seq: int = 0
    torn_bytes: int = 0
    damage: str = ""

    @property
    def is_sealed(self) -> bool:
        """Whether the lines have checksums; those of former versions have none."""
        return self.version >= codec.SEALED_FROM


def examine(path: Path) -> Condition:
    """Read a journal as far as it is good. Raises JournalError when it cannot be read or is of a newer version."""
    try:
        with path.open("rb") as file:
            return _examine(path, file)
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {error.strerror}") from error


def is_sound(path: Path) -> bool:
    """Tell whether all of a journal is as it was written, by one pass over its bytes; a torn end is no harm.

    False as well for one without checksums, or one that cannot be read.
    """
    crc = 0
    try:
        with path.open("rb") as file:
            end = _last_line_end(file)
            file.seek(max(0, end - seal.TAIL_BYTES))
            tail = file.read(min(end, seal.TAIL_BYTES))
            left = end - len(tail)
            file.seek(0)
            while left and (piece := file.read(min(left, PIECE_BYTES))):
                left -= len(piece)
                crc = crc32(piece, crc)
    except OSError:
        return False
    return tail == seal.tail(crc)


def damage_of(path: Path) -> str:
    """Say what is wrong with a journal that nobody writes; '' when all is as it was written, or it has no checksums."""
    if is_sound(path):
        return ""
    try:
        with path.open("rb") as file:
            if _head_wrong(path, file.readline(), found := Condition()) == "" and not found.is_sealed:
                return ""
        condition = examine(path)
    except (JournalError, OSError):  # what cannot be read at all is told of elsewhere
        return ""
    return f"line {condition.lines + 1}: {condition.damage}" if condition.damage else ""


def go_on_from(path: Path) -> Condition:
    """Prove a journal whose lock the caller has, and cut off what is torn, so that it can be appended to.

    What is cut goes into a file beside it. Raises DamagedJournal, or JournalError when this cannot be done.
    """
    condition = examine(path)
    if condition.damage:
        raise damaged(path, condition.lines + 1, condition.damage, is_sealed=condition.is_sealed)
    if not condition.is_sealed or not condition.lines:
        raise DamagedJournal(
            f"{path} cannot be gone on with: "
            + ("it has not even a whole first line" if condition.is_sealed else "a former version wrote it")
        )
    if condition.torn_bytes:
        try:
            _cut(path, condition)
        except OSError as error:
            raise JournalError(f"cannot cut the torn end off the journal {path}: {error.strerror}") from error
    return condition


def torn_path(path: Path) -> Path:
    """Give the name of the file for what is cut off a journal: one that is not there yet."""
    return next(place for n in count(1) if not (place := path.with_name(f"{path.name}.torn-{n}")).exists())


def _cut(path: Path, condition: Condition) -> None:
    """Keep the torn end, then cut it off; a crash amid that leaves both. Raises OSError."""
    place = torn_path(path)
    with path.open("r+b") as file:
        file.seek(condition.size_bytes)
        faults.hit("journal.torn.keep")
        fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as kept:
            while piece := file.read(PIECE_BYTES):
                kept.write(piece)
            kept.flush()
            os.fsync(fd)
        faults.hit("journal.torn.cut")
        file.truncate(condition.size_bytes)
        os.fsync(file.fileno())


def _examine(path: Path, file: BinaryIO) -> Condition:
    found = Condition()
    last = b""
    for line in file:
        if not line.endswith(b"\n"):
            found.torn_bytes = len(line)
            break
        found.damage = ("" if found.lines else _head_wrong(path, line, found)) or _line_wrong(line, found)
        if found.damage:
            break
        last = line
        found.lines += 1
        found.size_bytes += len(line)
    if found.is_sealed and (head := _SEQ.match(last)):
        found.last_seq = int(head[1])  # of a line that is no event it is that of the last event before
    if not found.size_bytes and not found.torn_bytes and not found.damage:
        raise JournalError(f"{path} is empty: no run was written to it")
    return found


def _head_wrong(path: Path, line: bytes, found: Condition) -> str:
    """Take the version from a journal's first line; gives what is wrong. Raises JournalError for a newer one."""
    try:
        record = codec.load(line)
    except ValueError:
        return "not JSON"
    version = record.get("v")
    if not isinstance(version, int) or version < 1 or record.get("type") != codec.HEADER_TYPE:
        return "it does not begin as a journal does"
    if version > codec.JOURNAL_VERSION:
        raise newer(path, version, codec.JOURNAL_VERSION, record)
    found.version = codec.SEALED_FROM if seal.NAME in record else version
    return ""


def _line_wrong(line: bytes, found: Condition) -> str:
    """Take a line; gives what is wrong with it. One without a seal has to be an event that can come here."""
    try:
        if found.is_sealed:
            found.crc = seal.follow(line, found.crc)
        elif found.lines:
            event = codec.decode(line)
            if event.seq <= found.last_seq:
                return f"event {event.seq} comes after event {found.last_seq}"
            found.last_seq = event.seq
    except ValueError as error:
        return str(error)
    return ""


def _last_line_end(file: BinaryIO) -> int:
    """Give where the last whole line ends."""
    place = file.seek(0, 2)
    while place > 0:
        begin = max(0, place - PIECE_BYTES)
        file.seek(begin)
        found = file.read(place - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        place = begin
    return 0
