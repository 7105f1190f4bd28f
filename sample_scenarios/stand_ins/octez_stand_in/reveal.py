"""Preimages and installer kernels: how a kernel that is too big for an operation is cut into pages, and found again.

The pages have the real layout (tag, size, then content or hashes); the installer kernel around the root hash is ours.
"""

from __future__ import annotations

from . import base58

PAGE_BYTES = 4096
HEADER_BYTES = 5
HASH_BYTES = 33
CONTENT_TAG, HASHES_TAG = b"\x00", b"\x01"
WASM_MAGIC = b"\0asm\1\0\0\0"
MARK = b"stand-in installer kernel, reveals "


def page_hash(page: bytes) -> bytes:
    """Name a page: a scheme byte and the Blake2b hash."""
    return b"\0" + base58.digest(page)


def pages(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Cut content into pages; gives the root hash and the pages by the hex of their hashes."""
    found: dict[str, bytes] = {}

    def level(tag: bytes, pieces: list[bytes]) -> list[bytes]:
        hashes = []
        for piece in pieces:
            page = tag + len(piece).to_bytes(4, "big") + piece
            name = page_hash(page)
            found[name.hex()] = page
            hashes.append(name)
        return hashes

    room = PAGE_BYTES - HEADER_BYTES
    hashes = level(CONTENT_TAG, [content[at : at + room] for at in range(0, len(content), room)] or [b""])
    per_page = room // HASH_BYTES
    while len(hashes) > 1:
        groups = [b"".join(hashes[at : at + per_page]) for at in range(0, len(hashes), per_page)]
        hashes = level(HASHES_TAG, groups)
    return hashes[0], found


def installer_kernel(root_hash: bytes, setup: bytes) -> bytes:
    """Make a kernel that says what it would install: a WebAssembly header with one custom section."""
    section = MARK + root_hash.hex().encode() + (b"\n" + setup if setup else b"")
    size = _leb128(len(section) + 1)
    return WASM_MAGIC + b"\0" + size + b"\0" + section


def _leb128(value: int) -> bytes:
    found = bytearray()
    while True:
        value, low = value >> 7, value & 127
        found.append(low | (128 if value else 0))
        if not value:
            return bytes(found)


def root_hash_in(kernel: bytes) -> str | None:
    """Find the root hash, in hex, of an installer kernel made here; None for any other kernel."""
    at = kernel.find(MARK)
    if at < 0:
        return None
    start = at + len(MARK)
    return kernel[start : start + 2 * HASH_BYTES].decode("latin-1")
