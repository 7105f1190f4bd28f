"""Parts of one attempt that run side by side, so many at a time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable, List, Sequence

    from octogram_agentd.kernel import Kernel

    Part = Callable[[], Awaitable[Any]]


async def run_parts(
    kernel: Kernel, name: str, parts: Sequence[Callable[[], Awaitable[Any]]], at_once: int
) -> List[Any]:
    """Give what the parts return, in order. The contract is that of Context.all_of."""
    results: List[Any] = [None] * len(parts)
    errors: List[BaseException] = []
    waiting = list(enumerate(parts))[::-1]

    async def work() -> None:
        while waiting:
            index, part = waiting.pop()
            try:
                results[index] = await part()
            except BaseException as error:  # also a cancellation: this task ends either way
                waiting.clear()
                errors.append(error)

    tasks = [kernel.spawn(work(), name) for _ in range(min(at_once, len(parts)))]
    try:
        for task in tasks:
            await task
    except BaseException:
        waiting.clear()
        for task in tasks:
            task.cancel()
        for task in tasks:  # what they run is ended before the attempt is
            await task
        raise
    if errors:
        raise errors[0]
    return results
