"""A whole file is written as what is there: files are replaced, links followed, devices and pipes written into."""

from __future__ import annotations

import errno
import os
import resource
import socket
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from octogram_tui import filing

NULL, FULL = (1, 3), (1, 7)
NOBODY = 65534


@contextmanager
def pipe_of(path: Path) -> Generator[list[bytes], None, None]:
    """Make a pipe with a reader; what was read stands in the list when the block has ended."""
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    try:
        yield read
    finally:
        reader.join(60)


def device(path: Path, number: tuple[int, int]) -> Path:
    """Make a device node that may be lost; where the system lets nobody make one, a link to the real one."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(*number))
        os.close(os.open(path, os.O_WRONLY))  # a file system may be mounted without devices
    except PermissionError:
        path.unlink(missing_ok=True)
        path.symlink_to({NULL: "/dev/null", FULL: "/dev/full"}[number])
    return path


def as_nobody(check: Callable[[], None]) -> None:
    """Run a check in a process without privileges, when this one has them."""
    if os.geteuid() != 0:
        check()
        return
    with warnings.catch_warnings(action="ignore"):  # that threads do not come along: the child needs none
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            check()
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def open_to_all(path: Path) -> None:
    """Let everybody reach a directory of the test's own."""
    for directory in [path, *path.parents]:
        if directory.stat().st_uid == os.geteuid() and directory != Path("/"):
            directory.chmod(directory.stat().st_mode | 0o055)


def test_a_new_file_has_the_mode_that_was_asked_for(tmp_path: Path) -> None:
    filing.write_whole(tmp_path / "secret", b"x", mode=0o600)
    before = os.umask(0o027)
    try:
        filing.write_whole(tmp_path / "report", b"y")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "report").stat().st_mode) == 0o640


def test_a_file_is_replaced_and_keeps_mode_and_owner(tmp_path: Path) -> None:
    target = tmp_path / "report"
    target.write_bytes(b"longer than what follows")
    if os.geteuid() == 0:
        os.chown(target, 1234, 4321)
    target.chmod(0o2604)
    before = target.stat()
    filing.write_whole(target, b"new", durable=True)
    after = target.stat()
    assert target.read_bytes() == b"new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino
    assert os.listdir(tmp_path) == ["report"]


def test_extended_attributes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_bytes(b"old")
    try:
        os.setxattr(path, "user.origin", b"hand")
    except OSError:
        assert os.listxattr(path) == []  # a file system without them: there is nothing to keep
    before = os.listxattr(path)
    filing.write_whole(path, b"new")
    assert (path.read_bytes(), os.listxattr(path)) == (b"new", before)


def test_the_longest_name_can_be_written_twice(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 255)
    filing.write_whole(target, b"1")
    filing.write_whole(target, b"2")
    assert target.read_bytes() == b"2"


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "old").write_text("old")
    for link, to in {"a": "b", "b": "deep/old", "c": "deep/new"}.items():
        (tmp_path / link).symlink_to(to)
    filing.write_whole(tmp_path / "a", b"1")
    filing.write_whole(tmp_path / "c", b"2")
    assert (tmp_path / "deep" / "old").read_bytes() == b"1"
    assert (tmp_path / "deep" / "new").read_bytes() == b"2"
    assert [os.readlink(tmp_path / link) for link in "abc"] == ["b", "deep/old", "deep/new"]


def test_another_name_of_the_same_file_shows_the_same(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("before, and longer")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    filing.write_whole(tmp_path / "one", b"after")
    assert (tmp_path / "two").read_bytes() == b"after"


def _a_directory(path: Path) -> None:
    path.mkdir()


def _a_link_to_a_directory(path: Path) -> None:
    path.symlink_to(path.parent)


def _a_link_to_nowhere(path: Path) -> None:
    path.symlink_to(path.parent / "no" / "where")


def _a_loop(path: Path) -> None:
    path.symlink_to(path)


def _a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_a_directory, "it is a directory"),
        (_a_link_to_a_directory, "it is a directory"),
        (_a_link_to_nowhere, "there is no such directory"),
        (_a_loop, "Too many levels of symbolic links"),
        (_a_socket, "it is a socket"),
    ],
)
def test_what_cannot_be_written_is_told_beforehand_and_stays(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    target = tmp_path / "t"
    make(target)
    before = target.lstat()
    for attempt in (filing.check_writable, lambda path: filing.write_whole(path, b"x")):
        with pytest.raises(OSError, match=words):
            attempt(target)
    assert target.lstat().st_ino == before.st_ino
    assert os.listdir(tmp_path) == ["t"]


@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_device_takes_the_data_and_stays_a_device(tmp_path: Path, through_a_link: bool) -> None:
    node = device(tmp_path / "null", NULL)
    path = node
    if through_a_link:
        path = tmp_path / "link"
        path.symlink_to(node)
    before = path.lstat()
    assert filing.check_writable(path) is not None
    assert not filing.is_file(path)
    filing.write_whole(path, b"x" * 100_000)
    assert stat.S_ISCHR(node.stat().st_mode)
    assert path.lstat().st_ino == before.st_ino


def test_a_full_device_says_so_and_stays(tmp_path: Path) -> None:
    node = device(tmp_path / "full", FULL)
    with pytest.raises(OSError, match="No space left on device"):
        filing.write_whole(node, b"x")
    assert stat.S_ISCHR(node.stat().st_mode)
    assert os.listdir(tmp_path) == ["full"]


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    data = bytes(range(256)) * 4096  # more than a pipe holds
    with pipe_of(tmp_path / "pipe") as read:
        filing.write_whole(tmp_path / "pipe", data)
    assert read == [data]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_pipe_without_a_reader_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "READER_WAIT_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="a pipe that nobody reads"):
        filing.write_whole(tmp_path / "pipe", b"x")
    fd = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)  # a reader that never reads
    with pytest.raises(OSError, match="its reader takes nothing"):
        filing.write_whole(tmp_path / "pipe", b"x" * 1_000_000)
    os.close(fd)


def test_a_reader_that_goes_away_is_told(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        filing.write_whole(f"/dev/fd/{writing}", b"x")
    os.close(writing)


def test_open_descriptors_are_written_into(tmp_path: Path) -> None:
    """As /dev/stdout is, whatever it leads to: a rename would take the file away from who writes to it."""
    program = (
        "import os; from octogram_tui import filing\n"
        "os.write(1, b'before '); filing.write_whole('/dev/stdout', b'report'); os.write(1, b' after')"
    )
    out = tmp_path / "out.txt"
    with out.open("wb") as file:
        subprocess.run([sys.executable, "-c", program], stdout=file, check=True)
    assert out.read_text() == "before report after"
    piped = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    assert piped.stdout == b"before report after"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        filing.write_whole(f"/proc/self/fd/{ours.fileno()}", b"report")
        assert theirs.recv(100) == b"report"
    assert not filing.is_file("/dev/fd/1")


def test_a_full_disk_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    target = tmp_path / "t"
    target.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # Python ignores the signal: the write fails
    try:
        with pytest.raises(OSError, match="File too large"):
            filing.write_whole(target, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["t"]


def test_whatever_interrupts_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(source: str, target: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        filing.write_whole(tmp_path / "t", b"x")
    assert os.listdir(tmp_path) == []


def test_a_file_mounted_by_itself_is_written_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's single file cannot be renamed over."""

    def refuse(source: str, target: str) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    (tmp_path / "t").write_bytes(b"old, and longer")
    monkeypatch.setattr(os, "replace", refuse)
    filing.write_whole(tmp_path / "t", b"new")
    assert (tmp_path / "t").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["t"]


def test_a_directory_that_may_not_be_written(tmp_path: Path) -> None:
    open_to_all(tmp_path)
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "mine").write_bytes(b"old")
    (closed / "mine").chmod(0o666)
    (closed / "theirs").write_bytes(b"old")
    (closed / "theirs").chmod(0o444)
    closed.chmod(0o555)

    def check() -> None:
        filing.write_whole(closed / "mine", b"new")
        for name, words in {"fresh": "its directory may not be written", "theirs": "it may not be written"}.items():
            with pytest.raises(PermissionError, match=words):
                filing.check_writable(closed / name)
            with pytest.raises(PermissionError, match=words):
                filing.write_whole(closed / name, b"new")

    as_nobody(check)
    assert (closed / "mine").read_bytes() == b"new"
    assert (closed / "theirs").read_bytes() == b"old"
    assert sorted(os.listdir(closed)) == ["mine", "theirs"]
    closed.chmod(0o755)
