"""The document of a run: what programs find in it, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from exported import ODD, account_of, evil_run, run_of

from octogram_tui.engine import events as ev
from octogram_tui.export.document import VERSION, document
from octogram_tui.export.recorded import Recorded

RUN = Recorded(Path("/nowhere"), None, None)


def made(events: list[ev.Event]) -> dict[str, Any]:
    text = "".join(document(account_of(events), RUN))
    text.encode()
    found: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    return found


def test_it_tells_the_run() -> None:
    found = made(run_of())
    assert (found["format"], found["version"]) == ("octogram-tui run", VERSION)
    outcome = found["outcome"]
    assert (outcome["state"], outcome["exit_code"], outcome["counts"]) == ("finished", 1, {"ok": 2, "failed": 1})
    assert outcome["first_failure"] == "measure/send@n_3"
    (cause,) = found["causes"]
    assert (cause["text"], cause["count"], cause["struck"], cause["line"]) == (
        "no route to host",
        1,
        ["measure/send@n_3"],
        5,
    )
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
    assert [change["by"] for change in found["variables"][0]["changes"]] == ["scenario", "measure/send@n_1", "operator"]
    assert found["stages"][0]["jobs"][0]["counts"] == {"ok": 2, "failed": 1}
    assert any("paused the run" in each["text"] for each in found["deeds"])


def test_any_text_and_any_number_is_valid_json() -> None:
    found = made(evil_run())
    assert "nan" in str(found["instances"][0]["attempts"][0]["arguments"])
    assert ODD.replace("\ud800", "\ufffd") in found["causes"][0]["error"]["message"]


def test_what_has_not_ended_has_no_end() -> None:
    found = made(run_of(is_over=False))
    assert (found["outcome"]["exit_code"], found["outcome"]["state"]) == (None, "unfinished")
    last = found["instances"][2]["attempts"][-1]
    assert (last["state"], last["ended_s"], last["duration_s"]) == ("running", None, None)
