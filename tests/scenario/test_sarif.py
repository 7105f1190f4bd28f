"""Problems as SARIF: valid to its own tools, at the right signs, and the same problems when lines move."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fixtures_program import NODE_MODULES
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import validators
from language_server import need_node
from scenario_family import load

from octogram_tui.commands import check
from octogram_tui.errors import Problem, ScenarioError
from octogram_tui.scenario.rules import RULES, index_of
from octogram_tui.scenario.sarif import MAX_RESULTS, as_sarif

VALIDATOR = NODE_MODULES / "@microsoft" / "sarif-multitool-linux"
BROKEN = """\
agents: [{name: a b, address: h}]
stages:
  - name: s
    jobs:
      - name: j
        builtins.shel: x
      - name: k
        builtins.shell: '{{ vars.nope }}'
        "é𝄞": 1
"""


def results(problems: Sequence[Problem], scenario: str = "s.yml") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(as_sarif(problems, scenario))["runs"][0]["results"]
    return found


def problems_of(text: str) -> list[Problem]:
    try:
        return load(text).warnings
    except ScenarioError as error:
        return error.problems


def place(result: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = result["locations"][0]["physicalLocation"]
    return found


@pytest.mark.node
def test_its_own_tools_find_nothing_wrong_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    need_node(VALIDATOR / "Sarif.Multitool")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b#é%.yml").write_text(BROKEN)
    (tmp_path / "well.yml").write_text("agents: [{name: a, transport: local}]\nstages: []\n")
    assert check.main(["a b#é%.yml", "well.yml", "gone.yml", "--format", "sarif", "--variables", "../gone.yml"]) == 3
    (tmp_path / "broken.sarif").write_text(capsys.readouterr().out)
    assert check.main(["well.yml", "--format", "sarif"]) == 0
    (tmp_path / "well.sarif").write_text(capsys.readouterr().out)
    schema = json.loads((VALIDATOR / "sarif-2.1.0.json").read_text())
    for name in ("broken.sarif", "well.sarif"):
        validators.validator_for(schema)(schema).validate(json.loads((tmp_path / name).read_text()))
    (VALIDATOR / "Sarif.Multitool").chmod(0o755)
    said = subprocess.run(
        [VALIDATOR / "Sarif.Multitool", "validate", "--rule-kind", "Sarif;Ghas", "*.sarif"],
        cwd=tmp_path,
        env={
            **os.environ,
            "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
            "DOTNET_BUNDLE_EXTRACT_BASE_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "2 files scanned" in said.stdout, said.stdout + said.stderr
    found = [line for line in said.stdout.splitlines() if ": error " in line or ": warning " in line]
    # There is no page of the program that could be named.
    assert [line for line in found if "informationUri" not in line] == []


def test_each_problem_has_its_kind_and_its_place() -> None:
    found = results(problems_of(BROKEN))
    regions = [place(r)["region"] for r in found]
    places = [(region["startLine"], region["startColumn"]) for region in regions]
    assert [(r["ruleId"], r["level"], *where) for r, where in zip(found, places, strict=True)] == [
        ("agent", "error", 1, 17),
        ("procedure", "error", 6, 9),
        ("name", "error", 8, 25),
        ("unknown-key", "error", 9, 9),
        ("choice-of-agents", "warning", 2, 1),
    ]  # fmt: skip
    assert all(RULES[r["ruleIndex"]].id == r["ruleId"] for r in found)
    assert len({rule.id for rule in RULES}) == len(RULES)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6))
def test_columns_count_signs_whatever_they_are(before: str) -> None:
    text = f"stages: []\nvars: {{{json.dumps('k' + before, ensure_ascii=False)}: 1, x: 1.10}}\n"
    found = [r for r in results(problems_of(text)) if r["ruleId"] == "reading"]
    for each in found:
        column = place(each)["region"]["startColumn"]
        assert text.split("\n")[1][column - 1 :].startswith("1.10")
    assert found


def test_a_problem_is_the_same_when_lines_come_before_it_and_two_that_are_alike_are_two() -> None:
    text = BROKEN + BROKEN[BROKEN.index("  - name: s") :].replace("- name: s", "- name: t")

    def marks(of: str) -> list[str]:
        return [r["partialFingerprints"]["primaryLocationLineHash"] for r in results(problems_of(of))]

    assert marks(text) == marks("# a line\n\n" + text)
    assert len(set(marks(text))) == len(marks(text)) == 8


@pytest.mark.parametrize("name", ["s.yml", "./a b.yml", "dir/é#?%.yml", "a:b.yml", "x\udcff.yml"])
def test_a_file_below_is_named_from_here_and_can_be_found(name: str) -> None:
    location = place(results([Problem(name, 1, 1, "`x` is null")])[0])["artifactLocation"]
    assert location["uriBaseId"] == "%SRCROOT%"
    assert ":" not in location["uri"].split("/")[0]
    assert location["uri"].isascii()
    assert unquote(location["uri"], errors="surrogateescape") == os.path.normpath(name)


def test_a_file_elsewhere_is_named_in_full(tmp_path: Path) -> None:
    location = place(results([Problem(str(tmp_path / "a b.yml"), 1, 1, "`x` is null")])[0])["artifactLocation"]
    assert location == {"uri": (tmp_path / "a b.yml").as_uri()}


def test_what_stands_on_the_command_line_is_told_at_the_scenario() -> None:
    found = results([Problem("--var", 0, 0, "no template uses `x`", is_warning=True)], "my.yml")[0]
    assert found["message"]["text"].startswith("--var: ")
    assert place(found) == {
        "artifactLocation": {"uri": "my.yml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1},
    }


def test_no_text_from_outside_steers_or_becomes_a_link() -> None:
    hostile = Problem("s.yml", 1, 1, "unknown key `\x1b[2J[x](http://h)\u202e`", "a\nb", "\x1b[31mx")
    text = as_sarif([hostile], "s.yml")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\[x\\](http://h)" in json.loads(text)["runs"][0]["results"][0]["message"]["text"]


def test_errors_come_first_where_not_all_are_shown() -> None:
    many = [Problem("s.yml", n, 1, "`x` is read as 1", is_warning=True) for n in range(1, MAX_RESULTS + 10)]
    run = json.loads(as_sarif([*many, Problem("s.yml", 1, 1, "`x` is null")], "s.yml"))["runs"][0]
    assert len(run["results"]) == MAX_RESULTS
    assert run["results"][0]["level"] == "error"
    assert "10 more" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_a_problem_is_the_same_however_its_file_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("s.yml", "./s.yml", "x/../s.yml", str(tmp_path / "s.yml"))
    found = [results([Problem(name, 1, 1, "`x` is null")])[0] for name in names]
    assert found == found[:1] * len(names)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("gone.yml", "syntax"),
        ("folder", "syntax"),
        ("folder.yml", "syntax"),
        ("scenario", "syntax"),
        ("of_gone.yml", "syntax"),
        ("of_program.yml", "syntax"),
    ],
)
def test_a_file_that_cannot_be_read_is_of_one_kind(
    file: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("folder", "folder.yml"):
        (tmp_path / folder).mkdir()
    (tmp_path / "scenario").write_text("stages: []\n")
    (tmp_path / "program").write_text("#!/bin/sh\n")
    (tmp_path / "program").chmod(0o755)
    for name in ("gone", "program"):
        (tmp_path / f"of_{name}.yml").write_text(f"agents: {{from: {name}}}\nstages: []\n")
    assert check.main([file, "--format", "sarif"]) == 3
    errors = [r for r in json.loads(capsys.readouterr().out)["runs"][0]["results"] if r["level"] == "error"]
    assert [r["ruleId"] for r in errors] == [kind], errors


def test_what_is_of_no_kind_of_ours_is_what_a_reader_of_yaml_says() -> None:
    assert RULES[index_of(Problem("f", 1, 1, "while scanning a simple key"))].id == "syntax"
    assert RULES[index_of(Problem("f", 1, 1, "this is new", is_warning=True))].id == "doubtful"
