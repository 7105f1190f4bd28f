"""Looks and keys that there are not are refused before a run is made, and not when its console opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from octogram_tui.cli import main
from octogram_tui.commands import run

SCENARIO = "agents: [{name: a, transport: local}]\nstages: [{name: s, jobs: [{name: j, builtins.sleep: 0}]}]\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "s.yml").write_text(SCENARIO)
    (tmp_path / "config" / "octogram-tui").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    original = run.read_request
    monkeypatch.setattr(run, "read_request", lambda argv: original(argv, opens_console=True))
    return tmp_path


@pytest.mark.parametrize(
    ("line", "keys", "said"),
    [
        ("s.yml --keys gbd", "", "there are no keys 'gbd'"),
        ("s.yml --keys gbd", "", "did you mean 'gdb'?"),
        ("s.yml --theme drak", "", "there is no theme 'drak'"),
        ("s.yml", 'step-over = "r"\n', "keys.toml:1: r is the key of 'rerun' and of 'step over'"),
        ("s.yml", 'step = "r"\n', "it is two now: 'step-over', to the end of the row, and 'step-into', one attempt"),
        ("s.yml --keys gdb", 'skip = "p"\n', "keys.toml:1: p is the key of 'skip' and of 'edit variable'"),
    ],
)
def test_a_wrong_look_is_said_and_nothing_is_begun(
    place: Path, line: str, keys: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if keys:
        (place / "config" / "octogram-tui" / "keys.toml").write_text(keys)
    assert main(line.split()) == 2
    assert said in capsys.readouterr().err
    assert not (place / "state").exists()


def test_the_variable_is_checked_as_every_setting_is(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OCTOGRAM_KEYS", "emacs")
    assert main(["s.yml"]) == 2
    assert "OCTOGRAM_KEYS: 'emacs' is none of default, vscode, gdb, nohjkl" in capsys.readouterr().err
