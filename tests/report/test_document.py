"""The document of `--json`: as its schema says, whatever ran."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
import recorded
from hostile import run, texts
from hypothesis import given, settings

from octogram_tui.engine import events as ev
from octogram_tui.errors import Problem, ScenarioError
from octogram_tui.model.failure import Failure
from octogram_tui.report.closing import Repeats
from octogram_tui.report.document import MOST_FAILURES, TAILS, Document, not_begun, print_document
from octogram_tui.report.document_schema import json_schema

VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def document(events: list[ev.Event]) -> dict[str, Any]:
    report = Document({"run": "/runs/x", "junit": "/x.xml"}, Repeats("octogram-tui shops.yml --json"))
    report.apply(events)
    found = report.document()
    VALIDATOR.validate(found)
    return found


@pytest.mark.parametrize("name", ["failing", "succeeding", "unreachable", "interrupted"])
def test_it_is_as_its_schema_says(name: str) -> None:
    found = document(getattr(recorded, name)())
    assert set(found) == set(json_schema()["properties"])


def test_it_says_what_failed_and_why() -> None:
    found = document(recorded.failing())
    assert (found["outcome"], found["exit_code"], found["causes"]) == ("failed", 1, [1])
    assert found["commit"] == "0123456789abcdef0123456789abcdef01234567"
    [failure] = found["failures"]
    assert (failure["key"], failure["line"], failure["kind"], failure["alike"]) == (
        "sell/sell one@shop_2[2]",
        22,
        "exit",
        1,
    )
    assert failure["tail"][-1] == "\ttabbed <b>&amp;"
    assert found["commands"]["again"] == "octogram-tui shops.yml --json"
    assert [each["stage"] for each in found["stages"]] == ["open", "sell", "close"]


def test_every_cause_is_in_it() -> None:
    found = document(recorded.unreachable())
    assert (found["exit_code"], found["causes"], found["unclean"]) == (10, [4, 10], ["shop_1"])
    assert [each["state"] for each in found["agents"]] == ["unclean", "failed"]


def test_a_run_without_an_end_has_one() -> None:
    found = document(recorded.failing()[:9])
    assert (found["outcome"], found["exit_code"], found["meaning"]) == ("unfinished", None, "")
    assert document([])["run"] == ""


@given(one=texts, two=texts, three=texts)
@settings(max_examples=15)
def test_it_is_one_document_of_harmless_signs(one: str, two: str, three: str) -> None:
    found = document(run(one, two, three))
    from octogram_tui.scenario.report import json_text

    text = json_text(found, indent=2)
    assert json.loads(text) == json.loads(re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(found, ensure_ascii=False)))
    assert all(sign.isprintable() or sign == "\n" for sign in text)


def test_many_failures_are_counted() -> None:
    failed = [
        ev.JobFinished(
            **recorded.job("sell", "sell one", "shop_1", n),
            state="failed",
            failure=Failure("exit", f"{'x' * (n % 200)} failed"),
        )
        for n in range(MOST_FAILURES + 5)
    ]
    found = document(recorded.numbered([*recorded.started(), *failed]))
    assert (len(found["failures"]), found["failures_left_out"]) == (MOST_FAILURES, 5)
    assert sum("tail" in each for each in found["failures"]) <= TAILS


def test_the_first_failure_keeps_its_lines_however_many_come_after_it() -> None:
    events = recorded.started()
    for n in range(600):
        row = recorded.job("sell", "sell one", "shop_1", n)
        lines = [f"{n}: {'y' * 1000}"] * 20
        events += [
            ev.JobStarted(**row),
            ev.JobOutput(agent="shop_1", **row, lines=lines),
            ev.JobFinished(**row, state="failed", failure=Failure("exit", f"{'x' * (n % 300)} failed")),
        ]
    found = document(recorded.numbered(events))
    assert found["failures"][0]["tail"][-1].startswith("0: yyy")
    assert all(each["tail"] for each in found["failures"] if "tail" in each)


def test_a_run_that_cannot_begin_has_one(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    found = not_begun("s.yml", ScenarioError([Problem("s.yml", 3, 1, "unknown key 'x'", "did you mean 'y'?")]), 3)
    VALIDATOR.validate(found)
    assert (found["outcome"], found["exit_code"], found["problems"][0]["line"]) == ("failed", 3, 3)
    print_document(found)
    assert json.loads(capfdbinary.readouterr().out) == found
