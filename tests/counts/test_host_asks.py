"""What one more trivial job has the host ask of the system, and what it leaves in its memory: counted, never timed."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from ceilings import HOST_ASKS
from memory_fleet import MemoryFleet, run_hosted

AGENTS, JOBS = 10, 100
OF_THE_SYSTEM = ("posix", "select", "_socket", "_io", "time")


def test_what_one_job_has_the_host_ask_and_keep(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()
    blocks: list[int] = []
    fleet = MemoryFleet(1)

    def count(_: FrameType, event: str, function: object) -> None:
        if event == "c_call":
            module = getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__module__
            if module in OF_THE_SYSTEM:
                asked[f"{module}.{function.__name__}"] += 1  # type: ignore[attr-defined]

    def first() -> None:
        gc.collect()
        blocks.append(sys.getallocatedblocks())
        sys.setprofile(count)

    def stop() -> None:
        sys.setprofile(before)
        gc.collect()
        blocks.append(sys.getallocatedblocks())

    before = sys.getprofile()
    fleet.on_first_job, fleet.on_stop = first, stop
    try:
        assert run_hosted(tmp_path, fleet, AGENTS, JOBS) == 0
    finally:
        sys.setprofile(before)
    clocks = sum(times for name, times in asked.items() if name.startswith("time."))
    found = {
        "system calls": (asked.total() - clocks) / fleet.jobs,
        "looks at a clock": clocks / fleet.jobs,
        "blocks left": (blocks[1] - blocks[0]) / fleet.jobs,
    }
    too_much = {name: (round(found[name], 2), most) for name, most in HOST_ASKS.items() if found[name] > most}
    assert not too_much, f"for one job (found, ceiling): {too_much}; asked: {asked.most_common(12)}; all: {found}"
