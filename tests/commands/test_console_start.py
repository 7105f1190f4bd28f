"""How a console starts its run: one process loads the scenario, and what it says reaches the user."""

from __future__ import annotations

import os
import select
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fixtures_program import wait_for

from octogram_tui.commands import console, host, launch, run
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
    monkeypatch.setattr("octogram_tui.tui.opening.run_console", lost)
    assert console.attach(known, Settings(place, place, None)) == 0
    assert "ended with exit code 0" in capsys.readouterr().out


def host_that(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let another program stand in for the run's process; `$W` is where it is listened to."""
    real = subprocess.Popen

    def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        fd = options["pass_fds"][0]
        return real(["bash", "-c", f"W=/dev/fd/{fd}; close() {{ exec {fd}>&-; }}; {script}"], **options)

    monkeypatch.setattr("octogram_tui.commands.launch.subprocess.Popen", start)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("kill -KILL $$", r"it was killed \(SIGKILL\), as the system does when memory runs out"),
        ("echo 'almost there' >&2; kill -TERM $$", r"almost there \(it was ended by SIGTERM\)"),
        ("exit 7", "it ended with exit status 7, and said nothing"),
        ("printf 'Traceback:\\n  File x\\nMemoryError: no\\n  a hint\\n' >&2; exit 1", "start: MemoryError: no$"),
        ("printf '{\"said\"' >$W; exit 1", "it ended with exit status 1"),
    ],
)
def test_a_run_that_did_not_start_says_how_its_process_ended(
    place: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    host_that(monkeypatch, script)
    with pytest.raises(launch.HostFailed, match=said) as failed:
        run.main(["s.yml"])
    assert launch.HOST_LOG in failed.value.hint


def test_a_process_that_is_only_slow_is_waited_for(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launch, "SLOW_START_S", 0.01)
    (place / "gate").mkdir()
    os.mkfifo(place / "gate" / "go")
    host_that(monkeypatch, 'read < gate/go; echo \'{"said": "no", "exit_code": 3}\' > $W')
    real_select = select.select

    def noticed(*arguments: Any) -> Any:
        found = real_select(*arguments)
        if len(arguments) == 4:  # the wait that ends: it was slow, and may go on
            (place / "gate" / "go").write_text("\n")
        return found

    monkeypatch.setattr("octogram_tui.commands.launch.select.select", noticed)
    assert run.main(["s.yml"]) == 3
    assert "still at the scenario" in capsys.readouterr().err


def test_a_process_that_shuts_its_pipe_and_stays_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "END_S", 0.05)
    started: list[subprocess.Popen[bytes]] = []
    host_that(monkeypatch, "close; exec sleep 60")
    stand_in = subprocess.Popen  # by now ours

    def kept(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(stand_in(*arguments, **options))
        return started[0]

    monkeypatch.setattr("octogram_tui.commands.launch.subprocess.Popen", kept)
    try:
        with pytest.raises(launch.HostFailed, match="says nothing, and does not end"):
            run.main(["s.yml"])
    finally:
        started[0].kill()
        started[0].wait()


@pytest.mark.parametrize("error", [OSError(12, "Cannot allocate memory"), OSError(28, "No space left on device")])
def test_a_process_that_cannot_be_started_is_one_line(
    place: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("octogram_tui.commands.launch.subprocess.Popen", refused)
    with pytest.raises(launch.HostFailed, match=f"cannot be started: {error.strerror}"):
        run.main(["s.yml"])


@pytest.mark.parametrize(
    ("states", "raised", "said"),
    [
        (["running", "running", "finished"], None, ""),
        (["running"], console.ConnectionLost, "the connection to run .* was lost; the run goes on"),
        (["running", "crashed"], console.HostLost, "it said last: cannot write the journal"),
    ],
)
def test_a_console_that_lost_its_run_looks_again_before_it_says_so(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    states: list[archive.RunState],
    raised: type[Exception] | None,
    said: str,
) -> None:
    info = archive.RunInfo("r", "s.yml", 1, "2026-01-01T00:00:00Z")
    (place / launch.HOST_LOG).write_text("octogram-tui: cannot write the journal\n  free some space\n")
    left = list(states)

    def load(directory: Path) -> archive.KnownRun:
        state = left.pop(0) if len(left) > 1 else left[0]
        return archive.KnownRun(info, directory, state, 0 if state == "finished" else None)

    monkeypatch.setattr(archive, "load", load)
    monkeypatch.setattr(console, "STOP_LOOK_S", 0.001)
    monkeypatch.setattr(console, "ENDING_S", 0.05 if states == ["running"] else 60.0)
    known = archive.KnownRun(info, place, "running")
    if raised is None:
        assert console._exit_code_of_lost(known) == 0
    else:
        with pytest.raises(raised, match=said):
            console._exit_code_of_lost(known)


@pytest.mark.parametrize("read_only", [True, False])
def test_who_only_watches_only_watches_the_next_run_too(
    place: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    info = archive.RunInfo("one", "s.yml", 1, "2026-01-01T00:00:00Z")
    runs = {name: archive.KnownRun(replace(info, run=name), place, "running") for name in ("one", "two")}
    outcomes = iter([ConsoleOutcome("detached", None, "two"), ConsoleOutcome("finished", 7)])
    asked: list[bool] = []

    class Watched:
        """A connection that nothing comes of."""

        @classmethod
        async def connect(cls, path: str, *, only_watch: bool) -> Watched:
            asked.append(only_watch)
            return cls()

        async def close(self) -> None:
            """Nothing is held."""

    async def left(*_: object, **options: object) -> ConsoleOutcome:
        assert options["read_only"] is read_only
        return next(outcomes)

    monkeypatch.setattr(archive, "find", lambda _, name: runs[name])
    monkeypatch.setattr("octogram_tui.runtime.client.Client", Watched)
    monkeypatch.setattr("octogram_tui.tui.opening.run_console", left)
    assert console.attach(runs["one"], Settings(place, place, None), read_only=read_only) == 7
    assert asked == [read_only, read_only]
