"""The kernel: tasks, timers, descriptors, cancellation, threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from octogram_agentd.kernel import Bell, Cancelled, Future, Kernel, TimeExpired


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    assert not kernel.tasks
    kernel.close()


def test_tasks_take_turns_and_give_results(kernel: Kernel) -> None:
    seen: list[str] = []

    async def part(name: str, pause_s: float) -> str:
        for _ in range(2):
            seen.append(name)
            await kernel.sleep(pause_s)
        return name

    async def main() -> list[str]:
        tasks = [kernel.spawn(part("slow", 0.05)), kernel.spawn(part("quick", 0.001))]
        return [await task for task in tasks]

    assert kernel.run(main()) == ["slow", "quick"]
    assert seen == ["slow", "quick", "quick", "slow"]


def test_cancelling_runs_what_is_finally(kernel: Kernel) -> None:
    seen: list[str] = []

    async def patient() -> None:
        try:
            await kernel.sleep(3600)
        finally:
            await kernel.sleep(0.001)
            seen.append("cleaned")

    async def main() -> None:
        task = kernel.spawn(patient())
        await kernel.sleep(0)
        task.cancel()
        with pytest.raises(Cancelled):
            await task

    kernel.run(main())
    assert seen == ["cleaned"]


def test_a_task_may_be_cancelled_before_it_begins_and_by_itself(kernel: Kernel) -> None:
    async def own(holder: list[Any]) -> None:
        holder[0].cancel()
        await kernel.sleep(3600)

    async def main() -> None:
        early = kernel.spawn(kernel.sleep(3600))
        early.cancel()
        holder: list[Any] = []
        holder.append(kernel.spawn(own(holder)))
        for task in (early, holder[0]):
            with pytest.raises(Cancelled):
                await task
        early.cancel()  # of no consequence

    kernel.run(main())


def test_a_cancelled_task_begins_all_the_same(kernel: Kernel) -> None:
    seen: list[str] = []

    async def careful() -> None:
        try:
            await kernel.sleep(3600)
        except Cancelled:
            seen.append("told")

    async def main() -> None:
        task = kernel.spawn(careful())
        task.cancel()
        await task

    kernel.run(main())
    assert seen == ["told"]


def test_within_ends_what_takes_too_long(kernel: Kernel) -> None:
    seen: list[BaseException] = []

    async def endless() -> None:
        try:
            await Future(kernel)
        except BaseException as error:
            seen.append(error)
            raise

    async def main() -> None:
        with pytest.raises(TimeExpired):
            await kernel.within(0.01, endless())
        outer = kernel.spawn(kernel.within(3600, endless()))
        await kernel.sleep(0.001)
        outer.cancel()
        with pytest.raises(Cancelled):
            await outer

    kernel.run(main())
    assert [type(error) for error in seen] == [TimeExpired, Cancelled]


def test_timers_are_called_in_order_and_can_be_taken_back(kernel: Kernel) -> None:
    seen: list[int] = []

    async def main() -> None:
        kernel.later(0.02, seen.append, 2)
        kernel.later(0.01, seen.append, 1)
        dropped = [kernel.later(0.005, seen.append, 0) for _ in range(500)]
        for timer in dropped:
            timer.cancel()
            timer.cancel()
        await kernel.sleep(0.03)

    kernel.run(main())
    assert seen == [1, 2]


def test_descriptors(kernel: Kernel) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    seen: list[bytes] = []

    async def main() -> None:
        arrived = Bell(kernel)

        def readable() -> None:
            seen.append(os.read(read, 100))
            arrived.ring()

        def writable() -> None:
            os.write(write, b"data")
            kernel.unwatch(write)

        kernel.watch(read, on_read=readable)
        kernel.watch(write, on_write=writable)
        assert await arrived.wait(60)
        kernel.unwatch(read)
        assert not await arrived.wait(0.001)

    kernel.run(main())
    os.close(read)
    os.close(write)
    assert seen == [b"data"]


def test_what_blocks_runs_in_a_thread(kernel: Kernel) -> None:
    read, write = os.pipe()

    async def main() -> bytes:
        answer = kernel.in_thread(os.read, read, 10)
        with pytest.raises(FileNotFoundError):
            await kernel.in_thread(os.stat, "/no/such/file")
        os.write(write, b"now")
        data = await answer
        assert isinstance(data, bytes)
        return data

    assert kernel.run(main()) == b"now"
    os.close(read)
    os.close(write)


def test_an_error_that_nobody_waits_for_is_told(kernel: Kernel, capsys: pytest.CaptureFixture[str]) -> None:
    async def bad() -> None:
        raise ValueError("unheard")

    async def main() -> None:
        kernel.spawn(bad(), "the bad one")
        await kernel.sleep(0.001)

    kernel.run(main())
    assert "the bad one: ValueError: unheard" in capsys.readouterr().err


def test_an_event_wakes_all_who_wait(kernel: Kernel) -> None:
    async def main() -> list[bool]:
        event = Bell(kernel)
        waiting = [kernel.spawn(event.wait()) for _ in range(3)]
        await kernel.sleep(0)
        event.ring()
        return [await task for task in waiting]

    assert kernel.run(main()) == [True, True, True]
