"""Every sample is right, says what it is, and runs as its comments promise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from octogram_tui.projection.lesson import ENOUGH, VARIABLE
from octogram_tui.scenario.load import load_scenario

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = (
    *("quickstart", "failing", "demo", "classic", "ssh", "debugger", "slurm"),
    *("containers", "kubernetes"),
)


class Ran:
    """A headless run: its exit code, its plain lines, its events."""

    def __init__(self, tmp_path: Path, sample: str, *options: str) -> None:
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "octogram_tui",
                str(ROOT / "sample_scenarios" / f"{sample}.yml"),
                "--headless",
                "--events",
                "-",
                "--run-dir",
                str(tmp_path / "run"),
                "--junit",
                str(tmp_path / "junit.xml"),
                *options,
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
            stdin=subprocess.DEVNULL,
        )
        self.code = ended.returncode
        self.log = ended.stderr
        self.events: list[dict[str, Any]] = [json.loads(line) for line in ended.stdout.splitlines()]

    def of(self, name: str) -> list[dict[str, Any]]:
        """Give the events of a type."""
        return [event for event in self.events if event["type"] == name]

    def states(self) -> set[str]:
        """Give the states in which instances ended."""
        return {event["state"] for event in self.of("job_finished")}


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_is_right_and_explained(sample: str) -> None:
    path = ROOT / "sample_scenarios" / f"{sample}.yml"
    warnings = load_scenario(str(path)).warnings
    assert [w for w in warnings if "`identity` does not exist on this machine" not in w.message] == []
    comments = [line for line in path.read_text().splitlines() if line.lstrip().startswith("#")]
    assert len(comments) >= 8


def test_the_quickstart_does_what_it_says(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "quickstart")
    assert ran.code == 0, ran.log
    assert ran.states() == {"ok"}
    assert [event["seq"] for event in ran.events] == list(range(1, len(ran.events) + 1))
    assert {event["agent"] for event in ran.of("agent_ready")} == {"library", "reader_1", "reader_2"}
    counted = {(e["agent"], tuple(e["item"])) for e in ran.of("job_finished") if e["job"] == "count"}
    assert counted == {(f"reader_{r}", (w, n)) for r in (1, 2) for w in ("lines", "words") for n in (1, 2, 3)}
    variables = {event["name"]: event["value"] for event in ran.of("variable_changed")}
    assert isinstance(variables["clock_port"], int)
    assert variables["reader_1_words_2"] == variables["reader_2_words_2"]
    [report] = (tmp_path / "run" / "artifacts").rglob("report.txt")
    assert report.read_text().startswith("the octopus: 3 chapters,\n")
    assert ran.of("run_finished")[0]["exit_code"] == 0
    assert all(event["is_clean"] for event in ran.of("agent_stopped"))
    assert (tmp_path / "junit.xml").exists()


def test_the_quickstart_can_be_given_other_variables(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "quickstart", "--var", "chapters=1", "--var", "title=the squid")
    assert ran.code == 0, ran.log
    [report] = (tmp_path / "run" / "artifacts").rglob("report.txt")
    assert report.read_text().startswith("the squid: 1 chapters,\n")


def test_the_failing_one_fails_as_it_says_and_passes_once_it_is_repaired(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "failing")
    assert ran.code == 1, ran.log
    [failure] = [event for event in ran.of("job_finished") if event["state"] == "failed"]
    assert (failure["job"], failure["agent"]) == ("sell one octopus", "shop_2")
    assert "the variable stock_2 is 0, and has to be 1 or more" in ran.log
    closed = [event for event in ran.of("job_finished") if event["stage"] == "close"]
    assert len(closed) == 3
    (tmp_path / "again").mkdir()
    repaired = Ran(tmp_path / "again", "failing", "--var", "stock_2=5")
    assert repaired.code == 0, repaired.log


def test_the_demo_fails_once_and_has_its_lesson_s_variable(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "demo", "--var", "pace=0")
    assert ran.code == 1, ran.log
    [failure] = [event for event in ran.of("job_finished") if event["state"] == "failed"]
    assert failure["agent"] == "diver_2"
    assert f"the variable {VARIABLE} is 0, and has to be {ENOUGH} or more" in ran.log
    (tmp_path / "again").mkdir()
    repaired = Ran(tmp_path / "again", "demo", "--var", "pace=0", "--var", f"{VARIABLE}={ENOUGH}")
    assert repaired.code == 0, repaired.log


def test_the_one_for_the_debugger_has_its_two_mistakes_and_no_other(tmp_path: Path) -> None:
    assert Ran(tmp_path, "debugger").code == 1
    text = (ROOT / "sample_scenarios" / "debugger.yml").read_text()
    assert text.count("FILE: seat.text") == 1
    (tmp_path / "repaired.yml").write_text(text.replace("FILE: seat.text", "FILE: seat.txt"))
    (tmp_path / "again").mkdir()
    repaired = Ran(tmp_path / "again", str(tmp_path / "repaired"), "--var", "level=2")
    assert repaired.code == 0, repaired.log


@pytest.mark.parametrize("sample", ["classic", "ssh"])
def test_the_ones_over_ssh_run_on_this_machine_too(tmp_path: Path, sample: str) -> None:
    ran = Ran(tmp_path, sample, "--local")
    assert ran.code == 0, ran.log
    assert ran.states() == {"ok"}
