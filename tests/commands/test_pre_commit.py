"""The hook for pre-commit: the real program, with this repository as a clone, on a repository of somebody else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fixtures_program import ROOT

from octogram_tui.commands.schema import FILE

HOOKS = ".pre-commit-hooks.yaml"
CONFIG = """\
repos:
  - repo: {hooks}
    rev: {rev}
    hooks:
      - id: octogram-check
        language: unsupported  # the program is there: it is not installed once more
        args: [--format, text]
"""
WELL = "agents: [{name: a, transport: local}]\nstages: []\n"


class Repositories:
    """That of the hooks, and that of their user; git sees no settings but these."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(place),
            "PRE_COMMIT_HOME": str(place / "cache"),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "a@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        self.hooks, self.user = place / "hooks", place / "user"
        for folder in (self.hooks, self.user):
            folder.mkdir()
            self.run("git", "init", "-q", at=folder)
        (self.hooks / HOOKS).write_bytes((ROOT / HOOKS).read_bytes())
        self.run("git", "add", ".", at=self.hooks)
        self.run("git", "commit", "-qm", "hooks", at=self.hooks)
        rev = self.run("git", "rev-parse", "HEAD", at=self.hooks).stdout.strip()
        (self.user / ".pre-commit-config.yaml").write_text(CONFIG.format(hooks=self.hooks, rev=rev))
        self.run("pre-commit", "install", at=self.user)

    def run(self, *argv: str, at: Path, fails: bool = False) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            argv, cwd=at, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done

    def commit(self, *, fails: bool = False) -> str:
        self.run("git", "add", ".", at=self.user)
        done = self.run("git", "commit", "-qm", "more", at=self.user, fails=fails)
        return done.stdout + done.stderr


@pytest.fixture
def repositories(tmp_path: Path) -> Repositories:
    return Repositories(tmp_path)


def test_a_commit_with_a_broken_scenario_is_stopped_and_one_that_is_well_goes_through(
    repositories: Repositories,
) -> None:
    user = repositories.user
    (user / "scenario.yml").write_text(WELL)
    (user / "scenarios").mkdir()
    (user / "scenarios" / "any name.yaml").write_text(WELL)
    (user / "no.yml").write_text("not: one of ours\n")
    (user / "scenarios" / FILE).write_text("{}")  # what `schema --write` puts there
    assert "Passed" in repositories.commit()
    (user / "scenarios" / "any name.yaml").write_text(WELL.replace("name:", "nmae:"))
    (user / "big-scenario.json").write_text("{}")
    said = repositories.commit(fails=True)
    assert "scenarios/any name.yaml:1:11: error: unknown key `nmae` in an agent" in said
    assert "big-scenario.json:1:1: error: `stages` is missing in a scenario" in said
    assert "no.yml" not in said


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("scenario.yml", True),
        ("a/my-scenario.yaml", True),
        ("scenario_two.json", True),
        ("scenarios/x.yml", True),
        ("scenarios/deep/x.yml", True),
        ("scenarist.yml", False),
        ("octogram-tui.schema.json", False),
        ("scenarios/octogram-tui.schema.json", False),
        ("values.yml", False),
        ("scenario.py", False),
    ],
)
def test_which_files_are_taken_for_scenarios(name: str, is_one: bool) -> None:
    import re

    (hook,) = yaml.safe_load((ROOT / HOOKS).read_text())
    assert bool(re.search(hook["files"], name) and not re.search(hook["exclude"], name)) == is_one
    assert hook["entry"] == "octogram-tui check"
