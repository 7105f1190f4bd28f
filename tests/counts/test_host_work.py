"""How much the host does for one more trivial job, as a headless run does it: counted, never timed."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import memory_fleet
import pytest
from ceilings import HOST, HOST_AHEAD, HOST_TOGETHER
from memory_fleet import MemoryFleet, run_hosted

AGENTS, JOBS = 10, 100


@pytest.mark.parametrize(
    ("at_once", "look_ahead", "ceilings"),
    [(1, False, HOST), (1, True, HOST_AHEAD), (AGENTS, True, HOST_TOGETHER)],
)
def test_what_one_job_takes_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, look_ahead: bool, ceilings: Mapping[str, float]
) -> None:
    done: Counter[str] = Counter()
    fleet = MemoryFleet(at_once)
    write = os.write

    def counted_write(fd: int, data: bytes) -> int:
        done["journal writes"] += bytes(data[:7]) == b'{"seq":'
        return write(fd, data)

    def count(frame: FrameType, event: str, _: object) -> None:
        done["function calls"] += event == "call" and frame.f_code.co_filename != memory_fleet.__file__

    monkeypatch.setattr(os, "write", counted_write)
    before = sys.getprofile()
    fleet.on_first_job = lambda: sys.setprofile(count)
    fleet.on_stop = lambda: sys.setprofile(before)
    assert run_hosted(tmp_path, fleet, AGENTS, JOBS, look_ahead=look_ahead) == 0
    assert fleet.jobs == AGENTS * JOBS
    lines = [line for line in (tmp_path / "journal.jsonl").read_bytes().splitlines() if b'"type":"job_' in line]
    done["events"] = len(lines)
    done["journal bytes"] = sum(len(line) + 1 for line in lines)
    done["agent writes"], done["agent bytes"] = fleet.writes, fleet.written_bytes
    found = {name: round(done[name] / fleet.jobs, 2) for name in ceilings}
    too_much = {name: (found[name], most) for name, most in ceilings.items() if found[name] > most}
    assert not too_much, f"for one job (found, ceiling): {too_much}; all of it: {found}"
    assert found["function calls"] > ceilings["function calls"] / 2, f"lower the ceilings: {found}"
