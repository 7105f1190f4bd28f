"""A run with many agents, each with its link, wire and daemon in this process: they come up, work, stop."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from played_run import Play

AGENTS, JOBS = 1000, 3
MEMORY_BYTES = 150 << 20
SCENARIO = f"""
agents: [{{name: 'a_{{1..{AGENTS}}}', transport: local}}]
stages:
  - name: s
    jobs: [{", ".join(f"{{name: j{n}, builtins.command: 'true'}}" for n in range(JOBS))}]
"""


@pytest.mark.fault(98)
async def test_a_thousand_agents(tmp_path: Path, defects: list[dict[str, Any]]) -> None:
    path = tmp_path / "s.yml"
    path.write_text(SCENARIO)
    before_bytes = resident_bytes()
    run = Play(path)
    assert await run.run() == 0
    assert resident_bytes() - before_bytes < MEMORY_BYTES
    assert set(Counter(run.ran).values()) == {1}
    assert len(run.ran) == AGENTS * JOBS
    assert len(set(run.stops)) == len(run.stops) == AGENTS
    await run.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def resident_bytes() -> int:
    """Say how much memory this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
