"""Agents for the tests of procedures; each is stopped, and says that nothing is left."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from interpreters import interpreters, version_of
from real_agent import RealAgent


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


@pytest_asyncio.fixture(params=interpreters(), ids=lambda path: Path(path).parent.parent.name)
async def any_agent(
    request: pytest.FixtureRequest, tmp_path: Path, record_property: Callable[[str, object], None]
) -> AsyncGenerator[RealAgent, None]:
    """A daemon under each of the Pythons that count."""
    record_property("interpreter", version_of(request.param))
    async for agent in _agent(tmp_path, request.param):
        yield agent
