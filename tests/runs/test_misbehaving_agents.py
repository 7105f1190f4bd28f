"""An agent whose machine is somebody else's by now: nobody is harmed by what it sends but itself."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fixtures_program import Place, events_of
from misbehaving_agent import HOW

PROGRAM_FILE = Path(__file__).parents[1] / "misbehaving_agent.py"
SCENARIO = f"""
agents:
  - {{{{name: good, transport: local}}}}
  - {{{{name: evil, transport: command, command: [{sys.executable}, {PROGRAM_FILE}, "{{how}}"]}}}}
stages:
  - name: s
    jobs:
      - {{{{name: j, builtins.shell: 'sleep 0.3; echo real'}}}}
"""
HARMLESS = ("forged",)
QUICK = ("forged", "log lines without credit", "unknown", "no number", "deep")
MEMORY_BYTES = 250 << 20


def run(place: Place, how: str) -> tuple[int, str, list[dict[str, Any]], int]:
    """Run it; gives the exit code, what was printed, the events, and the most memory that it took."""
    path = place.write("s.yml", SCENARIO.format(how=how))
    code, said, most_bytes = place.run_measured(str(path), "--headless", "--events", "e.jsonl")
    return code, said, events_of((place.home / "e.jsonl").read_text()), most_bytes


@pytest.mark.fault(76, 78, 79, 99)
@pytest.mark.parametrize("how", [pytest.param(how, marks=() if how in QUICK else pytest.mark.longfault) for how in HOW])
def test_it_harms_nobody_but_itself(place: Place, how: str) -> None:
    began_s = time.monotonic()
    code, said, events, memory_bytes = run(place, how)
    assert time.monotonic() - began_s < 30
    assert "Traceback" not in said
    ends = [e for e in events if e["type"] == "job_finished" and e["agent"] == "good"]
    assert len(ends) == 1
    if how in HARMLESS:
        assert code == 0, said
        assert ends[0]["state"] == "ok"
        assert "not believed" in said
    else:
        assert code in (7, 10), said
        assert "broke the protocol" in said or "put in quarantine" in said
    [good] = [e for e in events if e["type"] == "agent_stopped" and e["agent"] == "good"]
    assert good.get("is_clean", True)
    about_good = [line for e in events if e["type"] == "job_output" and "@good" in e["key"] for line in e["lines"]]
    assert "FORGED" not in about_good
    journal = next(place.runs_dir.glob("*/journal*"))
    assert journal.stat().st_size < 20 << 20
    assert memory_bytes < MEMORY_BYTES
