"""Code that never waits is interrupted, so that the daemon's own timers have their turn again."""

from __future__ import annotations

import pytest

from octogram_agentd.jobs import watchdog
from octogram_agentd.jobs.watchdog import HeldUp, Watchdog
from octogram_agentd.kernel import Kernel


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "TICK_S", 0.05)


def test_a_guarded_task_that_never_waits_is_interrupted() -> None:
    kernel = Kernel()
    dog = Watchdog(kernel)
    rung: list[str] = []

    async def spin() -> None:
        dog.guard(kernel.stepping)
        await kernel.sleep(0)
        try:
            while True:
                try:
                    list(range(100))
                except Exception:
                    rung.append("swallowed")
        finally:
            dog.release(kernel.stepping)

    async def main() -> None:
        kernel.later(0.01, rung.append, "timer")
        with pytest.raises(HeldUp):
            await kernel.spawn(spin())
        await kernel.sleep(0.02)

    kernel.run(main())
    kernel.close()
    assert rung == ["timer"]


def test_what_waits_and_what_is_not_guarded_goes_on() -> None:
    kernel = Kernel()
    dog = Watchdog(kernel)
    turns = [0]

    async def wait() -> None:
        dog.guard(kernel.stepping)
        for _ in range(20):
            await kernel.sleep(0.01)
        dog.release(kernel.stepping)

    async def work() -> int:
        while turns[0] < 1_000_000:
            turns[0] += 1
        return turns[0]

    async def main() -> None:
        waiting = kernel.spawn(wait())
        assert await kernel.spawn(work()) == 1_000_000
        await waiting

    kernel.run(main())
    kernel.close()
