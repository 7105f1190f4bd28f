"""What each CI service is told is told by its own rules, and nothing that a run prints tells it anything."""

from __future__ import annotations

import io
from typing import get_args

import pytest
import recorded
from hostile import run, texts
from hypothesis import example, given, settings
from hypothesis import strategies as st
from service_readers import READERS, Command, github, gitlab
from service_readers import teamcity as teamcity_reader
from teamcity.messages import escape_value

from octogram_tui.engine import events as ev
from octogram_tui.report.closing import Repeats
from octogram_tui.report.github import GitHub
from octogram_tui.report.gitlab import GitLab
from octogram_tui.report.plainlog import Shows, Style
from octogram_tui.report.progress import Progress
from octogram_tui.report.service import Service, service_of
from octogram_tui.report.teamcity import escaped, message
from octogram_tui.settings import CI_SERVICES


def log(events: list[ev.Event], service: Service | None, **style: object) -> str:
    stream = io.StringIO(newline="")
    report = Progress(stream, Style(service=service, **style), repeats=Repeats("octogram-tui s.yml"))  # type: ignore[arg-type]
    report.apply(events)
    report.close()
    return stream.getvalue()


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


@pytest.mark.parametrize("name", CI_SERVICES)
@given(one=texts, two=texts, three=texts, output=st.sampled_from(["", *get_args(Shows)]), color=st.booleans())
@example(one="::error::x", two="::error::x", three="--- a", output="", color=False)
@example(one="##teamcity", two="x y='z'", three="a", output="", color=False)
@example(one="--- a", two="##\x1b[1mteamcity[x y='z']", three="section_start:1:a\r\x1b[0K", output="stream", color=True)
@settings(max_examples=20)
def test_nothing_that_a_run_prints_is_obeyed(
    name: str, one: str, two: str, three: str, output: Shows, color: bool
) -> None:
    """The service hears the same of a run, whatever its names, messages and outputs are."""
    heard = READERS[name](log(run(one, two, three), service_of(name), output=output, color=color, level=1))
    meant = READERS[name](log(run("o", "t", "x"), service_of(name), output=output, color=color, level=1))
    assert [each.name for each in heard] == [each.name for each in meant]
    assert [sorted(each.values) for each in heard] == [sorted(each.values) for each in meant]


@given(one=texts, two=texts, three=texts, output=st.sampled_from(["", *get_args(Shows)]))
@settings(max_examples=20)
def test_no_service_obeys_what_was_not_written_for_it(one: str, two: str, three: str, output: Shows) -> None:
    """One that did not tell us of itself, as from around a container, or that reads the log of another one."""
    shown = log(run(one, two, three), None, output=output, level=1)
    assert {name: reader(shown) for name, reader in READERS.items()} == {name: [] for name in READERS}


def test_github_points_at_the_line_of_the_scenario() -> None:
    commands = github(log(recorded.failing(), GitHub({})))
    assert [each.name for each in commands if each.name != "error"] == ["group", "endgroup"] * 3
    [error] = [each for each in commands if each.name == "error"]
    assert error.values == {
        "file": "shops.yml",
        "line": "22",
        "title": "sell one",
        "data": "sell/sell one@shop_2[2]: the script ended with exit status 3",
    }


def test_github_finds_files_from_the_top_of_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/usr/lib")
    assert GitHub({"GITHUB_WORKSPACE": "/usr"}).place("s.yml") == "lib/s.yml"
    assert GitHub({"GITHUB_WORKSPACE": "/etc"}).place("s.yml") == "s.yml"


@given(text=st.text())
def test_github_gets_every_text_back(text: str) -> None:
    command = github("".join(f"{line}\n" for line in GitHub({}).mask(text)))
    assert [each.values["data"] for each in command] == [text]


@given(title=st.text().map(lambda text: " ".join(text.split())))
def test_gitlab_reads_a_section_whatever_the_stage_is_called(title: str) -> None:
    service = GitLab()
    lines = [*service.open_group(title, 12.7), "inside", *service.close_group(13.2)]
    begin, end = gitlab("\n".join(lines))
    assert begin == Command("section_start", {"at": "12", "name": end.values["name"]})
    assert end.name == "section_end"
    assert lines[0].endswith(f"\r\x1b[0K{title}")


def test_gitlab_gets_each_name_once() -> None:
    names = [each.values["name"] for each in gitlab(log(recorded.failing(), GitLab()))]
    assert names == [f"octogram_{n}_{name}" for n, name in enumerate(("open", "sell", "close"), 1) for _ in range(2)]
    assert [each.values["at"] for each in gitlab(log(recorded.failing(), GitLab()))][:2] == ["1795403650", "1795403651"]


@given(text=st.text(st.characters(codec="utf-8")))
def test_teamcity_gets_every_text_back_escaped_as_its_own_library_does(text: str) -> None:
    [read] = teamcity_reader(f"before {message('x', y=text)} behind")
    assert read == Command("x", {"y": text})
    ascii_only = "".join(sign for sign in text if sign.isascii())
    assert escaped(ascii_only) == escape_value(ascii_only)


def test_teamcity_closes_each_block_and_makes_a_problem_of_each_cause(tmp_path: object) -> None:
    commands = teamcity_reader(log(recorded.failing(), service_of("teamcity")))
    names = [each.name for each in commands]
    assert names == ["setParameter", *["blockOpened", "blockClosed"] * 3, "buildProblem", "buildStatus"]
    assert [each.values for each in commands[1:7:2]] == [each.values for each in commands[2:8:2]]
    assert commands[-2].values["description"].endswith("the script ended with exit status 3 (shops.yml:22)")


def test_buildkite_unfolds_a_stage_that_failed_and_the_end() -> None:
    shown = log(recorded.failing(), service_of("buildkite"))
    headers = [line for line in shown.splitlines() if line.startswith(("---", "+++", "^^^"))]
    assert headers == [
        "--- octogram-tui 20261123-031409-shops-x7",
        "--- open on 2 agents",
        "--- sell on 2 agents",
        "^^^ +++",
        "--- close on 2 agents",
        "+++ FAILED after 15.0s, exit code 1: a job failed",
    ]


@pytest.mark.parametrize("name", CI_SERVICES)
def test_a_stage_that_begins_beside_another_leaves_no_group_open(name: str) -> None:
    events = [*recorded.started(), *(ev.StageStarted(stage=each, agents=["shop_1"]) for each in ("a", "b"))]
    commands = READERS[name](log(recorded.numbered(events), service_of(name)))
    opened = [each for each in commands if each.name in ("group", "section_start", "blockOpened")]
    closed = [each for each in commands if each.name in ("endgroup", "section_end", "blockClosed")]
    assert len(opened) == len(closed) == (0 if name == "buildkite" else 2)


def test_a_quiet_log_has_no_groups_and_still_its_annotations() -> None:
    commands = github(log(recorded.failing(), GitHub({}), level=-1))
    assert [each.name for each in commands] == ["error"]


@pytest.mark.parametrize("name", ["github", "gitlab", "teamcity"])
def test_a_run_that_goes_on_in_another_log_opens_its_group_there(name: str) -> None:
    stream = io.StringIO(newline="")
    report = Progress(stream, Style(service=service_of(name)))
    report.recall([*recorded.started(), ev.StageStarted(stage="sell", agents=["shop_1"])])
    report.apply([ev.RunTakenUp(number=1), ev.StageFinished(stage="sell", state="ok")])
    report.close()
    commands = READERS[name](stream.getvalue())
    assert [each.name for each in commands][:2] in (
        ["group", "endgroup"],
        ["section_start", "section_end"],
        ["blockOpened", "blockClosed"],
    )
