"""A run whose process may open few files: the soft limit is raised, and where that does not do, the reason is exact."""

from __future__ import annotations

import resource

import pytest
from fixtures_program import Place

AGENTS = 36
SCENARIO = f"""agents: [{", ".join(f"{{name: n{i}, transport: local}}" for i in range(AGENTS))}]
stages: [{{name: s, jobs: [{{name: j, builtins.command: "true"}}]}}]
"""


@pytest.mark.fault(65)
@pytest.mark.parametrize(("hard", "exit_code"), [(4096, 0), (40, 6)])
def test_few_open_files(place: Place, hard: int, exit_code: int) -> None:
    path = str(place.write("s.yml", SCENARIO))
    done = place.run(
        path, "--headless", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 32), hard))
    )
    assert done.returncode == exit_code, done
    if exit_code:
        assert "Too many open files" in done.stdout
        assert "hint: raise the limit of open files (ulimit -n)" in done.stdout
