"""builtins.write_file, tar and prefetch on a real daemon, and what copy and fetch declare."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from typing import Any

import pytest
from real_agent import RealAgent

from octogram_agentd.procedures import find


async def test_a_file_is_written(any_agent: RealAgent) -> None:
    content = "été\n" * 10_000
    result = await any_agent.ok("builtins.write_file", path="a/b/c.txt", content=content, mode="0755")
    path = any_agent.home / "a/b/c.txt"
    assert result == {"path": str(path), "sha256": hashlib.sha256(content.encode()).hexdigest()}
    assert path.read_text() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    await any_agent.ok("builtins.write_file", path="a/b/c.txt", content="")
    assert path.read_text() == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await any_agent.ok("builtins.write_file", path="a/b/c.txt", content="x", mode="0o640")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(any_agent.home / "a/b") == ["c.txt"]


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/etc/x", "path", "not inside"),
        ("../x", "path", "not inside"),
        ("link/x", "path", "not inside"),
        ("sub", "is_directory", "is a directory"),
        ("new/", "is_directory", "is a directory"),
        ("file/x", "not_directory", "not a directory"),
    ],
)
async def test_files_that_cannot_be_written(agent: RealAgent, path: str, kind: str, words: str) -> None:
    (agent.home / "sub").mkdir()
    (agent.home / "file").touch()
    (agent.home / "link").symlink_to("/tmp")
    error = await agent.error("builtins.write_file", path=path, content="x")
    assert (error["kind"], words in error["message"]) == (kind, True), error


async def test_what_is_there_keeps_being_what_it_is(agent: RealAgent) -> None:
    home = agent.home
    (home / "versions").mkdir()
    (home / "versions/1").write_text("old")
    (home / "current").symlink_to("versions/1")
    (home / "dangling").symlink_to("versions/2")
    os.mkfifo(home / "pipe")
    reader = os.open(home / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    for name in ("current", "dangling", "pipe"):
        await agent.ok("builtins.write_file", path=name, content="new")
    assert [(home / "versions" / version).read_text() for version in "12"] == ["new", "new"]
    assert os.read(reader, 99) == b"new"
    for name in ("current", "dangling", "pipe"):
        await agent.ok("builtins.tar", contents="versions", archive={"owned": name}, action="create")
    os.close(reader)
    assert (home / "current").is_symlink()
    assert (home / "dangling").is_symlink()
    assert (home / "versions/2").read_bytes()[:2] == b"\x1f\x8b"
    assert stat.S_ISFIFO((home / "pipe").stat().st_mode)
    error = await agent.error("builtins.prefetch", file={"owned": "versions/../pipe"})
    assert "there is no file" in error["message"]
    (home / "versions/pipe").write_text("x")
    error = await agent.error("builtins.prefetch", file={"owned": "versions/pipe"})
    assert error["message"].endswith("pipe is no file, and stays as it is")
    assert not [name for name in os.listdir(home) if name.startswith(".octogram")]


async def test_pack_and_unpack(any_agent: RealAgent) -> None:
    (any_agent.home / "data/sub").mkdir(parents=True)
    (any_agent.home / "data/sub/f").write_text("content")
    assert (
        await any_agent.ok("builtins.tar", contents="data", archive={"owned": "out/data.tar.gz"}, action="create")
        is None
    )
    listed = subprocess.run(
        ["tar", "tzf", any_agent.home / "out/data.tar.gz"], capture_output=True, text=True, check=True
    ).stdout
    assert listed.split() == ["data/", "data/sub/", "data/sub/f"]
    await any_agent.ok("builtins.tar", contents="new/place", archive={"owned": "out/data.tar.gz"}, action="extract")
    assert (any_agent.home / "new/place/data/sub/f").read_text() == "content"
    server = await any_agent.ok("builtins.start_http_server")
    remote = {"remote": any_agent.url(server, "out/data.tar.gz")}
    await any_agent.ok("builtins.tar", contents="fetched", archive=remote, action="extract")
    assert (any_agent.home / "fetched/data/sub/f").read_text() == "content"


async def test_the_archive_may_lie_in_what_is_packed(agent: RealAgent) -> None:
    (agent.home / "f").write_text("content")
    await agent.ok("builtins.tar", contents=".", archive={"owned": "all.tar.gz"}, action="create")
    await agent.ok("builtins.tar", contents="x", archive={"owned": "all.tar.gz"}, action="extract")
    assert os.listdir(agent.home / "x") == ["f"]


@pytest.mark.parametrize("name", ["-rf", "with space", "a:b", "new\nline"])
async def test_odd_names_are_packed(agent: RealAgent, name: str) -> None:
    (agent.home / name).write_text("content")
    await agent.ok("builtins.tar", contents=name, archive={"owned": f"{name}.tgz"}, action="create")
    await agent.ok("builtins.tar", contents="to", archive={"owned": f"{name}.tgz"}, action="extract")
    assert (agent.home / "to" / name).read_text() == "content"


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"archive": {"remote": "http://x/y"}, "action": "create"}, "argument", "Cannot create a remote archive"),
        ({"archive": {"owned": "a.tgz"}, "action": "create", "contents": "gone"}, "exit", "No such file"),
        ({"archive": {"owned": "gone.tgz"}, "action": "extract"}, "missing", "there is no archive"),
        ({"archive": {"owned": "bad.tgz"}, "action": "extract"}, "damaged", "cannot be read"),
        ({"archive": {"remote": "http://127.0.0.1:1/x"}, "action": "extract"}, "download", "cannot download"),
        (
            {"archive": {"owned": "bad.tgz"}, "action": "extract", "contents": "bad.tgz"},
            "not_directory",
            "cannot create",
        ),
    ],
)
async def test_archives_that_cannot_be(agent: RealAgent, arguments: dict[str, Any], kind: str, words: str) -> None:
    (agent.home / "bad.tgz").write_text("no archive")
    error = await agent.error("builtins.tar", **{"contents": "there", **arguments})
    assert (error["kind"], words in error["message"]) == (kind, True), error
    assert not (agent.home / "a.tgz").exists()


async def test_prefetch(any_agent: RealAgent) -> None:
    (any_agent.home / "served").mkdir()
    (any_agent.home / "served/tool").write_text("#!/bin/sh\necho works\n")
    server = await any_agent.ok("builtins.start_http_server", directory="served")
    uri = {"remote": any_agent.url(server, "tool")}
    assert await any_agent.ok("builtins.prefetch", file=uri) is None
    assert (await any_agent.ok("builtins.command", argv="./tool"))["stdout"] == "works"
    (any_agent.home / "tool").write_text("overwritten")
    await any_agent.ok("builtins.prefetch", file={"remote": any_agent.url(server, "tool?v=2")})
    assert (any_agent.home / "tool?v=2").exists()


async def test_prefetch_again_and_of_ones_own(agent: RealAgent) -> None:
    (agent.home / "sub").mkdir()
    (agent.home / "sub/tool").write_text("1")
    server = await agent.ok("builtins.start_http_server", directory="sub")
    uri = {"remote": agent.url(server, "tool")}
    await agent.ok("builtins.prefetch", file=uri)
    await agent.ok("builtins.prefetch", file=uri)
    (agent.home / "tool").unlink()
    await agent.ok("builtins.prefetch", file=uri)
    assert (agent.home / "tool").read_text() == "1"
    await agent.ok("builtins.prefetch", file={"owned": "sub/tool"})
    assert not (agent.home / "sub/tool").exists()
    assert os.access(agent.home / "tool", os.X_OK)
    await agent.ok("builtins.prefetch", file={"owned": "tool"})
    assert (agent.home / "tool").read_text() == "1"


@pytest.mark.parametrize(
    ("uri", "kind", "words"),
    [
        ({"owned": "gone"}, "missing", "there is no file"),
        ({"owned": "sub"}, "missing", "there is no file"),
        ({"owned": "sub/"}, "argument", "names no file"),
        ({"owned": "sub/.."}, "argument", "names no file"),
        ({"remote": "http://127.0.0.1:1/x"}, "download", "nothing listens there"),
        ({"remote": "http://127.0.0.1:1/"}, "argument", "names no file"),
        ({"remote": "http://no-such-host.invalid/x"}, "download", "the name of the server is unknown"),
    ],
)
async def test_prefetches_that_cannot_be(agent: RealAgent, uri: dict[str, str], kind: str, words: str) -> None:
    (agent.home / "sub").mkdir()
    error = await agent.error("builtins.prefetch", file=uri)
    assert (error["kind"], words in error["message"]) == (kind, True), error


def test_copy_and_fetch_are_for_the_orchestrator() -> None:
    copy, fetch = find("copy"), find("builtins.fetch")
    assert (copy.where, fetch.where) == ("orchestrator", "orchestrator")
    assert [(name, field.required) for name, field in copy.fields.items()] == [
        ("local_path", True),
        ("remote_path", True),
    ]
    assert fetch.short == "remote_path"
    assert set(fetch.result) == {"local_path", "bytes", "files", "sha256"}


def test_every_field_and_result_is_explained() -> None:
    for name in (
        "copy",
        "builtins.fetch",
        "builtins.write_file",
        "builtins.tar",
        "builtins.prefetch",
        "builtins.command",
        "builtins.shell",
        "builtins.start_process",
        "builtins.stop_process",
        "builtins.wait_for",
        "builtins.http",
        "builtins.start_http_server",
        "builtins.assert",
        "builtins.sleep",
    ):
        procedure = find(name)
        assert procedure.__doc__
        assert not procedure.short or procedure.short in procedure.fields
        for field in procedure.fields.values():
            assert field.doc.endswith((".", ")")), (name, field.name)


async def test_names_as_long_as_names_may_be(agent: RealAgent) -> None:
    name = "x" * 247 + ".tar.gz"
    await agent.ok("builtins.write_file", path="data/f", content="1")
    server = await agent.ok("builtins.start_http_server", directory="packs")
    await agent.ok("builtins.tar", action="create", contents="data", archive={"owned": f"packs/{name}"})
    uri = {"remote": agent.url(server, name), "path": name}
    await agent.ok("builtins.prefetch", file=uri)
    await agent.ok("builtins.tar", action="extract", contents="out", archive={"owned": name})
    assert (agent.home / "out/data/f").read_text() == "1"


async def test_what_a_file_is_called_is_what_its_owner_calls_it(agent: RealAgent) -> None:
    await agent.ok("builtins.write_file", path="served/a b?c", content="1")
    server = await agent.ok("builtins.start_http_server", directory="served")
    quoted = agent.url(server, "a%20b%3Fc")
    await agent.ok("builtins.prefetch", file={"remote": quoted, "path": "a b?c"})
    await agent.ok("builtins.prefetch", file={"remote": quoted})  # a URL: as it is written
    assert (agent.home / "a b?c").read_text() == (agent.home / "a%20b%3Fc").read_text() == "1"
