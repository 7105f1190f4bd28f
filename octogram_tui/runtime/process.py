"""The process that hosts a run: its limits, its sign of life, what it can do without, what it says when it breaks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

from octogram_tui.errors import JournalError
from octogram_tui.journal import presence


def raise_file_limit() -> tuple[int, int]:
    """A hundred agents need more descriptors than the usual soft limit allows. Gives the limits that there were."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(65536, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return soft, hard


async def be_present(run_dir: Path) -> None:
    """Say again and again that the process lives."""
    presence.begin(run_dir)
    while True:
        await asyncio.sleep(presence.EVERY_S)
        presence.touch(run_dir)


def beside(coroutine: Coroutine[Any, Any, None], loss: str) -> asyncio.Task[None]:
    """Run what the run can do without; when it fails, say what is lost with it."""

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            print(f"octogram-tui: {loss}: {type(error).__name__}: {error}", file=sys.stderr)

    task = asyncio.create_task(coroutine)
    task.add_done_callback(ended)
    return task


def tell_failure(failure: BaseException, unclean: Mapping[str, str]) -> None:
    """Say on standard error what broke the run from inside, and which agents did not confirm their end."""
    for agent, why in unclean.items():
        print(f"octogram-tui: agent {agent} is not known to be clean: {why}", file=sys.stderr)
    if isinstance(failure, JournalError):
        print(f"octogram-tui: {failure.message}", file=sys.stderr)
        if failure.hint:
            print(f"  {failure.hint}", file=sys.stderr)
        return
    import traceback

    print("octogram-tui: a defect of octogram-tui itself ended the run; the agents were stopped:", file=sys.stderr)
    traceback.print_exception(failure, file=sys.stderr)
