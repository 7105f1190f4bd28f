"""The daemon's program as it travels: one byte-identical zip file, the command that boots it, the boot's answers."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
from binascii import crc32
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from struct import pack
from typing import TYPE_CHECKING

from octogram_tui.cuts import quoted
from octogram_tui.dataclass import dataclass
from octogram_tui.model.scenario import BinarySource
from octogram_tui.resources import agentd_dir

if TYPE_CHECKING:
    import ast

MAX_NOISE_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 16 * 1024
INTERPRETERS = ("python3", *(f"python3.{minor}" for minor in range(14, 7, -1)))
"""What is looked for on an agent's machine when nobody says which one to use."""

_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = b"import sys\nfrom octogram_agentd.__main__ import main\nsys.exit(main(sys.argv[1:]))\n"
_FIRST_DAY, _UNIX, _MODE = 0x21, 3, 0o100644  # 1 January 1980: the same whenever it is packed
CHOOSE = (
    'for p;do case "$p" in "~"/*)p="$HOME${p#"~"}";;esac;'
    'command -v "$p" >/dev/null 2>&1&&exec "$p" -ISXutf8 -c "$0" "$p" "$@";done;echo "OCTO %s none";exit 6'
)
"""Becomes the first interpreter that exists. `$0` is the text of the boot, the rest the interpreters.

UTF-8 whatever the machine's locale says: names of files are what a scenario calls them.
"""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The zip file. `digest` is the sha256 of its bytes; `source_bytes` what its Python files add up to."""

    data: bytes
    digest: str
    source_bytes: int


@lru_cache(maxsize=4)
def build_bundle(package: Path | None = None) -> Bundle:
    """Pack the daemon: the same bytes from the same sources, wherever and whenever."""
    package = package or agentd_dir()
    files = {"__main__.py": _MAIN}
    for directory, _, names in os.walk(package):
        inside = f"octogram_agentd{directory[len(os.fspath(package)) :]}"
        for name in names:
            if name.endswith(".py"):
                with open(f"{directory}/{name}", "rb") as file:
                    files[f"{inside}/{name}"] = file.read()
    data = _zipped(files)
    return Bundle(data, hashlib.sha256(data).hexdigest(), sum(map(len, files.values())))


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """Write a zip file whose members are stored as they are: `zipfile` gives the same, and its import takes longer."""
    parts, directory, at = [_SHEBANG], b"", len(_SHEBANG)
    for name in sorted(files):
        data, path = files[name], name.encode("ascii")
        size = len(data)
        about = pack("<5H3L2H", 20, 0, 0, 0, _FIRST_DAY, crc32(data), size, size, len(path), 0)
        parts += b"PK\3\4", about, path, data
        directory += b"PK\1\2" + pack("<2B", 20, _UNIX) + about + pack("<3H2L", 0, 0, 0, _MODE << 16, at) + path
        at += 4 + len(about) + len(path) + len(data)
    end = pack("<4H2LH", 0, 0, len(files), len(files), len(directory), at, 0)
    return b"".join((*parts, directory, b"PK\5\6", end))


def boot_argv(
    source: BinarySource, bundle: Bundle, *, python: str | None, nonce: str, args: Sequence[str]
) -> list[str]:
    """Give the command that starts the daemon's program on an agent's machine.

    Joined by shlex it means the same to every login shell: no word holds a newline, `!`, a backslash or a single
    quote, unless `python` does.
    """
    interpreters = [python] if python else list(INTERPRETERS)
    call = (
        nonce,
        bundle.digest,
        len(bundle.data),
        bundle.source_bytes,
        source.kind,
        source.value,
        source.sha256 or "",
        list(args),
    )
    first, apart = _boot_texts()
    program = base64.b64encode(f"{first}\nboot{(*call, apart)!r}".encode()).decode()
    text = f'import binascii;exec(binascii.a2b_base64("{program}"))'
    return ["sh", "-c", CHOOSE % nonce, text, *interpreters]


def local_argv(*, nonce: str, args: Sequence[str], python: str | None = None) -> list[str]:
    """Give the command for an agent on this machine: straight from our own files, answering as a boot does."""
    answer = f'OCTO {nonce} {{"need":false}}\n'.encode()
    text = (
        f"import os,sys;os.write(1,{answer!r});"
        "sys.path.insert(0,sys.argv[1]);from octogram_agentd.__main__ import run;run(sys.argv[2:])"
    )
    return [python or sys.executable, "-ISXutf8", "-c", text, str(agentd_dir().parent), *args]


def prepare() -> None:
    """Make now what the first boot would wait for."""
    build_bundle()
    _boot_texts()


@lru_cache(maxsize=1)
def _boot_texts() -> tuple[str, str]:
    """Give what every boot compiles, and what only one does that has to get the bundle."""
    import ast

    tree = ast.parse((agentd_dir() / "boot.py").read_text("utf-8"))
    parted = next(
        at
        for at, node in enumerate(tree.body)
        if isinstance(node, ast.Assign) and "APART" in ast.unparse(node.targets[0])
    )
    first, later = (ast.Module(_stripped(body), []) for body in (tree.body[:parted], tree.body[parted + 1 :]))
    return ast.unparse(ast.fix_missing_locations(first)), ast.unparse(ast.fix_missing_locations(later))


def stripped(path: Path) -> str:
    """Give a program's source without what only its readers need."""
    import ast

    tree = ast.parse(path.read_text("utf-8"))
    tree.body = _stripped(tree.body)
    return ast.unparse(ast.fix_missing_locations(tree))


def _stripped(body: list[ast.stmt]) -> list[ast.stmt]:
    """Leave out docstrings, annotations of functions, and what is only for a checker of types."""
    import ast

    kept: list[ast.stmt] = []
    for node in body:
        match node:
            case ast.FunctionDef():
                node.returns = None
                for argument in node.args.args:
                    argument.annotation = None
                node.body = _stripped(node.body) or [ast.Pass()]
            case ast.ClassDef():
                node.body = _stripped(node.body) or [ast.Pass()]
            case ast.Expr(ast.Constant(str())):
                continue
            case ast.ImportFrom(module="__future__") | ast.If(test=ast.Name("TYPE_CHECKING")):
                continue
        kept.append(node)
    return kept


@dataclass(frozen=True, slots=True)
class Noise:
    """What a login shell printed before the boot spoke."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Need:
    """The machine does not have the bundle: send its bytes."""


@dataclass(frozen=True, slots=True)
class Started:
    """The daemon's program runs; `rest` is what it has said so far."""

    rest: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """There will be no daemon. `code` is an error's code, as in errors.py."""

    message: str
    code: str = "boot.failed"


BOOT_HINTS = {
    "boot.python": "install python3 there, or name it with the agent's `python`",
    "boot.noise": "let its start files (.bashrc, .profile) print nothing where there is no terminal",
    "boot.place": "let that user write into its home directory or /var/tmp there, and see that there is room (`df`)",
    "boot.processes": "see how many processes that user may have there (`ulimit -u`), and has",
    "boot.proc": "mount /proc there: what a daemon has started is found by it",
    "boot.timeout": "see how long a login takes there, and that its start files (.bashrc, .profile) wait for nothing",
}
"""What to do about a boot that failed, by the error's code."""

_SAID = {"Python 3": "boot.python", "there is no place": "boot.place"}
"""How an answer begins, and what it is about."""

BootEvent = Noise | Need | Started | Failed


class BootReader:
    """Bytes of a boot's standard output in, events out. After Started or Failed there is nothing more to feed."""

    def __init__(self, nonce: str) -> None:
        self._mark = f"OCTO {nonce} ".encode()
        self._buffer = b""
        self._noise_bytes = 0
        self._is_over = False

    def feed(self, data: bytes) -> list[BootEvent]:
        """Take what arrived."""
        events: list[BootEvent] = []
        self._buffer += data
        while not self._is_over and (event := self._next()) is not None:
            events.append(event)
            if isinstance(event, Started | Failed):
                self._is_over = True
        return events

    def _next(self) -> BootEvent | None:
        start = self._buffer.find(self._mark)
        if start < 0:
            # The end of what came may be the beginning of the mark.
            keep = next((n for n in range(len(self._mark) - 1, 0, -1) if self._buffer.endswith(self._mark[:n])), 0)
            start = len(self._buffer) - keep
            if start == 0:
                return None
        if start > 0:
            noise, self._buffer = self._buffer[:start], self._buffer[start:]
            self._noise_bytes += len(noise)
            if self._noise_bytes > MAX_NOISE_BYTES:
                return Failed(f"the login shell printed over {MAX_NOISE_BYTES} bytes before the agent", "boot.noise")
            return Noise(noise)
        line, end, rest = self._buffer.partition(b"\n")
        if not end:
            return Failed("the boot's answer has no end", "boot.noise") if len(line) > MAX_ANSWER_BYTES else None
        self._buffer = rest
        return self._answer(line[len(self._mark) :], rest)

    def _answer(self, text: bytes, rest: bytes) -> BootEvent:
        if text == b"none":
            return Failed(
                f"there is no Python 3.8 or newer: none of {', '.join(INTERPRETERS)} was found, nor the one "
                "that the scenario names",
                "boot.python",
            )
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            return Failed(f"the boot's answer makes no sense: {quoted(text, 200)}", "boot.noise")
        if "error" in answer:
            message = str(answer["error"])
            code = next((code for words, code in _SAID.items() if re.match(words, message)), "boot.failed")
            return Failed(message, code)
        if answer.get("need"):
            return Need()
        return Started(rest)
