"""Whatever the umask is: what a run keeps and leaves on its machines is its user's alone, and for its user to use."""

from __future__ import annotations

import os
import stat
from functools import partial
from pathlib import Path

import pytest
from fixtures_program import Place

KEEPS = """
agents: [{name: a, transport: local}]
stages:
  - name: s
    jobs:
      - {name: make, builtins.shell: "mkdir -p d/e; echo x > d/e/f; echo $(umask)"}
      - {name: serve, builtins.start_process: {name: server, argv: [sleep, '100']}}
      - {name: bring, builtins.fetch: {remote_path: d}}
"""


@pytest.mark.fault(91)
@pytest.mark.parametrize("mask", [0o000, 0o777], ids=oct)
def test_what_a_run_keeps_is_its_users_alone(place: Place, mask: int) -> None:
    path = str(place.write("s.yml", KEEPS))
    report = place.home / "junit.xml"
    done = place.run(
        path, "--headless", "--keep-homes", "-v", "--junit", str(report), preexec_fn=partial(os.umask, mask)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a make | 0077" in done.stdout, "an agent's jobs begin with a mask of their own"
    ours = [one for one in place.home.rglob("*") if one.name != "s.yml" and one != report and not one.is_symlink()]
    assert {"journal.jsonl", "run.json", "artifacts", "f", ".octogram"} <= {one.name for one in ours}
    modes = {str(one.relative_to(place.home)): stat.S_IMODE(one.stat().st_mode) for one in ours}
    assert {name: oct(mode) for name, mode in modes.items() if mode not in _exact(place.home / name)} == {}
    assert stat.S_IMODE(report.stat().st_mode) == 0o666 & ~(mask & 0o077), (
        "what the user asks for is as the user has it"
    )


def _exact(path: Path) -> tuple[int, ...]:
    return (0o700,) if path.is_dir() else (0o600, 0o700, 0o500, 0o400)
