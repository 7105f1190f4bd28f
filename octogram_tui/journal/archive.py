"""The directory of runs: what each was, where its files are, whether it still runs, and which may be forgotten.

runs/RUN-ID/ (0700) holds `run.json` (RunInfo) and `journal.jsonl`; the host and the reports add theirs. With a
directory of the user's choice, runs/RUN-ID is a symbolic link to it. In which order runs were made is said by order.py.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from octogram_tui import filing, records
from octogram_tui.cuts import quoted
from octogram_tui.dataclass import dataclass
from octogram_tui.engine.events import Event, RunFinished
from octogram_tui.errors import AttachRefused, JournalError
from octogram_tui.journal import claim as claims
from octogram_tui.journal import order, reader
from octogram_tui.journal.codec import UnknownEvent
from octogram_tui.journal.presence import ALIVE
from octogram_tui.journal.sources import DIRECTORY as SOURCES
from octogram_tui.journal.terms import TERMS
from octogram_tui.journal.token import TOKEN

JOURNAL = "journal.jsonl"
INFO = "run.json"

_TOKEN_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is mistaken for another
_SOCKET_PATH_BYTES = 100  # the system allows 107
_SOCKET_PLACE = "octogram-tui-"

# Of what is in run.json; all else is text.
_KINDS: Mapping[str, type | tuple[type, ...]] = {"pid": int, "lease_s": (int, float)}

_RUN = re.compile(r"(?!\.)[\w. -]{1,128}", re.ASCII)

RunState = Literal["running", "finished", "crashed"]


class DamagedRun(JournalError):
    """A run is there, and what it was cannot be told."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of a run when it starts: the content of run.json. started_wall: RFC 3339, UTC.

    lease_s: for how long its agents go on without it.
    """

    run: str
    scenario: str
    pid: int
    started_wall: str
    socket: str = ""
    version: str = ""
    host: str = ""
    lease_s: float = 0.0


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run as it is found on the disk. exit_code and counts are of its last event, None and empty without one."""

    info: RunInfo
    directory: Path
    state: RunState
    exit_code: int | None = None
    duration_s: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    paused_s: float = 0.0  # of its duration

    @property
    def worked_s(self) -> float:
        """Give how long it took, without the time in which it stood still."""
        return max(0.0, self.duration_s - self.paused_s)

    @property
    def id(self) -> str:
        """Give the run's name."""
        return self.info.run

    @property
    def journal(self) -> Path:
        """Give the path of the run's journal."""
        return self.directory / JOURNAL

    def is_attachable(self) -> bool:
        """Tell whether the run's host answers at its socket."""
        if self.state != "running" or not self.info.socket:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(self.info.socket)
            except OSError:
                return False
        return True


def new_id(scenario: str, started: datetime, token: str | None = None) -> str:
    """Name a run by when it was, as the clock has it, and by what ran: `20261123-031409-quickstart-x7`."""
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", Path(scenario).stem).strip("-")[:40] or "scenario"
    token = token or "".join(secrets.choice(_TOKEN_LETTERS) for _ in range(2))
    return f"{started.astimezone(UTC):%Y%m%d-%H%M%S}-{stem}-{token}"


def create(runs_dir: Path, scenario: str, started: datetime, directory: Path | None = None) -> tuple[str, Path]:
    """Make the directory of a new run, and give the run's name and that directory.

    directory: where the user wants the files; a link in runs_dir leads there. Raises JournalError.
    """
    try:
        filing.make_private(runs_dir)
        if directory is not None:
            filing.make_private(directory)
            if os.path.lexists(directory / JOURNAL):
                raise claims.taken(directory)
        for _ in range(100):
            run = new_id(scenario, started)
            with contextlib.suppress(FileExistsError):
                if directory is None:
                    (runs_dir / run).mkdir(mode=0o700)
                else:
                    claims.claim(directory, run)
                    (runs_dir / run).symlink_to(directory.resolve(), target_is_directory=True)
                order.append(runs_dir, run)
                return run, directory or runs_dir / run
    except OSError as error:
        raise JournalError(
            f"cannot make a directory for the run: {error.filename}: {error.strerror}",
            hint="give another directory with --run-dir",
        ) from error
    raise JournalError(f"cannot find a free name for a run in {runs_dir}")


def socket_path(run: str, run_dir: Path, runtime_dir: Path | None) -> Path:
    """Choose where the run's control socket is, in a directory that only its user can write.

    Others' right to write, and the system's limit on the length of such paths, rule out some: a fresh one serves then,
    which `make_socket_place` makes.
    """
    if runtime_dir is not None:
        place = runtime_dir / f"{run}.sock"
        with contextlib.suppress(OSError):
            filing.make_private(runtime_dir)
            if _takes_socket(place):
                return place
    place = run_dir.absolute() / "control.sock"
    if _takes_socket(place):
        return place
    name = f"{_SOCKET_PLACE}{secrets.token_hex(8)}"
    own = Path(tempfile.gettempdir(), name, "control.sock")
    return own if len(os.fsencode(own)) <= _SOCKET_PATH_BYTES else Path("/tmp", name, "control.sock")


def make_socket_place(place: Path) -> None:
    """Make the directory that a control socket has for itself, where it is to have one. Raises OSError."""
    if place.parent.name.startswith(_SOCKET_PLACE):
        place.parent.mkdir(mode=0o700)


def _takes_socket(place: Path) -> bool:
    """Tell whether a socket can be there that nobody else replaces: the place is ours, and only we may write in it."""
    try:
        found = place.parent.stat()
    except OSError:
        return False
    is_private = found.st_uid == os.geteuid() and not found.st_mode & 0o022
    return is_private and len(os.fsencode(place)) <= _SOCKET_PATH_BYTES


def remove_socket(place: Path) -> None:
    """Remove a control socket, and the directory that was made for it alone."""
    with contextlib.suppress(OSError):
        place.unlink()
    if place.parent.name.startswith(_SOCKET_PLACE):
        with contextlib.suppress(OSError):
            place.parent.rmdir()


def write_info(directory: Path, info: RunInfo) -> None:
    """Write run.json whole or not at all. Raises JournalError."""
    target = directory / INFO
    text = json.dumps({"v": 1, **asdict(info)}, indent=2) + "\n"
    try:
        filing.write_whole(target, text.encode("ascii"), mode=0o600)
    except OSError as error:
        raise JournalError(f"cannot write {target}: {error.strerror}") from error


def load(directory: Path) -> KnownRun:
    """Read what a run's directory says. Raises JournalError when there is no run in it, or DamagedRun."""
    try:
        info = _info_of(records.load(directory / INFO))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise JournalError(f"no run in {directory}: {INFO}: {error.strerror}") from error
    except OSError as error:
        raise DamagedRun(f"{directory / INFO} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise DamagedRun(f"{directory / INFO} is damaged: {error}") from error
    last: Event | None = None
    state: RunState = "running"
    if not _is_held(directory / JOURNAL):
        if (directory / JOURNAL).exists() and not (directory / JOURNAL).is_file():
            raise DamagedRun(f"{directory / JOURNAL} is no file")
        last = reader.last_event(directory / JOURNAL)
        state = "finished" if isinstance(last, RunFinished) else "crashed"
    if isinstance(last, UnknownEvent) and last.name == RunFinished.TYPE:
        raise DamagedRun(f"{directory / JOURNAL} is damaged: its last line does not say how the run ended")
    if isinstance(last, RunFinished):
        return KnownRun(info, directory, state, last.exit_code, last.duration_s, last.counts, last.paused_s)
    return KnownRun(info, directory, state, duration_s=last.at_s if last is not None else 0.0)


def _info_of(record: Any) -> RunInfo:
    """Take run.json for what it is. Raises TypeError or ValueError.

    What stands there is written into paths, here and on the agents: a run's name leads nowhere else.
    """
    if not isinstance(record, dict):
        raise TypeError("it is no object")
    known = {name: record[name] for name in RunInfo.__dataclass_fields__ if name in record}
    for name, value in known.items():
        if not isinstance(value, _KINDS.get(name, str)):
            raise TypeError(f"`{name}` is {quoted(value, 40)}")
        if isinstance(value, str) and (not records.is_path(value) or (name == "run" and not _RUN.fullmatch(value))):
            raise ValueError(f"`{name}` is {quoted(value, 40)}")
    missing = [name for name in ("run", "scenario", "pid", "started_wall") if name not in known]
    if missing:
        raise TypeError(f"`{missing[0]}` is missing")
    return RunInfo(**known)


def listing(
    runs_dir: Path, damaged: list[str] | None = None, *, load: Callable[[Path], KnownRun] = load
) -> list[KnownRun]:
    """Give all runs in the order in which they were made; what is no run is passed over.

    damaged: takes a line for each run that cannot be shown. load: in place of reading a directory.
    """
    found = []
    try:
        directories = sorted(path for path in runs_dir.iterdir() if path.name[0] != ".") if runs_dir.is_dir() else []
    except OSError as error:
        directories = []
        if damaged is not None:
            damaged.append(f"{runs_dir} cannot be read: {error.strerror}")
    for directory in directories:
        try:
            found.append(load(directory))
        except DamagedRun as error:
            if damaged is not None:
                damaged.append(error.message)
        except JournalError:  # one that is being made, or a link whose end is gone
            continue
    places = order.places(runs_dir)
    found.sort(key=lambda run: (places.get(run.directory.name, -1), run.info.started_wall, run.id))
    return found


def find(runs_dir: Path, name: str) -> KnownRun:
    """Give the run of that name, unambiguous beginning of a name, directory, or `last`. Raises AttachRefused."""
    if "/" in name and (Path(name) / INFO).exists():
        return load(Path(name))
    found = listing(runs_dir)
    if not found:
        raise AttachRefused(f"there are no runs in {runs_dir}")
    if not name:  # as of a variable of a shell that is not set: every name begins with it
        raise AttachRefused(
            "the name of the run is empty", hint=f"`octogram-tui runs` lists them; the last is {found[-1].id}"
        )
    if name == "last":
        return found[-1]
    exact = [run for run in found if run.id == name]
    matching = exact or [run for run in found if run.id.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if not matching:
        hint = f"`octogram-tui runs` lists them; the last is {found[-1].id}"
        raise AttachRefused(f"there is no run {name!r}", hint=hint)
    several = ", ".join(run.id for run in matching[:4])
    raise AttachRefused(f"{len(matching)} runs begin with {name!r}: {several}", hint="give more of the name")


def forget_old(runs_dir: Path, *, keep_runs: int, keep_days: float) -> list[str]:
    """Delete runs beyond the newest keep_runs, and those after which runs were started on more than keep_days days.

    Gives their names. Running ones and the newest one stay. Of a run in a directory of the user's choice only the link
    goes. Only days on which there were runs count: a clock that jumps makes at most one of them, and deletes nothing.
    """
    gone = []
    later_days: set[str] = set()
    for place, directory in enumerate(_newest_first(runs_dir)):
        day = directory.name[:8] if directory.name[:8].isdigit() else ""
        is_old = place >= keep_runs or len(later_days - {day}) > keep_days
        later_days.add(day)
        if place == 0 or not is_old:
            continue
        with contextlib.suppress(OSError, JournalError):
            run = load(directory)
            if run.state != "running":
                _remove(directory)
                gone.append(run.id)
    if gone:
        order.forget(runs_dir, gone)
    return gone


def _newest_first(runs_dir: Path) -> list[Path]:
    """Give the directories of runs by their names, which begin with the day, and no run is read: every start asks."""
    places = order.places(runs_dir)
    try:
        names = [entry.name for entry in os.scandir(runs_dir) if entry.name[0] != "."]
    except OSError:
        return []
    names.sort(key=lambda name: (places.get(name, -1), name), reverse=True)
    return [runs_dir / name for name in names if os.path.exists(f"{runs_dir}/{name}/{INFO}")]


def forget(runs_dir: Path, run: KnownRun) -> str:
    """Delete one run that has ended, or the link to it; gives why that could not be, or ''."""
    if load(run.directory).state == "running":
        return f"run {run.id} goes on"
    try:
        _remove(runs_dir / run.directory.name)
    except OSError as error:
        return f"{error.filename or run.directory}: {error.strerror}"
    order.forget(runs_dir, [run.directory.name])
    return ""


def _remove(entry: Path) -> None:
    """Remove a run's directory; of one in a directory of the user's choice only the link goes. Raises OSError."""
    if entry.is_symlink():
        entry.unlink()
    else:
        shutil.rmtree(entry)


def forget_unbegun(entry: Path, directory: Path, *others: str) -> bool:
    """Remove what was made for a run that never began; a directory that the user named stays. False when it began.

    entry: the run's place among the runs; others: names of files in the directory that are not of a run either.
    """
    journal = directory / JOURNAL
    with contextlib.suppress(OSError):
        if not claims.is_of(directory, entry.name):  # another run has it since
            _remove(entry)
            return True
        if journal.exists() and journal.read_bytes().count(b"\n") > 1:  # more than its head
            return False
        for name in (*others, JOURNAL, INFO, TERMS, TOKEN, ALIVE, claims.CLAIM):
            (directory / name).unlink(missing_ok=True)
        shutil.rmtree(directory / SOURCES, ignore_errors=True)
        claims.release(directory)
        _remove(entry)
        order.forget(entry.parent, [entry.name])
    return True


def _is_held(journal: Path) -> bool:
    """Tell whether the journal's writer lives: it keeps the file locked, whatever becomes of it."""
    try:
        fd = os.open(journal, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(fd)
    return False
