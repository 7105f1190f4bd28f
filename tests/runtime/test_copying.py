"""`copy` over a real process on this machine: what arrives, under which name, with which mode, and what is refused."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from copied_agent import Agent
from interpreters import interpreters, version_of

from octogram_agentd.procedures.base import ProcedureFailed
from octogram_tui.runtime.files import copy_to, locate
from octogram_tui.transport.base import Channel, Receiver
from octogram_tui.transport.local import LocalTransport

PYTHONS = interpreters()


@pytest_asyncio.fixture(params=PYTHONS, ids=lambda path: Path(path).parent.parent.name)
async def agent(
    request: pytest.FixtureRequest, tmp_path: Path, record_property: Callable[[str, object], None]
) -> AsyncGenerator[Agent, None]:
    record_property("interpreter", version_of(request.param))
    agent = Agent(tmp_path, request.param)
    yield agent
    await agent.transport.close()


@pytest_asyncio.fixture(params=[False, True], ids=["here", "far"])
async def here(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Agent, None]:
    agent = Agent(tmp_path, is_far=request.param)
    yield agent
    await agent.transport.close()


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_file_arrives_with_content_mode_and_parents(agent: Agent, tmp_path: Path) -> None:
    source = tmp_path / "tool"
    source.write_bytes(b"\0binary\xff\n" * 1000)
    source.chmod(0o750)
    result = await agent.copy(source, "a/b/program")
    target = agent.home / "a/b/program"
    assert target.read_bytes() == source.read_bytes()
    assert mode_of(target) == 0o750
    assert result == {"bytes": 9000, "files": 1, "unchanged": 0}
    assert agent.names() == ["a", "a/b", "a/b/program"]


@pytest.mark.parametrize("remote", ["inside/", "inside/.", ".", "", "./", "made/"])
async def test_a_directory_as_destination_takes_the_file_under_its_own_name(
    here: Agent, tmp_path: Path, remote: str
) -> None:
    (here.home / "inside").mkdir()
    (tmp_path / "file.txt").write_text("x")
    await here.copy(tmp_path / "file.txt", remote)
    assert (here.home / remote / "file.txt").read_text() == "x"


async def test_an_existing_directory_takes_files_and_directories(here: Agent, tmp_path: Path) -> None:
    (here.home / "there").mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "f").write_text("x")
    await here.copy(tmp_path / "tree", "there")
    await here.copy(tmp_path / "tree" / "f", "there")
    await here.copy(str(tmp_path / "tree") + "/", "new")
    assert here.names() == ["new", "new/f", "there", "there/f", "there/tree", "there/tree/f"]


async def test_a_tree_arrives_whole_with_odd_names_and_modes(agent: Agent, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    names = [b"plain", b"with space", b"new\nline", "ünïcode".encode(), b"-rf", b"not\xffutf8", b".hidden", b"x" * 255]
    (tree / "deep" / "er" / "est").mkdir(parents=True)
    (tree / "empty").mkdir()
    for number, name in enumerate(names):
        with open(os.path.join(os.fsencode(tree / "deep"), name), "wb") as file:
            file.write(b"%d" % number * number)
    (tree / "deep" / "plain").chmod(0o400)
    (tree / "deep" / "er").chmod(0o555)
    (tree / "empty").chmod(0o711)
    old = os.umask(0o077)
    try:
        result = await agent.copy(tree, "copied")
    finally:
        os.umask(old)
        (tree / "deep" / "er").chmod(0o755)
    assert result["files"] == len(names)
    copied = os.fsencode(agent.home / "copied" / "deep")
    assert set(os.listdir(copied)) == {*names, b"er"}
    for number, name in enumerate(names):
        with open(os.path.join(copied, name), "rb") as file:
            assert file.read() == b"%d" % number * number
    assert mode_of(agent.home / "copied/deep/plain") == 0o400
    assert mode_of(agent.home / "copied/deep/er") == 0o555
    assert mode_of(agent.home / "copied/empty") == 0o711
    (agent.home / "copied/deep/er").chmod(0o755)


@pytest.mark.fault(83)
async def test_modes_lose_setuid_and_ignore_a_generous_umask(here: Agent, tmp_path: Path) -> None:
    source = tmp_path / "f"
    source.write_text("x")
    source.chmod(0o4600)
    old = os.umask(0)
    try:
        await here.copy(source, "f")
    finally:
        os.umask(old)
    assert mode_of(here.home / "f") == 0o600


async def test_directories_are_merged_and_files_replaced(here: Agent, tmp_path: Path) -> None:
    (here.home / "into/tree/kept").mkdir(parents=True)
    (here.home / "into/tree/f").write_text("old and longer")
    (here.home / "into/tree").chmod(0o711)
    (tmp_path / "tree/more").mkdir(parents=True)
    (tmp_path / "tree/f").write_text("new")
    await here.copy(tmp_path / "tree", "into")
    assert (here.home / "into/tree/f").read_text() == "new"
    assert (here.home / "into/tree/kept").is_dir()
    assert (here.home / "into/tree/more").is_dir()
    assert mode_of(here.home / "into/tree") == 0o711


async def test_a_rerun_of_a_job_lands_where_the_job_landed(here: Agent, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/f").write_text("1")
    await here.copy(tmp_path / "tree", "conf", job="stage/job@a")
    (tmp_path / "tree/f").write_text("2")
    await here.copy(tmp_path / "tree", "conf", job="stage/job@a")
    assert (here.home / "conf/f").read_text() == "2"
    await here.copy(tmp_path / "tree", "conf", job="stage/other@a")
    assert here.names() == ["conf", "conf/f", "conf/tree", "conf/tree/f"]


async def test_empty_files_and_a_big_one(here: Agent, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/empty").touch()
    block = os.urandom(1 << 20)
    with open(tmp_path / "tree/big", "wb") as file:
        for _ in range(64):
            file.write(block)
    seen: list[tuple[int, int]] = []
    result = await here.copy(tmp_path / "tree", "t", on_progress=lambda done, total: seen.append((done, total)))
    assert result["bytes"] == 64 << 20
    assert (here.home / "t/empty").stat().st_size == 0
    assert (here.home / "t/big").read_bytes() == block * 64
    assert seen[-1] == (64 << 20, 64 << 20)
    assert seen == sorted(seen)


async def test_links_are_followed_here(here: Agent, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("content")
    (tmp_path / "tree/real").mkdir(parents=True)
    (tmp_path / "tree/real/f").write_text("f")
    (tmp_path / "tree/file-link").symlink_to(tmp_path / "outside")
    (tmp_path / "tree/dir-link").symlink_to("real")
    await here.copy(tmp_path / "tree", "t")
    assert (here.home / "t/file-link").read_text() == "content"
    assert not (here.home / "t/file-link").is_symlink()
    assert (here.home / "t/dir-link/f").read_text() == "f"
    (tmp_path / "current").symlink_to("tree")
    await here.copy(tmp_path / "current", ".")
    assert (here.home / "current/real/f").read_text() == "f"


def _loop(tree: Path) -> None:
    (tree / "back").symlink_to(tree)


def _dangling(tree: Path) -> None:
    (tree / "nowhere").symlink_to(tree / "missing")


def _pipe(tree: Path) -> None:
    os.mkfifo(tree / "pipe")


def _socket(tree: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = os.getcwd()
        os.chdir(tree)
        try:
            one.bind("sock")
        finally:
            os.chdir(here)


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        (_loop, "loop", "leads back to a directory it is in"),
        (_dangling, "missing", "is a link to nothing"),
        (_pipe, "not_a_file", "neither a file nor a directory"),
        (_socket, "not_a_file", "neither a file nor a directory"),
    ],
)
async def test_what_cannot_be_copied_is_named(here: Agent, tmp_path: Path, spoil: Any, kind: str, words: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_text("a")
    spoil(tree)
    with pytest.raises(ProcedureFailed, match=words) as caught:
        await here.copy(tree, "t")
    assert caught.value.kind == kind
    assert here.names() == []


@pytest.mark.parametrize(
    ("remote", "kind", "words"),
    [
        ("/etc/motd", "path", "must be relative"),
        ("../data/x", "path", "leads out of the home"),
        ("a/../../x", "path", "leads out of the home"),
        ("link/x", "path", "symbolic link"),
        ("link", "path", "symbolic link"),
        ("file/x", "not_directory", "file is a file"),
        ("file/", "not_directory", "file is a file"),
        ("full", "is_directory", "is a directory there"),
    ],
)
@pytest.mark.fault(83)
async def test_destinations_that_are_refused(here: Agent, tmp_path: Path, remote: str, kind: str, words: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (here.home / "link").symlink_to(tmp_path / "elsewhere")
    (here.home / "file").write_text("kept")
    (here.home / "full/source").mkdir(parents=True)
    (tmp_path / "source").write_text("x")
    with pytest.raises(ProcedureFailed, match=words) as caught:
        await here.copy(tmp_path / "source", remote)
    assert caught.value.kind == kind
    assert (here.home / "file").read_text() == "kept"
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.fault(83)
async def test_a_link_that_leads_out_of_the_home_is_refused_and_stays(here: Agent, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (here.home / "f").symlink_to(tmp_path / "precious")
    (tmp_path / "source").write_text("new")
    with pytest.raises(ProcedureFailed, match="f is a symbolic link that leads out of the home directory") as caught:
        await here.copy(tmp_path / "source", "f")
    assert caught.value.kind == "path"
    assert (tmp_path / "precious").read_text() == "kept"
    assert (here.home / "f").is_symlink()


@pytest.mark.parametrize("name", ["source", "tree"])
async def test_a_link_to_a_file_is_followed_inside_of_the_home(here: Agent, tmp_path: Path, name: str) -> None:
    (here.home / "versions").mkdir()
    (here.home / "versions/1").write_text("longer than the new one")
    (here.home / "versions/1").chmod(0o600)
    (here.home / "tree").mkdir()
    (here.home / "tree/current").symlink_to("../versions/1")
    (here.home / "tree/dangling").symlink_to("../versions/2")
    (tmp_path / "source").write_text("new")
    (tmp_path / "tree").mkdir()
    for entry in ("current", "dangling"):
        (tmp_path / "tree" / entry).write_text("new")
    if name == "tree":
        await here.copy(tmp_path / "tree", ".")
    else:
        await here.copy(tmp_path / "source", "tree/current")
        await here.copy(tmp_path / "source", "tree/dangling")
    for entry in ("current", "dangling"):
        assert (here.home / "tree" / entry).is_symlink()
    assert [(here.home / "versions" / version).read_text() for version in "12"] == ["new", "new"]
    assert (here.home / "versions/1").stat().st_mode & 0o777 == 0o600
    assert sorted(entry.name for entry in (here.home / "tree").iterdir()) == ["current", "dangling"]


async def test_devices_and_pipes_are_written_into(here: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "source").write_text("new")
    os.mkfifo(here.home / "pipe")
    read_end = os.open(here.home / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    await here.copy(tmp_path / "source", "pipe")
    assert os.read(read_end, 99) == b"new"
    os.close(read_end)
    assert stat.S_ISFIFO((here.home / "pipe").stat().st_mode)
    if os.geteuid() == 0:
        os.mknod(here.home / "null", 0o20666, os.makedev(1, 3))
        await here.copy(tmp_path / "source", "null")
        assert stat.S_ISCHR((here.home / "null").stat().st_mode)
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(here.home)  # the path of a socket has to be short
        server.bind("s")
    with pytest.raises(ProcedureFailed, match="no such device"):
        await here.copy(tmp_path / "source", "s")
    assert stat.S_ISSOCK((here.home / "s").stat().st_mode)
    assert not [entry for entry in here.home.iterdir() if entry.name.startswith(".octogram")]


async def test_owner_and_attributes_of_a_file_stay(here: Agent, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("new")
    kept = here.home / "kept"
    kept.write_text("old")
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(kept, 12345, 12345)
    try:
        os.setxattr(kept, "user.origin", b"hand")
        attributes = ["user.origin"]
    except OSError:
        attributes = []
    await here.copy(tmp_path / "source", "kept")
    assert (kept.read_text(), os.listxattr(kept)) == ("new", attributes)
    assert kept.stat().st_uid == (12345 if is_root else os.geteuid())


@pytest.mark.fault(83)
async def test_a_link_inside_of_a_merged_tree_is_not_followed(here: Agent, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (here.home / "tree").mkdir()
    (here.home / "tree/d").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tree/d").mkdir(parents=True)
    (tmp_path / "tree/d/f").write_text("x")
    with pytest.raises(ProcedureFailed, match="d is a link there") as caught:
        await here.copy(tmp_path / "tree", ".")
    assert caught.value.kind == "not_directory"
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_a_file_where_a_directory_is_to_be(here: Agent, tmp_path: Path) -> None:
    (here.home / "t").write_text("x")
    (tmp_path / "t").mkdir()
    with pytest.raises(ProcedureFailed, match="is a file there"):
        await here.copy(tmp_path / "t", "t")


@pytest.mark.fault(97)
async def test_no_home_no_space_no_program(here: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_text("x")
    with pytest.raises(ProcedureFailed, match="cannot open the home directory") as caught:
        await copy_to(here.transport, here.argv_for, tmp_path / "f", "f", home=str(tmp_path / "gone"))
    assert caught.value.kind == "missing"
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(1 << 42)
    with pytest.raises(ProcedureFailed, match="no space on the agent's machine") as caught:
        await here.copy(tmp_path / "huge", "f")
    assert caught.value.kind == "no_space"
    with pytest.raises(ProcedureFailed, match=r"ended without an answer: .*broken"):
        await copy_to(
            here.transport, lambda name: ["sh", "-c", "echo it is broken >&2"], tmp_path / "f", "f", home=str(here.home)
        )
    assert here.names() == []


@pytest.mark.fault(97)
async def test_a_full_disk_in_the_middle(here: Agent, tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the error comes from a write, as there."""
    (tmp_path / "f").write_bytes(b"x" * (4 << 20))

    def argv_for(name: str) -> Sequence[str]:
        return ["sh", "-c", 'trap "" XFSZ; ulimit -f 1024; exec "$@"', "sh", *here.argv_for(name)]

    with pytest.raises(ProcedureFailed, match="cannot write f: file too large"):
        await copy_to(here.transport, argv_for, tmp_path / "f", "f", home=str(here.home))
    assert here.names() == []


async def test_noise_of_a_login_shell_is_skipped(here: Agent, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")

    def argv_for(name: str) -> Sequence[str]:
        return ["sh", "-c", 'echo "{welcome}"; exec "$@"', "sh", *here.argv_for(name)]

    await copy_to(here.transport, argv_for, tmp_path / "f", "f", home=str(here.home))
    assert here.names() == ["f"]


class Stopping:
    """A transport whose channel stalls after so many bytes, and says when it has."""

    def __init__(self, inner: LocalTransport, after_bytes: int) -> None:
        self.description = "a stalling pipe"
        self.host = ""
        self.stalled = asyncio.Event()
        self.channel: Any = None
        self._inner = inner
        self._after_bytes = after_bytes

    async def reach(self) -> str:
        return "fake"

    async def open(self, argv: Sequence[str], receiver: Receiver, *, bulk: bool = False) -> Channel:
        self.channel = await self._inner.open(argv, receiver)
        self.channel._grace_s = 60.0  # what is killed cannot tidy up, and a busy machine needs more than two seconds
        inner, write = self.channel, self.channel.write
        sent = 0

        def limited(data: bytes) -> None:
            nonlocal sent
            write(data[: max(0, self._after_bytes - sent)])
            sent += len(data)

        async def drain() -> None:
            if sent > self._after_bytes:
                self.stalled.set()
                await asyncio.Event().wait()

        inner.write, inner.drain = limited, drain
        channel: Channel = inner
        return channel

    async def connect(self, place: str, receiver: Receiver) -> Channel:
        raise AssertionError("files go through commands")

    async def close(self) -> None:
        await self._inner.close()


@pytest.mark.parametrize("as_tree", [False, True])
async def test_cancelled_midway_leaves_nothing(here: Agent, tmp_path: Path, as_tree: bool) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a").write_bytes(b"a" * 1000)
    (source / "b").write_bytes(b"b" * (8 << 20))
    transport = Stopping(here.transport, 3 << 20)
    path = source if as_tree else source / "b"
    task = asyncio.create_task(copy_to(transport, here.argv_for, path, "target", home=str(here.home)))
    await asyncio.wait_for(transport.stalled.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(transport.channel.wait_gone(), 60)
    assert here.names() == []


async def test_a_local_file_that_vanishes_or_cannot_be_read(here: Agent, tmp_path: Path) -> None:
    with pytest.raises(ProcedureFailed, match=r"cannot read .*gone: no such file"):
        await here.copy(tmp_path / "gone", "f")
    assert here.names() == []


def test_local_paths_come_from_the_working_directory_then_the_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    working, scenario = tmp_path / "working", tmp_path / "scenario"
    working.mkdir()
    scenario.mkdir()
    monkeypatch.chdir(working)
    (scenario / "f").touch()
    assert locate("f", scenario) == scenario / "f"
    (working / "f").touch()
    assert locate("f", scenario) == working / "f"
    assert locate(str(scenario / "f"), working) == scenario / "f"
    with pytest.raises(ProcedureFailed) as caught:
        locate("missing", scenario)
    assert str(working / "missing") in caught.value.message
    assert str(scenario / "missing") in caught.value.message


@pytest.mark.fault(83)
def test_what_agents_had_a_say_in_is_not_read_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, scenario = tmp_path / "here", tmp_path / "scenario"
    for path in (here / "bin", scenario / "bin"):
        path.mkdir(parents=True)
    (tmp_path / "key").write_text("secret")
    (here / "bin/linked").symlink_to("../../key")  # the operator's own, and meant
    (scenario / "bin/tool").write_text("x")
    monkeypatch.chdir(here)
    for outside in (str(tmp_path / "key"), "../key", "bin/../../key", "other"):
        with pytest.raises(ProcedureFailed, match="leads out of") as raised:
            locate(outside, scenario, "bin/")
        assert raised.value.kind == "path"
    assert locate("bin/linked", scenario, "bin/") == here / "bin/linked"
    assert locate("bin/tool", scenario, "bin/") == scenario / "bin/tool"
    assert locate("../key", scenario) == here / "../key"
