"""What lands in the home directory stays in it: tar and prefetch with names that lead elsewhere, on a real daemon."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from real_agent import RealAgent

OWN = ("sock", "lock", "processes", "tmp")  # what the daemon has there


def tree(place: Path) -> dict[str, tuple[int, int]]:
    """Give all there is outside of the home directory, with modes and sizes."""
    found = {}
    for path in place.rglob("*"):
        if not path.is_relative_to(place / "home") and path.name not in OWN and "log" not in path.parts:
            about = path.lstat()
            found[str(path)] = (about.st_mode, about.st_size if stat.S_ISREG(about.st_mode) else 0)
    return found


@pytest.mark.fault(83, 84)
@pytest.mark.parametrize(
    "arguments",
    [
        {"contents": "f", "archive": {"owned": "../made.tgz"}, "action": "create"},
        {"contents": "f", "archive": {"owned": "link/made.tgz"}, "action": "create"},
        {"contents": "../made", "archive": {"owned": "f.tgz"}, "action": "extract"},
        {"contents": "link/made", "archive": {"owned": "f.tgz"}, "action": "extract"},
        {"contents": "ABSOLUTE", "archive": {"owned": "f.tgz"}, "action": "extract"},
    ],
)
async def test_tar_writes_into_the_home_directory_only(agent: RealAgent, arguments: dict[str, Any]) -> None:
    (agent.home / "f").write_text("x")
    (agent.home.parent / "beside").mkdir()
    (agent.home / "link").symlink_to("../beside")
    await agent.ok("builtins.tar", contents="f", archive={"owned": "f.tgz"}, action="create")
    given = {
        name: str(agent.home.parent / "made") if value == "ABSOLUTE" else value for name, value in arguments.items()
    }
    before = tree(agent.home.parent)
    error = await agent.error("builtins.tar", **given)
    assert (error["kind"], "not inside the agent's home directory" in error["message"]) == ("path", True), error
    assert tree(agent.home.parent) == before


@pytest.mark.fault(83)
async def test_what_lies_elsewhere_is_copied_and_stays_as_it_is(agent: RealAgent) -> None:
    outside = agent.home.parent / "tool"
    outside.write_text("x")
    outside.chmod(0o640)
    before = tree(agent.home.parent)
    for name in ("../tool", str(outside)):
        await agent.ok("builtins.prefetch", file={"owned": name})
        assert stat.S_IMODE((agent.home / "tool").stat().st_mode) == 0o751
        (agent.home / "tool").unlink()
    (agent.home / "link").symlink_to("..")
    await agent.ok("builtins.prefetch", file={"owned": "link/tool"})
    assert tree(agent.home.parent) == before


@pytest.mark.fault(92)
async def test_a_file_with_another_digest_is_not_put_in_place(agent: RealAgent) -> None:
    (agent.home / "srv").mkdir()
    (agent.home / "srv/tool").write_text("x")
    right = hashlib.sha256(b"x").hexdigest()
    server = await agent.ok("builtins.start_http_server", directory="srv")
    file = {"remote": agent.url(server, "tool")}
    error = await agent.error("builtins.prefetch", file=file, sha256="0" * 64)
    assert error["kind"] == "damaged"
    assert right in error["message"]
    assert not (agent.home / "tool").exists()
    assert [path for path in (agent.home.parent / "downloads").rglob("*") if path.is_file()] == []
    await agent.ok("builtins.prefetch", file=file, sha256=right.upper())
    assert os.access(agent.home / "tool", os.X_OK)
