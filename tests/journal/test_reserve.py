"""A full disk leaves the journal room for the end of its run, and is told of before anything is lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.errors import ExitCode, JournalError
from octogram_tui.journal import reader, recovery, reserve
from octogram_tui.journal.reserve import BALLAST, RESERVE_BYTES, STEP_BYTES
from octogram_tui.journal.writer import JournalWriter, Space

pytestmark = pytest.mark.fault(64)


class Disk:
    """Lets a file have so many bytes, reserved or written."""

    def __init__(self, patch: pytest.MonkeyPatch, *, reserves: bool = True) -> None:
        self.free_bytes = 1 << 40
        self.allowed = 0
        self.reserves = reserves
        self.ballast: Path | None = None
        self._write = os.write
        patch.setattr(reserve, "_allocate", lambda: self.allocate)
        patch.setattr(os, "write", self.write)
        patch.setattr(reserve, "AGAIN_S", 0.0)

    def allocate(self, fd: int, begin: int, length: int) -> None:
        if not self.reserves:
            raise OSError(errno.EOPNOTSUPP, "not here")
        if length > self.free_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.free_bytes -= length
        self.allowed = begin + length

    def write(self, fd: int, data: bytes) -> int:
        end = os.fstat(fd).st_size + len(data)
        if self.reserves:
            if end > self.allowed:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        elif self.ballast is not None and self.ballast.exists() and len(data) > self.free_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._write(fd, data)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def batch(first: int, size_bytes: int = 0) -> list[ev.Event]:
    """What an agent prints, and what a run states."""
    return [
        ev.JobOutput(seq=first, agent="a", lines=["x" * size_bytes]),
        ev.WarningGiven(seq=first + 1, message="told"),
    ]


def told(path: Path) -> list[str]:
    return [type(event).__name__ for event in reader.read(path)]


def opened(path: Path, heard: Callable[[Space], None]) -> JournalWriter:
    writer = JournalWriter(path, run="r", version="0")
    writer.tell_space_to(heard)
    return writer


def test_a_full_disk_is_told_of_while_all_can_still_be_written_and_space_again_too(tmp_path: Path, disk: Disk) -> None:
    heard: list[Space] = []
    writer = opened(tmp_path / "j", heard.append)
    writer.append(batch(1))
    assert heard == []
    disk.free_bytes = 0
    writer.append(batch(3, STEP_BYTES))
    assert heard == ["little"]
    writer.append(batch(5, RESERVE_BYTES // 2))
    assert heard == ["little", "scarce"]
    writer.append(batch(7, RESERVE_BYTES))  # the output would not fit
    assert heard == ["little", "scarce"]
    disk.free_bytes = 1 << 30
    writer.append(batch(9, 100))
    assert heard == ["little", "scarce", "enough"]
    writer.append(batch(11, 100))
    writer.close()
    both, one = ["JobOutput", "WarningGiven"], ["WarningGiven"]
    assert told(tmp_path / "j") == [*both, *both, *both, *one, *one, *both]
    assert recovery.is_sound(tmp_path / "j")


def test_an_output_that_is_too_long_for_what_is_left_goes_before_the_rest_is_lost(tmp_path: Path, disk: Disk) -> None:
    writer = JournalWriter(tmp_path / "j", run="r", version="0")
    disk.free_bytes = 0
    writer.append(batch(1, 2 * RESERVE_BYTES))
    assert told(tmp_path / "j") == ["WarningGiven"]
    writer.close()


def test_once_nothing_is_left_at_all_the_journal_ends_with_what_is_whole(tmp_path: Path, disk: Disk) -> None:
    writer = JournalWriter(tmp_path / "j", run="r", version="0")
    disk.free_bytes = 0
    writer.append(batch(1))
    with pytest.raises(JournalError, match="No space left"):
        writer.append([ev.WarningGiven(seq=3, message="x" * 2 * RESERVE_BYTES)])
    with pytest.raises(JournalError, match="No space left"):
        writer.append(batch(4))
    with pytest.raises(JournalError):
        writer.close()
    assert told(tmp_path / "j") == ["JobOutput", "WarningGiven"]


def test_a_run_does_not_begin_where_its_end_might_not_be_kept(tmp_path: Path, disk: Disk) -> None:
    disk.free_bytes = RESERVE_BYTES
    with pytest.raises(JournalError, match=r"cannot create the journal .*No space left") as caught:
        JournalWriter(tmp_path / "j", run="r", version="0")
    assert caught.value.exit_code == ExitCode.IO
    assert "free some space" in caught.value.hint
    assert list(tmp_path.iterdir()) == [], "once there is space, the same directory can be given again"


def test_a_limit_of_files_is_told_as_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (RESERVE_BYTES // 2, RESERVE_BYTES))
    with pytest.raises(JournalError, match="File too large") as caught:
        JournalWriter(tmp_path / "j", run="r", version="0")
    assert "ulimit -f" in caught.value.hint


def test_where_nothing_can_be_reserved_a_ballast_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, reserves=False)
    heard: list[Space] = []
    writer = opened(tmp_path / "j", heard.append)
    disk.ballast = tmp_path / BALLAST
    assert disk.ballast.stat().st_size == RESERVE_BYTES
    assert disk.ballast.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(reserve, "AGAIN_S", 1e9)
    disk.free_bytes = 0
    writer.append(batch(1))
    assert heard == ["scarce"]
    assert not disk.ballast.exists()
    writer.append(batch(3))
    monkeypatch.setattr(reserve, "AGAIN_S", 0.0)
    disk.free_bytes = 1 << 30
    writer.append(batch(5))
    assert heard == ["scarce", "enough"]
    writer.close()
    assert told(tmp_path / "j") == ["WarningGiven"] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["j"], "nothing stays that was for a full disk"


def test_what_was_reserved_and_not_needed_is_given_back(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "j", run="r", version="0")
    writer.append(batch(1))
    held = (tmp_path / "j").stat()
    writer.close()
    found = (tmp_path / "j").stat()
    assert found.st_size == held.st_size, "a reserve is not a part of the file"
    assert found.st_blocks * 512 < RESERVE_BYTES
    if not (tmp_path / BALLAST).exists():
        assert held.st_blocks * 512 >= RESERVE_BYTES
