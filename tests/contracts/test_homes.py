"""Each test has a home of its own, as has every program that it starts: no run of anybody else is seen, or deleted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from octogram_tui import settings

TESTS = Path(__file__).parents[1]
USERS = os.environ.get("HOME", "")  # before the first test
SEEN: set[Path] = set()


def its_own() -> None:
    home = Path.home()
    assert home not in SEEN
    SEEN.add(home)
    assert home != Path(USERS)
    assert not list(home.iterdir())
    found = settings.load(os.environ)
    for place in (found.config_dir, found.state_dir, found.runs_dir, found.runtime_dir):
        assert place is not None
        assert place.is_relative_to(home)
    assert not any(value.startswith(USERS + "/.") for name, value in os.environ.items() if name.startswith("XDG_"))


def test_a_test_begins_with_a_home_where_nothing_is() -> None:
    its_own()
    (Path.home() / "left").touch()


def test_another_one_has_another() -> None:
    its_own()


def test_what_it_starts_sees_no_other_runs() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "octogram_tui", "runs"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stdout == f"no runs yet in {Path.home()}/.state/octogram-tui/runs\n"


def test_no_test_makes_an_environment_of_the_variables_of_its_beginning() -> None:
    """A dict of them that is made when a file is read holds the home of whoever runs the tests."""
    made = re.compile(r"^\w+(?:: .+)? = .*\*\*os\.environ", re.MULTILINE)
    assert [path.name for path in TESTS.rglob("*.py") if made.search(path.read_text())] == []


def test_one_place_opens_terminals() -> None:
    """It gives them a size, waits as long as a busy machine needs, and reads what a terminal leaves of a text."""
    made = re.compile(r"pexpect\.spawn\(|\(pexpect\.spawn\)")
    opens = {path.name for path in TESTS.rglob("*.py") if made.search(path.read_text())}
    assert opens == {"fixtures_program.py", "test_markers.py"}
