"""The adapter is driven by a client that others wrote: that of the protocol's own makers, for tests of adapters."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from fixtures_program import NODE_MODULES, PROGRAM, Place

HERE = Path(__file__).parent


@pytest.mark.node
def test_three_agents_are_led_from_a_breakpoint_over_a_failure_to_their_end(place: Place) -> None:
    node = shutil.which("node")
    if node is None or not (NODE_MODULES / "@vscode/debugadapter-testsupport").is_dir():
        pytest.skip("needs node, and its packages in build/node")
    place.extra = {"NODE_PATH": str(NODE_MODULES)}
    scenario = place.write("three.yml", (HERE / "three.yml").read_text())
    driven = subprocess.run(
        [node, HERE / "drive.js", scenario, *PROGRAM, "dap"],
        env=place.environment,
        cwd=place.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (driven.returncode, driven.stdout) == (0, "driven to its end\n"), driven.stderr
    assert driven.stderr == ""
    assert place.last_run()["exit_code"] == 0
