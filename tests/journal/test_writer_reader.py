"""What the writer puts on the disk the reader gives back, and faults of the disk are neither hidden nor made worse."""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections import deque
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octogram_tui.engine import events as ev
from octogram_tui.errors import DamagedJournal, ExitCode, JournalError
from octogram_tui.journal import codec, reader
from octogram_tui.journal.writer import JournalWriter


def some_events(count: int, first: int = 1) -> list[ev.Event]:
    return [ev.WarningGiven(seq=n, at_s=n / 8, message=f"number {n}") for n in range(first, first + count)]


def written(path: Path, events: list[ev.Event]) -> Path:
    writer = JournalWriter(path, run="r", version="0")
    writer.append(events)
    writer.close()
    return path


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "j", run="r", version="0")
    writer.append(some_events(3))
    writer.append([])
    assert list(reader.read(tmp_path / "j")) == some_events(3)  # at once: nothing waits in a buffer
    writer.append(some_events(2, 4))
    writer.close()
    writer.close()
    assert list(reader.read(tmp_path / "j")) == some_events(5)
    assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600


def test_the_background_sync_reports_how_far_the_disk_is(tmp_path: Path) -> None:
    reached = threading.Event()

    def on_synced(seq: int) -> None:
        if seq == 4:
            reached.set()

    writer = JournalWriter(tmp_path / "j", run="r", version="0", on_synced=on_synced)
    writer.append(some_events(4))
    assert reached.wait(60)
    assert writer.synced_seq == writer.written_seq == 4
    writer.close()


def test_closing_while_a_sync_begins_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = JournalWriter(tmp_path / "j", run="r", version="0")
    begun, signalled = threading.Event(), writer._changed
    clear = signalled.clear

    def clear_late() -> None:
        if threading.current_thread() is writer._thread:
            begun.set()
            assert writer._closing.wait(60)
            assert signalled.wait(60)  # the signal of close, which is now taken back
        clear()

    monkeypatch.setattr(signalled, "clear", clear_late)
    writer.append(some_events(1))
    assert begun.wait(60)
    writer.close()
    assert not writer._thread.is_alive()
    assert list(reader.read(tmp_path / "j")) == some_events(1)


def test_an_explicit_sync_is_a_barrier(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "j", run="r", version="0")
    writer.append(some_events(2))
    writer.sync()
    assert writer.synced_seq == 2
    writer.close()


def test_what_is_settled_can_be_gone_on_with_and_leaves_little_to_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = JournalWriter(tmp_path / "j", run="r", version="0")
    for first in (1, 4):
        writer.append(some_events(3, first))
        writer.settle()
        assert writer.synced_seq == writer.written_seq
        assert os.stat(tmp_path / "j").st_blocks * 512 < 1 << 16, "what was reserved is given back"
    cut: list[int] = []
    monkeypatch.setattr(os, "ftruncate", lambda fd, size: cut.append(size))
    writer.close()
    assert not cut
    assert list(reader.read(tmp_path / "j")) == some_events(6)


def test_an_existing_journal_is_never_written_over(tmp_path: Path) -> None:
    written(tmp_path / "j", some_events(1))
    with pytest.raises(JournalError, match="already holds"):
        JournalWriter(tmp_path / "j", run="r", version="0")
    assert list(reader.read(tmp_path / "j")) == some_events(1)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="nowhere") as caught:
        JournalWriter(tmp_path / "nowhere" / "j", run="r", version="0")
    assert caught.value.exit_code == ExitCode.IO
    assert "--run-dir" in caught.value.hint


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_journal_that_was_removed_is_told_at_the_end(tmp_path: Path, is_replaced: bool) -> None:
    writer = JournalWriter(tmp_path / "j", run="r", version="0")
    writer.append(some_events(1))
    (tmp_path / "j").unlink()
    if is_replaced:
        (tmp_path / "j").touch()
    with pytest.raises(JournalError, match="was removed or moved"):
        writer.close()


@pytest.mark.fault(64)
def test_a_failing_write_ends_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = JournalWriter(tmp_path / "j", run="r", version="0")
    writer.append(some_events(1))

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(JournalError, match="No space left"):
            writer.append(some_events(1, 2))
    with pytest.raises(JournalError, match="No space left"):
        writer.append(some_events(1, 3))
    with pytest.raises(JournalError):
        writer.close()
    assert list(reader.read(tmp_path / "j")) == some_events(1)


@pytest.mark.fault(64)
def test_a_short_write_leaves_no_torn_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = JournalWriter(tmp_path / "j", run="r", version="0")
    writer.append(some_events(1))
    whole = (tmp_path / "j").read_bytes()
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: write(fd, data[:10]))
        with pytest.raises(JournalError, match="disk full"):
            writer.append(some_events(1, 2))
    assert (tmp_path / "j").read_bytes() == whole
    with pytest.raises(JournalError):
        writer.close()


@pytest.mark.fault(64)
def test_a_failing_sync_is_told_by_the_next_append(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = JournalWriter(tmp_path / "j", run="r", version="0")

    def broken(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        writer.append(some_events(1))
        with pytest.raises(JournalError, match="sync"):
            writer.close()
    with pytest.raises(JournalError, match="Input/output error"):
        writer.append(some_events(1, 2))


@pytest.mark.fault(67)
def test_a_torn_last_line_is_left_out_wherever_it_is_cut(tmp_path: Path) -> None:
    data = written(tmp_path / "j", some_events(3)).read_bytes()
    ends = [n for n, byte in enumerate(data) if byte == 0x0A]
    for cut in range(ends[2], len(data)):
        (tmp_path / "torn").write_bytes(data[:cut])
        assert list(reader.read(tmp_path / "torn")) == some_events(1 if cut == ends[2] else 2)
        assert reader.last_event(tmp_path / "torn") == some_events(3)[0 if cut == ends[2] else 1]


@pytest.mark.fault(67)
def test_zeros_at_the_end_are_a_torn_line(tmp_path: Path) -> None:
    data = written(tmp_path / "j", some_events(2)).read_bytes()
    (tmp_path / "j").write_bytes(data + bytes(4096))
    assert list(reader.read(tmp_path / "j")) == some_events(2)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda lines: [lines[0], b"garbage", *lines[2:]], r"j:2: .*checksum"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], r"j:2: .*checksum"),
        (lambda lines: lines[1:], r"j:1: .*version"),
        (lambda lines: [lines[0][:-4] + b'00"}', *lines[1:]], r"j:1: .*checksum"),
    ],
)
def test_damage_is_told_with_its_line(tmp_path: Path, damage: object, complaint: str) -> None:
    lines = written(tmp_path / "j", some_events(3)).read_bytes().splitlines()
    assert callable(damage)
    (tmp_path / "j").write_bytes(b"".join(line + b"\n" for line in damage(lines)))
    with pytest.raises(DamagedJournal, match=complaint) as caught:
        list(reader.read(tmp_path / "j"))
    assert caught.value.exit_code == ExitCode.RESUME_REFUSED


@pytest.mark.fault(69)
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"v":4,"type":"journal","program":"octogram-tui 9"}\nwhat we cannot know\n', "version 4 of the format"),
        (b'{"seq":1,"at_s":0,"type":"run_started","v":3,"run":"r","scenario":"s"}\n', "version 3 of the format"),
        (b"", "is empty"),
    ],
)
def test_what_no_program_of_today_wrote_is_refused_and_not_called_damaged(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(JournalError, match=complaint) as caught:
        list(reader.read(tmp_path / "j"))
    assert caught.value.exit_code == ExitCode.IO


@pytest.mark.fault(69)
def test_a_journal_of_a_former_version_is_read_without_seals(tmp_path: Path) -> None:
    head = b'{"v":1,"type":"journal","run":"r","program":"octogram-tui 0"}\n'
    lines = codec.encode_each(some_events(3))
    (tmp_path / "j").write_bytes(head + b"".join(lines))
    assert list(reader.read(tmp_path / "j")) == some_events(3)
    (tmp_path / "j").write_bytes(head + lines[1] + lines[0])
    with pytest.raises(DamagedJournal, match=r"j:3: .*event 1 comes after event 2"):
        list(reader.read(tmp_path / "j"))
    (tmp_path / "j").write_bytes(head + lines[0] + b"garbage\n")
    with pytest.raises(DamagedJournal, match=r"j:3: .*not JSON"):
        list(reader.read(tmp_path / "j"))


def damaged(data: bytes, draw: st.DataObject) -> bytes:
    """Change a file in one of the ways in which disks and people do, before its last line."""
    lines = data.splitlines(keepends=True)
    end = len(data) - len(lines[-1])
    one, other = sorted(draw.draw(st.lists(st.integers(1, len(lines) - 2), min_size=2, max_size=2, unique=True)))
    match draw.draw(st.sampled_from(["bit", "zeros", "swap", "double", "lose", "cut out", "put in"])):
        case "bit":
            at = draw.draw(st.integers(0, end - 1))
            return data[:at] + bytes([data[at] ^ 1 << draw.draw(st.integers(0, 7))]) + data[at + 1 :]
        case "zeros":
            at = draw.draw(st.integers(0, end - 1))
            length = draw.draw(st.integers(1, end - at))
            return data[:at] + bytes(length) + data[at + length :]
        case "swap":
            lines[one], lines[other] = lines[other], lines[one]
        case "double":
            lines.insert(one, lines[one])
        case "lose":
            del lines[one]
        case "cut out":
            at = draw.draw(st.integers(0, end - 1))
            return data[:at] + data[at + draw.draw(st.integers(1, end - at)) :]
        case "put in":
            at = draw.draw(st.integers(0, end - 1))
            return data[:at] + draw.draw(st.binary(min_size=1, max_size=30)) + data[at:]
    return b"".join(lines)


@pytest.mark.fault(68)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_no_damage_in_the_middle_passes(tmp_path: Path, draw: st.DataObject) -> None:
    count = draw.draw(st.integers(4, 12))
    whole = tmp_path / str(count)
    data = (whole if whole.exists() else written(whole, some_events(count))).read_bytes()
    changed = damaged(data, draw)
    (tmp_path / "j").write_bytes(changed)
    came: list[ev.Event] = []
    with pytest.raises(JournalError):
        deque(map(came.append, reader.read(tmp_path / "j")), 0)
    assert came == some_events(len(came)), "what comes before the damage is what was written"
    assert len(came) < count


def test_lines_are_json_and_their_seal_is_the_checksum_of_all_before_it(tmp_path: Path) -> None:
    data = written(tmp_path / "j", some_events(3)).read_bytes()
    place = 0
    for line in data.splitlines(keepends=True):
        found = json.loads(line)["crc"]
        place += line.rindex(b',"crc"')
        assert found == f"{zlib.crc32(data[:place]):08x}"
        place = data.index(b"\n", place) + 1


def test_a_file_that_events_wrote_is_read_too(tmp_path: Path) -> None:
    events: list[ev.Event] = [ev.RunStarted(seq=1, run="r", scenario="s"), *some_events(2, 2)]
    (tmp_path / "e").write_bytes(codec.encode_all(events))
    assert list(reader.read(tmp_path / "e")) == events


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="nothing: No such file"):
        list(reader.read(tmp_path / "nothing"))
    assert reader.last_event(tmp_path / "nothing") is None


def test_the_end_of_a_run_is_found_without_reading_all(tmp_path: Path) -> None:
    finish = ev.RunFinished(seq=3, exit_code=1, counts={"failed": 1})
    path = written(tmp_path / "j", [*some_events(2), finish])
    assert reader.ending(path) == finish
    assert reader.ending(written(tmp_path / "k", some_events(2))) is None
