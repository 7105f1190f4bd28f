"""Logs: bounded, with their beginning, their end and an explicit gap; lines however they are cut."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from octogram_agentd.processes.logs import LINE_BYTES, MEMORY_BYTES, SEGMENTS, LineCutter, Log


def test_little_output_makes_no_files(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "x"))
    log.write(b"one\ntwo\n")
    log.write(b"three")
    assert log.tail() == b"one\ntwo\nthree"
    assert log.last_lines(2) == ["two", "three"]
    assert log.last_text(9) == ["three"]
    assert list(tmp_path.iterdir()) == []


def everything(log: Log) -> tuple[bytes, int]:
    data, offset, dropped = b"", 0, 0
    while True:
        piece, offset, gap = log.read(offset)
        dropped += gap
        if not piece:
            return data, dropped
        data += piece


def test_much_output_keeps_both_ends(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "x"), head_bytes=100_000, segment_bytes=50_000)
    whole = b"".join(b"%07d\n" % number for number in range(100_000))
    for start in range(0, len(whole), 3333):
        log.write(whole[start : start + 3333])
    assert log.size_bytes == len(whole)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 100_000 + SEGMENTS * 50_000
    assert len(list(tmp_path.iterdir())) == 1 + SEGMENTS
    (gap,) = log.gaps()
    data, dropped = everything(log)
    assert dropped == gap[1] - gap[0] > 500_000
    assert data == whole[: gap[0]] + whole[gap[1] :]
    assert gap[0] == 100_000
    assert log.tail(1000) == whole[-1000:]
    assert log.tail(MEMORY_BYTES) == whole[-MEMORY_BYTES:]
    assert whole.endswith(log.tail(90_000))
    log.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_fits_is_whole(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "x"))
    whole = bytes(range(256)) * 1000
    for start in range(0, len(whole), 1000):
        log.write(whole[start : start + 1000])
    assert everything(log) == (whole, 0)
    log.close()
    assert log.tail(10**9) == whole


def test_a_full_disk_is_said_and_costs_no_memory(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "missing" / "x"))
    for _ in range(100):
        log.write(b"x" * 10_000)
    assert "could not be written" in log.trouble
    assert log.memory_bytes <= 2 * MEMORY_BYTES + 10_000
    data, dropped = everything(log)
    assert len(data) + dropped == log.size_bytes


@given(st.lists(st.binary(max_size=30)))
def test_cuts_do_not_matter(parts: list[bytes]) -> None:
    cutter = LineCutter()
    lines = [line for part in parts for line in cutter.feed(part)] + cutter.close()
    whole = b"".join(parts)
    expected = whole.decode("utf-8", "replace").split("\n")
    assert lines == (expected if expected[-1] else expected[:-1])


def test_long_lines_are_cut_between_characters() -> None:
    text = "ä" * LINE_BYTES + "\nshort\n" + "🙂" * LINE_BYTES
    data = b"x" + text.encode()
    for step in (1000, LINE_BYTES, len(data)):
        cutter = LineCutter()
        lines: list[str] = []
        for start in range(0, len(data), step):
            lines += cutter.feed(data[start : start + step])
        lines += cutter.close()
        assert all(len(line.encode()) <= LINE_BYTES for line in lines)
        assert "".join(lines) == "x" + text.replace("\n", "")
        assert "short" in lines


def test_a_line_whose_beginning_is_not_remembered_says_so(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "x"))
    log.write(b"a" * MEMORY_BYTES + b"b\nlast")
    assert [line[:2] for line in log.last_lines(5)] == ["…a", "la"]
    assert log.last_lines(1) == ["last"]
    log.close()
