"""The examples that each `--help` ends with can be typed as they stand."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from fixtures_program import Place

from octogram_tui.commands import COMMANDS
from octogram_tui.commands.examples import EXAMPLES, Example, lines_of
from octogram_tui.commands.options import parse
from tools.parsers import WITHOUT_PARSER, all_parsers


def words_of(example: Example) -> list[str]:
    """Give the words behind the program's name, without what is the shell's."""
    words = shlex.split(example.line)
    return words[: next((place for place, word in enumerate(words) if word in (">", ">>")), len(words))]


def test_every_command_has_some() -> None:
    assert set(EXAMPLES) == {"", *COMMANDS} - {"help"}


@pytest.mark.parametrize("command", [command for command in EXAMPLES if command not in WITHOUT_PARSER])
def test_they_parse_and_end_the_help(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenario.yml").touch()
    parser = all_parsers()[command]
    for example in EXAMPLES[command]:
        words = words_of(example)
        assert words[:1] == [command] or not command
        words = words[1:] if command else words
        if command == "serve" and "scenario.yml" in words:  # its rest is for the run
            parse(all_parsers()[""], words)
        else:
            parse(parser, words[: words.index("--")] if "--" in words else words)
    assert parser.format_help().endswith("\n".join(["examples:", *lines_of(command), ""]))


def test_those_that_need_no_run_do_what_they_say(place: Place) -> None:
    done = place.run("init", "scenario.yml")
    assert done.returncode == 0, done.stderr
    for command in ("check", "config", "completion", "schema"):
        for example in EXAMPLES[command]:
            done = place.run(*words_of(example))
            assert (done.returncode, done.stderr) == (0, ""), example
            assert done.stdout or "github" in example.line
    assert place.run("demo", "--help").stdout.rstrip().endswith(lines_of("demo")[-1])
