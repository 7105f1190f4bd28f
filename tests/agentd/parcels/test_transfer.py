"""The agent's end of a copy, when the stream and the process end together."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from parcel_parts import ROOT, file_parts

from octogram_agentd.parcels import transfer
from octogram_agentd.parcels.landing import Landing
from octogram_agentd.procedures.base import ProcedureFailed


def test_a_signal_that_comes_with_the_end_of_the_stream_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    reading, writing = os.pipe()
    os.write(writing, ROOT + file_parts("a", b"x" * 100))
    os.close(writing)
    close = Landing.close

    def close_under_a_signal(landing: Landing) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        close(landing)

    monkeypatch.setattr(Landing, "close", close_under_a_signal)
    monkeypatch.setattr(transfer, "_REMOVING", [])
    before = signal.signal(signal.SIGTERM, transfer._end)
    request = {"home": str(home), "path": "target", "name": "source", "dir": True, "bytes": 100}
    try:
        with pytest.raises(ProcedureFailed, match="the copy was broken off"):
            transfer.put(reading, request, b"")
    finally:
        signal.signal(signal.SIGTERM, before)
        os.close(reading)
    assert list(home.iterdir()) == []


@pytest.mark.fault(97)
@pytest.mark.parametrize("ends", ["the run of this agent has ended", "the other end was quiet for"])
def test_a_copy_whose_other_end_is_gone_without_a_word_ends_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """As when a connection was cut in the middle: nothing comes any more, and no end of file either."""
    monkeypatch.setattr(transfer, "_REMOVING", [])
    monkeypatch.setattr(transfer, "LOOK_S", 0.01)
    monkeypatch.setattr(transfer, "QUIET_S", 60.0 if "run" in ends else 0.05)
    home = tmp_path / "home"
    home.mkdir()
    reading, writing = os.pipe()
    os.write(writing, ROOT + file_parts("a", b"x" * 100)[:50])
    if "run" in ends:
        monkeypatch.setattr(transfer, "_check_space", lambda *_: home.rename(tmp_path / "removed"))
    request = {"home": str(home), "path": "target", "name": "source", "dir": True, "bytes": 100}
    with pytest.raises(ProcedureFailed, match=ends):
        transfer.put(reading, request, b"")
    os.close(reading)
    os.close(writing)
    assert [path for path in tmp_path.rglob("*") if path.name not in ("home", "removed")] == []


@pytest.mark.fault(97)
def test_a_fetch_that_nobody_takes_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "LOOK_S", 0.01)
    monkeypatch.setattr(transfer, "QUIET_S", 0.05)
    (tmp_path / "f").write_bytes(b"x" * 300_000)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with pytest.raises(SystemExit):
        transfer.get(writing, {"home": str(tmp_path), "path": "f"})
    os.close(reading)
    os.close(writing)
