"""A disk that fills up during a run, or before it, on the machine of the orchestrator."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures_program import Place, wait_for

from octogram_tui.journal import recovery
from octogram_tui.journal.reserve import RESERVE_BYTES, STEP_BYTES

TALKS = """
agents: [{name: a, transport: local}]
stages:
  - name: work
    jobs:
      - name: talk
        builtins.shell: "FILL; for i in $(seq 400); do printf '%1000d\\n' $i; sleep 0.01; done; sleep 100"
  - name: never
    jobs: [{name: begun, builtins.command: 'true'}]
  - name: tidy
    always: true
    jobs: [{name: collect, builtins.shell: "seq 1000; touch HOME/collected"}]
"""


def scenario(place: Place, fill: str = "true") -> str:
    return str(place.write("s.yml", TALKS.replace("FILL", fill).replace("HOME", str(place.home))))


def limit_files() -> None:
    """Let no file become longer than the journal's reserve and a little: for a process, that is a full disk."""
    limit = RESERVE_BYTES + STEP_BYTES * 3 // 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def ended_in_order(place: Place, run_dir: Path, done: subprocess.CompletedProcess[str]) -> None:
    """The run knew why it ended, what collects has run, and its journal has it all."""
    said = done.stdout + done.stderr
    assert done.returncode == 74, said
    assert "is full: what is kept of it for the journal is for the end of the run" in said
    assert "stopped by a full disk" in said
    assert (place.home / "collected").exists(), said
    assert recovery.is_sound(run_dir / "journal.jsonl")
    text = (run_dir / "journal.jsonl").read_text()
    assert '"exit_code":74' in text.splitlines()[-1]
    assert '"job_started","stage":"never"' not in text
    assert not [path for path in run_dir.rglob("*") if path.name.endswith(".part") or path.name == "ballast"]
    place.wait_clean()


@pytest.mark.fault(64)
def test_a_run_whose_journal_cannot_grow_ends_in_order(place: Place) -> None:
    run_dir = place.home / "run"
    done = place.run(scenario(place), "--headless", "--run-dir", str(run_dir), preexec_fn=limit_files)
    ended_in_order(place, run_dir, done)
    assert place.run("replay", "last", "--headless").returncode == 0


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """Mount a file system of that size, of its own."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.fault(64)
@pytest.mark.longfault
def test_a_disk_that_something_else_fills_leaves_the_run_its_end(place: Place) -> None:
    disk = place.home / "disk"
    with small_disk(disk, "6m"):
        fill = f"head -c 100m /dev/zero > {disk}/fill 2>/dev/null"
        done = place.run(scenario(place, fill), "--headless", "--run-dir", str(disk / "run"))
        ended_in_order(place, disk / "run", done)


@pytest.mark.fault(64)
@pytest.mark.longfault
@pytest.mark.terminal
def test_a_console_that_is_there_makes_space_and_the_run_goes_on(place: Place) -> None:
    disk = place.home / "disk"
    with small_disk(disk, "6m"):
        text = TALKS.replace("sleep 100", "for i in $(seq 300); do test -e HOME/end && exit; echo $i; sleep 0.1; done")
        text = text.replace("FILL", f"head -c 100m /dev/zero > {disk}/fill 2>/dev/null").replace(
            "HOME", str(place.home)
        )
        console = place.open(str(place.write("s.yml", text)), "--run-dir", str(disk / "run"))
        journal = disk / "run/journal.jsonl"
        wait_for(lambda: journal.exists() and '"type":"run_paused"' in journal.read_text())
        assert "make space and go on" in journal.read_text()
        (disk / "fill").unlink()
        wait_for(lambda: "there is space for the journal again" in journal.read_text())
        (place.home / "end").touch()
        place.ask("go")
        wait_for(lambda: '"stage_finished","stage":"tidy"' in journal.read_text())
        place.ask("stop")
        wait_for(lambda: '"type":"run_finished"' in journal.read_text())
        assert '"counts":{"ok":3}' in journal.read_text(), "what was held has run"
        console.sendline("q")
        console.close(force=True)
        place.wait_clean()


@pytest.mark.fault(64)
def test_a_run_begins_on_no_full_disk_and_can_be_tried_again_there(place: Place) -> None:
    run_dir = place.home / "run"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (RESERVE_BYTES - 1, RESERVE_BYTES - 1))

    path = str(place.write("s.yml", TALKS.replace("FILL", "exit").replace("HOME", str(place.home))))
    reports = ("--json", "--junit", str(place.home / "j.xml"))
    done = place.run(path, "--headless", "--run-dir", str(run_dir), *reports, preexec_fn=limit)
    assert done.returncode == 74, done.stdout + done.stderr
    assert done.stderr.startswith("octogram-tui: cannot create the journal"), "nothing is said of a run that was none"
    document = json.loads(done.stdout)
    assert (document["exit_code"], document["outcome"]) == (74, "failed")
    assert "cannot create the journal" in document["reason"]
    assert "cannot create the journal" in (place.home / "j.xml").read_text()
    assert "`ulimit -f`" in done.stderr
    assert not list(run_dir.iterdir()), "nothing is left of what did not begin"
    assert place.run(path, "--headless", "--run-dir", str(run_dir)).returncode == 0
    assert os.listdir(place.runs_dir) != []
