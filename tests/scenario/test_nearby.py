"""Scenarios are found by what they say, and no directory is too large, too deep or too closed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from octogram_tui.commands import init
from octogram_tui.resources import sample
from octogram_tui.scenario import nearby
from octogram_tui.scenario.nearby import is_scenario, search, title_of

GOOD = "# A title. And more.\nagents: [{name: a, transport: local}]\nstages:\n  - name: s\n    jobs: []\n"


def names(directory: Path) -> list[str]:
    return [str(each.path.relative_to(directory)) for each in search(directory).found]


def write(path: Path, text: str = GOOD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_every_sample_is_found_with_its_title() -> None:
    samples = sample("quickstart.yml").parent
    found = {each.path.name: each.title for each in search(samples).found}
    no_scenarios = {"stand_ins", "kubernetes"}
    written = {path.name for path in samples.rglob("*.yml") if not no_scenarios & set(path.parts)}
    assert found.keys() == written
    assert found["quickstart.yml"].startswith("The quickstart: three agents on this machine")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        '{"agents": [], "stages": [{"name": "s", "jobs": []}]}',
        '{\n  "agents": [],\n  "stages": [{"jobs": []}]\n}',
        "stages:\n- name: s\n  with_agents: x\n  jobs: []\n",
        "agents: []\nstages: [{name: s, jobs: []}]",
    ],
)
def test_a_scenario(text: str) -> None:
    assert is_scenario(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stages: [build, test]\nbuild: {script: make}\n",
        "stages:\n- stage: Build\n  jobs:\n  - job: A\n    pool: x\n",
        "other:\n  stages:\n  - jobs: []\n    agents: []\n",
        "services: {web: {image: nginx}}\n",
        "# stages: with agents: and jobs:\n",
    ],
)
def test_no_scenario(text: str) -> None:
    assert not is_scenario(text.encode())


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# One\n# Two\nagents: []", "One"),
        ("\n#\n# ----\n#   Three agents\n", "Three agents"),
        ("agents: []\n# not a title", ""),
        ("\ufeff", ""),
    ],
)
def test_the_title_is_what_the_first_comment_begins_with(text: str, title: str) -> None:
    assert title_of(text.encode()) == title


def test_two_levels_down_and_no_further(tmp_path: Path) -> None:
    for place in ("z.yml", "one/a.yaml", "one/two/b.YML", "one/two/three/c.yml", ".hidden/d.yml", "node_modules/e.yml"):
        write(tmp_path / place)
    write(tmp_path / "f.txt")
    assert names(tmp_path) == ["z.yml", "one/a.yaml", "one/two/b.YML"]


def test_what_is_no_file_or_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "good.yml")
    os.mkfifo(tmp_path / "pipe.yml")
    (tmp_path / "directory.yml").mkdir()
    (tmp_path / "nowhere.yml").symlink_to(tmp_path / "gone")
    (tmp_path / "circle").symlink_to(tmp_path)
    (tmp_path / "link.yml").symlink_to(tmp_path / "good.yml")
    write(tmp_path / "binary.yml").write_bytes(b"\xff\x00" * 100)
    assert names(tmp_path) == ["good.yml", "link.yml"]
    assert search(tmp_path / "not there") == ([], False)


def test_a_directory_that_may_not_be_read_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "good.yml")
    write(tmp_path / "shut" / "other.yml")
    real = os.scandir

    def refused(path: Path) -> object:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert names(tmp_path) == ["good.yml"]


def test_limits_are_said_to_have_been_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        write(tmp_path / f"{number}.yml")
    assert not search(tmp_path).is_cut
    for limit, value in (("MOST_ENTRIES", 3), ("MOST_READ", 3), ("MOST_FOUND", 3), ("WITHIN_S", -1.0)):
        with monkeypatch.context() as patched:
            patched.setattr(nearby, limit, value)
            found = search(tmp_path)
            assert found.is_cut
            assert len(found.found) <= 3


def test_large_files_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "large.yml")
    monkeypatch.setattr(nearby, "MOST_BYTES", 10)
    assert names(tmp_path) == []


def test_what_init_writes_for_editors_is_no_scenario_and_no_title(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert init.main(["new.yml"]) == 0
    (found,) = search(tmp_path).found
    assert found.path == tmp_path / "new.yml"
    assert found.title.startswith("A scenario of octogram-tui")
