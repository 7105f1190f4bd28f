"""Gets the daemon's program to this machine and runs it. Its TEXT is what travels in the command line.

Sent stripped (no comments, docstrings, annotations) with a call of `boot` at its end, so it is kept small, names
nothing else of this package, and must be readable by any Python 3: it is what says that a Python is too old. All below
the line APART travels as a text within the text, which is compiled only where the bundle is not there already.

Prints `OCTO NONCE {json}`: {"need": true} asks for the bundle on standard input, {"need": false} means that what
follows is the daemon's, {"error", "code"} that there is none.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Tuple

    Codes = Dict[str, Tuple[str, bytes, List[str]]]


def boot(
    nonce: str, digest: str, size: int, total: int, kind: str, value: str, pin: str, args: List[str], apart: str
) -> None:
    """Find or get the bundle with a digest, and run it in this process."""

    def say(text: str) -> None:
        os.write(1, ("OCTO %s %s\n" % (nonce, text)).encode())

    os.umask(0o077)
    place, codes = "", {}  # type: Tuple[str, Codes]
    if sys.version_info >= (3, 8) and (kind == "push" or pin):
        place, codes = _find((pin or digest)[:16], 0 if pin else total)
    if not place:
        exec(apart, globals())
        place = _get(say, digest, size, kind, value, pin, args)
    say('{"need":false}')
    sys.path.append(place)  # nothing else has a package of that name, and much else is looked for
    if args[0] in ("attach", "start") and digest and kind == "push":
        args = [*args, "--build", digest[:16]]
        if not codes:
            args += ["--compile", "%d:%s" % (total, _code_file())]
    try:
        if codes:
            from marshal import loads

            module = type(sys)("octogram_agentd.compiled")
            exec(loads(codes["octogram_agentd.compiled"][1]), module.__dict__)
            sys.meta_path.insert(0, module.Compiled(place, codes, _codes))
        from octogram_agentd.__main__ import run
    except (ImportError, SyntaxError, ValueError, TypeError, EOFError, LookupError):
        if kind == "push":
            os.rename(place, "%s.bad.%d" % (place, os.getpid()))  # the next boot gets a new one
        raise
    run(args)


def _code_file() -> str:
    """Name the file of a bundle's code, for interpreters that read the same code as this one."""
    from _frozen_importlib_external import MAGIC_NUMBER

    return "%s.%s.code" % (sys.implementation.cache_tag, MAGIC_NUMBER[:2].hex())


def _codes(place: str, part: int) -> Codes:
    """Read a part of the file of code of a bundle: 0, what most need, or 1, all the rest. Empty: there is none."""
    from binascii import crc32
    from marshal import loads

    try:
        fd = os.open(place + "/" + _code_file(), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return {}
    try:
        found = os.fstat(fd)
        data = os.read(fd, 16)
        head = [int.from_bytes(data[i : i + 4], "little") for i in range(0, 16, 4)]  # both sizes, what proves each
        if found.st_mode != 0o100600 or found.st_uid != os.getuid() or found.st_size != 16 + head[0] + head[1]:
            return {}
        data = os.pread(fd, head[part], 16 + part * head[0])
        return dict(loads(data)) if crc32(data) == head[2 + part] else {}  # damaged code would end the interpreter
    except (OSError, ValueError, TypeError, EOFError):
        return {}
    finally:
        os.close(fd)


def _places() -> List[str]:
    places = ["/var/tmp/octogram-%d" % os.getuid()]
    home = os.environ.get("HOME", "")
    if home.startswith("/") and home == home.encode("utf-8", "replace").decode():  # it is told of as a text
        places.insert(0, home + "/.cache/octogram")
    if os.environ.get("TMPDIR"):
        places.append("%s/octogram-%d" % (os.path.abspath(os.environ["TMPDIR"]), os.getuid()))
    return places


def _is_ours(path: str) -> bool:
    found = os.lstat(path)
    return found.st_mode & 0o170022 == 0o040000 and found.st_uid == os.getuid()


def _find(name: str, total: int) -> Tuple[str, Codes]:
    """Give the directory that holds a bundle, complete and ours, and its code; empty when there is none.

    Its file of code is all that is needed of it, and complete.
    """
    for place in _places():
        path = "%s/agentd-%s" % (place, name)
        try:
            if _is_ours(place) and _is_ours(path):
                codes = _codes(path, 0)
                if codes or total in (0, _size(path)):
                    return path, codes
        except OSError:
            pass
    return "", {}


def _size(path: str) -> int:
    """Count the bytes of all sources: a cleaner of old files, or a crash, may have left only some."""
    size = 0
    for entry in os.scandir(path):
        if entry.name.endswith(".py"):
            size += entry.stat(follow_symlinks=False).st_size
        elif entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
            size += _size(entry.path)
    return size


APART = "octogram_agentd.boot, apart"


class BootFailed(Exception):
    """Ends the boot with a sentence for people."""


def _get(say: Callable[[str], None], digest: str, size: int, kind: str, value: str, pin: str, args: List[str]) -> str:
    """Give the directory, or the zip file, of a bundle that was not found; another program may take our place."""
    try:
        if sys.version_info < (3, 8):
            _try_the_next()
        if kind == "installed":
            return _installed(say, value, args)
        if kind == "pull":
            return _install(_download(value, pin))
        say('{"need":true}')
        data = _read(size)
        if _sha256(data) != digest:
            raise BootFailed("the bundle was damaged on its way")
        return _install(data)
    except BootFailed as failure:
        from json import dumps

        say(dumps({"error": str(failure), "code": 6}))
        sys.exit(6)


def _installed(say: Callable[[str], None], value: str, args: List[str]) -> str:
    place = os.path.expanduser(value)
    if os.path.isfile(place) and _is_bundle(place):
        return place
    directories = [""] if "/" in place else os.environ.get("PATH", "/usr/bin:/bin").split(":")
    programs = [os.path.join(directory, place) for directory in directories]
    programs = [program for program in programs if os.access(program, os.X_OK)]
    if not programs:
        raise BootFailed("the installed daemon %s was not found, or cannot be run" % value)
    say('{"need":false}')
    os.execv(programs[0], [place, *args])


def _try_the_next() -> None:
    """Become the next interpreter of those that the command line names."""
    with open("/proc/self/cmdline", "rb") as file:
        text = file.read().split(b"\0")[3].decode()
    this, names = sys.argv[1], sys.argv[2:]
    for name in names[names.index(this) + 1 :]:
        try:
            os.execvp(name, [name, "-ISXutf8", "-c", text, name, *names])
        except OSError:
            pass
    raise BootFailed(
        "Python 3.8 or newer is needed; %s is %d.%d.%d, and there is none of %s"
        % (this, *sys.version_info[:3], ", ".join(names[1:]) or "another name")
    )


def _read(size: int) -> bytes:
    parts = []
    while size:
        data = os.read(0, min(size, 1 << 20))
        if not data:
            raise BootFailed("the bundle ended %d bytes early" % size)
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


def _sha256(data: bytes) -> str:
    for name in ("_sha2", "_sha256", "hashlib"):  # the first two spare the start of OpenSSL
        try:
            return str(__import__(name).sha256(data).hexdigest())
        except ImportError:
            pass
    return ""


def _download(url: str, pin: str) -> bytes:
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=60) as answer:
            data = answer.read(1 << 26)
    except (OSError, ValueError) as error:
        raise BootFailed("cannot download the daemon from %s: %s" % (url, error)) from None
    if pin and _sha256(data) != pin.lower():
        raise BootFailed("what %s gives has the sha256 %s, not %s" % (url, _sha256(data), pin))
    return bytes(data)


def _is_bundle(path: str) -> bool:
    with open(path, "rb") as file:
        return b"PK\3\4" in file.read(256)


def _unpack(data: bytes) -> Dict[str, bytes]:
    """Read a zip file whose members are stored as they are."""
    files = {}
    at = data.find(b"PK\3\4")
    while data[at : at + 4] == b"PK\3\4":
        number = [int.from_bytes(data[at + i : at + i + 2], "little") for i in range(0, 30, 2)]
        name_end = at + 30 + number[13]
        name = data[at + 30 : name_end].decode()
        start = name_end + number[14]
        size = number[9] + (number[10] << 16)
        if number[4] or name.startswith("/") or ".." in name:
            break
        files[name] = data[start : start + size]
        at = start + size
    if "octogram_agentd/__main__.py" not in files or data[at : at + 4] != b"PK\1\2":
        raise BootFailed("this is no bundle of the daemon")
    return files


def _install(data: bytes) -> str:
    """Put a bundle's files where they are found again; several may do so at once."""
    name = "agentd-" + _sha256(data)[:16]
    files = _unpack(data)
    problems = []
    for place in _places():
        path = "%s/%s" % (place, name)
        part = "%s.%d.part" % (path, os.getpid())
        try:
            os.makedirs(place, mode=0o700, exist_ok=True)
            if not _is_ours(place):
                raise OSError(1, "not a directory of our own, writable by us alone")
            os.mkdir(part)
            for inner in sorted(files):
                os.makedirs(os.path.dirname("%s/%s" % (part, inner)), exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                with open(os.open("%s/%s" % (part, inner), flags, 0o600), "wb") as file:
                    file.write(files[inner])
            total = _size(part)
            try:
                os.rename(part, path)
            except OSError:
                if not _is_ours(path) or _size(path) != total:
                    os.rename(path, "%s.bad.%d" % (path, os.getpid()))
                    os.rename(part, path)
                else:
                    _discard(part)
            return path
        except OSError as error:
            problems.append("%s: %s" % (place, error.strerror))
            _discard(part)
    raise BootFailed("there is no place for the daemon's program: " + "; ".join(problems))


def _discard(path: str) -> None:
    for directory, _inner, names in os.walk(path, topdown=False):
        for name in names:
            os.unlink(os.path.join(directory, name))
        os.rmdir(directory)
