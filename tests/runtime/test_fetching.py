"""`builtins.fetch` over a real process, and what the receiving end refuses from an agent that cannot be trusted."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from interpreters import interpreters
from parcel_parts import ROOT, file_parts

from octogram_agentd.parcels.landing import Landing
from octogram_agentd.parcels.parcel import MAGIC
from octogram_agentd.procedures.base import ProcedureFailed
from octogram_agentd.processes import origin
from octogram_agentd.wire.lines import encode
from octogram_tui.errors import LinkLost
from octogram_tui.runtime.files import fetch_from
from octogram_tui.transport.local import LocalTransport


@pytest.fixture(params=interpreters(), ids=lambda path: Path(path).parent.parent.name)
def python(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "agent"
    home.mkdir()
    return home


async def fetch(
    home: Path, remote: str, local: Path | str, python: str = sys.executable, **more: Any
) -> dict[str, Any]:
    def argv_for(name: str) -> list[str]:
        return [python, *origin.argv("parcels.transfer", name)[1:]]

    transport = LocalTransport("a")
    try:
        return await fetch_from(transport, argv_for, remote, local, home=str(home), **more)
    finally:
        await transport.close()


async def from_script(script: str, local: Path, **more: Any) -> dict[str, Any]:
    """Fetch from an agent that is a shell script."""
    transport = LocalTransport("a")
    try:
        return await fetch_from(transport, lambda name: ["sh", "-c", script], "f", local, home="/", **more)
    finally:
        await transport.close()


def parcel_of(*parts: bytes) -> str:
    """Give a script that answers with a header and these bytes."""
    data = MAGIC + encode({"t": "found", "bytes": 0, "entries": 1}) + b"".join(parts)
    escaped = "".join(f"\\0{byte:03o}" for byte in data)
    return f"printf %b '{escaped}'; exec sleep 30"


async def test_what_is_optional_may_be_absent_and_nothing_else(home: Path, tmp_path: Path, python: str) -> None:
    target = tmp_path / "artifacts/a/"
    absent = await fetch(home, "logs/x.log", f"{target}/", python, is_optional=True)
    assert absent == {"local_path": None, "bytes": 0, "files": 0, "sha256": ""}
    assert not target.exists()
    with pytest.raises(ProcedureFailed, match="no such file"):
        await fetch(home, "logs/x.log", f"{target}/", python)
    (home / "logs").mkdir()
    (home / "logs/gone").symlink_to("nowhere")
    with pytest.raises(ProcedureFailed, match="link to nothing"):
        await fetch(home, "logs", f"{target}/", python, is_optional=True)
    (home / "logs/gone").unlink()
    (home / "logs/x.log").write_text("x")
    there = await fetch(home, "logs/x.log", f"{target}/", python, is_optional=True)
    assert Path(there["local_path"]).read_text() == "x"


async def test_a_file_comes_back(home: Path, tmp_path: Path, python: str) -> None:
    (home / "logs").mkdir()
    (home / "logs/x.log").write_bytes(b"line\n" * 100_000)
    (home / "logs/x.log").chmod(0o640)
    target = tmp_path / "artifacts/a/"
    result = await fetch(home, "logs/x.log", f"{target}/", python)
    assert result == {
        "local_path": str(target / "x.log"),
        "bytes": 500_000,
        "files": 1,
        "sha256": hashlib.sha256(b"line\n" * 100_000).hexdigest(),
    }
    assert stat.S_IMODE((target / "x.log").stat().st_mode) == 0o640
    renamed = await fetch(home, str(home / "logs/x.log"), tmp_path / "renamed", python)
    assert renamed["local_path"] == str(tmp_path / "renamed")


async def test_a_tree_comes_back_with_odd_names(home: Path, tmp_path: Path, python: str) -> None:
    names = {b"plain", b"new\nline", b"-rf", b"not\xffutf8", "ü".encode()}
    (home / "out/empty").mkdir(parents=True)
    for name in names:
        with open(os.path.join(os.fsencode(home / "out"), name), "wb") as file:
            file.write(name)
    result = await fetch(home, "out", tmp_path / "got", python)
    assert result["files"] == len(names)
    assert set(os.listdir(os.fsencode(tmp_path / "got"))) == {*names, b"empty"}
    again = await fetch(home, "out", tmp_path / "got", python)
    assert again["local_path"] == str(tmp_path / "got/out")
    assert again["sha256"] == result["sha256"]


async def test_the_whole_home_has_a_name(home: Path, tmp_path: Path) -> None:
    (home / "f").touch()
    assert (await fetch(home, ".", f"{tmp_path}/"))["local_path"] == str(tmp_path / "home")


async def test_what_is_missing_or_cannot_be_read(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ProcedureFailed, match=r"cannot read .*nothing: no such file") as caught:
        await fetch(home, "nothing", tmp_path / "x")
    assert caught.value.kind == "missing"
    os.mkfifo(home / "pipe")
    with pytest.raises(ProcedureFailed, match="neither a file nor a directory"):
        await fetch(home, "pipe", tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.fault(83)
async def test_caps(home: Path, tmp_path: Path) -> None:
    (home / "d").mkdir()
    for name in "abc":
        (home / "d" / name).write_bytes(b"x" * 1000)
    with pytest.raises(ProcedureFailed, match="a fetch takes at most") as caught:
        await fetch(home, "d", tmp_path / "x", max_entries=3)
    assert caught.value.kind == "too_large"
    with pytest.raises(ProcedureFailed, match="a fetch takes at most"):
        await fetch(home, "d", tmp_path / "x", max_bytes=2999)
    assert (await fetch(home, "d", tmp_path / "x", max_bytes=3000, max_entries=4))["bytes"] == 3000


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "", "a//b", "./a", "x\0y", "missing/parent"])
@pytest.mark.fault(83)
async def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProcedureFailed) as caught:
        await from_script(parcel_of(ROOT, file_parts(name, b"x")), tmp_path / "target")
    assert caught.value.kind == "protocol"
    assert list(tmp_path.rglob("*")) == []


async def test_a_link_is_followed_and_a_pipe_is_written_into(home: Path, tmp_path: Path) -> None:
    (home / "f").write_bytes(b"content")
    (home / "tree").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "to_old").symlink_to("old")
    (tmp_path / "to_new").symlink_to("there/new")
    for name in ("to_old", "to_new"):
        assert (await fetch(home, "f", tmp_path / name))["bytes"] == 7
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / name).read_bytes() == b"content"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to_pipe").symlink_to("pipe")
    reading = asyncio.create_task(asyncio.to_thread((tmp_path / "pipe").read_bytes))
    assert (await fetch(home, "f", tmp_path / "to_pipe"))["local_path"] == str(tmp_path / "to_pipe")
    assert await reading == b"content"
    with pytest.raises(ProcedureFailed, match="no directory here, and a directory is to be fetched"):
        await fetch(home, "tree", tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


async def test_a_device_stays_a_device(home: Path, tmp_path: Path) -> None:
    (home / "f").write_bytes(b"content")
    try:
        os.mknod(tmp_path / "full", stat.S_IFCHR | 0o666, os.makedev(1, 7))
    except PermissionError:
        (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(ProcedureFailed, match=r"cannot write .*full: (no space|permission)"):
        await fetch(home, "f", tmp_path / "full")
    assert stat.S_ISCHR((tmp_path / "full").stat().st_mode)
    assert sorted(os.listdir(tmp_path)) == ["agent", "full"]


@pytest.mark.fault(92)
async def test_an_agent_that_ends_midway_leaves_nothing(tmp_path: Path) -> None:
    script = parcel_of(ROOT, file_parts("whole", b"x"), file_parts("cut", b"y" * 100)[:-50])
    script = script.replace("exec sleep 30", "exit 3")
    with pytest.raises(ProcedureFailed, match="ended without an answer"):
        await from_script(script, tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


async def test_cancelled_midway_leaves_nothing(tmp_path: Path) -> None:
    script = parcel_of(ROOT, file_parts("whole", b"x"), file_parts("cut", b"y" * 100)[:-50])
    begun = asyncio.Event()
    task = asyncio.create_task(from_script(script, tmp_path / "target", on_progress=lambda done, total: begun.set()))
    await asyncio.wait_for(begun.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []


async def test_an_answer_that_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(ProcedureFailed, match="makes no sense"):
        await from_script("head -c 300000 /dev/zero", tmp_path / "x")
    with pytest.raises(ProcedureFailed, match="makes no sense"):
        await from_script(f"printf '{MAGIC.decode().strip()}\\n[]\\n'; sleep 30", tmp_path / "x")
    for about in (
        {"bytes": -1, "entries": 1},
        {"bytes": "1", "entries": 1},
        {"bytes": 1},
        {"bytes": 10**400, "entries": 1},
    ):
        said = json.dumps({"t": "found", **about})
        with pytest.raises(ProcedureFailed, match="makes no sense"):
            await from_script(f"printf '{MAGIC.decode().strip()}\\n{said}\\n'; sleep 30", tmp_path / "x")
    told = json.dumps({"t": "error", "kind": "k", "message": "hint me", "hint": "h"})
    with pytest.raises(ProcedureFailed, match="hint me") as caught:
        await from_script(f"printf '{MAGIC.decode().strip()}\\n{told}\\n'; sleep 30", tmp_path / "x")
    assert (caught.value.kind, caught.value.hint) == ("k", "h")


async def test_a_lost_link_is_not_a_failed_procedure(tmp_path: Path) -> None:
    class Lost(LocalTransport):
        async def open(self, argv: Sequence[str], receiver: Any, *, bulk: bool = False) -> Any:
            channel = await super().open(argv, receiver)
            asyncio.get_running_loop().call_soon(receiver.channel_closed, LinkLost("the link is gone"))
            return channel

    transport = Lost("a")
    with pytest.raises(LinkLost, match="the link is gone"):
        await fetch_from(transport, lambda name: ["sleep", "30"], "f", tmp_path / "x", home="/")
    await transport.close()


async def test_a_slow_disk_holds_the_agent_back(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been read ahead stays bounded while the receiving end does not get on."""
    (home / "big").write_bytes(b"x" * (32 << 20))
    largest = 0
    feed = Landing.feed

    def slow(self: Landing, data: bytes) -> None:
        nonlocal largest
        largest = max(largest, len(data))
        feed(self, data)

    monkeypatch.setattr(Landing, "feed", slow)
    await fetch(home, "big", tmp_path / "big")
    assert (tmp_path / "big").stat().st_size == 32 << 20
    assert largest <= 2 << 20


@pytest.mark.fault(83)
@pytest.mark.parametrize("place", ["../x", "/tmp/octogram-nowhere/x", "sub/../../x", "out-link/x", "to-outside"])
async def test_what_agents_had_a_say_in_stays_where_the_author_said(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (home / "f").write_text("x")
    here = tmp_path / "here"
    (here / "sub").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/old").write_text("old")
    (here / "out-link").symlink_to("../outside")
    (here / "to-outside").symlink_to("../outside/old")
    monkeypatch.chdir(here)
    with pytest.raises(ProcedureFailed, match="leads out of") as raised:
        await fetch(home, "f", place, inside="")
    assert raised.value.kind == "path"
    assert (tmp_path / "outside/old").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["agent", "here", "outside"]
    await fetch(home, "f", "sub/x", inside="sub/")
    assert (here / "sub/x").read_text() == "x"


@pytest.mark.fault(83)
async def test_a_name_that_the_agent_chose_is_not_written_through_a_link(home: Path, tmp_path: Path) -> None:
    """A link in the destination is the operator's; whether it is met, the agent decides."""
    (home / "logs").mkdir()
    (home / "logs/latest").write_text("new")
    (tmp_path / "got/logs").mkdir(parents=True)
    (tmp_path / "private").write_text("old")
    (tmp_path / "got/logs/latest").symlink_to("../../private")
    with pytest.raises(ProcedureFailed, match="symbolic link here that leads out of"):
        await fetch(home, "logs", f"{tmp_path}/got/")
    assert (tmp_path / "private").read_text() == "old"
    (tmp_path / "got/logs/latest").unlink()
    (tmp_path / "got/logs/latest").symlink_to("kept")
    await fetch(home, "logs", f"{tmp_path}/got/")
    assert (tmp_path / "got/logs/kept").read_text() == "new"


@pytest.mark.fault(83)
async def test_an_agent_cannot_fill_the_disk_here(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "f").write_bytes(b"x" * 100_000)
    room = os.statvfs(tmp_path)
    monkeypatch.setattr("octogram_tui.runtime.files._SPARE_BYTES", room.f_bavail * room.f_frsize * 2)
    with pytest.raises(ProcedureFailed, match="has 100000 bytes, and there is room for 0 here") as raised:
        await fetch(home, "f", tmp_path / "here")
    assert raised.value.kind == "no_space"
    assert not (tmp_path / "here").exists()
