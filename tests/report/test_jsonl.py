"""`--events` gives every event as it comes, and never stands in the way of the run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import recorded

from octogram_tui import filing, streams
from octogram_tui.errors import ExitCode, JournalError
from octogram_tui.journal import codec, reader
from octogram_tui.report.jsonl import JsonLines


def test_a_file_gets_each_batch_at_once(tmp_path: Path) -> None:
    events = recorded.failing()
    target = tmp_path / "events.jsonl"
    report = JsonLines.open(str(target))
    report.apply(events[:5])
    assert len(target.read_bytes().splitlines()) == 5
    report.apply(events[5:])
    report.apply([])
    report.close()
    report.close()
    assert list(reader.read(target)) == events
    assert target.stat().st_mode & 0o777 == 0o600
    first = json.loads(target.read_bytes().splitlines()[0])
    assert (first["type"], first["seq"], first["v"]) == ("run_started", 1, codec.FORMAT_VERSION)


def test_a_pipe_whose_reader_is_gone_is_told_once() -> None:
    read_end, write_end = os.pipe()
    report = JsonLines.open("-", write_end)
    report.apply(recorded.failing()[:1])
    assert os.read(read_end, 1 << 16).endswith(b"\n")
    os.close(read_end)
    with pytest.raises(JournalError, match="standard output: Broken pipe"):
        report.apply(recorded.failing())
    report.apply(recorded.failing())
    report.close()
    os.close(write_end)


def test_a_pipe_whose_reader_takes_nothing_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "READER_WAIT_S", 0.05)
    read_end, write_end = os.pipe()
    report = JsonLines.open("-", write_end)
    for _ in range(100):
        report.apply(recorded.failing())  # more than a pipe holds
    with pytest.raises(JournalError, match="standard output: its reader takes nothing"):
        report.close()
    os.close(read_end)
    os.close(write_end)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="nowhere") as caught:
        JsonLines.open(str(tmp_path / "nowhere" / "e"))
    assert caught.value.exit_code == ExitCode.IO
    full = JsonLines.open("/dev/full")
    with pytest.raises(JournalError, match="/dev/full: No space left"):
        full.apply(recorded.failing())
    full.apply(recorded.failing())
    full.close()


def test_a_file_that_another_run_is_writing_is_left_to_it(tmp_path: Path) -> None:
    target = tmp_path / "events.jsonl"
    first = JsonLines.open(str(target))
    first.apply(recorded.failing()[:5])
    with pytest.raises(JournalError, match=r"events\.jsonl: another run is writing it"):
        JsonLines.open(str(target))
    assert len(target.read_bytes().splitlines()) == 5
    first.close()
    JsonLines.open(str(target)).close()
    assert target.read_bytes() == b""


def test_a_pipe_that_nobody_reads_is_told_and_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "READER_WAIT_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(JournalError, match="a pipe that nobody reads"):
        JsonLines.open(str(tmp_path / "pipe"))


def test_a_link_is_followed_and_a_descriptor_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("events.jsonl")
    with (tmp_path / "events.jsonl").open("wb", buffering=0) as before:
        before.write(b"first\n")
        report = JsonLines.open(f"/dev/fd/{before.fileno()}")
        report.apply(recorded.failing()[:1])
        report.close()
        before.write(b"last\n")
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert (lines[0], len(lines), lines[2]) == (b"first", 3, b"last")
    JsonLines.open(str(tmp_path / "link")).close()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "events.jsonl").read_bytes() == b""
