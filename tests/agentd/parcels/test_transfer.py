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
