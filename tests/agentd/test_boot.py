"""Bringing the daemon to a machine: the bundle, the command that boots it, and what can be in the way."""

from __future__ import annotations

import functools
import http.server
import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from binascii import crc32
from collections.abc import Iterator
from pathlib import Path

import pytest

from octogram_agentd import PROTOCOL, VERSION, boot, keeping
from octogram_agentd.daemon import attach
from octogram_tui.model.scenario import BinarySource
from octogram_tui.transport.bundle import (
    BootEvent,
    BootReader,
    Failed,
    Need,
    Started,
    boot_argv,
    build_bundle,
    local_argv,
)

NONCE = "0123456789abcdef"
BUNDLE = build_bundle()
PUSH = BinarySource()


class Machine:
    """A login of its own: a home directory and a PATH."""

    def __init__(self, base: Path, python: str) -> None:
        self.home = base / "home"
        self.bin = base / "bin"
        self.home.mkdir()
        self.bin.mkdir()
        for name in ("sh", "env"):
            (self.bin / name).symlink_to(shutil.which(name) or name)
        self.python = python
        self.name_python("python3", python)
        self.env = {"HOME": str(self.home), "PATH": str(self.bin), "TMPDIR": str(base)}

    def name_python(self, name: str, python: str) -> None:
        (self.bin / name).write_text(f'#!/bin/sh\nexec {shlex.quote(python)} "$@"\n')
        (self.bin / name).chmod(0o755)

    def begin(
        self, source: BinarySource = PUSH, python: str | None = None, args: tuple[str, ...] = ("--version",)
    ) -> subprocess.Popen[bytes]:
        argv = boot_argv(source, BUNDLE, python=python, nonce=NONCE, args=args)
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env
        )

    def boot(
        self, source: BinarySource = PUSH, data: bytes = BUNDLE.data, python: str | None = None
    ) -> tuple[list[BootEvent], str, int]:
        """Boot to the end: events, what the program printed, exit status."""
        return finish(self.begin(source, python), data)

    def cached(self) -> list[Path]:
        return sorted((self.home / ".cache" / "octogram").glob("*"))


def finish(process: subprocess.Popen[bytes], data: bytes = BUNDLE.data) -> tuple[list[BootEvent], str, int]:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    reader = BootReader(NONCE)
    events: list[BootEvent] = []
    printed = b""
    while piece := os.read(process.stdout.fileno(), 65536):
        if events and isinstance(events[-1], Started):
            printed += piece
            continue
        for event in reader.feed(piece):
            events.append(event)
            if isinstance(event, Need):
                process.stdin.write(data)
                process.stdin.close()
            elif isinstance(event, Started):
                printed += event.rest
    if not process.stdin.closed:
        process.stdin.close()
    process.stdout.close()
    process.stderr.close()
    return events, printed.decode(), process.wait(60)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, sys.executable)


def test_the_second_boot_needs_nothing(tmp_path: Path, python: str) -> None:
    machine = Machine(tmp_path, python)
    events, printed, status = machine.boot()
    assert [type(event) for event in events] == [Need, Started]
    assert printed.startswith(f"agentd {VERSION}, protocol {PROTOCOL[0]}.{PROTOCOL[1]}, Python 3.")
    assert status == 0
    assert [path.name for path in machine.cached()] == [f"agentd-{BUNDLE.digest[:16]}"]
    assert machine.cached()[0].stat().st_mode & 0o777 == 0o700
    events, again, status = machine.boot()
    assert ([type(event) for event in events], again, status) == ([Started], printed, 0)


def test_the_text_is_safe_in_any_shell(machine: Machine) -> None:
    argv = boot_argv(PUSH, BUNDLE, python=None, nonce=NONCE, args=["attach", "--run", "it's", "--agent", "a!\n"])
    assert not [word for word in argv if set(word) & set("!'\\\n")]
    assert len(shlex.join(argv)) < 16 * 1024
    for shell in ("sh", "bash", "dash", "csh", "tcsh", "fish", "zsh"):
        path = shutil.which(shell)
        if path is not None:
            line = shlex.join(boot_argv(PUSH, BUNDLE, python=None, nonce=NONCE, args=["--version"]))
            process = subprocess.Popen(
                [path, "-c", line],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=machine.env,
            )
            assert finish(process)[1].startswith("agentd"), shell


@pytest.mark.parametrize(
    "data",
    [b"x" * len(BUNDLE.data), BUNDLE.data[:-1] + b"x", BUNDLE.data[:100_000]],
    ids=["other", "last byte", "short"],
)
@pytest.mark.fault(92)
def test_a_damaged_bundle_is_not_kept_and_not_run(machine: Machine, data: bytes) -> None:
    events, printed, status = machine.boot(data=data)
    assert isinstance(events[-1], Failed)
    assert "damaged" in events[-1].message or "early" in events[-1].message
    assert (printed, status) == ("", 6)
    assert machine.cached() == []


@pytest.mark.fault(92)
def test_an_incomplete_copy_is_replaced(machine: Machine) -> None:
    machine.boot()
    (machine.cached()[0] / "octogram_agentd" / "wire" / "lines.py").unlink()
    events, printed, _ = machine.boot()
    assert [type(event) for event in events] == [Need, Started]
    assert printed.startswith("agentd")


@pytest.mark.fault(90)
def test_a_copy_that_others_can_write_is_not_used(machine: Machine) -> None:
    machine.boot()
    machine.cached()[0].chmod(0o777)
    events, printed, _ = machine.boot()
    assert isinstance(events[0], Need)
    assert printed.startswith("agentd")
    assert isinstance(machine.boot()[0][0], Started)


@pytest.mark.fault(90)
def test_a_place_that_is_a_link_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr(boot, "_places", lambda: [f"{tmp_path}/link"])
    with pytest.raises(boot.BootFailed, match="not a directory of our own"):
        boot._install(BUNDLE.data)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert boot._find(BUNDLE.digest[:16], 0)[0] == ""


def test_many_boots_at_once(machine: Machine) -> None:
    processes = [machine.begin() for _ in range(6)]
    results: list[str] = [""] * len(processes)

    def work(number: int) -> None:
        results[number] = finish(processes[number])[1]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(processes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(result.startswith("agentd") for result in results), results
    assert [path.name for path in machine.cached()] == [f"agentd-{BUNDLE.digest[:16]}"]


@pytest.mark.fault(93)
def test_no_python_at_all(machine: Machine) -> None:
    (machine.bin / "python3").unlink()
    events, _, status = machine.boot()
    assert isinstance(events[-1], Failed)
    assert (events[-1].code, status) == ("boot.python", 6)
    assert "python3.8" in events[-1].message


@pytest.mark.fault(93)
def test_only_a_python_with_its_version_in_its_name(machine: Machine) -> None:
    (machine.bin / "python3").rename(machine.bin / "python3.9")
    assert machine.boot()[1].startswith("agentd")


def old_python() -> str | None:
    for path in ("~/.pyenv/versions/3.6.15/bin/python", "~/.pyenv/versions/3.7.16/bin/python"):
        if os.access(os.path.expanduser(path), os.X_OK):
            return os.path.expanduser(path)
    return next((path for path in map(shutil.which, ("python3.7", "python3.6")) if path), None)


OLD = old_python()


@pytest.mark.fault(93)
@pytest.mark.skipif(OLD is None, reason="this machine has no Python that is too old")
def test_a_python_that_is_too_old_gives_way_to_a_newer_one(machine: Machine) -> None:
    assert OLD is not None
    (machine.bin / "python3").unlink()
    (machine.bin / "python3").symlink_to(OLD)
    events, _, status = machine.boot()
    assert isinstance(events[-1], Failed)
    assert (events[-1].code, status) == ("boot.python", 6)
    assert "python3 is 3." in events[-1].message
    machine.name_python("python3.10", machine.python)
    assert machine.boot()[1].startswith("agentd")


def test_a_named_python(machine: Machine) -> None:
    (machine.bin / "python3").rename(machine.home / "my python")
    assert machine.boot(python="~/my python")[1].startswith("agentd")
    events, _, _ = machine.boot(python="/no/such/python")
    assert isinstance(events[-1], Failed)


@pytest.mark.fault(94)
def test_the_next_place_is_used_when_one_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    bad, good = f"{tmp_path}/file/x", f"{tmp_path}/good"
    monkeypatch.setattr(boot, "_places", lambda: [bad, good])
    installed = boot._install(BUNDLE.data)
    assert Path(installed).parent == tmp_path / "good"
    assert boot._find(BUNDLE.digest[:16], BUNDLE.source_bytes)[0] == installed
    monkeypatch.setattr(boot, "_places", lambda: [bad])
    with pytest.raises(boot.BootFailed, match=r"no place for the daemon's program: .*Not a directory"):
        boot._install(BUNDLE.data)


def test_a_place_stays_where_it_is_when_the_program_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon works in the directories of its jobs, and reads rare modules late."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", "scratch")
    assert boot._places()[-1] == f"{tmp_path}/scratch/octogram-{os.getuid()}"


ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount, and give directories away")


@ROOT_ONLY
@pytest.mark.fault(90)
@pytest.mark.parametrize("spoil", ["another's", "another's, linked", "a file"])
def test_a_place_that_somebody_else_has_made_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    """In a directory that everybody may write to, such as /var/tmp, somebody was quicker."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    taken = shared / f"octogram-{os.getuid()}"
    real = tmp_path / "theirs" if "linked" in spoil else taken
    if spoil == "a file":
        taken.write_text("x")
    else:
        real.mkdir(mode=0o700)
        os.chown(real, 12345, 12345)
        if real != taken:
            taken.symlink_to(real)
            os.lchown(taken, 12345, 12345)
    monkeypatch.setattr(boot, "_places", lambda: [str(taken), f"{tmp_path}/own"])
    assert Path(boot._install(BUNDLE.data)).parent == tmp_path / "own"
    assert spoil == "a file" or list(real.iterdir()) == []
    monkeypatch.setattr(boot, "_places", lambda: [str(taken)])
    assert boot._find(BUNDLE.digest[:16], 0)[0] == ""
    with pytest.raises(boot.BootFailed, match="no place for the daemon's program"):
        boot._install(BUNDLE.data)


MOUNTED = 'mount -t tmpfs -o "$1" tmpfs "$HOME" && mount -t tmpfs -o "$2" tmpfs /var/tmp && shift 2 && exec "$@"'
UNUSABLE = {"read-only": "ro", "no space": "size=64k", "no inodes": "nr_inodes=8", "not ours": "uid=12345"}


def boot_on(machine: Machine, home: str, var_tmp: str) -> tuple[list[BootEvent], str, int]:
    """Boot where these are the mount options of the home directory and of /var/tmp, in a space of its own."""
    argv = boot_argv(PUSH, BUNDLE, python=None, nonce=NONCE, args=["--version"])
    tools = {**machine.env, "PATH": f"{machine.bin}:{os.environ['PATH']}", "TMPDIR": ""}
    return finish(
        subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", MOUNTED, "sh", home, var_tmp, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=tools,
        )
    )


@ROOT_ONLY
@pytest.mark.fault(94)
@pytest.mark.parametrize("home", UNUSABLE.values(), ids=UNUSABLE)
def test_a_home_that_cannot_take_the_program_gives_way_to_the_next_place(machine: Machine, home: str) -> None:
    events, printed, status = boot_on(machine, home, "mode=1777")
    assert [type(event) for event in events] == [Need, Started]
    assert (printed.startswith("agentd"), status) == (True, 0)


@ROOT_ONLY
@pytest.mark.fault(94)
def test_a_home_without_leave_to_execute_is_as_good_as_another(machine: Machine) -> None:
    assert boot_on(machine, "noexec", "ro")[2] == 0


@ROOT_ONLY
@pytest.mark.fault(94)
@pytest.mark.parametrize(
    ("home", "words"),
    [
        ("ro", "Read-only file system"),
        ("size=64k", "No space left on device"),
        ("nr_inodes=8", "No space left on device"),
    ],
)
def test_without_any_place_the_boot_says_why_of_each(machine: Machine, home: str, words: str) -> None:
    events, _, status = boot_on(machine, home, "ro")
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert failed.message.startswith("there is no place for the daemon's program: ")
    assert f"{machine.home}/.cache/octogram: {words}" in failed.message
    assert "/var/tmp" in failed.message
    assert status == 6


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    directory = tmp_path / "www"
    directory.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(directory))) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{web.server_port}", directory
        web.shutdown()
        thread.join()


def test_pull(machine: Machine, server: tuple[str, Path]) -> None:
    url, directory = server
    (directory / "agentd.pyz").write_bytes(BUNDLE.data)
    (directory / "other").write_bytes(b"#!/bin/sh\n")
    for pin in (None, BUNDLE.digest):
        events, printed, _ = machine.boot(BinarySource("pull", f"{url}/agentd.pyz", pin))
        assert [type(event) for event in events] == [Started]
        assert printed.startswith("agentd")
    (directory / "agentd.pyz").unlink()  # the pinned one is there already
    assert machine.boot(BinarySource("pull", f"{url}/agentd.pyz", BUNDLE.digest))[1].startswith("agentd")
    for name, pin, part in (
        ("agentd.pyz", None, "cannot download"),
        ("other", None, "no bundle"),
        ("other", "0" * 64, "has the sha256"),
    ):
        events, _, status = machine.boot(BinarySource("pull", f"{url}/{name}", pin))
        assert isinstance(events[-1], Failed)
        assert part in events[-1].message
        assert status == 6


def test_installed(machine: Machine, tmp_path: Path) -> None:
    bundle = tmp_path / "agentd.pyz"
    bundle.write_bytes(BUNDLE.data)
    assert machine.boot(BinarySource("installed", str(bundle)))[1].startswith("agentd")
    (machine.bin / "my-agentd").write_text(f'#!/bin/sh\nexec {sys.executable} {bundle} "$@"\n')
    (machine.bin / "my-agentd").chmod(0o755)
    assert machine.boot(BinarySource("installed", "my-agentd"))[1].startswith("agentd")
    events, _, status = machine.boot(BinarySource("installed", "no-such-agentd"))
    assert isinstance(events[-1], Failed)
    assert status == 6


def test_local_agents_start_from_our_own_files() -> None:
    argv = local_argv(nonce=NONCE, args=["--version"])
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    events, printed, status = finish(process)
    assert [type(event) for event in events] == [Started]
    assert printed.startswith("agentd")
    assert status == 0


# -- the program kept as code


KEEPING = (
    "import os,sys;os.umask(0o077);sys.path.insert(0,sys.argv[1]);"
    "from octogram_agentd.boot import _code_file as name;from octogram_agentd.keeping import keep;"
    "keep(sys.argv[2]+':'+name(),lambda:True);print(name())"
)

LOADING = (
    "import sys;sys.path.insert(0,sys.argv[1]);from octogram_agentd import boot;place=sys.argv[1];"
    "codes=boot._codes(place,0);[sys.modules.pop(name) for name in list(sys.modules) if 'octogram' in name];"
    "from octogram_agentd.compiled import Compiled;"
    "codes and sys.meta_path.insert(0,Compiled(place,codes,boot._codes));exec(sys.argv[2])"
)
"""Imports as a program that was booted from a file of code."""


def keep_code(machine: Machine) -> Path:
    """Boot, and have the program kept as code, as a bridge does it; gives the file."""
    machine.boot()
    return keep_code_of(machine, machine.cached()[0])


def keep_code_of(machine: Machine, place: Path) -> Path:
    argv = [machine.python, "-ISXutf8", "-c", KEEPING, str(place), str(BUNDLE.source_bytes)]
    return place / subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def test_a_boot_that_finds_the_code_reads_no_source(tmp_path: Path, python: str) -> None:
    machine = Machine(tmp_path, python)
    code = keep_code(machine)
    assert code.stat().st_mode & 0o7777 == 0o600
    shutil.rmtree(code.parent / "octogram_agentd")  # as a cleaner of old files would: nothing is missing
    events, printed, status = machine.boot()
    assert ([type(event) for event in events], status) == ([Started], 0)
    assert printed.startswith(f"agentd {VERSION}")
    selftest = finish(machine.begin(args=("--selftest",)))
    assert selftest[2] == 0, selftest


def test_modules_from_the_code_are_made_without_a_search_for_each(machine: Machine) -> None:
    code = keep_code(machine)
    program = (
        "import os;searched=[];find=Compiled.find_spec;"
        "Compiled.find_spec=lambda self,name,*more:(searched.append(name),find(self,name,*more))[1];"
        "import octogram_agentd.daemon.daemon as found;attach=found.Daemon.attach;"
        "told=(found.__package__,found.__spec__.name,os.path.basename(found.__file__),attach.__annotations__,attach.__doc__);"
        "print(len([name for name in searched if 'octogram' in name]),*told)"
    )
    argv = [machine.python, "-ISXutf8", "-c", LOADING, str(code.parent), program]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    searches, rest = told.split(" ", 1)
    assert rest == "octogram_agentd.daemon octogram_agentd.daemon.daemon daemon.py {} None\n"
    assert int(searches) <= 3, told  # those that the statement names; it needs some forty


def test_a_bridge_keeps_the_program_though_the_run_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    bridge, daemon = socket.socketpair()
    daemon.close()
    asked: list[tuple[str, bool]] = []
    monkeypatch.setattr(keeping, "keep", lambda what, is_wanted: asked.append((what, is_wanted())))
    attach._keep(bridge, "1:x")
    bridge.close()
    assert asked == [("1:x", True)]


def test_code_that_is_not_as_it_was_written_is_not_used(machine: Machine) -> None:
    code = keep_code(machine)
    data = code.read_bytes()
    evil = (8).to_bytes(4, "little") + bytes(4) + b"notcode!"
    elsewhere = machine.home / "elsewhere"
    elsewhere.write_bytes(evil)
    elsewhere.chmod(0o600)
    for spoil in ("others may write it", "a link", "cut", "zeros", "another's"):
        code.unlink()
        if spoil == "a link":
            code.symlink_to(elsewhere)
        else:
            code.write_bytes({"cut": data[:-1], "zeros": bytes(len(data)), "another's": data}.get(spoil, evil))
            code.chmod(0o620 if spoil == "others may write it" else 0o600)
        if spoil == "another's" and os.getuid() == 0:
            os.chown(code, 12345, 12345)
        events, printed, status = machine.boot()
        assert [type(event) for event in events] == [Started], spoil
        assert (printed.startswith(f"agentd {VERSION}"), status) == (True, 0), spoil


def test_damaged_code_of_the_right_size_is_not_used_and_comes_again(machine: Machine) -> None:
    """A module is loaded long after the boot: its damage would end whatever needs it, and that on each boot."""
    code = keep_code(machine)
    good = code.read_bytes()
    for module in ("daemon/daemon.py", "daemon/selftest.py", "parcels/transfer.py"):
        at = good.index(f"octogram_agentd/{module}".encode()) + 200
        code.write_bytes(good[:at] + bytes(64) + good[at + 64 :])
        program = f"import octogram_agentd.{module[:-3].replace('/', '.')};import os;os.write(1,b'there')"
        loaded = subprocess.run(
            [machine.python, "-ISXutf8", "-c", LOADING, str(code.parent), program], capture_output=True, check=False
        )
        assert (loaded.stdout, loaded.stderr) == (b"there", b""), module
    damaged = code.read_bytes()
    assert keep_code(machine).read_bytes() != damaged


def test_code_that_cannot_be_run_is_put_aside_and_the_program_comes_again(machine: Machine) -> None:
    code = keep_code(machine)
    data = code.read_bytes()
    name = b"octogram_agentd/__main__.py"
    at = data.index(name) + len(name)
    data = data[: at + 8] + b"\xff" * 64 + data[at + 72 :]
    common = data[16 : 16 + int.from_bytes(data[:4], "little")]
    code.write_bytes(data[:8] + crc32(common).to_bytes(4, "little") + data[12:])  # it was written so
    assert machine.boot()[2] != 0
    assert [type(event) for event in machine.boot()[0]] == [Need, Started]


def test_one_bridge_keeps_the_program_and_not_what_is_unlike_it(machine: Machine) -> None:
    code = keep_code(machine)
    part = code.rename(f"{code}.part")  # another one is at it
    assert not keep_code(machine).exists()
    assert part.exists()
    for ended_s in (0, 1 << 32):  # long ago, or the clock was set back since
        part.touch()
        os.utime(part, (ended_s, ended_s))
        assert not keep_code(machine).exists()
        assert not part.exists()
    assert keep_code(machine).exists()
    code.unlink()
    (code.parent / "octogram_agentd" / "far_shell.py").write_text("")
    assert not keep_code_of(machine, code.parent).exists()


def test_whoever_keeps_the_program_survives_damage_and_its_removal(machine: Machine) -> None:
    code = keep_code(machine)
    code.unlink()
    source = code.parent / "octogram_agentd" / "far_shell.py"
    source.write_bytes(bytes(source.stat().st_size))  # as a full disk or a crash leaves it
    assert not keep_code_of(machine, code.parent).exists()
    assert not Path(f"{code}.part").exists()
    aside = code.parent.with_name("aside")
    gone = f"import os,sys;sys.path.insert(0,{str(code.parent)!r});from octogram_agentd.keeping import keep;" + (
        f"keep('1:x',lambda:os.path.exists({str(aside)!r}) or os.rename({str(code.parent)!r},{str(aside)!r}))"
    )
    subprocess.run([machine.python, "-ISXutf8", "-c", gone], check=True)
