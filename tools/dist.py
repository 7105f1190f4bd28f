"""`python -m tools.dist [FOLDER]`: the wheel and the archive of the source, the same to the bit wherever they are made.

They are made twice: here, and from the archive that was made here, in another folder, with other times, rights,
language and time zone. What differs, is missing, or has no business in them, is an error, and nothing is left then.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BUILD = "import sys, os; os.umask(int(sys.argv[1], 8)); import hatchling.build as b; os.chdir(sys.argv[2]); "
BUILD += "print(b.build_wheel(sys.argv[3])); print(b.build_sdist(sys.argv[3]))"
ELSEWHERE = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "7", "HOME": "/nonexistent"}

IN_WHEEL = {"octogram_tui", "octogram_agentd"}
NEEDED_IN_WHEEL = (
    "octogram_tui/__init__.py",
    "octogram_tui/py.typed",
    "octogram_agentd/__main__.py",
    "octogram_agentd/py.typed",
    "octogram_tui/samples/demo.yml",
    "octogram_tui/samples/quickstart.yml",
    "octogram_tui/themes/console.tcss",
    "octogram_tui/themes/dark.toml",
)
NEEDED_IN_INFO = ("METADATA", "RECORD", "entry_points.txt", "licenses/LICENSE")
NEEDED_IN_SDIST = (
    *("LICENSE", "README.md", "CHANGELOG.md", "Makefile", "pyproject.toml", "PKG-INFO", ".ci/run"),
    *("requirements/dev.txt", "docs/language.md", "tests/conftest.py", "sample_scenarios/quickstart.yml"),
)
MADE = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".venv", "build", "dist", ".git"}


class Made(NamedTuple):
    """What a build gave."""

    wheel: Path
    sdist: Path


class DistError(Exception):
    """What was made is not as it has to be."""


def build(source: Path, to: Path, epoch: str, *, umask: str, surroundings: Mapping[str, str]) -> Made:
    """Make both. Raises DistError."""
    to.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, umask, str(source), str(to)],
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch, **surroundings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DistError(f"cannot build {source}: {(done.stderr.strip().splitlines() or ['nothing was said'])[-1]}")
    wheel, sdist = done.stdout.split()[-2:]
    return Made(to / wheel, to / sdist)


def epoch_of(source: Path) -> str:
    """Give the time that all files are to have: as SOURCE_DATE_EPOCH says, else that of the last commit."""
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    if said:
        return said
    return (_git(source, "log", "-1", "--format=%ct") or "1580601600").strip()


def unpacked(sdist: Path, to: Path) -> Path:
    """Unpack an archive of the source, and give its files times and rights that nobody else's have."""
    with tarfile.open(sdist) as archive:
        archive.extractall(to, filter="data")
    [top] = to.iterdir()
    for number, path in enumerate(sorted(top.rglob("*"))):
        if path.is_file():
            path.chmod(0o700 if os.access(path, os.X_OK) else 0o600)
        os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
    return top


def names_in_wheel(wheel: Path) -> list[str]:
    """List what is in it."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def names_in_sdist(sdist: Path) -> list[str]:
    """List what is in it, without the folder that all of it is in."""
    with tarfile.open(sdist) as archive:
        return [str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()]


def check_wheel(names: list[str]) -> list[str]:
    """List what is wrong with the contents of a wheel."""
    info = [name.partition(".dist-info/")[2] for name in names if ".dist-info/" in name]
    wrong = [f"the wheel lacks {name}" for name in NEEDED_IN_WHEEL if name not in names]
    wrong += [f"the wheel lacks its {name}" for name in NEEDED_IN_INFO if name not in info]
    ours = [name for name in names if ".dist-info/" not in name and ".data/data/share/" not in name]
    wrong += [f"{name} has no business in the wheel" for name in ours if name.partition("/")[0] not in IN_WHEEL]
    return wrong + _made(names, "wheel")


def check_sdist(names: list[str], known: set[str] | None) -> list[str]:
    """List what is wrong with the contents of an archive of the source. known: what git knows, if there is git."""
    wrong = [f"the archive lacks {name}" for name in NEEDED_IN_SDIST if name not in names]
    if known is not None:
        wrong += [f"{name} is in the archive, and git does not know it" for name in names if name not in known]
        wrong += [f"git knows {name}, and the archive lacks it" for name in sorted(known - {*names})]
    return wrong + _made(names, "archive")


def _made(names: list[str], what: str) -> list[str]:
    found = [name for name in names if MADE & {*PurePosixPath(name).parts} or name.endswith((".pyc", ".orig", "~"))]
    twice = {name for name in names if names.count(name) > 1}
    return [f"{name} has no business in the {what}" for name in found] + [f"{name} is there twice" for name in twice]


def known_to_git(source: Path) -> set[str] | None:
    """Give the files of a clone, and what a build writes besides; None where there is no clone."""
    listed = _git(source, "ls-files", "-z")
    if not listed:
        return None
    return {name for name in listed.split("\0") if name and (source / name).is_file()} | {"PKG-INFO"}


def uncommitted(source: Path) -> list[str]:
    """List the files of a clone that are not as the last commit has them: what is made has no commit then."""
    return _git(source, "diff", "--name-only", "-z", "HEAD").split("\0")[:-1]


def _git(source: Path, *words: str) -> str:
    """Ask git; empty where there is none, or no clone."""
    if not (source / ".git").exists() or shutil.which("git") is None:
        return ""
    return subprocess.run(["git", *words], cwd=source, capture_output=True, text=True, check=False).stdout


def make(source: Path, to: Path) -> Made:
    """Make both, compare, check. Raises DistError."""
    epoch = epoch_of(source)
    with tempfile.TemporaryDirectory(prefix="octogram-dist-") as place:
        here = build(source, Path(place) / "here", epoch, umask="022", surroundings={})
        there = unpacked(here.sdist, Path(place) / "another folder")
        again = build(there, Path(place) / "there", epoch, umask="077", surroundings=ELSEWHERE)
        wrong = [
            f"{one.name} comes out otherwise elsewhere: {difference(one, other)}"
            for one, other in zip(here, again, strict=True)
            if one.name != other.name or one.read_bytes() != other.read_bytes()
        ]
        wrong += check_wheel(names_in_wheel(here.wheel))
        wrong += check_sdist(names_in_sdist(here.sdist), known_to_git(source))
        if wrong:
            raise DistError("\n".join(wrong))
        to.mkdir(parents=True, exist_ok=True)
        for old in (*to.glob("octogram_tui-*.whl"), *to.glob("octogram_tui-*.tar.gz")):
            old.unlink()
        made = Made(*((to / path.name) for path in here))
        for path in made:
            path.write_bytes((Path(place) / "here" / path.name).read_bytes())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    (to / "SHA256SUMS").write_text("".join(lines))
    return made


def difference(one: Path, other: Path) -> str:
    """Say what differs first."""
    if one.suffix != ".whl":
        names = names_in_sdist(one), names_in_sdist(other)
    else:
        names = names_in_wheel(one), names_in_wheel(other)
    differing = sorted({*names[0]} ^ {*names[1]})
    return (
        f"{differing[0]} is in one of them only"
        if differing
        else "the same files, with other contents, times or rights"
    )


def main(argv: list[str]) -> int:
    """Make both; gives the exit code."""
    to = Path(argv[0]) if argv else ROOT / "dist"
    try:
        made = make(ROOT, to)
    except DistError as error:
        print(f"dist: {error}", file=sys.stderr)
        return 1
    print((to / "SHA256SUMS").read_text(), end="")
    changed = uncommitted(ROOT)
    if changed:
        more = f" and {len(changed) - 1} more" if changed[1:] else ""
        print(f"not what the last commit gives: {changed[0]}{more} is changed and not committed")
    else:
        print(f"the same again by: SOURCE_DATE_EPOCH={epoch_of(ROOT)} make dist")
    return 0 if all(path.is_file() for path in made) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
