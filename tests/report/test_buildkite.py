"""Buildkite's agent is asked what it takes, and a run is none the worse when it refuses, hangs, or is not there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import recorded
from test_markdown import closing_of

from octogram_tui.report import buildkite
from octogram_tui.report.buildkite import Buildkite

AGENT = """#!{python}
import json, os, sys
words, text = sys.argv[1:], sys.stdin.read()
options = dict(zip(words[1::2], words[2::2]))
if words[0] == "annotate":
    known = {{"--style": ("default", "success", "info", "warning", "error"), "--context": None}}
    if set(options) - set(known) or options.get("--style", "info") not in known["--style"] or len(text) > 1 << 20:
        sys.exit("flag provided but not defined, or a body that is too large")
elif words != ["redactor", "add"]:
    sys.exit("no such command")
if os.environ.get("AGENT_SAYS"):
    sys.exit(os.environ["AGENT_SAYS"])
with open({heard!r}, "a") as file:
    print(json.dumps([words, text]), file=file)
"""


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for the agent's program, which talks to its service; what it does not know it refuses."""
    agent = tmp_path / "buildkite-agent"
    agent.write_text(AGENT.format(python=sys.executable, heard=str(tmp_path / "heard")))
    agent.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("BUILDKITE_JOB_ID", "job-7")
    return tmp_path / "heard"


def test_a_run_that_failed_annotates_the_build(heard: Path) -> None:
    told: list[str] = []
    Buildkite(told.append).end(closing_of(recorded.failing()))
    words, text = json.loads(heard.read_text())
    assert words == [
        *("annotate", "--style", "error"),
        *("--context", "octogram-tui-job-7-20261123-031409-shops-x7"),
    ]
    assert "First failure" in text
    assert told == []


def test_a_run_that_went_well_annotates_nothing(heard: Path) -> None:
    Buildkite().end(closing_of(recorded.succeeding()))
    assert not heard.exists()


def test_secrets_are_given_to_the_redactor_where_nobody_sees_them(heard: Path) -> None:
    assert Buildkite().mask("sesame open") == []
    assert json.loads(heard.read_text()) == [["redactor", "add"], "sesame open"]


def test_an_agent_that_refuses_is_told_of(heard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setenv("AGENT_SAYS", "not\x1b[31m authorized")
    Buildkite(told.append).end(closing_of(recorded.failing()))
    assert told == ["buildkite-agent: the build was not annotated: not␛[31m authorized"]


def test_an_agent_that_hangs_is_left(heard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    (heard.parent / "buildkite-agent").write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    monkeypatch.setattr(buildkite, "AGENT_S", 0.2)
    service = Buildkite(told.append)
    for secret in ("sesame open", "sesame shut"):  # it is not waited for again
        service.mask(secret)
    assert told == ["buildkite-agent: a secret was not given to its redactor: it says nothing for 0.2 s"]


def test_without_its_program_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    Buildkite().end(closing_of(recorded.failing()))
    assert Buildkite().mask("sesame open") == []
