"""Too few descriptors for a fleet, and an output that nobody takes: what becomes of the run."""

from __future__ import annotations

import re
import resource
import subprocess

import pytest
from fixtures_program import PROGRAM, Place

from octogram_tui.journal import recovery

FLEET = """
agents: [{name: 'a_{1..48}', transport: local}]
stages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]
"""
TALK = """
agents: [{name: a, transport: local}]
stages:
  - name: s
    jobs: [{name: talk, builtins.shell: 'for i in 1 2 3 4 5; do seq 200; sleep 0.1; done'}]
  - name: after
    jobs: [{name: last, builtins.command: 'true'}]
"""


@pytest.mark.fault(65)
def test_too_few_descriptors_are_told_at_once_with_what_to_do(place: Place) -> None:
    path = str(place.write("s.yml", FLEET))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))

    done = place.run(path, "--headless", preexec_fn=limit)
    said = done.stdout + done.stderr
    assert done.returncode == 6, said
    assert "Too many open files" in said
    assert "ulimit -n" in said
    place.wait_clean()
    assert place.last_run()["exit_code"] == 6, "the journal had all that it needs from the start"


@pytest.mark.fault(65)
def test_a_soft_limit_is_raised(place: Place) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (48, hard))

    fleet = FLEET.replace("builtins.command: 'true'", "builtins.shell: 'ulimit -Sn'")
    done = place.run(str(place.write("s.yml", fleet)), "--headless", "-v", preexec_fn=limit)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"\b48$", done.stdout, re.MULTILINE)) == 48, "jobs have what they expect"


@pytest.mark.fault(61)
@pytest.mark.parametrize("reader", ["| head -1", "> /dev/full"])
def test_a_run_goes_on_when_nobody_takes_what_it_says(place: Place, reader: str) -> None:
    path, run_dir = place.write("s.yml", TALK), place.home / "run"
    command = (
        f'{" ".join(PROGRAM)} {path} --headless -v --run-dir {run_dir} 2>/dev/null {reader}; echo "${{PIPESTATUS[0]}}"'
    )
    done = subprocess.run(
        ["bash", "-c", command], env=place.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1] in ("0", "74"), done.stdout
    journal = (run_dir / "journal.jsonl").read_text()
    assert '"key":"after/last@a","attempt":1,"state":"ok"' in journal or '"exit_code":0' in journal.splitlines()[-1]
    assert recovery.is_sound(run_dir / "journal.jsonl")
    assert place.last_run()["state"] == "finished"
