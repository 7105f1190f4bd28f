"""In CI random examples are always the same, and few tests are tried once more when they fail, and tell what it was."""

import os
import subprocess
import sys
from pathlib import Path

from fixtures_program import ROOT

SECOND_TRIES = 5
"""As tests/conftest.py has it; there is more than one module of that name."""

TESTS = """
import hypothesis, pytest
from pathlib import Path

@pytest.mark.parametrize("number", range({count}))
def test_luck(number):
    assert hypothesis.settings().derandomize
    tried = Path(__file__).with_name(f"tried-{{number}}")
    if not tried.exists():
        tried.touch()
        raise AssertionError(f"unlucky {{number}}")
"""


def test_few_are_tried_once_more_and_say_so(tmp_path: Path) -> None:
    count = SECOND_TRIES + 1
    (tmp_path / "test_luck.py").write_text(TESTS.format(count=count))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "conftest",
        "-p",
        "no:cacheprovider",
        "-n",
        "1",
        "--rootdir",
        ".",
        ".",
    ]
    surroundings = {**os.environ, "CI": "true", "PYTHONPATH": str(ROOT / "tests"), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        command, cwd=tmp_path, env=surroundings, capture_output=True, text=True, timeout=110, check=False
    )
    assert f"1 failed, {SECOND_TRIES} passed, {SECOND_TRIES} rerun" in done.stdout, done.stdout + done.stderr
    assert all(f"unlucky {number}" in done.stdout for number in range(count))
    assert done.returncode == 1
