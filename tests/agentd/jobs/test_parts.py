"""Parts of one attempt that run at the same time: `Context.all_of`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from real_agent import RealAgent

PROCEDURES = '''
from functools import partial

from octogram_agentd.procedures.base import Field, Procedure


class Several(Procedure):
    """Run scripts, so many at a time."""

    procedure = "own.several"
    scripts = Field("list", of=Field("str"))
    at_once = Field("int")

    async def run(self, context):
        context.running = context.most = 0

        async def part(script):
            context.running += 1
            context.most = max(context.most, context.running)
            try:
                return (await context.command(["sh", "-c", script])).stdout.strip()
            finally:
                context.running -= 1

        said = await context.all_of([partial(part, script) for script in self.scripts], at_once=self.at_once)
        return {"said": said, "most": context.most}
'''


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[RealAgent]:
    agent = RealAgent(tmp_path / "agent")
    await agent.attach(procedures=[{"path": "own.py", "source": PROCEDURES}])
    yield agent
    assert (await agent.stop())["remaining"] == []


async def test_answers_come_in_order_and_no_more_run_than_may(agent: RealAgent) -> None:
    scripts = ["while [ ! -e second ]; do sleep 0.01; done; echo first", "touch second; echo second", "echo third"]
    assert await agent.ok("own.several", scripts=scripts, at_once=2) == {
        "said": ["first", "second", "third"],
        "most": 2,
    }
    assert await agent.ok("own.several", scripts=[], at_once=2) == {"said": [], "most": 0}


async def test_after_a_failure_nothing_more_begins(agent: RealAgent) -> None:
    error = await agent.error("own.several", scripts=["exit 3", "echo never >never"], at_once=1)
    assert error["kind"] == "exit"
    assert not (agent.home / "never").exists()


async def test_a_cancelled_attempt_ends_all_of_its_parts(agent: RealAgent) -> None:
    script = "echo $$; exec sleep 1000"
    attempt, finished = agent.start("own.several", scripts=[script, script, script], at_once=2)
    await agent.until(lambda: len(agent.lines) == 2)
    agent.cancel(attempt)
    assert (await finished).state == "cancelled"
    assert len(agent.lines) == 2
    assert not any(os.path.exists(f"/proc/{pid}") for _, pid in agent.lines)
