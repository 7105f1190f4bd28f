"""A run whose process was killed goes on where it was: nothing is lost, and nothing is executed twice."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures_program import Place, events_of, send_signal, wait_for

from octogram_tui.commands.resume import Resumption
from octogram_tui.journal import reader, recovery

SCENARIO = """agents: [{name: a, transport: local}, {name: b, transport: local}]
vars: {mark: first}
stages:
  - name: one
    jobs:
      - name: j
        builtins.shell: "echo one-{{ agent.name }} >> $ORACLE; echo out"
        vars_updates: {seen: "{{ vars.mark }}"}
  - name: two
    jobs:
      - name: k
        builtins.shell: "echo two-{{ agent.name }} >> $ORACLE; while [ ! -e $GO ]; do sleep 0.05; done; echo late"
  - name: three
    jobs: [{name: l, builtins.shell: "echo three-{{ agent.name }}-{{ vars.seen }} >> $ORACLE"}]
"""
DONE = {f"{stage}-{agent}" for stage in ("one", "two") for agent in "ab"} | {"three-a-first", "three-b-first"}


class Story:
    """One run that is killed amid its second stage."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.oracle = place.home / "oracle"
        self.go = place.home / "go"
        self.text = SCENARIO.replace("$ORACLE", str(self.oracle)).replace("$GO", str(self.go))
        self.path = place.write("s.yml", self.text)

    @property
    def executed(self) -> list[str]:
        return self.oracle.read_text().split() if self.oracle.exists() else []

    def crash(self, *arguments: str) -> str:
        """Kill the run's process; gives the run's name."""
        process = self.place.start(str(self.path), "--headless", *arguments)
        wait_for(lambda: {"two-a", "two-b"} <= set(self.executed) or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        return str(self.place.last_run()["run"])

    def resume(self, *arguments: str) -> Any:
        return self.place.run("resume", "last", *arguments)

    def journal(self, run: str) -> Path:
        return self.place.runs_dir / run / "journal.jsonl"


@pytest.fixture
def story(place: Place) -> Story:
    return Story(place)


@pytest.mark.fault(56)
def test_a_killed_run_goes_on_and_each_job_was_executed_once(story: Story) -> None:
    run = story.crash("--events", "e.jsonl", "--junit", "j.xml", "--timeout", "600")
    assert story.place.last_run()["state"] == "crashed"
    for name in ("alive", "journal.jsonl"):  # as if nobody had come for long
        then_s = time.time() - 100
        os.utime(story.place.runs_dir / run / name, (then_s, then_s))
    process = story.place.start("resume", "last")
    told = story.place.home / "e.jsonl"
    wait_for(lambda: told.read_text().count('"type":"job_adopted"') == 2)
    story.go.touch()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert f"run {run} goes on, after " in out
    assert "without a process; 2 under way are asked for" in out
    assert "== one" not in out  # was told when it came
    assert Counter(story.executed) == Counter(DONE)
    events = events_of((story.place.home / "e.jsonl").read_text())
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    types = Counter(event["type"] for event in events)
    assert (types["run_started"], types["run_taken_up"], types["job_adopted"], types["run_finished"]) == (1, 1, 2, 1)
    assert [event["down_s"] >= 100 for event in events if event["type"] == "run_taken_up"] == [True]
    assert types["job_finished"] == 6
    assert {event["attempt"] for event in events if event["type"] == "job_finished"} == {1}
    assert 'tests="6" failures="0"' in (story.place.home / "j.xml").read_text()
    assert [event.TYPE for event in reader.read(story.journal(run))] == [event["type"] for event in events]
    assert recovery.is_sound(story.journal(run))
    (told,) = (line["with"] for line in map(_take_up, reader.read_lines(story.journal(run))) if line)
    assert "timeout_s" not in told  # what is left of the first one is what counts
    assert story.place.last_run()["state"] == "finished"
    assert "OK after" in story.place.run("replay", "last").stdout
    assert story.place.run("compare", run, run).returncode == 0
    again = story.resume()
    assert again.returncode == 9
    assert "is over: it ended with exit code 0" in again.stderr


@pytest.mark.fault(56)
def test_what_ended_while_nobody_was_there_is_taken_as_it_ended(story: Story) -> None:
    story.crash()
    story.go.touch()
    wait_for(lambda: not [line for line in story.place.processes() if "sleep 0.05" in line])
    done = story.resume()
    assert done.returncode == 0, done
    assert Counter(story.executed) == Counter(DONE)


@pytest.mark.fault(30, 56)
def test_daemons_that_died_too_leave_their_jobs_in_doubt_and_nothing_runs_again_by_itself(story: Story) -> None:
    story.crash()
    send_signal(story.place.daemons(), signal.SIGKILL)
    done = story.resume()
    assert done.returncode in (7, 10), done  # 10 where it cannot be proven that nothing escaped
    assert "nobody knows how it ended" in done.stdout
    assert sorted(story.executed) == ["one-a", "one-b", "two-a", "two-b"]
    failed = [e for e in reader.read(story.journal(story.place.last_run()["run"])) if e.TYPE == "job_in_doubt"]
    assert len(failed) == 2


def test_an_edit_comes_into_force_unless_the_run_is_to_go_on_as_it_was(story: Story) -> None:
    story.crash()
    story.go.touch()
    story.path.write_text(story.text.replace("three-{{ agent.name }}", "changed-{{ agent.name }}"))
    done = story.resume()
    assert done.returncode == 0, done
    assert sorted(story.executed)[:2] == ["changed-a-first", "changed-b-first"]
    assert len(story.executed) == 6


def test_as_it_was_needs_no_file_of_the_scenario(story: Story) -> None:
    story.crash()
    story.go.touch()
    story.path.write_text("stages: [")
    refused = story.resume()
    assert refused.returncode == 9
    assert "--as-it-was" in refused.stderr
    story.path.unlink()
    assert story.resume().returncode == 9
    done = story.resume("--as-it-was")
    assert done.returncode == 0, done
    assert Counter(story.executed) == Counter(DONE)


def test_a_console_sees_no_edits_of_a_run_that_is_to_go_on_as_it_was(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = story.crash()
    monkeypatch.chdir(story.place.home)
    monkeypatch.setenv("XDG_STATE_HOME", str(story.place.home / ".local/state"))
    for options, sees_edits in (([], True), (["--as-it-was"], False)):
        resumption = Resumption.read([run, *options], opens_console=True)
        settings = resumption.host_settings(resumption.load(), story.place.home / "socket")
        assert (settings.reload is not None) is sees_edits
    assert story.place.run("clean", run, "--yes").returncode == 0


@pytest.mark.fault(56, 102)
def test_a_run_can_crash_again_while_it_goes_on_and_while_it_ends(story: Story) -> None:
    story.crash()
    for _ in range(2):
        process = story.place.start("resume", "last")
        out = iter(process.stdout or ())
        assert any("goes on, after" in line for line in out)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    story.go.touch()
    story.place.extra["OCTOGRAM_FAULT"] = "effect.StopAgent"
    done = story.resume()
    assert done.returncode == -signal.SIGKILL, done
    del story.place.extra["OCTOGRAM_FAULT"]
    done = story.resume()
    assert done.returncode == 0, done
    assert Counter(story.executed) == Counter(DONE)


@pytest.mark.fault(56, 88)
def test_secrets_are_read_again_and_never_were_written(story: Story) -> None:
    told = "echo {{ vars.key }} | grep -c '^.\\{14\\}$' >> " + str(story.oracle)
    text = story.text.replace("vars:", "secrets: {key: {env: THE_KEY}}\nvars:").rstrip()
    story.path.write_text(
        text.replace("echo out", "echo {{ vars.key }}")[:-1] + f", {{name: m, builtins.shell: {json.dumps(told)}}}]\n"
    )
    story.place.extra["THE_KEY"] = "hunter2hunter2"
    run = story.crash()
    story.go.touch()
    del story.place.extra["THE_KEY"]
    refused = story.resume()
    assert refused.returncode in (3, 9), refused
    assert "THE_KEY" in refused.stderr
    story.place.extra["OTHER"] = "hunter2hunter2"
    done = story.resume("--secret", "key=env:OTHER")
    assert done.returncode == 0, done
    assert Counter(story.executed) == Counter(DONE) + Counter({"1": 2})
    files = [path for path in (story.place.runs_dir / run).rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"hunter2" in path.read_bytes()]


def test_a_run_that_goes_on_is_not_taken_from_its_process(story: Story) -> None:
    process = story.place.start(str(story.path), "--headless")
    wait_for(lambda: {"two-a", "two-b"} <= set(story.executed))
    refused = story.resume()
    assert refused.returncode == 9
    assert " goes on" in refused.stderr
    story.go.touch()
    process.communicate()
    assert process.returncode == 0


def test_a_run_of_a_former_version_is_refused_with_the_reason(story: Story) -> None:
    run = story.crash()
    (story.place.runs_dir / run / "terms.json").unlink()
    refused = story.resume()
    assert refused.returncode == 9
    assert "was not kept with it" in refused.stderr
    assert story.place.run("clean", run, "--yes").returncode == 0


@pytest.mark.terminal
def test_a_console_opens_onto_a_run_that_goes_on(story: Story) -> None:
    story.crash()
    terminal = story.place.open("resume", "last", size=(120, 40))
    terminal.expect("two")
    story.go.touch()
    wait_for(lambda: set(story.executed) == DONE)
    wait_for(lambda: bool(story.place.ask("stop")) if _is_live(story) else True)
    terminal.close(force=True)
    wait_for(lambda: story.place.last_run()["state"] == "finished")


def _take_up(line: object) -> dict[str, Any]:
    return line if isinstance(line, dict) and line.get("fed") == "TakeUpRequest" else {}


def _is_live(story: Story) -> bool:
    return bool(story.place.last_run()["state"] not in ("crashed", "finished"))


def test_the_record_of_a_crashed_run_is_one_line_of_json(story: Story) -> None:
    run = story.crash()
    record = json.loads(story.place.run("runs", "--json").stdout.splitlines()[-1])
    assert (record["run"], record["state"], len(record["left"]["agents"])) == (run, "crashed", 2)
    assert story.place.run("clean", run, "--yes").returncode == 0


def test_what_is_refused_leaves_the_reports_as_they_were(story: Story) -> None:
    story.crash("--events", "e.jsonl", "--junit", "j.xml", "--metrics", "m.txt")
    home = story.place.home
    before = {
        name: (home / name).read_bytes() if (home / name).exists() else b"" for name in ("e.jsonl", "j.xml", "m.txt")
    }
    assert before["e.jsonl"]
    story.path.write_text(story.text + "  bad: [\n")
    refused = story.resume("--headless")
    assert refused.returncode == 9, refused.stdout
    assert "UNFINISHED" not in refused.stdout
    assert "again:" not in refused.stdout
    assert {name: (home / name).read_bytes() if (home / name).exists() else b"" for name in before} == before
    story.path.write_text(story.text)
    story.go.touch()
    done = story.resume("--headless")
    assert done.returncode == 0, done.stdout
    events = events_of((home / "e.jsonl").read_text())
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert "exit None" not in (home / "j.xml").read_text()


def test_a_run_in_a_directory_that_is_named_from_another_one_goes_on(story: Story) -> None:
    (story.place.home / "z").mkdir()
    story.crash("--run-dir", "z/r")
    story.go.touch()
    done = story.place.run("resume", "r/", "--headless", cwd=story.place.home / "z")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(story.executed) == DONE


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Give a directory that has room for a socket, whatever those of tests are called."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        yield Path(directory)


def test_no_directory_of_a_control_socket_stays(story: Story, short_path: Path) -> None:
    """Of a run in a directory whose path is too long for a socket, which is elsewhere then."""
    story.place.extra["TMPDIR"] = str(short_path)
    long = "x" * 110
    story.crash("--run-dir", long)
    assert len(list(short_path.glob("octogram-tui-*"))) == 1
    story.path.write_text(story.text + "  bad: [\n")
    assert story.place.run("resume", f"{long}/", "--headless").returncode == 9
    assert len(list(short_path.glob("octogram-tui-*"))) == 1
    story.path.write_text(story.text)
    story.go.touch()
    done = story.place.run("resume", f"{long}/", "--headless")
    assert done.returncode == 0, done.stdout + done.stderr
    assert story.place.run("s.yml", "--headless", "--run-dir", f"{long}2", "--events", "/nonexist/x").returncode == 74
    assert not list(short_path.glob("octogram-tui-*"))
