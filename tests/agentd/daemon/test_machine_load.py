"""How busy the machine is, as the daemon reads it."""

from pathlib import Path

import pytest

from octogram_agentd.daemon.load import measure, sign_of_life, used_memory


def test_memory_in_use_is_what_is_not_available(tmp_path: Path) -> None:
    place = tmp_path / "meminfo"
    place.write_text("MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:   250 kB\n")
    assert used_memory(str(place)) == 0.75


@pytest.mark.parametrize("text", ["", "MemTotal: 1000 kB\n", "MemTotal: x kB\n", "MemTotal:\n", "MemTotal: 0 kB\n"])
def test_a_machine_that_does_not_say_has_none(tmp_path: Path, text: str) -> None:
    place = tmp_path / "meminfo"
    place.write_text(text)
    assert used_memory(str(place)) is None
    assert used_memory(str(tmp_path / "nowhere")) is None


def test_a_sign_of_life_says_how_busy_it_is_here() -> None:
    message = sign_of_life(7, 2)
    assert (message["t"], message["n"], message["load"]["processes"]) == ("hb", 7, 2)
    assert set(message["load"]) == {"cpu", "memory", "processes"}


def test_what_is_measured_here_is_a_share_and_a_load() -> None:
    found = measure()
    assert found["cpu"] >= 0
    assert 0 <= found["memory"] <= 1
