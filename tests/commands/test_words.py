"""What is suggested for a word of the command line that means nothing: what was meant, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from octogram_tui.cli import main
from octogram_tui.commands.words import nearest

SCENARIO = "agents: [{name: a, transport: local}]\nstages: [{name: s one, jobs: [{name: j, builtins.sleep: 0}]}]\n"


EMPTY = (
    *("--variables", "--agents", "--limit", "--tags", "--ssh-config", "--theme", "--keys"),
    *("--events", "--junit", "--metrics", "--run-dir", "--rerun-failed"),
)
"""Options that would mean everything, or be another one's default, where a script's variable is not set."""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--headless demo", "'demo' is a command, and a command comes first"),
        ("--local -q check s.yml", "write `octogram-tui check`, then the rest"),
        ("-e check --junit plan", "SCENARIO is missing"),
        ("explain", "`octogram-tui help` lists the commands"),
        ("--headless explain", "`octogram-tui help` lists the commands"),
        ("expense", "`octogram-tui help` lists the commands"),
        ("lint s.yml", "did you mean 'check'?"),
        ("list", "did you mean 'runs'?"),
        ("stop", "did you mean 'ask last stop'?"),
        ("run s.yml", "a scenario is run by its name alone: `octogram-tui s.yml`"),
        ("run --headless", "a scenario is run by its name alone: `octogram-tui SCENARIO`"),
        ("docter", "did you mean 'doctor'?"),
        ("Check s.yml", "did you mean 'check'?"),
        ("s", "did you mean 's.yml'?"),
        ("check s", "did you mean 's.yml'?"),
        ("plan t", "there is no file 't'"),
        ("s.yml check", "did you mean `octogram-tui check s.yml`?"),
        ("s.yml t.yml", "'t.yml' is a word too many: a run has one scenario, 's.yml'"),
        ("replay a b", "too many words: b"),
        ("--junit s.yml", "--junit took 's.yml' for its value"),
        ("s.yml --form a", "did you mean --from?"),
        ("s.yml --set a=1", "did you mean --var?"),
        ("s.yml --inventory a", "did you mean --agents?"),
        ("s.yml --no-color", "did you mean --color never?"),
        ("s.yml --dry", "did you mean --dry-run?"),
        ("s.yml -x", "there is no option -x"),
        *((f"s.yml {option}=", f"{option}: nothing is given") for option in EMPTY),
        ("s.yml --from -x", "a value that begins with `-` is written --from=VALUE"),
        ("s.yml --var --dry-run", "`octogram-tui --help` lists what there is"),
        ("s.yml --keep", "`octogram-tui --help` lists what there is"),
        ("check --frm a s.yml", "`octogram-tui help check` lists what there is"),
        ("check --headless s.yml", "--headless is an option of a run"),
        ("s.yml --from S_one", "did you mean 's one'?"),
        ("s.yml --from first", "stages: s one"),
        ("help docter", "did you mean `octogram-tui help doctor`?"),
        ("help tests", "topics: check, "),
    ],
)
def test_what_is_suggested_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    (tmp_path / "s.yml").write_text(SCENARIO)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(line.split()) == 2
    told = capsys.readouterr().err
    assert said in told
    if not said.startswith("did you mean"):
        assert "did you mean" not in told


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("stoped", ["stopped", "started"], "stopped"),
        ("deplyo", ["deploy", "destroy"], "deploy"),
        ("de", ["deploy"], None),
        ("dep", ["deploy", "depend"], None),
        ("load_test", ["load test", "unload"], "load test"),
        ("plan", ["explain"], None),
        ("cat", ["car", "bat"], None),
        ("", ["a"], None),
    ],
)
def test_what_is_near(word: str, known: list[str], found: str | None) -> None:
    assert nearest(word, known) == found
