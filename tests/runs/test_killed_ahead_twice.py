"""An agent went on by itself and ended what it had ahead while nobody was there; then the next process dies, too."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest
from fixtures_program import Place, events_of, events_so_far, wait_for

SCENARIO = """agents: [{name: a, transport: local}, {name: b, transport: local}]
stages:
  - name: one
    jobs:
      - {name: j, builtins.shell: "echo j >> $ORACLE; while [ ! -e $GO-j ]; do sleep 0.02; done"}
      - {name: k, builtins.shell: "echo k >> $ORACLE; echo said"}
      - {name: l, builtins.shell: "echo l >> $ORACLE; while [ ! -e $GO-l ]; do sleep 0.02; done"}
"""


@pytest.mark.fault(56)
def test_what_ended_ahead_while_nobody_was_there_is_in_the_journal_with_what_it_gave(place: Place) -> None:
    """Its end comes with the welcome, before the run can take that of what came before it."""
    oracle, told = place.home / "oracle", place.home / "e.jsonl"
    text = SCENARIO.replace("$ORACLE", str(oracle)).replace("$GO", str(place.home / "go"))
    process = place.start(str(place.write("s.yml", text)), "--headless", "--events", "e.jsonl")
    wait_for(lambda: (oracle.exists() and len(oracle.read_text()) == 4) or process.poll() is not None)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (place.home / "go-j").touch()
    wait_for(lambda: oracle.read_text().count("k") == 2)
    slow = next(e["pid"] for e in events_so_far(told) if e["type"] == "agent_ready" and e["agent"] == "b")
    os.kill(slow, signal.SIGSTOP)  # until it answers, the others' ends wait
    process = place.start("resume", "last")
    journal = next(place.runs_dir.glob("*/journal.jsonl"))
    wait_for(lambda: '"attempt":"one/k@a#1"' in journal.read_text() or process.poll() is not None)
    os.kill(slow, signal.SIGCONT)
    wait_for(lambda: oracle.read_text().count("l") == 2 or process.poll() is not None)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (place.home / "go-l").touch()
    process = place.start("resume", "last")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert Counter(oracle.read_text().split()) == Counter("jjkkll")
    ends = [e for e in events_of(told.read_text()) if e["type"] == "job_finished" and e["job"] == "k"]
    assert [end["result"]["stdout"] for end in ends] == ["said", "said"]
