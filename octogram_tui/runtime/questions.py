"""What a daemon is asked, and has to answer: each question has a number, and waits for so long."""

from __future__ import annotations

import asyncio
from typing import Any

from octogram_tui.errors import LinkLost
from octogram_tui.runtime.reading import Message, count, read_here, read_log_end


class Questions:
    """The questions to one agent that wait for their answers."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._count = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    def ask(self) -> tuple[int, asyncio.Future[Any]]:
        """Give a question's number, and its answer to be."""
        self._count += 1
        future = self._waiting[self._count] = asyncio.get_running_loop().create_future()
        return self._count, future

    async def answer(self, request: int, future: asyncio.Future[Any], within_s: float) -> Any:
        """Wait for an answer. Raises LinkLost when none came in time."""
        try:
            return await asyncio.wait_for(future, within_s)
        except TimeoutError:
            raise LinkLost(f"agent {self._agent} did not answer within {within_s:g} s") from None
        finally:
            del self._waiting[request]

    def is_awaited(self, message: Message) -> bool:
        """Whether somebody waits for an answer: each question has one, and so it is not what nobody asked for."""
        future = self._waiting.get(count(message["request"]))
        return future is not None and not future.done()

    def answered(self, message: Message) -> None:
        """Take an answer, as far as anybody waits for it. Raises ValueError for one that makes no sense."""
        found = read_log_end(message) if message["t"] == "log" else read_here(message)
        future = self._waiting.get(count(message["request"]))
        if future is not None and not future.done():
            future.set_result(found)
