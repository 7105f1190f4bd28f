"""How a console starts its run: one process loads the scenario, and what it says reaches the user."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures_program import wait_for

from octogram_tui.commands import console, run
from octogram_tui.journal import archive
from octogram_tui.settings import Settings

GOOD = """
agents: [{name: a, transport: local}]
stages: [{name: s, jobs: [{name: j, builtins.sleep: 0, until: 'true'}]}]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a scenario, in which the main command opens a console, and never loads a scenario itself."""
    (tmp_path / "s.yml").write_text(GOOD)
    (tmp_path / "bad.yml").write_text(GOOD.replace("sleep: 0", "sleep: -1"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    original = run.read_request
    monkeypatch.setattr(run, "read_request", lambda argv: original(argv, opens_console=True))

    def loaded_here(*arguments: object, **options: object) -> None:
        raise AssertionError("the console's process has loaded the scenario")

    monkeypatch.setattr("octogram_tui.scenario.load.load_scenario", loaded_here)
    return tmp_path


def attached(known: archive.KnownRun, settings: Settings, **options: object) -> int:
    """Stand in for the console."""
    wait_for(lambda: '"run_finished"' in (known.directory / archive.JOURNAL).read_text())
    return 42


def test_the_runs_process_alone_loads_the_scenario(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "attach", attached)
    assert run.main(["s.yml", "--no-keep-alive"]) == 42
    assert "warning: `until` is asked once only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "exit_code", "said"),
    [
        (["bad.yml"], 3, "bad.yml:3:53: error: `seconds` must be at least 0, not the number -1"),
        (["gone.yml"], 3, "gone.yml: error: there is no such file"),
        (["s.yml", "--from", "t"], 2, "octogram-tui: --from 't': the scenario has no stage of that name"),
    ],
)
@pytest.mark.parametrize("named", [[], ["--run-dir", "mine"]])
def test_what_is_wrong_is_said_and_leaves_no_run(
    place: Path, argv: list[str], exit_code: int, said: str, named: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main([*argv, *named]) == exit_code
    assert said in capsys.readouterr().err
    assert [path.name for path in (place / "state" / "octogram-tui" / "runs").iterdir()] == [".order"]


def test_a_run_keeps_the_text_that_it_was_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from octogram_tui.report.headless import run_headless

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "s.yml"
    path.write_text(GOOD)
    invocation = run.load_request(run.read_request([str(path), "--headless", "-q"], opens_console=False))
    path.write_text(GOOD.replace("sleep: 0", "sleep: 3000"))
    name, directory = run.make_run(invocation)
    settings = run.host_settings(invocation, name, directory, tmp_path / "control")
    assert run_headless(invocation.scenario, invocation.options(name), settings, invocation.output(directory)) == 0
    assert (directory / "scenario.yml").read_text() == GOOD
