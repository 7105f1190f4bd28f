"""The scenario's text beside the journal: as it was read first, and as each edit that came into force left it.

The console draws the source from here, not from the file on disk, which may be ahead of the run, or elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from octogram_tui import filing

FIRST = "scenario"
"""The name, but for its ending, of the text that the run began with."""


def keep_first(run_dir: Path, path: str, text: str) -> None:
    """Keep the text that a run begins with. A disk that refuses costs the copy, not the run."""
    with contextlib.suppress(OSError):
        data = text.encode("utf-8", "surrogateescape")
        filing.write_whole(run_dir / f"{FIRST}{Path(path).suffix}", data, mode=0o600)


def keep(run_dir: Path, path: str, digest: str, text: str) -> None:
    """Keep the text of a scenario by its digest, unless it is there."""
    place = run_dir / f"{FIRST}-{_plain(digest)}{Path(path).suffix}"
    with contextlib.suppress(OSError):
        if not place.exists():
            filing.write_whole(place, text.encode("utf-8", "surrogateescape"), mode=0o600)


def find(run_dir: Path, digest: str, is_first: bool) -> str | None:
    """Give the text of a scenario by its digest; None when there is no copy of it. is_first: the run began with it."""
    places = sorted(run_dir.glob(f"{FIRST}-{_plain(digest)}*")) if digest else []
    if is_first:
        places += [place for place in sorted(run_dir.glob(f"{FIRST}*")) if place.stem == FIRST]
    for place in places:
        with contextlib.suppress(OSError):
            return place.read_bytes().decode("utf-8", "replace")
    return None


def commit_of(path: str) -> str:
    """Give the commit that the git repository of a file has checked out; empty where there is none, or no telling.

    It is read as git keeps it, since git need not be there, and would be a process to wait for.
    """
    with contextlib.suppress(OSError, ValueError):
        folder = Path(os.path.abspath(path)).parent
        top = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
        if top is None:
            return ""
        git = top / ".git"
        if git.is_file():  # of a worktree, or of a repository within another one
            git = top / git.read_text().removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref:"):
            return _commit(head)
        name = head.removeprefix("ref:").strip()
        common = git / "commondir"
        places = [git, git / common.read_text().strip()] if common.is_file() else [git]
        for place in places:
            with contextlib.suppress(OSError):
                return _commit((place / name).read_text().strip())
        for place in places:
            with contextlib.suppress(OSError):
                for line in (place / "packed-refs").read_text().splitlines():
                    if line.endswith(f" {name}"):
                        return _commit(line.partition(" ")[0])
    return ""


def _commit(text: str) -> str:
    return text if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) else ""


def _plain(digest: str) -> str:
    """Keep what can be part of a file's name: a digest comes from a journal, which anybody may have written."""
    return re.sub(r"[^0-9A-Za-z]", "", digest)[:16] or "none"
