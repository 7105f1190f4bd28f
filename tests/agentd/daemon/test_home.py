"""The agent's directory: ours alone, and removed without following anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from octogram_agentd.daemon import home


def test_names_that_are_no_directories_are_refused() -> None:
    for name in ("", ".", "..", ".hidden", "a/b", "a b", "a\0", "x" * 201):
        with pytest.raises(home.HomeUnusable):
            home.candidates("run", name, "")
        with pytest.raises(home.HomeUnusable):
            home.candidates(name, "agent", "")


def test_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    fallback = f"/var/tmp/octogram-{os.getuid()}/runs/r/a"
    monkeypatch.setenv("HOME", "/home/me")
    assert home.candidates("r", "a", "") == ["/home/me/.octogram/runs/r/a", fallback]
    for unusable in ("", "/", "relative", os.fsdecode(b"/home/b\xffd")):
        monkeypatch.setenv("HOME", unusable)
        assert home.candidates("r", "a", "") == [fallback]
    assert home.candidates("r", "a", "/given") == ["/given/r/a"]


def test_made_for_us_alone(tmp_path: Path) -> None:
    root = tmp_path / "runs" / "r" / "a"
    before = os.umask(0)
    try:
        home.make(str(root))
        home.make(str(root))
    finally:
        os.umask(before)
    assert root.stat().st_mode & 0o777 == 0o700


@pytest.mark.fault(90)
def test_a_directory_that_others_can_change_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "runs" / "r" / "a"
    home.make(str(root))
    root.chmod(0o770)
    with pytest.raises(PermissionError, match="of our own"):
        home.make(str(root))
    root.chmod(0o700)
    root.parent.chmod(0o777)
    with pytest.raises(PermissionError, match="others may rename"):
        home.make(str(root))
    root.parent.chmod(0o1777)
    home.make(str(root))
    root.rmdir()
    root.symlink_to(tmp_path)
    with pytest.raises(PermissionError):
        home.make(str(root))


@pytest.mark.fault(90)
@pytest.mark.skipif(os.getuid() != 0, reason="only root can give directories away")
def test_somebody_else_s_directory_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    with pytest.raises(PermissionError, match="somebody else"):
        home.make(str(tmp_path / "r" / "a"))
    os.chown(tmp_path, 0, 0)


def test_one_lock(tmp_path: Path) -> None:
    first = home.lock(str(tmp_path))
    assert first is not None
    assert home.lock(str(tmp_path)) is None
    (tmp_path / home.LOCK).unlink()
    os.close(first)
    again = home.lock(str(tmp_path))
    assert again is not None
    os.close(again)


def test_removing_follows_no_link_and_opens_what_is_closed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").touch()
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "b" / "file").touch()
    (tree / "link").symlink_to(tmp_path / "outside")
    (tree / "a" / "b").chmod(0)
    (tree / "a").chmod(0o500)
    home.remove_tree(str(tree))
    home.remove_tree(str(tmp_path / "missing" / "x"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside"]
    assert (tmp_path / "outside" / "file").exists()
