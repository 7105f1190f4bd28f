"""Breakpoints from the outside: on the command line, with nobody there, and kept from one console to the next."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pexpect
import pytest
from fixtures_program import Place, events_of, wait_for

from octogram_tui.journal import archive

SCENARIO = """
vars: {code: 0}
agents: [{name: n_1, transport: local}, {name: n_2, transport: local}]
stages:
  - name: measure
    with_agents: [n_.*]
    jobs:
      - name: ping
        with_items: [1, 2, 3]
        builtins.command: echo {{ item }}
      - name: sum
        builtins.command: sh -c "exit {{ vars.code }}"
  - {name: tidy, with_agents: [n_1], always: true, jobs: [{name: sweep, builtins.command: echo swept}]}
"""


def run(place: Place, *words: str) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """Run without a console; gives what came of it, and what was met."""
    path = place.write("s.yml", SCENARIO)
    done = place.run(str(path), "--headless", "--events", "e.jsonl", "--junit", "j.xml", *words)
    met = [e for e in events_of((place.home / "e.jsonl").read_text()) if e["type"] == "breakpoint_met"]
    return done, met


def journals(place: Place) -> list[Path]:
    return sorted(
        place.home.glob(".local/state/octogram-tui/runs/*/journal.jsonl"), key=lambda path: path.stat().st_mtime
    )


def events(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_bytes().split(b"\n")[1:-1]]


def test_logs_are_written_where_their_conditions_hold_and_nothing_stops(place: Place) -> None:
    words = ["--break", "measure/ping@n_2", "--break-if", "item > 1", "--break-at", "after"]
    words += ["--break-log", "{{ agent.name }} said {{ res.stdout }}", "--break", "/pign"]
    words += ["--break", "/ping@n_1", "--break-hits", "=2", "--break-log", "the second"]
    done, met = run(place, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [e["message"].strip() for e in met if e["number"] == 1] == ["n_2 said 2", "n_2 said 3"]
    assert [(e["key"], e["message"]) for e in met if e["number"] == 3] == [("measure/ping@n_1[2]", "the second")]
    assert "  breakpoint 1, ping [n_2] (2): n_2 said 2" in done.stdout
    assert "breakpoint 2 matches nothing now: no job there is called pign; did you mean /ping?" in done.stdout
    assert "item > 1, log {{ agent.name }} said {{ res.stdout }}: met 2 times" in done.stdout
    properties = ET.parse(place.home / "j.xml").iter("property")
    values = [each.get("value", "").strip() for each in properties if each.get("name", "").startswith("breakpoint ")]
    assert sorted(values) == ["n_2 said 2", "n_2 said 3", "the second"]


def test_with_nobody_there_a_breakpoint_fails_the_run_or_is_told_of(place: Place) -> None:
    done, met = run(place, "--break", "/sum@n_2", "--on-break", "fail")
    assert done.returncode == 11, done.stdout
    assert [e["key"] for e in met] == ["measure/sum@n_2"]
    assert "measure/sum@n_2: breakpoint 1: before; there was nobody to look (--on-break fail)" in done.stdout
    assert "sweep [n_1]" in done.stdout
    done, met = run(place, "--break", "*", "--break-at", "failed:exit", "-e", "code=3", "--on-break", "continue")
    assert done.returncode == 1
    assert [e["key"].partition("@")[0] for e in met][:1] == ["measure/sum"]
    assert "paused" not in done.stdout


def test_somebody_is_called_and_when_nobody_comes_the_run_ends(place: Place) -> None:
    done, _ = run(place, "--step-from", "/sum@n_1", "--on-break", "hold:0.2s")
    assert done.returncode == 11, done.stdout + done.stderr
    assert "octogram-tui: held: measure/sum@n_1: breakpoint 1: before\n" in done.stderr
    command = re.search(r"attach within 0\.20s, else the run ends: (octogram-tui attach \S+)\n", done.stderr)
    assert command is not None
    assert command[1].split()[-1] == archive.find(place.runs_dir, "last").id
    assert "stopped by --on-break hold" in done.stdout


@pytest.mark.terminal
def test_whoever_is_called_comes_looks_and_lets_it_go_on(place: Place) -> None:
    path = place.write("s.yml", SCENARIO)
    words = ["--on-failure", "pause", "-e", "code=3", "--step", "--on-break", "hold:10m"]
    process = place.start(str(path), "--headless", *words)
    assert process.stdout is not None

    def called() -> tuple[str, str]:
        """Wait until somebody is called: why, and to which run."""
        said = ""
        while (found := re.search(r"held: (.*)\n  attach .*: octogram-tui attach (\S+)", said)) is None:
            line = process.stdout.readline() if process.stdout is not None else ""
            assert line, said
            said += line
        return found[1], found[2]

    why, run_ = called()
    assert why == "measure/ping@n_1[1]: breakpoint 2: before"
    place.ask("go", run=run_)
    why, run_ = called()
    assert why.startswith("measure/sum@n_")
    child = place.open("attach", run_)
    child.expect("sum")
    child.send("q")
    child.expect("Leave the run")
    child.send("d")
    child.expect(pexpect.EOF)
    place.ask("set_variable", "code", "value=0", run=run_)
    place.ask("rerun_all", "failed", "go=true", run=run_)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    place.wait_clean()


@pytest.mark.terminal
def test_they_are_kept_for_the_file_and_there_again_in_its_next_console(place: Place) -> None:
    path = place.write("s.yml", SCENARIO)

    def in_console(number: int, *asked: list[str]) -> list[dict[str, Any]]:
        child = place.open(str(path), "--paused")
        wait_for(
            lambda: len(journals(place)) == number and any(e["type"] == "job_held" for e in events(journals(place)[-1]))
        )
        for words in asked:
            place.ask(*words)
        child.send("q")
        child.expect("Leave the run")
        child.send("s")
        child.expect(pexpect.EOF)
        return [e for e in events(journals(place)[-1]) if e["type"] == "breakpoint_set"]

    in_console(
        1, ["break", "/ping", "condition=item > 2"], ["break", "@n_2", "when=lost"], ["switch_break", "1", "false"]
    )
    path.rename(place.home / "renamed.yml")
    path = place.home / "renamed.yml"
    set_ = in_console(2, ["remove_break", "2"])
    assert [(e["number"], e["pattern"], e.get("by")) for e in set_] == [
        (1, "*", "run"),
        (2, "/ping", "file"),
        (3, "@n_2", "file"),
    ]
    [kept] = place.home.glob(".local/state/octogram-tui/breakpoints/*.json")
    assert [one["pattern"] for one in json.loads(kept.read_text())["breakpoints"]] == ["@n_2"]


def test_what_is_wrong_with_them_is_said_before_anything_begins(place: Place) -> None:
    path = place.write("s.yml", SCENARIO)
    done = place.run(str(path), "--headless", "--break", "*", "--break-if", "vars.level >")
    assert done.returncode == 2
    assert done.stderr.startswith("octogram-tui: --break '*': condition: `vars.level >`")
    assert journals(place) == []
