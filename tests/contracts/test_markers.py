"""What needs something of the machine is marked, so that the quick part can leave it out."""

from __future__ import annotations

import sys

import pexpect
import pytest


def test_without_its_marker_no_test_opens_a_terminal() -> None:
    with pytest.raises(AssertionError, match="opens a terminal: mark it"):
        pexpect.spawn(sys.executable, ["-c", "pass"])


@pytest.mark.terminal
def test_with_its_marker_it_may() -> None:
    child = pexpect.spawn(sys.executable, ["-c", "print(6 * 7)"])
    child.expect_exact("42")
    child.expect_exact(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_without_its_marker_no_test_starts_an_openssh_server(request: pytest.FixtureRequest) -> None:
    with pytest.raises(AssertionError, match="mark it with"):
        request.getfixturevalue("openssh_servers")


def test_without_its_marker_no_test_has_a_slurm(request: pytest.FixtureRequest) -> None:
    with pytest.raises(AssertionError, match="mark it with"):
        request.getfixturevalue("slurm")


def test_without_its_marker_no_test_has_machines(request: pytest.FixtureRequest) -> None:
    with pytest.raises(AssertionError, match="mark it with"):
        request.getfixturevalue("rig")
