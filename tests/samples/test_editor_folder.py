"""The folder for editors: its files agree with each other, with what `check` prints, and with what editors want."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fixtures_program import ROOT, Place

from octogram_tui.commands import COMMANDS
from octogram_tui.commands.schema import FILE, modeline

FOLDER = ROOT / "sample_scenarios" / "editor"
EXTENSION = FOLDER / ".vscode" / "extensions" / "octogram-tui"


def read(path: Path) -> Any:
    """Read JSON in which lines may be comments."""
    return json.loads("\n".join(line for line in path.read_text().split("\n") if not line.lstrip().startswith("//")))


def launched() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(FOLDER / ".vscode" / "launch.json")["configurations"]
    return found


def test_its_scenario_is_well_and_names_its_schema(place: Place) -> None:
    assert (FOLDER / "scenario.yml").read_text().startswith(modeline() + "\n")
    assert (FOLDER / ".gitignore").read_text().split() == [FILE]
    done = place.run("check", str(FOLDER / "scenario.yml"))
    assert done.stdout.endswith("2 stages, 2 agents, no errors\n"), done.stdout
    done = place.run(str(FOLDER / "scenario.yml"), "--headless")
    assert done.returncode == 0, done.stdout


def test_its_task_finds_what_check_prints(place: Place) -> None:
    task, write = read(FOLDER / ".vscode" / "tasks.json")["tasks"]
    lines, files = (re.compile(matcher["pattern"]["regexp"]) for matcher in task["problemMatcher"])
    place.write("a b.yml", "agents: [{nmae: a, address: h}]\nvars: {x: 1.10}\nstages: []\n")
    printed = place.run(*(word.replace("${relativeFile}", "a b.yml") for word in task["args"])).stdout
    found = [match.groups() for line in printed.split("\n") if (match := lines.search(line))]
    assert ("a b.yml", "1", "11", "error") in [each[:4] for each in found]
    assert ("a b.yml", "2", "11", "warning") in [each[:4] for each in found]
    assert len(found) == printed.count(": error: ") + printed.count(": warning: ")
    assert not any(files.search(line) for line in printed.split("\n"))
    missing = map(files.search, place.run("check", "gone.yml").stdout.split("\n"))
    assert [match.groups()[:2] for match in missing if match] == [("gone.yml", "error")]
    assert place.run(*write["args"]).returncode == 0
    assert json.loads((place.home / FILE).read_text())["title"]
    assert {task["args"][0], write["args"][0]} <= set(COMMANDS)


def test_its_extension_is_data_that_its_configurations_fit() -> None:
    manifest = read(EXTENSION / "package.json")
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", manifest["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
    assert {"publisher", "engines", "contributes"} <= manifest.keys()
    assert not {"main", "browser", "scripts", "activationEvents"} & manifest.keys()
    assert (
        f"{manifest['publisher']}.{manifest['name']}" in read(FOLDER / ".vscode" / "extensions.json")["recommendations"]
    )
    (debugger,) = manifest["contributes"]["debuggers"]
    assert debugger["runtime"] == "octogram-tui"
    assert debugger["args"][0] in COMMANDS
    known = {"name", "type", "request", "preLaunchTask"}
    for each in [*launched(), *debugger["initialConfigurations"]]:
        attributes = debugger["configurationAttributes"][each["request"]]["properties"]
        assert each["type"] == debugger["type"]
        assert set(each) <= known | set(attributes), each["name"]
    labels = {task["label"] for task in read(FOLDER / ".vscode" / "tasks.json")["tasks"]}
    assert {each["preLaunchTask"] for each in launched() if "preLaunchTask" in each} <= labels


@pytest.mark.parametrize("name", ["settings.json", "tasks.json", "launch.json", "extensions.json"])
def test_its_files_can_be_read(name: str) -> None:
    assert read(FOLDER / ".vscode" / name)
