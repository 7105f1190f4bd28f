"""Parts of a parcel of files, written out by hand: also those that no honest agent would send."""

from __future__ import annotations

import hashlib

from octogram_agentd.wire.lines import encode

ROOT = encode({"t": "dir", "name": "", "mode": 0o755})


def file_parts(name: str, content: bytes, mode: int = 0o644) -> bytes:
    """Give what a parcel holds of one file."""
    digest = hashlib.sha256(content).digest()
    head = encode({"t": "file", "name": name, "mode": mode, "size": len(content)})
    return head + len(content).to_bytes(4, "big") + content + (b"\0\0\0\0" if content else b"") + digest
