"""The stand-in of smart-rollup-installer."""

from __future__ import annotations

import os

from . import arguments, events, lifecycle, releases, reveal
from .arguments import UsageError, flag, option
from .lifecycle import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

OPTIONS = [
    option("--upgrade-to -u"),
    option("--output -o"),
    option("--preimages-dir -P"),
    option("--setup-file -S", since=18),
    flag("--display-root-hash -d", since=18),
]


def main(words: List[str], release: releases.Release, behaviour: lifecycle.Behaviour) -> int:
    """Run one command; gives the exit code."""
    if words[:1] in (["--version"], ["-V"]):
        events.say("smart-rollup-installer 0.2.2")
        return 0
    if words[:1] != ["get-reveal-installer"]:
        raise UsageError(f"unrecognized subcommand '{words[0]}'" if words else "missing subcommand")
    values, positionals = arguments.unix(words[1:], OPTIONS, release)
    if positionals:
        raise UsageError(f"unexpected argument '{positionals[0]}' found")
    missing = [name for name in ("upgrade-to", "output", "preimages-dir") if name not in values]
    if missing:
        raise UsageError(f"the following required arguments were not provided: --{missing[0]}")
    kernel = _read(values["upgrade-to"])
    setup = _read_setup(values["setup-file"]) if "setup-file" in values else b""
    root_hash, pages = reveal.pages(kernel)
    _write_pages(values["preimages-dir"], pages)
    _write_kernel(values["output"], reveal.installer_kernel(root_hash, setup))
    if "display-root-hash" in values:
        events.say(f"ROOT_HASH: {root_hash.hex()}")
    return 0


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise Failure(f"Cannot read {path}: {error.strerror}") from None


def _read_setup(path: str) -> bytes:
    setup = _read(path)
    if b"instructions:" not in setup:
        raise Failure(f"{path} is not a setup file: it has no instructions")
    return setup


def _write_pages(directory: str, pages: dict[str, bytes]) -> None:
    if not os.path.isdir(directory):
        raise Failure(f"The preimages directory {directory} does not exist")
    for name, page in pages.items():
        _write(os.path.join(directory, name), page)


def _write_kernel(path: str, kernel: bytes) -> None:
    extension = os.path.splitext(path)[1]
    if extension == ".wasm":
        _write(path, kernel)
        return
    if extension != ".hex":
        events.complain(f"Warning: {path} ends with neither .hex nor .wasm: writing hex")
    _write(path, kernel.hex().encode())


def _write(path: str, data: bytes) -> None:
    try:
        with open(path, "wb") as stream:
            stream.write(data)
    except OSError as error:
        raise Failure(f"Cannot write {path}: {error.strerror}") from None
