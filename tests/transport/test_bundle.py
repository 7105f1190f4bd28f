"""The bundle that brings the daemon to a machine, and the reader of what the booting command answers."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from octogram_agentd.processes import origin
from octogram_tui.model.scenario import BinarySource
from octogram_tui.resources import agentd_dir
from octogram_tui.transport.bundle import (
    MAX_NOISE_BYTES,
    BootEvent,
    BootReader,
    Bundle,
    Failed,
    Need,
    Noise,
    Started,
    boot_argv,
    build_bundle,
    local_argv,
)

NONCE = "0123456789abcdef"
BUNDLE = build_bundle()


def test_the_bundle_is_the_same_bytes_wherever_it_is_built(tmp_path: Path) -> None:
    copy = tmp_path / "agentd"
    shutil.copytree(agentd_dir(), copy, ignore=shutil.ignore_patterns("__pycache__"))
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    other = build_bundle(copy)
    assert other == BUNDLE
    assert hashlib.sha256(other.data).hexdigest() == other.digest
    with zipfile.ZipFile(io.BytesIO(other.data)) as archive:
        assert archive.testzip() is None
        assert all(name.endswith(".py") for name in archive.namelist())
        assert archive.namelist() == sorted(archive.namelist())
    (copy / "wire.py").write_text("# edited\n")
    assert build_bundle.__wrapped__(copy).digest != BUNDLE.digest


def feed(*parts: bytes) -> list[BootEvent]:
    reader = BootReader(NONCE)
    return [event for part in parts for event in reader.feed(part)]


def test_the_reader_takes_any_cut() -> None:
    data = b"Welcome!\nOCTO is great\nno end" + f'OCTO {NONCE} {{"need":true}}\n'.encode()
    data += f'OCTO {NONCE} {{"need":false}}\n'.encode()
    for cut in range(len(data)):
        events = feed(data[:cut], data[cut:], b"rest")
        assert b"".join(event.data for event in events if isinstance(event, Noise)) == data[: data.index(b"OCTO 0")]
        assert [type(event) for event in events if not isinstance(event, Noise)] == [Need, Started]


def test_the_reader_gives_what_follows() -> None:
    assert feed(f'OCTO {NONCE} {{"need":false}}\n{{"t":'.encode()) == [Started(b'{"t":')]


@pytest.mark.parametrize(
    "data",
    [
        b"x" * (MAX_NOISE_BYTES + 1),
        f"OCTO {NONCE} nonsense\n".encode(),
        f"OCTO {NONCE} [1]\n".encode(),
        f"OCTO {NONCE} ".encode() + b"x" * 20_000,
    ],
)
def test_the_reader_gives_up(data: bytes) -> None:
    events = feed(*(data[at : at + 1000] for at in range(0, len(data), 1000)), b"more")
    assert isinstance(events[-1], Failed)


def test_bundles_say_what_they_are() -> None:
    assert isinstance(BUNDLE, Bundle)
    assert BUNDLE.data.startswith(b"#!/usr/bin/env python3\nPK\3\4")


@pytest.mark.parametrize("way", ["local", "boot", "a program of the daemon"])
def test_names_of_files_are_utf_8_whatever_the_locale_says(way: str) -> None:
    says = "import sys;print(sys.flags.utf8_mode, end='')"
    if way == "boot":
        words = boot_argv(BinarySource(), BUNDLE, python=sys.executable, nonce="n", args=[])
        words[3] = says
    else:
        words = local_argv(nonce="n", args=[]) if way == "local" else origin.argv("network.download")
        words[words.index("-c") + 1] = says
    # Where the locale is that of C, Python decides for UTF-8 by itself: this one leaves it to us.
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "0"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1"
