"""The agent's end of copies and fetches: `agentd put` and `agentd get`, each on a byte channel of its own.

The orchestrator writes MAGIC and one line that says what it wants; for `put` the stream follows (parcel.py). The answer
is MAGIC and one line; for `get` the stream follows it.

    put   {"t":"put","home":"/abs","path":"a/b","name":"b.txt","dir":false,"bytes":5,"job":"stage/job@agent"}
          answers {"t":"done","bytes":5,"files":1,"unchanged":0,"at":"/abs/a/b"}; where files are taken
          from this machine (`kept`), {"t":"progress","bytes":33554432} now and then before that
    get   {"t":"get","home":"/abs","path":"a/b"}
          answers {"t":"found","bytes":5,"entries":1}; with "optional":true, {"t":"absent"} when nothing is there

Both answer {"t":"error","kind","message","hint"} when it cannot be, and then exit with status 1.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import time

from octogram_agentd import signals
from octogram_agentd.parcels.landing import Landing, open_directory
from octogram_agentd.parcels.parcel import (
    MAGIC,
    MAX_LINE_BYTES,
    PIECE_BYTES,
    error_line,
    error_piece,
    failure,
    pack,
    show,
    survey,
    to_bytes,
    to_text,
)
from octogram_agentd.parcels.partial import kind_at
from octogram_agentd.procedures.values import ProcedureFailed
from octogram_agentd.wire.lines import WireError, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Tuple

    from octogram_agentd.parcels.parcel import Chunk


QUIET_S = 600.0
TELL_BYTES = 32 << 20
LOOK_S = 5.0  # how often, with nothing to do, whether the run is still there


def main(argv: List[str]) -> int:
    """Run `put` or `get` over standard input and output; gives the exit status."""
    for number in (signals.TERM, signals.HUP, signals.INT):
        signals.handle(number, _end)
    out = os.dup(1)
    os.set_blocking(out, False)
    os.dup2(2, 1)  # nothing that prints by mistake may get into the stream
    try:
        _widen(0)
        request, rest = _read_request(0)
        if argv[0] == "put":
            answer = put(0, request, rest, lambda line: _write(out, MAGIC + line))
            _write(out, MAGIC + encode({"t": "done", **answer}))
        else:
            get(out, request)
        return 0
    except ProcedureFailed as error:
        try:
            _write(out, MAGIC + error_line(error))
        except OSError:
            pass  # there is nobody left to tell
        return 1
    except BrokenPipeError:
        return 1


def _widen(fd: int) -> None:
    """Let a pipe hold as much as anybody may have it hold: each wait for the other side then moves more."""
    import fcntl

    set_pipe_size = 1031  # F_SETPIPE_SZ, which has a name from Python 3.10 on
    try:
        fcntl.fcntl(fd, set_pipe_size, 1 << 20)
    except OSError:
        pass  # no pipe, or all that this user may have is taken


_REMOVING: List[bool] = []
"""Holds something once the end has begun. An aborted stream and its signal come together, and the signal must not keep
what is unfinished from being removed."""


def _end(number: int, frame: object) -> None:
    if not _REMOVING:
        raise SystemExit(128 + number)


def put(
    stream_fd: int, request: Dict[str, Any], rest: bytes, tell: Callable[[bytes], None] = lambda line: None
) -> Dict[str, Any]:
    """Take a stream of files into the home directory, and tell of progress that the sender cannot see.

    Raises ProcedureFailed, and then has left nothing unfinished.
    """
    home, job = request["home"], request.get("job", "")
    path, name, is_dir = to_bytes(request["path"]), to_bytes(request["name"]), bool(request["dir"])
    repeated = bool(job) and is_dir and _copied_before(home, request)
    directory_fd, final_name = open_destination(to_bytes(home), path, name, is_dir=is_dir, as_is=repeated)
    was_there = kind_at(directory_fd, final_name)
    told_bytes = 0

    def on_kept(size_bytes: int) -> None:
        nonlocal told_bytes
        if size_bytes - told_bytes >= TELL_BYTES:
            told_bytes = size_bytes
            tell(encode({"t": "progress", "bytes": size_bytes}))

    at = os.path.join(os.readlink(b"/proc/self/fd/%d" % directory_fd), final_name)
    landing = Landing(directory_fd, final_name, within=to_bytes(home), on_kept=on_kept)
    try:
        _check_space(directory_fd, request["bytes"])
        data = rest
        while True:
            landing.feed(data)
            if landing.result is not None:
                break
            await_other(stream_fd, select.POLLIN, to_bytes(home))
            data = os.read(stream_fd, PIECE_BYTES)
            if not data:
                raise ProcedureFailed("the copy was broken off", kind="cancelled")
    finally:
        try:
            _REMOVING.append(True)
        finally:
            landing.close()
    if job and is_dir and not was_there:
        _remember_copy(home, request)
    return {
        "bytes": landing.size_bytes,
        "files": landing.files,
        "unchanged": landing.unchanged,
        "at": to_text(at),
    }


def get(out: int, request: Dict[str, Any]) -> None:
    """Send a file or a directory. Raises ProcedureFailed before the stream begins; later the stream says it."""
    root = os.path.join(to_bytes(request["home"]), to_bytes(request["path"]))
    if request.get("optional") and _is_absent(root):
        _write(out, MAGIC + encode({"t": "absent"}))
        return
    entries, size_bytes, _ = survey(root)
    home = to_bytes(request["home"])
    _write(out, MAGIC + encode({"t": "found", "bytes": size_bytes, "entries": entries}), home)
    try:
        for chunk in pack(root):
            _write(out, chunk, home)
    except ProcedureFailed as error:
        _write(out, error_piece(error))
        raise SystemExit(1) from None


def _is_absent(path: bytes) -> bool:
    """Whether nothing has that name; what cannot be looked at may well be there."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False


def open_destination(home: bytes, path: bytes, name: bytes, *, is_dir: bool, as_is: bool = False) -> Tuple[int, bytes]:
    """Find where a copy lands: a descriptor of the directory (parents made), and the name in it.

    A `path` that names a directory that exists, or ends in `/` or `.`, means that directory, and `name` in it; `as_is`
    makes an exception for a directory that an earlier attempt of the same job made. Raises ProcedureFailed for a path
    that is absolute, leads out of home, or goes through a link.
    """
    if path.startswith(b"/"):
        raise ProcedureFailed(
            "remote_path must be relative to the agent's home directory, and %s is absolute" % show(path),
            kind="path",
            hint="leave out the first `/`",
        )
    lands_inside = path.endswith((b"/", b"/.")) or path in (b"", b".")
    parts: List[bytes] = []
    for part in path.split(b"/"):
        if part == b"..":
            if not parts:
                raise ProcedureFailed("remote_path %s leads out of the home directory" % show(path), kind="path")
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    final = name if lands_inside or not parts else parts.pop()
    try:
        fd = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise failure("open the home directory", home, error) from None
    try:
        for part in parts:
            fd = _step_into(fd, part, path)
        if final is not name or not lands_inside:
            fd, final = _settle_last(fd, final, name, path, is_dir=is_dir, as_is=as_is)
    except BaseException:
        os.close(fd)
        raise
    return fd, final


def _settle_last(fd: int, last: bytes, name: bytes, path: bytes, *, is_dir: bool, as_is: bool) -> Tuple[int, bytes]:
    """Decide whether the last component is the copy's own name or the directory it goes into."""
    existing = kind_at(fd, last)
    if existing == "link" and stat.S_ISDIR(_mode_behind_link(fd, last)):
        raise _through_link(last, path)
    if existing == "directory" and not (as_is and is_dir):
        return _step_into(fd, last, path), name
    return fd, last


def _mode_behind_link(fd: int, name: bytes) -> int:
    try:
        return os.stat(name, dir_fd=fd).st_mode
    except OSError:
        return 0


def _step_into(fd: int, part: bytes, path: bytes) -> int:
    """Open a directory within another, made when missing; closes the outer one when that worked."""
    try:
        try:
            os.mkdir(part, dir_fd=fd)
        except FileExistsError:
            existing = kind_at(fd, part)
            if existing == "link":
                raise _through_link(part, path) from None
            if existing in ("file", "special"):
                raise ProcedureFailed(
                    "cannot copy to %s: %s is a file, not a directory" % (show(path), show(part)),
                    kind="not_directory",
                ) from None
        inner = open_directory(fd, part)
    except OSError as error:
        raise failure("make or open the directory", part, error) from None
    os.close(fd)
    return inner


def _through_link(part: bytes, path: bytes) -> ProcedureFailed:
    return ProcedureFailed(
        "cannot copy to %s: %s is a symbolic link, and copies do not go through links" % (show(path), show(part)),
        kind="path",
        hint="name the directory that it leads to, if that is in the home directory",
    )


def _check_space(directory_fd: int, size_bytes: int) -> None:
    status = os.fstatvfs(directory_fd)
    free_bytes = status.f_bavail * status.f_frsize
    if size_bytes > free_bytes:
        raise ProcedureFailed(
            "no space on the agent's machine: %d bytes are to be copied, %d are free" % (size_bytes, free_bytes),
            kind="no_space",
        )


def _copies(home: str) -> bytes:
    """Name the file that remembers which directories copies made; it lies beside home and goes with it."""
    return os.path.join(os.path.dirname(to_bytes(home)), b"copies")


def _identity(request: Dict[str, Any]) -> bytes:
    return encode({"job": request["job"], "path": request["path"], "name": request["name"]})


def _copied_before(home: str, request: Dict[str, Any]) -> bool:
    """Say whether this job has made its destination itself: its rerun then goes there, not one level deeper."""
    try:
        with open(_copies(home), "rb") as lines:
            return _identity(request) in lines
    except OSError:
        return False


def _remember_copy(home: str, request: Dict[str, Any]) -> None:
    try:
        fd = os.open(_copies(home), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return  # a rerun then lands inside, as a second copy would
    try:
        os.write(fd, _identity(request))
    finally:
        os.close(fd)


def _read_request(fd: int) -> Tuple[Dict[str, Any], bytes]:
    """Read MAGIC and the request; gives what of the stream came with it."""
    data = b""
    while data.count(b"\n", 0, MAX_LINE_BYTES) < 2:
        more = os.read(fd, PIECE_BYTES)
        if not more or len(data) > MAX_LINE_BYTES:
            raise ProcedureFailed("there is no request", kind="protocol")
        data += more
    magic, request, rest = data.split(b"\n", 2)
    if magic + b"\n" != MAGIC:
        raise ProcedureFailed("the other side speaks another protocol", kind="protocol")
    try:
        return decode(request, names_files=True), rest
    except WireError as error:
        raise ProcedureFailed("the request is wrong: %s" % error, kind="protocol") from None


def _write(fd: int, data: Chunk, home: bytes = b"/") -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            try:
                await_other(fd, select.POLLOUT, home)
            except ProcedureFailed:
                raise SystemExit(1) from None  # there is nobody to tell


def await_other(fd: int, event: int, home: bytes) -> None:
    """Wait for the other end. Raises ProcedureFailed when it is quiet for too long, or the agent's run has ended.

    A connection that was cut without a word never says so, and nobody else would end this process.
    """
    ready = select.poll()
    ready.register(fd, event)
    deadline_s = time.monotonic() + QUIET_S
    while not ready.poll(LOOK_S * 1000):
        if not os.path.isdir(home):
            raise ProcedureFailed("the run of this agent has ended", kind="cancelled")
        if time.monotonic() >= deadline_s:
            raise ProcedureFailed("the other end was quiet for %d s" % QUIET_S, kind="cancelled")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
