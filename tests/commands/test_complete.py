"""What could stand at the end of a command line: asked as the shells' scripts ask it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octogram_tui.commands import COMMANDS, complete
from octogram_tui.commands.completion import SHELLS
from octogram_tui.commands.completion import main as print_script

SCENARIO = """
agents: [{name: n_1, transport: local}, {name: n_2, transport: local}, {name: other, transport: local}]
vars: {level: 1, mode: fast}
secrets: {token: 'env:TOKEN'}
stages:
  - {name: first, tags: [quick], jobs: [{name: read it, builtins.sleep: 0, tags: [slow]}]}
  - {name: second, jobs: [{name: j, builtins.sleep: 0}]}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yml").write_text(SCENARIO)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("20260101-000000-s-aa", "20260102-000000-s-bb", ".hidden"):
        (tmp_path / "octogram-tui/runs" / name).mkdir(parents=True)
    return tmp_path


def asked(*words: str) -> tuple[str, list[str]]:
    """Give how, and the candidates without what they are."""
    mode, *lines = complete.answer(words[:-1], words[-1])
    return mode, [line.partition("\t")[0] for line in lines]


@pytest.mark.parametrize(
    ("words", "mode", "expected"),
    [
        (("s.yml", "--from", ""), "plain", ["first", "second"]),
        (("s.yml", "--stage", "se"), "plain", ["second"]),
        (("s.yml", "--until=fi"), "plain", ["--until=first"]),
        (("plan", "s.yml", "--limit", "n"), "plain", ["n_1", "n_2"]),
        (("s.yml", "--tags", "quick,"), "plain", ["quick,slow"]),
        (("s.yml", "-e", ""), "nospace", ["level=", "mode="]),
        (("s.yml", "--secret", ""), "nospace", ["token="]),
        (("s.yml", "--secret", "token=f"), "nospace", ["token=file:"]),
        (("s.yml", "--break", "first/"), "plain", ["first/read it"]),
        (("s.yml", "--break", "second/j@o"), "plain", ["second/j@other"]),
        (("s.yml", "--on-failure", ""), "plain", ["abort", "pause", "keep-going"]),
        (("s.yml", "--rerun-failed", ""), "plain", ["last", "20260102-000000-s-bb", "20260101-000000-s-aa"]),
        (("replay", "20260101"), "plain", ["20260101-000000-s-aa"]),
        (("compare", "last", "l"), "plain", ["last"]),
        (("clean", "l"), "plain scenario", ["last"]),
        (("s.yml", "--junit", ""), "plain files", []),
        (("s.yml", "--run-dir", ""), "plain dirs", []),
        (("check", ""), "plain scenario", []),
        (("check", "s.yml", "--format", "g"), "plain", ["github"]),
        (("journal", ""), "plain", ["check", "salvage"]),
        (("journal", "check", "last", "last", "2026010"), "plain", ["20260102-000000-s-bb", "20260101-000000-s-aa"]),
        (("ask", "last", "rerun_"), "plain", ["rerun_all"]),
        (("help", "exit"), "plain", ["exit-codes"]),
        (("completion", ""), "plain", list(SHELLS)),
        (("s.yml", "--keep-g"), "plain", ["--keep-going"]),
        (("serve", "s.yml", "--retr"), "plain", ["--retry"]),
        (("demo", "--headl"), "plain", ["--headless"]),
        (("s.yml", "--keys", "v"), "plain", ["vscode"]),
        (("s.yml", "--theme", "da"), "plain", ["dark"]),
        (("s.yml", "another"), "plain", []),
        (("shell", "last", "--", "-"), "plain", []),
        (("nothing.yml", "--from", ""), "plain", []),
        (("s.yml", "--nonsense=", ""), "plain", []),
        (("config", "s"), "plain", ["show"]),
    ],
)
def test_what_fits_is_given(words: tuple[str, ...], mode: str, expected: list[str]) -> None:
    assert asked(*words) == (mode, expected)


def test_at_first_there_are_commands_and_scenarios() -> None:
    mode, names = asked("")
    assert (mode, names) == ("plain scenario", list(COMMANDS))


@pytest.mark.parametrize(
    ("line", "piece", "expected"),
    [
        ("octogram-tui s.yml --stage=", "=", ["first", "second"]),
        ("octogram-tui s.yml --stage=se", "se", ["second"]),
        ("octogram-tui s.yml --break first/read\\ it@", "@", ["n_1", "n_2", "other"]),
        ("octogram-tui s.yml --break 'first/re", "'first/re", ["first/read it"]),
        ("octogram-tui s.yml --from ", "", ["first", "second"]),
        ('octogram-tui "s.yml" --from fi', "fi", ["first"]),
    ],
)
def test_bash_gets_what_follows_the_piece_that_it_cuts_a_word_to(line: str, piece: str, expected: list[str]) -> None:
    words = complete.split(line)[1:]
    assert list(complete.answer(words[:-1], words[-1], piece, "bash"))[1:] == expected


def test_what_cannot_be_typed_is_left_out(place: Path) -> None:
    stages: list[dict[str, object]] = [
        {"name": name, "jobs": []} for name in ("a\x1b[31m", "a\nb", "a\tb", "a\u202eb", "a'\"$ b", "-dash", "~root")
    ]
    (place / "s.yml").write_text(json.dumps({"stages": stages}))
    assert asked("s.yml", "--from", "")[1] == ["a'\"$ b", "~root"]
    assert asked("s.yml", "--from=-")[1] == ["--from=-dash"]  # alone it is no value
    assert list(complete.answer(["s.yml", "--from"], "~", "", "fish")) == ["plain"]


def test_of_a_scenario_that_is_wrong_there_is_what_can_be_read(place: Path) -> None:
    text = (place / "s.yml").read_text()
    wrong = {
        "an unknown key": text.replace("level: 1", "level: 1}\nlevle: {x: 1"),
        "an unknown procedure": text.replace("builtins.sleep: 0}]}", "nothing.so: 0}]}"),
        "a list of agents that is not there": text.replace("agents: [", "#").replace(
            "stages:", "agents: {from: no.yml}\nstages:"
        ),
        "no end": text + "  - {name: third, jobs: [\n\n",
        "an open quotation": text + "  - name: 'third\n    jobs:\n      - x: y\n",
    }
    for what, broken in wrong.items():
        (place / "s.yml").write_text(broken)
        assert asked("s.yml", "--from", "")[1][:2] == ["first", "second"], what
        assert asked("s.yml", "--break", "first/")[1] == ["first/read it"], what


def test_no_program_is_run_that_tells_agents(place: Path) -> None:
    program = place / "hosts"
    program.write_text(f"#!/bin/sh\ntouch {place}/was_run\necho '[]'\n")
    program.chmod(0o755)
    (place / "from.yml").write_text(SCENARIO.replace("[{name: n_1, transport: local}", "{from: hosts} #"))
    for words in (
        ("s.yml", "--agents", "hosts", "--limit", ""),
        ("from.yml", "--limit", ""),
        ("from.yml", "--from", ""),
    ):
        asked(*words)
    assert asked("s.yml", "--agents", "./hosts", "--from", "") == ("plain", ["first", "second"])
    assert asked("s.yml", "--agents", "terraform:.", "--from", "") == ("plain", ["first", "second"])
    assert not (place / "was_run").exists()


@given(st.lists(st.text(max_size=8) | st.sampled_from(["s.yml", "--from", "--", "-e", "=", "ask", "last"]), max_size=4))
def test_no_line_makes_it_fail(words: list[str]) -> None:
    assert list(complete.answer(words, "")), "the first line says how"
    assert complete.main(["bash", "octogram-tui " + " ".join(words), ""]) == 0


@pytest.mark.parametrize("argv", [[], ["fish"], ["bash"], ["bash", "a", "b", "c"]])
def test_it_says_nothing_on_standard_error(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    complete.main(argv)
    assert capsys.readouterr().err == ""


def test_broken_settings_keep_nobody_from_completing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTOGRAM_KEEP_RUNS", "x")
    assert asked("s.yml", "--from", "f") == ("plain", ["first"])
    assert complete.main(["fish", "replay", ""]) == 1


@pytest.mark.parametrize("words", [["--fro"], ["s.yml", "--from", ""], ["replay", ""], ["s.yml", "--theme", ""]])
def test_little_is_loaded_for_a_key(place: Path, words: list[str]) -> None:
    program = (
        "import sys\nfrom octogram_tui.cli import main\n"
        f"sys.argv = ['octogram-tui', 'complete', 'fish', *{words!r}]\nmain()\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=place)
    assert len(ended.stdout.splitlines()) > 1
    found = set(ended.stderr.split())
    assert not found & {"textual", "rich", "asyncssh", "asyncio", "jinja2", "argparse", "octogram_tui.engine.machine"}
    assert len(found) < 260


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_script([shell]) == 0
    assert f"complete {shell} " in capsys.readouterr().out
