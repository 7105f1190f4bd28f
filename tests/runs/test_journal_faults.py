"""A disk that fails under a run's journal: nothing more is begun, agents are cleaned, and the journal does not lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures_program import Place

from octogram_tui.journal import recovery

STEPS = """
agents: [{name: a, transport: local}]
stages:
  - {name: one, jobs: [{name: first, builtins.command: 'true'}]}
  - {name: two, jobs: [{name: serve, builtins.start_process: {name: server, argv: [sleep, '100']}}]}
  - name: three  # in steps: what happens within the time of a group is synchronised at once
    jobs:
      - {name: pause, with_items: [1, 2, 3, 4, 5], builtins.command: [sleep, '0.3']}
      - {name: last, builtins.command: 'true'}
"""


@pytest.mark.fault(64)
@pytest.mark.parametrize("fault", ["journal.write:6:EIO", "journal.sync:2:EIO", "journal.write:6:EROFS"])
def test_a_failing_disk_ends_the_run_and_leaves_nothing(place: Place, fault: str) -> None:
    """After a failed sync the system may have dropped what was written: nothing is told of it as if it were kept."""
    place.extra["OCTOGRAM_FAULT"] = fault
    run_dir = place.home / "run"
    done = place.run(str(place.write("s.yml", STEPS)), "--headless", "--run-dir", str(run_dir))
    said = done.stdout + done.stderr
    assert done.returncode == 74, said
    verb = fault.partition(":")[0].rpartition(".")[2]
    assert f"cannot {verb} the journal" in said
    assert "last [a]" not in said, "nothing more is begun"
    place.wait_clean()
    assert recovery.is_sound(run_dir / "journal.jsonl")
    assert '"run_finished"' not in (run_dir / "journal.jsonl").read_text()
    assert not list(Path(run_dir).rglob("*.part"))
    del place.extra["OCTOGRAM_FAULT"]
    assert place.last_run()["state"] == "crashed"


@pytest.mark.fault(64)
def test_what_cannot_be_renamed_leaves_no_draft(place: Place) -> None:
    place.extra["OCTOGRAM_FAULT"] = "filing.rename:1:ENOSPC"
    run_dir = place.home / "run"
    done = place.run(str(place.write("s.yml", STEPS)), "--headless", "--run-dir", str(run_dir))
    assert done.returncode == 74, done.stdout + done.stderr
    assert "No space left on device" in done.stderr
    assert not list(place.home.rglob("*.part"))
    del place.extra["OCTOGRAM_FAULT"]
    assert place.run(str(place.home / "s.yml"), "--headless", "--run-dir", str(run_dir)).returncode == 0
