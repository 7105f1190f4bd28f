"""What a scenario was read from, kept beside the journal by content: the same scenario can be built again from it.

`sources/DIGEST.json` names every file that was read, by the path that it was read by, and what the command line added;
`sources/SHA256` is the text of one of them. A scenario of which nothing was kept cannot be gone on with.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from octogram_tui import filing, records
from octogram_tui.errors import JournalError, RunNotRestored

DIRECTORY = "sources"


class Sources(NamedTuple):
    """What one scenario was read from. given: of the command line, by the names of its options; texts: by path."""

    given: dict[str, Any]
    texts: dict[str, str]


def keep(run_dir: Path, digest: str, given: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Keep what a scenario was read from, unless it is kept. Raises JournalError."""
    directory = run_dir / DIRECTORY
    place = directory / f"{_plain(digest)}.json"
    try:
        if place.exists():
            return
        directory.mkdir(mode=0o700, exist_ok=True)
        files = {path: _keep_text(directory, text) for path, text in texts.items()}
        record = {"v": 1, "digest": digest, "given": dict(given), "files": files}
        _write(place, json.dumps(record, indent=2).encode("ascii") + b"\n")
    except OSError as error:
        raise JournalError(
            f"cannot keep what the scenario was read from in {directory}: {error.strerror}",
            hint="free some space, or give another directory with --run-dir",
        ) from error


def find(run_dir: Path, digest: str) -> Sources:
    """Give what a scenario was read from. Raises RunNotRestored when it was not kept, or is not what was kept."""
    directory = run_dir / DIRECTORY
    place = directory / f"{_plain(digest)}.json"
    try:
        record = records.load(place)
        files, given = record["files"], record["given"]
        texts = {path: _text(directory / _plain(name), name) for path, name in files.items()}
        return Sources(dict(given), texts)
    except FileNotFoundError as error:
        raise RunNotRestored(
            f"{error.filename} is missing: what the scenario was read from was not kept with the run",
            hint="runs of versions before this one did not keep it, and cannot be gone on with",
        ) from None
    except OSError as error:
        raise RunNotRestored(f"cannot read {error.filename}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunNotRestored(f"{place} is damaged: {type(error).__name__}: {error}") from error


def digests(run_dir: Path) -> list[str]:
    """Name the scenarios of which something was kept, the latest last."""
    try:
        places = [(place.stat().st_mtime_ns, place.stem) for place in (run_dir / DIRECTORY).glob("*.json")]
    except OSError:
        return []
    return [digest for _, digest in sorted(places)]


def _keep_text(directory: Path, text: str) -> str:
    """Keep a text; gives its name, which is what it contains."""
    data = text.encode("utf-8", "surrogatepass")
    name = hashlib.sha256(data).hexdigest()
    if not (directory / name).exists():
        _write(directory / name, data)
    return name


def _text(place: Path, name: str) -> str:
    data = place.read_bytes()
    if hashlib.sha256(data).hexdigest() != name:
        raise ValueError(f"{place.name[:12]} does not contain what its name says")
    return data.decode("utf-8", "surrogatepass")


def _write(place: Path, data: bytes) -> None:
    filing.write_whole(place, data, mode=0o600, durable=True)
    os.chmod(place, 0o600)


def _plain(name: str) -> str:
    """Keep what can be part of a file's name: a digest comes from a journal, which anybody may have written."""
    return re.sub(r"[^0-9A-Za-z]", "", name)[:64] or "none"
