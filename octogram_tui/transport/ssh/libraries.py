"""Imports asyncssh without the processes that it starts to look for libraries.

It asks `ctypes.util.find_library` for two of C, which runs ldconfig, gcc and ld for each name: eleven processes, a
tenth of all that its import costs. What ldconfig prints is in one file.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import re
from collections.abc import Callable
from pathlib import Path

CACHE = Path("/etc/ld.so.cache")


def find_by_cache(cache: bytes, slowly: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Give what finds libraries in the cache of the dynamic linker; slowly: what finds one that is of no use to us."""

    def find(name: str) -> str | None:
        found = re.findall(rb"[\0/](lib%s\.so[^\0/]*)\0" % re.escape(name).encode(), cache)
        if not found:
            return None
        best = os.fsdecode(max(found, key=len))  # the one with a version
        try:
            ctypes.CDLL(best)
        except OSError:  # for another processor than ours
            return slowly(name)
        return best

    return find


def _import_asyncssh() -> None:
    slowly = ctypes.util.find_library
    try:
        cache = CACHE.read_bytes()
    except OSError:  # a system without one
        cache = b""
    if cache and "LD_LIBRARY_PATH" not in os.environ:
        ctypes.util.find_library = find_by_cache(cache, slowly)  # type: ignore[assignment]
    try:
        import asyncssh  # noqa: F401
    finally:
        ctypes.util.find_library = slowly


_import_asyncssh()
