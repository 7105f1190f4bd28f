"""The checksum that ends each line of a journal: `crc`, the CRC-32 of everything in the file before it, in hexadecimal.

So one number vouches for its line, for all lines before it and for their order: a line that was changed, lost, doubled
or moved shows at the next one. The last of a file vouches for all of it, which is one pass over its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

NAME = "crc"

_TAIL = b',"crc":"%08x"}\n'
TAIL_BYTES = len(_TAIL % 0)


def sealed(lines: Iterable[bytes], crc: int) -> tuple[bytes, int]:
    """Give lines with their seals, in one piece, and the CRC-32 of the file with them; crc: of the file before."""
    pieces: list[bytes] = []
    for line in lines:
        body = line[:-2]  # without what closes it
        crc = crc32(body, crc)
        end = _TAIL % crc
        crc = crc32(end, crc)
        pieces += body, end
    return b"".join(pieces), crc


def follow(line: bytes, crc: int) -> int:
    """Give the CRC-32 of the file with a line; crc: of the file before it. Raises ValueError when its seal is wrong."""
    crc = crc32(line[:-TAIL_BYTES], crc)
    end = line[-TAIL_BYTES:]
    if end != _TAIL % crc:
        raise ValueError("its checksum is wrong")
    return crc32(end, crc)


def tail(crc: int) -> bytes:
    """Give the end of a line with its seal; crc: of the file up to it."""
    return _TAIL % crc
