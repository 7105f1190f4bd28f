"""The adapter is driven by a second client: Neovim, with a small script over its own channels and its own JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from fixtures_program import PROGRAM, Place

HERE = Path(__file__).parent


@pytest.mark.neovim
def test_a_run_is_debugged_and_its_replay_gone_through_forward_and_back(place: Place) -> None:
    neovim = shutil.which("nvim")
    if neovim is None:
        pytest.skip("needs nvim")
    scenario = place.write("three.yml", (HERE / "three.yml").read_text())
    place.extra = {"OCTOGRAM_TEST_SCENARIO": str(scenario), "OCTOGRAM_TEST_COMMAND": json.dumps([*PROGRAM, "dap"])}
    driven = subprocess.run(
        [neovim, "--headless", "-u", "NONE", "-i", "NONE", "-n", "-S", HERE / "drive.lua"],
        env=place.environment,
        cwd=place.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (driven.returncode, driven.stdout) == (0, "driven to its end\n"), driven.stdout + driven.stderr
