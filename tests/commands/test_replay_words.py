"""A replay without a screen: the moment and the speed that are asked for are heeded, and what is no moment is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from octogram_tui.commands import replay
from octogram_tui.errors import DamagedJournal, OctogramError, UsageError

JOURNAL = str(Path(__file__).parents[1] / "tui" / "recorded_failing.jsonl")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


def test_it_is_told_up_to_the_moment(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main([JOURNAL, "--headless", "--at", "sell", "--speed", "1000"]) == 0
    told = capsys.readouterr().out
    assert "fill the shelves" in told
    assert "== sell" in told
    assert "sell one octopus" not in told
    assert told.endswith("that is how it stood then; what came after it is left out\n")
    assert replay.main([JOURNAL, "--headless"]) == 0
    assert "sell one octopus" in capsys.readouterr().out


@pytest.mark.parametrize("look", ["--headless", "--accessible"])
@pytest.mark.parametrize("moment", ["nowhere", "@25:99", "-3", "12:99x"])
def test_what_is_no_moment_is_said(look: str, moment: str) -> None:
    with pytest.raises(OctogramError, match="is no moment of this run"):
        replay.main([JOURNAL, look, f"--at={moment}"])


@pytest.mark.parametrize("speed", ["-1", "nan"])
def test_a_speed_below_nothing_is_refused(speed: str) -> None:
    with pytest.raises(UsageError, match=f"--speed {speed}: give how many times"):
        replay.main([JOURNAL, f"--speed={speed}"])


@pytest.mark.fault(78)
@pytest.mark.parametrize("look", ["--headless", "--accessible"])
@pytest.mark.parametrize("number", ['"inf"', "1e999", "NaN", "-Infinity", "null", "[1]", "9" * 400])
@pytest.mark.parametrize("field", ["duration_s", "at_s", "attempt"])
def test_a_number_that_is_none_is_said_with_its_line(tmp_path: Path, look: str, number: str, field: str) -> None:
    lines = Path(JOURNAL).read_text("utf-8").splitlines()
    at = next(at for at, line in enumerate(lines) if '"type":"job_finished"' in line and '"duration_s"' in line)
    lines[at] = re.sub(f'"{field}":[0-9.]+', f'"{field}":{number}', lines[at])
    foreign = tmp_path / "foreign.jsonl"
    foreign.write_text("\n".join([*lines, ""]), "utf-8")
    with pytest.raises(DamagedJournal, match=f"foreign.jsonl:{at + 1}: not a journal, or a damaged one"):
        replay.main([str(foreign), look])
