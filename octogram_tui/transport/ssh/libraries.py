"""Imports asyncssh without what of its import is for nothing: a quarter of it.

It asks `ctypes.util.find_library` for two libraries of C, which runs ldconfig, gcc and ld for each name: eleven
processes. What ldconfig prints is in one file. And its certificates of X.509 load that part of `cryptography` before
they find that they also need pyOpenSSL, and do without; we never ask for them.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import re
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CERTIFICATES = "asyncssh.crypto.x509"
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
    modules: dict[str, Any] = sys.modules
    is_in_vain = CERTIFICATES not in modules and find_spec("OpenSSL") is None
    if is_in_vain:
        modules[CERTIFICATES] = None  # which says that there is no such module
    try:
        import asyncssh  # noqa: F401
    finally:
        ctypes.util.find_library = slowly
        if is_in_vain:
            del modules[CERTIFICATES]


_import_asyncssh()
