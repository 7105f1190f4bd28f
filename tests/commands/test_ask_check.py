"""`ask RUN check`: what is wrong with the scenario's file is listed, and told by the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from octogram_tui.commands import ask
from octogram_tui.journal import archive
from octogram_tui.runtime import asking

PROBLEM = ["s.yml", 7, 3, "unknown key `jbos`", "did you mean `jobs`?", "  jbos:", False]


@pytest.mark.parametrize(("problems", "code"), [([], 0), ([PROBLEM], 3)])
def test_a_check_lists_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], problems: list[Any], code: int
) -> None:
    async def answer(*_: object, **__: object) -> dict[str, Any]:
        return {"problem": "", "led_to": [], "said": ["what came of it"], "problems": problems}

    info = archive.RunInfo("r1", "/x/s.yml", 1, "2026-01-05T11:00:00Z")
    monkeypatch.setattr(asking, "ask", answer)
    monkeypatch.setattr(archive, "find", lambda *_: archive.KnownRun(info, Path("/x"), "running"))
    assert ask.main(["last", "check"]) == code
    out = capsys.readouterr().out
    assert out.startswith("r1 took check: what came of it\n")
    assert ("s.yml:7:3" in out and "unknown key `jbos`" in out) == bool(problems)


EVALUATED = {"answered": "evaluate", "problem": "", "value": {"a": [1, "\x1b[2J"]}}
WHERE = {"answered": "whereabouts", "problem": "", "directory": "/h/a", "environment": {"HOME": "/h"}, "note": ""}
FORESEEN = {"problem": "", "said": ["level: 2 stale"], "stale": ["a/b@c", "a/b@d"], "gone": []}


@pytest.mark.parametrize(
    ("words", "given", "lines"),
    [
        (["evaluate", "vars"], EVALUATED, ["{", '  "a": [', "    1,", '    "\\u001b[2J"', "  ]", "}"]),
        (["whereabouts", "a/b@c"], WHERE, ["directory: /h/a", "environment:", "  HOME=/h"]),
        (["foresee_set", "level", "value=3"], FORESEEN, ["level: 2 stale", "stale:", "  a/b@c", "  a/b@d"]),
        (["foresee_file"], {"problem": ""}, ["nothing to see of it yet"]),
    ],
)
def test_what_is_answered_aside_is_all_that_is_printed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    given: dict[str, Any],
    lines: list[str],
) -> None:
    async def answer(*_: object, **__: object) -> dict[str, Any]:
        return given

    info = archive.RunInfo("r1", "/x/s.yml", 1, "2026-01-05T11:00:00Z")
    monkeypatch.setattr(asking, "ask", answer)
    monkeypatch.setattr(archive, "find", lambda *_: archive.KnownRun(info, Path("/x"), "running"))
    assert ask.main(["last", *words]) == 0
    assert capsys.readouterr().out.splitlines() == lines
    assert ask.main(["last", "--json", *words]) == 0
    assert json.loads(capsys.readouterr().out) == {"run": "r1", **given}
