"""Runs are killed at random and at named places, and gone on with: as nobody had disturbed them. See tools/kills.py."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tools import kills
from tools.kills import Outcome, Target


@pytest.fixture(scope="module")
def undisturbed() -> tuple[Outcome, float]:
    """Run the scenario once, and let nobody disturb it."""
    outcome, took_s = kills.undisturbed()
    assert (outcome.exit_code, outcome.wrong) == (0, []), outcome.said
    return outcome, took_s


def each(kill: Callable[[int], Outcome], count: int) -> None:
    """Kill so often, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        for outcome in pool.map(kill, range(count)):
            assert not outcome.wrong, f"{outcome.wrong}\n{outcome.said}"


@pytest.mark.longfault
@pytest.mark.timeout(600)
@pytest.mark.fault(56, 102)
@pytest.mark.parametrize(("target", "count"), [("orchestrator", 8), ("daemon", 4), ("both", 4)])
def test_killed_at_random(target: Target, count: int, undisturbed: tuple[Outcome, float]) -> None:
    expected, took_s = undisturbed
    each(lambda seed: kills.killed(target, expected, took_s, random.Random(seed)), count)


@pytest.mark.longfault
@pytest.mark.timeout(600)
@pytest.mark.fault(56)
def test_killed_at_each_kind_of_place(undisturbed: tuple[Outcome, float]) -> None:
    by_name: dict[str, list[str]] = {}
    for place in kills.points():
        by_name.setdefault(place.rpartition(":")[0], []).append(place)
    assert {"journal.write", "journal.sync", "driver.fed", "driver.written", "effect.SendJob"} <= by_name.keys()
    places = [places[len(places) // 2] for places in by_name.values()]
    each(lambda number: kills.killed_at(places[number], undisturbed[0]), len(places))
