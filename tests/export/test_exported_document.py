"""The document of a run: what programs find in it, and where."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from exported import ODD, evil_run, run_of, written

from octogram_tui.engine import events as ev
from octogram_tui.export.account import Account
from octogram_tui.export.bounds import Bounds
from octogram_tui.export.document import document
from octogram_tui.export.document_schema import json_schema
from octogram_tui.export.recorded import Recorded
from octogram_tui.report.document import Document
from octogram_tui.scenario.report import json_text

RUN = Recorded(Path("/nowhere"), None, None)
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def made(events: list[ev.Event], run: Recorded = RUN) -> dict[str, Any]:
    report = Document({})
    account = Account(Bounds(), report=report)
    for event in events:
        account.apply(event)
    text = "".join(document(account, run, report))
    text.encode()
    found: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    VALIDATOR.validate(found)
    assert set(found) == set(json_schema()["properties"])
    return found


@pytest.mark.parametrize("events", [run_of(), run_of(is_over=False), evil_run()], ids=["ended", "cut", "evil"])
def test_it_holds_what_the_run_itself_told(events: list[ev.Event]) -> None:
    report = Document({})
    report.apply(events)
    told, found = json.loads(json_text(report.document())), made(events)
    assert {member: found[member] for member in told} == told
    ended = [each["state"] for each in found["instances"] if each["state"] != "running"]
    assert found["counts"] == {state: ended.count(state) for state in set(ended)}


def test_it_tells_the_run() -> None:
    found = made(run_of())
    assert (found["v"], found["state"], found["outcome"], found["exit_code"]) == (1, "finished", "failed", 1)
    assert found["counts"] == {"ok": 2, "failed": 1}
    (cluster,) = found["clusters"]
    assert (cluster["cause"], cluster["key"], cluster["alike"], cluster["struck"], cluster["line"]) == (
        "no route to host",
        "measure/send@n_3",
        1,
        ["measure/send@n_3"],
        5,
    )
    assert {**found["failures"][0], "status": cluster["status"], "struck": cluster["struck"]} == cluster
    assert [each["state"] for each in found["instances"]] == ["ok", "ok", "failed"]
    first, second = found["instances"][2]["attempts"]
    assert (first["state"], first["why"], second["why"], second["error"]["kind"]) == (
        "failed",
        "first",
        "retry",
        "exit",
    )
    assert first["arguments"] == {"script": "run it", "level": 3}
    assert (first["result"]["exit_code"], first["lines"]) == (0, 3)
    changes = found["variable_history"][0]["changes"]
    assert [change["by"] for change in changes] == ["scenario", "measure/send@n_1", "operator"]
    assert found["plan"][0]["jobs"][0]["rows"] == {"ok": 2, "failed": 1}
    assert any("paused the run" in each["text"] for each in found["deeds"])


@pytest.mark.parametrize(
    ("state", "wanted", "others"),
    [("running", "attach", {"resume", "clean"}), ("crashed", "resume", {"attach"}), (None, "resume", {"attach"})],
)
def test_a_run_that_has_not_ended_is_told_as_it_stands(
    tmp_path: Path, state: Any, wanted: str, others: set[str]
) -> None:
    found = made(run_of(is_over=False), Recorded(written(tmp_path / "e.jsonl", run_of(is_over=False)), None, state))
    assert (found["state"], found["outcome"], found["exit_code"]) == (state or "unfinished", "unfinished", None)
    verbs = {command.split()[1] for command in found["commands"].values()}
    assert wanted in verbs
    assert not others & verbs


def test_any_text_and_any_number_is_valid_json() -> None:
    found = made(evil_run())
    assert "nan" in str(found["instances"][0]["attempts"][0]["arguments"])
    assert ODD.replace("\ud800", "\ufffd") in found["clusters"][0]["message"]


def test_what_has_not_ended_has_no_end() -> None:
    found = made(run_of(is_over=False))
    assert (found["exit_code"], found["state"]) == (None, "unfinished")
    last = found["instances"][2]["attempts"][-1]
    assert (last["state"], last["ended_s"], last["duration_s"]) == ("running", None, None)


@pytest.mark.parametrize("passed_s", [0.0, 60.0, -7200.0])
def test_a_run_that_goes_on_is_as_old_as_its_own_clock_says(tmp_path: Path, passed_s: float) -> None:
    place = written(tmp_path / "journal.jsonl", run_of(is_over=False))
    told_s = time.time() - passed_s  # the run itself began long before: its process was gone, or the clock was set
    os.utime(place, (told_s, told_s))
    account = Account.of(Recorded(place, tmp_path, "running"), Bounds())
    late_s = account.now_s - account.board.at_s
    assert max(0.0, passed_s) <= late_s < max(0.0, passed_s) + 3600
