"""Arguments that worked go back into the job they are of, part by part, and everything else stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from octogram_tui.errors import ScenarioError
from octogram_tui.scenario.edit_arguments import change_arguments
from octogram_tui.scenario.load import load_scenario

TEXT = """\
agents:
  - name: a   # the only one
    transport: local
vars:
  level: 1
stages:
  # what is sold
  - name: sell
    jobs:
      - name: look
        builtins.shell: "echo {{ vars.level }}"  # short
      - name: one
        builtins.shell:
          script: |  # what runs
            echo {{ vars.level }}
            exit 3
          env:
            SHOP: '{{ agent.name }}'  # who
            STOCK: "0"   # wrong
      - name: one
        builtins.command: ["true"]
"""


@pytest.mark.parametrize(
    ("job", "procedure", "values", "old", "new"),
    [
        ("one", "builtins.shell", {("env", "STOCK"): "5"}, 'STOCK: "0"   # wrong', "STOCK: '5'   # wrong"),
        ("one", "builtins.shell", {("expect",): 3}, "# wrong\n", "# wrong\n          expect: 3\n"),
        (
            "look",
            "builtins.shell",
            {("script",): "true"},
            '"echo {{ vars.level }}"  # short',
            "'true'  # short",
        ),
        ("one~2", "builtins.command", {("argv",): ["false"]}, '["true"]', '["false"]'),
    ],
)
def test_only_what_was_changed_is_another(
    tmp_path: Path, job: str, procedure: str, values: dict[tuple[str, ...], Any], old: str, new: str
) -> None:
    path = tmp_path / "s.yml"
    path.write_text(TEXT)
    change_arguments(str(path), "sell", job, procedure, values)
    read, wanted = path.read_text(), TEXT.replace(old, new)
    if job == "one~2":
        assert "- 'false'" in read or '"false"' in read or "['false']" in read, read
    else:
        assert read == wanted
    load_scenario(str(path))


def test_a_short_form_becomes_a_map_when_something_else_is_said_too(tmp_path: Path) -> None:
    path = tmp_path / "s.yml"
    path.write_text(TEXT)
    change_arguments(str(path), "sell", "look", "builtins.shell", {("env", "A"): "1", ("expect",): 2})
    job = load_scenario(str(path)).scenario.stages[0].jobs[0]
    raw = job.arguments.raw()
    assert (raw["script"], raw["env"], raw["expect"]) == ("echo {{ vars.level }}", {"A": "1"}, 2)


def test_several_lines_are_a_block(tmp_path: Path) -> None:
    path = tmp_path / "s.yml"
    path.write_text(TEXT)
    change_arguments(str(path), "sell", "one", "builtins.shell", {("script",): "echo a\nexit 0\n"})
    assert "echo a\n            exit 0\n" in path.read_text()
    assert "# wrong" in path.read_text()


@pytest.mark.parametrize(
    ("stage", "job", "procedure", "value", "message"),
    [
        ("sell", "gone", "builtins.shell", "x", "there is no job `gone`"),
        ("gone", "one", "builtins.shell", "x", "there is no stage `gone`"),
        ("sell", "one", "builtins.copy", "x", "`builtins.copy` is not what the job `one` does"),
        ("sell", "one", "builtins.shell", "{{ x }}", "which the file would take for a template"),
    ],
)
def test_what_cannot_be_written_is_said_and_the_file_stays(
    tmp_path: Path, stage: str, job: str, procedure: str, value: str, message: str
) -> None:
    path = tmp_path / "s.yml"
    path.write_text(TEXT)
    with pytest.raises(ScenarioError) as caught:
        change_arguments(str(path), stage, job, procedure, {("script",): value})
    assert message in caught.value.problems[0].message
    assert path.read_text() == TEXT
