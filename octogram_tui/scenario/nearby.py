"""Which scenarios lie in a directory: told by their content, at a glance, and within limits whatever is there."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from octogram_tui.cuts import beginning
from octogram_tui.scenario.documents import EXTENSIONS

DEPTH = 2  # directories below the one that is looked at
MOST_ENTRIES = 5_000
MOST_READ = 300
MOST_FOUND = 60
MOST_BYTES = 4 * 1024 * 1024  # of a file that is looked into
GLANCE_BYTES = 256 * 1024
WITHIN_S = 2.0
TITLE_CHARACTERS = 160
_PASSED_OVER = frozenset({"node_modules", "__pycache__", "venv", "site-packages", "build", "dist"})
_STAGES = re.compile(rb"""^(?:stages|["']stages["'])\s*:|[{,]\s*"stages"\s*:""", re.MULTILINE)
_AGENTS = re.compile(rb"""["']?(?:with_agents|agents)["']?\s*:""")
_SCHEMA = re.compile(rb'\s*\{\s*"\$schema"')  # what editors have beside scenarios has all of these words, too
_FOR_EDITORS = "yaml-language-server:"
_JOBS = re.compile(rb"""["']?jobs["']?\s*:""")


class Nearby(NamedTuple):
    """A file that looks like a scenario. title: of the comment that it begins with, or empty."""

    path: Path
    title: str


class Search(NamedTuple):
    """What was found, by name, those above before those below; is_cut: there was more than was looked at."""

    found: list[Nearby]
    is_cut: bool


def search(directory: Path) -> Search:
    """Look for scenarios. Never raises: what cannot be read is no scenario. Takes WITHIN_S at most, disks willing."""
    deadline_s = time.monotonic() + WITHIN_S
    found: list[Nearby] = []
    is_cut = False
    for read, path in enumerate(_files(directory)):
        if path is None or read >= MOST_READ or len(found) >= MOST_FOUND or time.monotonic() > deadline_s:
            is_cut = True
            break
        text = _glance(path)
        if text is not None and is_scenario(text):
            found.append(Nearby(path, title_of(text)))
    found.sort(key=lambda each: (len(each.path.parts), each.path))
    return Search(found, is_cut)


def is_scenario(text: bytes) -> bool:
    """Tell whether the beginning of a file looks like one: stages at its top, with jobs, and agents somewhere."""
    if _SCHEMA.match(text):
        return False
    return all(pattern.search(text) is not None for pattern in (_STAGES, _JOBS, _AGENTS))


def title_of(text: bytes) -> str:
    """Give the first sentence of the comment that a file begins with."""
    for line in text[:4096].decode(errors="replace").splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            return ""
        said = stripped.lstrip("# ").strip()
        if said and said[0].isalnum() and not said.startswith(_FOR_EDITORS):
            return beginning(said, TITLE_CHARACTERS)
    return ""


def _files(directory: Path) -> Iterator[Path | None]:
    """Give the files whose names allow for it, a level at a time; None when there are too many to go on."""
    level, entries = [directory], 0
    for depth in range(DEPTH + 1):
        below: list[Path] = []
        for place in level:
            try:
                listed = os.scandir(place)
            except OSError:
                continue
            with listed:
                for entry in listed:
                    entries += 1
                    if entries > MOST_ENTRIES:
                        yield None
                        return
                    try:
                        if entry.name[0] == "." or entry.name in _PASSED_OVER:
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            below.append(Path(entry.path))
                        elif entry.name.lower().endswith(EXTENSIONS) and entry.is_file():
                            yield Path(entry.path)
                    except OSError:
                        continue
        level = sorted(below) if depth < DEPTH else []


def _glance(path: Path) -> bytes | None:
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size > MOST_BYTES:
                return None
            return file.read(GLANCE_BYTES)
    except OSError:
        return None
