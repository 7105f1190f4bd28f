"""Runs contenders in turns, so that a slow spell of the machine hits all of them, and prints ratios."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence


def seconds_of(command: Sequence[str]) -> float:
    """Time one command from outside. Raises CalledProcessError when it fails."""
    started_s = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started_s


def cpu_seconds_of(command: Sequence[str]) -> float:
    """Give the CPU that one command takes with all that it starts, those that outlive it included."""
    keep_orphans = 36  # PR_SET_CHILD_SUBREAPER: whoever loses its parent becomes our child
    ctypes.CDLL(None).prctl(keep_orphans, 1, 0, 0, 0)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds_of(command)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(title: str, contenders: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Time every contender `rounds` times, one round after the other; gives the medians, in seconds.

    The first contender is what the ratios are to.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values():
        run()  # warm caches, not counted
    for _ in range(rounds):
        for name, run in contenders.items():
            times[name].append(run())
    medians = {name: statistics.median(found) for name, found in times.items()}
    first = next(iter(medians.values()))
    print(f"\n{title} ({rounds} rounds)\n")
    print("| contender | median s | min s | max s | ratio |")
    print("|---|---|---|---|---|")
    for name, found in times.items():
        print(f"| {name} | {medians[name]:.3f} | {min(found):.3f} | {max(found):.3f} | {medians[name] / first:.2f} x |")
    return medians


def tell(
    what: str,
    figure: float | None,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    unit: str = "x",
    why: str = "",
) -> None:
    """Print a figure beside what it should be; the page of all figures gathers these lines.

    why: there is no figure, where there is none: a target that nobody measured has to be seen.
    """
    wanted = " and ".join(
        f"{words} {limit:g}" for words, limit in (("at most", at_most), ("at least", at_least)) if limit is not None
    )
    if figure is None:
        print(f"target: {what} | - | {wanted} {unit} | not measured: {why}", flush=True)
        return
    is_met = (at_most is None or figure <= at_most) and (at_least is None or figure >= at_least)
    digits = 3 if unit == "ms" else 2
    print(
        f"target: {what} | {figure:.{digits}f} {unit} | {wanted} {unit} | {'met' if is_met else 'not met'}", flush=True
    )
