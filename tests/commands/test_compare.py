"""Two runs compared from their journals: by name and in any order, what differs first, and what took longer."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from octogram_tui.commands import compare
from octogram_tui.engine import events as ev
from octogram_tui.errors import AttachRefused, JournalError
from octogram_tui.journal import codec
from octogram_tui.model.entries import StageEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value

PLAN: list[StageEntry] = [
    {"stage": "one", "jobs": [{"job": "j"}, {"job": "k"}]},
    {"stage": "two", "jobs": [{"job": "m"}]},
]
KEYS = [InstanceId(stage, job, agent) for stage, job in (("one", "j"), ("one", "k"), ("two", "m")) for agent in "abc"]


class Recorded:
    """A run of three jobs on three agents; what is to be otherwise is said by the row's name."""

    def __init__(self, run: str, *, seed: int = 0, **variables: int) -> None:
        self.run = run
        self.variables = variables
        self.failing: dict[str, str] = {}
        self.arguments: dict[str, str] = {}
        self.durations: dict[str, float] = {}
        self.keys = list(KEYS)
        self.ends = True
        self.digest = "d"
        self.random = random.Random(seed)

    def write(self, path: Path) -> str:
        """Write its journal, in an order of its own."""
        events: list[ev.Event] = [
            ev.RunStarted(
                run=self.run, scenario="s.yml", digest=self.digest, plan=PLAN, variables=dict(self.variables)
            ),
            *(ev.AgentReady(agent=name, home=f"/somewhere/{self.run}/{name}") for name in "abc"),
        ]
        self.random.shuffle(self.keys)
        for key in self.keys:
            name = str(key)
            argv = self.arguments.get(name, f"/somewhere/{self.run}/{key.agent}/x")
            events.append(ev.JobStarted(instance=key, arguments={"argv": argv}))
            failure = Failure("exit", self.failing[name]) if name in self.failing else None
            seconds = self.durations.get(name, 1.0)
            result: Value = None if failure else {"exit_code": 0, "duration_s": self.random.random()}
            if self.ends or key is not self.keys[-1]:
                events.append(
                    ev.JobFinished(
                        instance=key,
                        state="failed" if failure else "ok",
                        failure=failure,
                        result=result,
                        duration_s=seconds,
                    )
                )
        events += [ev.StageFinished(stage=name, state="ok", duration_s=3.0) for name in ("one", "two")]
        if self.ends:
            events.append(ev.RunFinished(exit_code=1 if self.failing else 0, duration_s=9.0))
        for number, event in enumerate(events, 1):
            event.seq, event.at_s = number, number / 10
        path.write_bytes(codec.encode_all(events))
        return str(path)


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, list[str]]:
    code = compare.main(list(argv))
    return code, capsys.readouterr().out.splitlines()


def test_runs_that_did_the_same_in_another_order_are_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = Recorded("20260101-one", seed=1, x=1).write(tmp_path / "l.jsonl")
    right = Recorded("20260102-two", seed=2, x=1).write(tmp_path / "r.jsonl")
    code, lines = run(capsys, left, right)
    assert code == 0, "neither the homes of the agents nor how long it took is a difference"
    assert "what they did and gave is the same, row by row" in lines


def test_the_first_difference_is_that_of_the_plan_and_the_rest_is_told_by_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = Recorded("20260101-one", seed=1, x=1), Recorded("20260102-two", seed=2, x=2)
    bad.failing = {str(key): "no room" for key in KEYS if key.job == "m"} | {"one/k@b": "no\nroom at all"}
    bad.arguments = {"one/k@b": "other"}
    bad.durations = {"one/j@a": 5.0, "one/j@c": 0.5}
    code, lines = run(capsys, good.write(tmp_path / "l.jsonl"), bad.write(tmp_path / "r.jsonl"))
    assert code == 1
    assert lines[:2] == ["< 20260101-one  s.yml  exit 0  9.0s  9 rows", "> 20260102-two  s.yml  exit 1  9.0s  9 rows"]
    at = lines.index("they began with other variables")
    assert lines[at + 1] == "  variable x: < 1  > 2"
    at = lines.index("they first differ in one/k@b")
    assert lines[at + 1] == "  argument argv: < HOME(b)/x  > other"
    assert lines[at + 2].startswith("  how it ended: < ok  > failed: no")
    assert "so do 3 more rows" in lines
    assert "  two/m @ a b c: how it ended, result" in lines
    slower, faster = lines.index("slower in >"), lines.index("faster in >")
    assert lines[slower + 1].split() == ["one/j@a", "<", "1.0s", ">", "5.0s", "+4.0s", "5.00", "times"]
    assert lines[faster + 1].split() == ["one/j@c", "<", "1.0s", ">", "0.5s", "-0.5s", "0.50", "times"]


def test_another_version_of_the_scenario_and_rows_of_one_run_only_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = Recorded("20260101-one"), Recorded("20260102-two")
    right.digest = "e"
    right.keys = [key for key in KEYS if key.job != "k"] + [InstanceId("new", "n", "a")]
    code, lines = run(capsys, left.write(tmp_path / "l.jsonl"), right.write(tmp_path / "r.jsonl"))
    assert code == 1
    assert "the scenario's text, or what the command line adds to it, is not the same" in lines
    assert lines[lines.index("they first differ in one/k@a") + 1] == "  it is only in <"
    assert "  one/k @ b c: only in <" in lines
    assert "  new/n @ a: only in >" in lines


def test_a_run_that_crashed_is_compared_as_far_as_it_came(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left, right = Recorded("20260101-one", seed=1), Recorded("20260102-two", seed=1)
    right.ends = False
    path = tmp_path / "r.jsonl"
    right.write(path)
    with path.open("ab") as file:
        file.write(b'{"seq": 999, "at_')  # the machine went down while it was written
    code, lines = run(capsys, left.write(tmp_path / "l.jsonl"), str(path))
    assert code == 1
    assert "  crashed  " in lines[1]
    assert any("how it ended: < ok  > it had not ended when its journal did" in line for line in lines)


def test_programs_are_given_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left, right = Recorded("20260101-one"), Recorded("20260102-two", x=1)
    right.failing = {"one/j@b": "no room"}
    paths = (left.write(tmp_path / "l.jsonl"), right.write(tmp_path / "r.jsonl"))
    code, lines = run(capsys, *paths, "--json")
    record = json.loads("".join(lines))
    assert code == 1
    assert (record["is_same"], record["first"]["key"]) == (False, "one/j@b")
    assert record["beginning"] == [{"what": "variable x", "right": 1}]
    assert [each["what"] for each in record["rows"][0]["differences"]] == ["how it ended", "result"]
    assert (record["left"]["state"], record["right"]["exit_code"]) == ("finished", 1)
    assert len(record["durations"]) == 9
    assert run(capsys, paths[0], paths[0], "--json")[0] == 0


def test_what_is_no_run_is_refused_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(AttachRefused):
        compare.main(["last", "last"])
    empty = tmp_path / "e.jsonl"
    empty.write_bytes(b"")
    with pytest.raises(JournalError):
        compare.main([str(empty), str(empty)])
