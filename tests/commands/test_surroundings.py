"""Where and as whom the program is started: a working directory that was removed, a HOME that is empty."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from octogram_agentd.procedures.base import ProcedureFailed
from octogram_tui.cli import main
from octogram_tui.runtime.files import locate


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a directory that is not there any more."""
    directory = tmp_path / "gone"
    directory.mkdir()
    monkeypatch.chdir(directory)
    directory.rmdir()
    return directory


@pytest.mark.parametrize("line", ["../s.yml --headless", "s.yml", "check s.yml", "plan ../s.yml", "runs", "init"])
def test_a_working_directory_that_was_removed_is_said(
    nowhere: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    assert "the working directory cannot be told: No such file" in capsys.readouterr().err


def test_a_working_directory_that_is_removed_during_a_run_fails_its_copies_only(nowhere: Path) -> None:
    with pytest.raises(ProcedureFailed, match="the working directory was removed"):
        locate("x", nowhere.parent)


def test_an_empty_home_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "")
    assert main(["help", "exit-codes"]) == 0
    assert "HOME" not in os.environ
    assert Path.home() != Path("/")
