"""The JUnit file says of every instance how it ended, whatever its output was."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from xml.etree import ElementTree as ET

import golden
import junitparser
import pytest
import recorded
import xmlschema
from hostile import run, texts
from hypothesis import given, settings

from octogram_tui.engine import events as ev
from octogram_tui.errors import JournalError
from octogram_tui.model.entries import JobEntry, StageEntry
from octogram_tui.model.failure import Failure
from octogram_tui.report.junit import JUnit


def report(tmp_path: Path, events: list[ev.Event]) -> str:
    target = tmp_path / "junit.xml"
    junit = JUnit(target)
    junit.apply(events)
    junit.close()
    return target.read_text()


JENKINS = xmlschema.XMLSchema(Path(__file__).parent / "golden" / "jenkins-xunit-junit-10.xsd")
"""What Jenkins's xUnit plugin holds a report to, before it takes anything of it."""


@pytest.mark.parametrize("name", ["failing", "succeeding", "unreachable", "interrupted"])
def test_jenkins_takes_the_file(tmp_path: Path, name: str) -> None:
    JENKINS.validate(report(tmp_path, getattr(recorded, name)()))


@given(one=texts, two=texts, three=texts)
@settings(max_examples=15)
def test_whatever_the_names_and_outputs_are_its_readers_take_it(one: str, two: str, three: str) -> None:
    junit = JUnit(None)
    junit.apply(run(one, two, three))
    text = ET.tostring(junit.document(), encoding="unicode")
    JENKINS.validate(text)
    read = junitparser.JUnitXml.fromstring(text)
    cases = [case for suite in read for case in suite]
    assert len(cases) == read.tests
    assert len({(case.classname, case.name) for case in cases}) == len(cases)
    assert sum(isinstance(result, junitparser.Failure) for case in cases for result in case.result) == 1


@pytest.mark.parametrize("name", ["failing", "succeeding", "unreachable", "interrupted"])
def test_the_file_is_as_it_was_looked_at(tmp_path: Path, name: str) -> None:
    golden.check(f"{name}.junit.xml", report(tmp_path, getattr(recorded, name)()) + "\n")


def test_names_are_unique_and_counts_add_up(tmp_path: Path) -> None:
    root = ET.fromstring(report(tmp_path, recorded.failing()))
    cases = list(root.iter("testcase"))
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == len(names)
    assert ("shops.sell", "sell one [shop_2] (2)") in names
    assert int(root.get("tests", "0")) == len(cases)
    assert (root.get("failures"), root.get("errors")) == ("1", "0")


def test_a_run_that_crashed_has_its_file_too(tmp_path: Path) -> None:
    root = ET.fromstring(report(tmp_path, recorded.interrupted()[:8]))
    error = root.find(".//error")
    assert error is not None
    assert error.get("message") == "the run did not come to its end"


def test_a_rerun_that_succeeds_is_a_flaky_success(tmp_path: Path) -> None:
    root = ET.fromstring(report(tmp_path, recorded.failing()))
    flaky = root.find(".//testcase[@name='sell one [shop_1] (1)']/flakyFailure")
    assert flaky is not None
    assert "not yet" in (flaky.text or "")


def test_a_failure_after_a_failure_names_both(tmp_path: Path) -> None:
    first, second = recorded.job("open", "fill", "shop_1"), recorded.job("open", "fill", "shop_1", attempt=2)
    events = recorded.numbered(
        [
            *recorded.started(),
            ev.StageStarted(stage="open", agents=["shop_1"]),
            ev.JobStarted(**first),
            ev.JobFinished(
                **first,
                state="failed",
                failure=Failure.from_json({"kind": "exit", "message": "first"}),
                will_retry=True,
            ),
            ev.JobStarted(**second, why="retry"),
            ev.JobFinished(**second, state="failed"),
            ev.RunFinished(exit_code=1),
        ]
    )
    case = ET.fromstring(report(tmp_path, events)).find(".//testcase[@name='fill [shop_1]']")
    assert case is not None
    assert [(child.tag, child.get("message")) for child in case] == [
        ("failure", "no reason was given"),
        ("rerunFailure", "first"),
    ]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="nowhere"):
        report(tmp_path / "nowhere", recorded.failing())


def test_a_device_and_a_link_stay_what_they_are(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    junit = JUnit.open(tmp_path / "link")
    junit.apply(recorded.failing())
    junit.close()
    reader.join(60)
    assert ET.fromstring(read[0]).tag == "testsuites"
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(os.listdir(tmp_path)) == ["link", "pipe"]


def test_what_a_lost_agent_never_came_to_is_skipped_with_the_reason(tmp_path: Path) -> None:
    one, two = recorded.job("s", "one", "a"), recorded.job("s", "one", "b")
    jobs: list[JobEntry] = [{"job": name, "procedure": "builtins.shell"} for name in ("one", "two", "three")]
    stages: list[StageEntry] = [{"stage": "s", "jobs": jobs}, {"stage": "t", "jobs": jobs[:1]}]
    events = recorded.numbered(
        [
            ev.RunStarted(run="r", scenario="s.yml", plan=stages, agents=[{"agent": "a"}, {"agent": "b"}]),
            *(ev.AgentReady(agent=name, home="/h") for name in "ab"),
            ev.StageStarted(stage="s", agents=["a", "b"]),
            ev.JobStarted(**one, procedure="builtins.shell"),
            ev.JobStarted(**two, procedure="builtins.shell"),
            ev.AgentLost(agent="b", message="nothing heard of it for 60 s"),
            ev.JobFinished(**two, state="failed", failure=Failure("agent_lost", "agent b was lost")),
            ev.JobFinished(**one, state="cancelled", failure=Failure("cancelled", "agent b was lost")),
            ev.StageFinished(stage="s", state="failed"),
            ev.StageFinished(stage="t", state="skipped", reason="the run is ending"),
            ev.AgentStopped(agent="a"),
            ev.AgentStopped(agent="b", is_clean=False, message="it was lost"),
            ev.RunFinished(exit_code=10, reason="agent b was lost"),
        ]
    )
    root = ET.fromstring(report(tmp_path, events))
    skipped = {
        case.get("name"): case.find("skipped").get("message")  # type: ignore[union-attr]
        for case in root.findall("testsuite[@name='s']/testcase")
        if case.find("skipped") is not None
    }
    assert skipped.pop("one [a]", "").startswith("cancelled: ")  # type: ignore[union-attr]
    lost = skipped.pop("two [b]")
    assert lost is not None
    assert lost.startswith("never reached: agent b was lost: ")
    assert skipped == {
        "three [b]": lost,
        "two [a]": "never reached: agent b was lost",
        "three [a]": "never reached: agent b was lost",
    }


def test_what_breakpoints_wrote_is_a_property_of_the_stage_that_names_the_case(tmp_path: Path) -> None:
    events = recorded.succeeding()
    ended = next(event for event in events if isinstance(event, ev.JobFinished))
    events.insert(-1, ev.BreakpointMet(number=2, message="price 3\x00", is_log=True, instance=ended.instance))
    root = ET.fromstring(report(tmp_path, events))
    found = [(each.get("name"), each.get("value")) for each in root.findall("testsuite[@name='open']/properties/*")]
    assert ("breakpoint 2: fill [shop_1]", "price 3␀") in found


def test_a_suite_says_when_and_where_it_ran_and_of_which_run_it_is(tmp_path: Path) -> None:
    suite = ET.fromstring(report(tmp_path, recorded.failing())).find("testsuite[@name='open']")
    assert suite is not None
    assert (suite.get("timestamp"), suite.get("hostname")) == ("2026-11-23T03:14:10", "runner-7")
    properties = {each.get("name"): each.get("value") for each in suite.findall("properties/property")}
    assert properties == {
        "run": "20261123-031409-shops-x7",
        "version": "0.1.0",
        "scenario": "shops.yml",
        "digest": "d1",
        "commit": "0123456789abcdef0123456789abcdef01234567",
    }


def test_names_that_would_be_shown_alike_stay_apart(tmp_path: Path) -> None:
    """GitLab keeps one case of a class and a name, and drops the others without a word."""
    rows = [recorded.job("open", "fill", "shop_1", item) for item in ("\x00", "␀")]
    events = recorded.numbered(
        [
            *recorded.started(),
            ev.StageStarted(stage="open", agents=["shop_1"]),
            *(ev.JobStarted(**row) for row in rows),
            *(ev.JobFinished(**row) for row in rows),
        ]
    )
    names = [case.get("name") for case in ET.fromstring(report(tmp_path, events)).iter("testcase")]
    assert names[:2] == ["fill [shop_1] (␀)", "fill [shop_1] (␀) #2"]


def test_no_job_attaches_a_file_of_the_orchestrator(tmp_path: Path) -> None:
    row = recorded.job("open", "fill", "shop_1")
    events = [
        *recorded.started(),
        ev.StageStarted(stage="open", agents=["shop_1"]),
        ev.JobStarted(**row),
        ev.JobOutput(agent="shop_1", **row, lines=["[[ATTACHMENT|/etc/passwd]]"]),
        ev.JobFinished(**row),
    ]
    assert "[[ATTACHMENT" not in report(tmp_path, recorded.numbered(events))
