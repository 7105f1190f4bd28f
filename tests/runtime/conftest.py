"""Fixtures for tests of the runtime."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fake_daemon import Rig


@pytest.fixture
async def defects() -> AsyncIterator[list[dict[str, Any]]]:
    """Collect what the event loop is told of exceptions that nobody handled; a test that expects some clears it."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    yield found
    assert not found


@pytest.fixture
async def rigs(defects: list[dict[str, Any]]) -> AsyncIterator[Callable[..., Rig]]:
    """Give a function that makes links; afterwards they are closed, and no task is left."""
    made: list[Rig] = []

    def make(*arguments: Any, **more: Any) -> Rig:
        made.append(Rig(*arguments, **more))
        return made[-1]

    yield make
    for rig in made:
        await rig.link.close()
        assert rig.transport.is_closed
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left


@pytest.fixture
async def rig(rigs: Callable[..., Rig]) -> Rig:
    """Give one link with short limits."""
    return rigs()
