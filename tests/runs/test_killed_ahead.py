"""A run's process is killed while an agent holds its next job already, or has begun it: each is executed once."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest
from fixtures_program import Place, events_of, wait_for

SCENARIO = """agents: [{name: a, transport: local}]
stages:
  - name: one
    jobs:
      - {name: j, builtins.shell: "echo j >> $ORACLE; while [ ! -e $GO-j ]; do sleep 0.02; done"}
      - {name: k, builtins.shell: "echo k >> $ORACLE; echo said; while [ ! -e $GO-k ]; do sleep 0.02; done"}
      - {name: l, builtins.shell: "echo l >> $ORACLE"}
"""


@pytest.mark.fault(56)
@pytest.mark.parametrize("amid", ["held", "begun"])
def test_what_an_agent_had_ahead_when_the_process_was_killed_is_executed_once(place: Place, amid: str) -> None:
    """Begun means while nobody was there: the one before ended then, and so the agent went on by itself."""
    oracle = place.home / "oracle"
    text = SCENARIO.replace("$ORACLE", str(oracle)).replace("$GO", str(place.home / "go"))
    process = place.start(str(place.write("s.yml", text)), "--headless", "--events", "e.jsonl")
    wait_for(lambda: oracle.exists() or process.poll() is not None)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    if amid == "begun":
        (place.home / "go-j").touch()
        wait_for(lambda: oracle.read_text().split() == ["j", "k"])
    process = place.start("resume", "last")
    told = place.home / "e.jsonl"
    wait_for(lambda: '"type":"run_taken_up"' in told.read_text() or process.poll() is not None)
    (place.home / "go-j").touch()
    (place.home / "go-k").touch()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert Counter(oracle.read_text().split()) == Counter("jkl")
    events = events_of(told.read_text())
    order = [(e["type"], e["key"]) for e in events if e["type"] in ("job_started", "job_finished")]
    assert order == [(kind, f"one/{job}@a") for job in "jkl" for kind in ("job_started", "job_finished")]
    assert [line for e in events if e["type"] == "job_output" for line in e["lines"]] == ["said"]
