"""Agents for the tests of procedures; each is stopped, and says that nothing is left."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from real_agent import RealAgent, oldest_and_newest


async def _agent(root: Path, python: str) -> AsyncGenerator[RealAgent, None]:
    agent = RealAgent(root / "agent", python)
    await agent.attach()
    yield agent
    stopped = await agent.stop()
    assert stopped["remaining"] == []


@pytest_asyncio.fixture
async def agent(tmp_path: Path) -> AsyncGenerator[RealAgent, None]:
    """A daemon under the Python that runs the tests."""
    async for agent in _agent(tmp_path, sys.executable):
        yield agent


@pytest_asyncio.fixture(params=oldest_and_newest(), ids=lambda path: Path(path).parent.parent.name)
async def any_agent(
    request: pytest.FixtureRequest, tmp_path: Path, record_property: Callable[[str, object], None]
) -> AsyncGenerator[RealAgent, None]:
    """A daemon under each of the Pythons that count."""
    version = subprocess.run([request.param, "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
    record_property("interpreter", version)
    async for agent in _agent(tmp_path, request.param):
        yield agent
