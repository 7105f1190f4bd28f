"""How a console starts its run: one process loads the scenario, and what it says reaches the user."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fixtures_program import wait_for

from octogram_tui.commands import console, host, run
from octogram_tui.journal import archive
from octogram_tui.settings import Settings
from octogram_tui.tui.app import ConsoleOutcome

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


@pytest.mark.parametrize("scenario", ["s.yml", "bad.yml"])
def test_no_run_is_begun_for_a_console_that_went_away(
    place: Path, monkeypatch: pytest.MonkeyPatch, scenario: str
) -> None:
    runs = place / "state" / "octogram-tui" / "runs"
    name, directory = archive.create(runs, "s.yml", datetime.now(UTC))
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "state"))
    monkeypatch.setenv("HOME", str(place))
    socket = archive.socket_path(name, directory, None)
    words = [name, str(directory), str(socket), str(writing), str(place / scenario)]
    with pytest.raises(host.ConsoleGone):
        host.main(words)
    assert [path.name for path in runs.iterdir()] == [".order"]
    assert archive.listing(runs) == []
    assert not (place / ".octogram").exists()


def test_a_run_whose_process_ended_before_it_could_say_so_is_not_lost(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "attach", attached)
    run.main(["s.yml", "--no-keep-alive"])
    monkeypatch.undo()
    runs = place / "state" / "octogram-tui" / "runs"
    wait_for(lambda: archive.find(runs, "last").state == "finished")
    known = archive.find(runs, "last")

    class Gone:
        """A connection that ends at once."""

        @classmethod
        async def connect(cls, path: str, *, only_watch: bool) -> Gone:
            return cls()

        async def close(self) -> None:
            """Nothing is held."""

    async def lost(*_: object, **__: object) -> ConsoleOutcome:
        return ConsoleOutcome("lost", None)

    monkeypatch.setattr("octogram_tui.runtime.client.Client", Gone)
    monkeypatch.setattr("octogram_tui.tui.app.run_console", lost)
    assert console.attach(known, Settings(place, place, None)) == 0
    assert "ended with exit code 0" in capsys.readouterr().out
