"""What the pages show is tried: commands are read by our own parser or run, scenarios are checked, parts of them too.

A new page obeys without a word here. One that cannot be tried says so itself (see doc_blocks.py); these are counted.
"""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from doc_blocks import ROOT, Block, all_blocks, blocks_of, commands_of, mentions, scenarios_of, scripts_of
from fixtures_program import Place

from octogram_tui.commands import COMMANDS, dispatch, run
from octogram_tui.commands.options import CommandParser
from octogram_tui.errors import AttachRefused, OctogramError, ScenarioError
from octogram_tui.scenario.load import load_scenario
from octogram_tui.scenario.report import as_text

BLOCKS = all_blocks()
TRIED = ("sh", "yaml", "toml", "python", "json")
MOST_EXCUSED = 3
"""Blocks of these kinds that are not tried. It goes down; who adds one says why nothing else can be done."""
MOST_OF_NO_KIND = 8
"""Blocks of no kind: what programs print, and other programs' files. A command or a scenario is none of these."""
OF_OTHERS = ("kotlin", "lua", "elisp", "hcl")
"""Languages that other programs read."""
MOST_OF_OTHERS = 8
MOST_CHECKED_ONLY = 4
"""Whole scenarios that are not run."""
ELSEWHERE = {"jq", "printf", "ssh", "grep", "echo", "source", "podman", "kubectl"}
"""Programs that are not ours. What they are given is not looked at."""
INSTALLERS = {"pip", "pipx", "uv", "uvx"}


def of(*kinds: str) -> list[Block]:
    return [block for block in BLOCKS if block.kind in kinds and not block.excuse]


def named(block: Block) -> str:
    return block.name


class UnderstoodError(Exception):
    """The parser took the words."""


def test_blocks_say_of_what_kind_they_are_and_few_are_left_out() -> None:
    assert {block.kind for block in BLOCKS} <= {*TRIED, *OF_OTHERS, ""}
    assert [block.name for block in BLOCKS if block.remark.startswith("untested") and not block.excuse] == []
    assert sum(block.kind in OF_OTHERS for block in BLOCKS) <= MOST_OF_OTHERS
    excused = [block.name for block in BLOCKS if block.kind and block.excuse]
    assert len(excused) <= MOST_EXCUSED, excused
    only_checked = [block.name for block in BLOCKS if block.why_checked_only]
    assert len(only_checked) <= MOST_CHECKED_ONLY, only_checked
    plain = [block for block in BLOCKS if not block.kind]
    assert len(plain) <= MOST_OF_NO_KIND, [block.name for block in plain]
    shown = re.compile(r"^(octogram-tui |make |pipx? |stages:|\$ )", re.MULTILINE)
    assert [block.name for block in plain if shown.search(block.text)] == []


def words_of(block: Block) -> list[list[str]]:
    text = scripts_of(block.text) if block.is_of_ci else block.text
    return [words for parts in commands_of(text) for words in parts]


@pytest.mark.parametrize("block", [*of("sh"), *(block for block in of("yaml") if block.is_of_ci)], ids=named)
def test_commands_are_understood(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample_scenarios").symlink_to(ROOT / "sample_scenarios")
    assert words_of(block)
    for words in words_of(block):
        understand(words, tmp_path, monkeypatch)


def understand(words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a command read by whoever reads it. What is wrong with it is an error."""
    program, *rest = words
    while re.fullmatch(r"[A-Z_]+=.*", program):
        program, *rest = rest
    if program == "octogram-tui":
        understand_ours(rest, folder, monkeypatch)
    elif program == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert {word for word in rest if "=" not in word} <= targets, words
    elif program in ("python", "python3"):
        place = find_spec(rest[1]) if rest[0] == "-m" else (ROOT / rest[0]).exists()
        assert place, f"there is no {rest}"
    elif program in INSTALLERS:
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        asked = re.findall(r"\[([\w,-]+)\]", " ".join(rest))
        assert "octogram-tui" not in rest, "it is in no package index: what is installed is a folder or a file"
        assert {extra for listed in asked for extra in listed.split(",")} <= set(extras), words
    elif program not in ("export", "cd"):
        assert program in ELSEWHERE, f"what is {program}? Add it to ELSEWHERE, or say why the block is not tried"


def understand_ours(words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for word in words:
        if word.endswith((".yml", ".yaml", ".json")) and not word.startswith("/") and not (folder / word).exists():
            (folder / word).parent.mkdir(parents=True, exist_ok=True)
            (folder / word).write_text("stages: []\n")
    if words and words[0] == "ask":  # its verbs are read after the options; then it looks for a run, and there is none
        with suppress(AttachRefused):
            assert dispatch.dispatch(words) == 0
        return
    if not words or words[0] not in COMMANDS:
        with suppress(AttachRefused):  # --rerun-failed looks for a run, and there is none
            if words:
                run.read_request(words, opens_console=False)
        return
    parse_args = CommandParser.parse_args
    with monkeypatch.context() as patch:

        def parse_and_end(parser: CommandParser, argv: list[str]) -> argparse.Namespace:
            parse_args(parser, argv)
            raise UnderstoodError

        patch.setattr(CommandParser, "parse_args", parse_and_end)
        if words[0] == "help":
            assert dispatch.dispatch(words) == 0
            return
        with pytest.raises(UnderstoodError):
            dispatch.dispatch(words)


RUNNABLE = [
    block
    for block in of("sh")
    if block.page.startswith("docs/") and re.search(r"--(headless|local)\b.* sample_scenarios/", block.text)
]


@pytest.mark.parametrize("block", RUNNABLE, ids=named)
def test_commands_about_samples_work_as_printed(block: Block, place: Place) -> None:
    """Of other commands the scenario is the reader's; those of the README are run beside the command line's tests."""
    place.extra["OTEL_SDK_DISABLED"] = "true"  # no collector is there, which would be waited for
    (place.home / "sample_scenarios").symlink_to(ROOT / "sample_scenarios")
    for parts in commands_of(block.text):
        words = parts[0]
        if words[0] == "export":
            place.extra |= dict([words[1].split("=", 1)])
        elif words[0] == "octogram-tui":
            done = place.run(*words[1:])
            assert done.returncode == block.exit_code, (shlex.join(words), done.stdout, done.stderr)


def own_procedures(page: str) -> dict[str, str]:
    """Give the files that a page shows whole, by the names in their first lines."""
    found = [block.text for block in BLOCKS if block.page == page and block.kind == "python"]
    return {named[1]: text for text in found if (named := re.match(r"# (\w+\.py)\b", text))}


@pytest.mark.parametrize("block", [block for block in of("yaml") if not block.is_of_ci], ids=named)
def test_scenarios_and_parts_of_them_are_right(block: Block, tmp_path: Path) -> None:
    for scenario in scenarios_of(block.text):
        assert check(scenario, block.page, tmp_path) == "", scenario


def check(scenario: str, page: str, folder: Path) -> str:
    """Give what is wrong with a scenario, whose files are there; empty when nothing is."""
    for name in mentions(scenario):
        if name in own_procedures(page):
            (folder / name).write_text(own_procedures(page)[name])
        elif not (folder / name).exists() and "{{" not in name and not name.startswith(("/", "~")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("")
    (folder / "s.yml").write_text(scenario)
    try:
        load_scenario(str(folder / "s.yml"))
    except ScenarioError as error:
        return as_text(error.problems)
    return ""


def whole_scenarios() -> list[Block]:
    """Those of the README are run beside the command line's tests."""
    found = [block for block in of("yaml") if block.is_scenario and not block.why_checked_only]
    return [block for block in found if block.page != "README.md"]


@pytest.mark.parametrize("block", whole_scenarios(), ids=named)
def test_whole_scenarios_run_on_this_machine(block: Block, place: Place) -> None:
    [scenario] = scenarios_of(block.text)
    assert check(scenario, block.page, place.home) == ""  # which lays the files that it brings
    done = place.run("s.yml", "--headless", "--local")
    assert done.returncode == block.exit_code, done.stdout + done.stderr


@pytest.mark.parametrize("block", of("toml"), ids=named)
def test_settings_are_toml(block: Block) -> None:
    assert tomllib.loads(block.text)


@pytest.mark.parametrize("block", of("python"), ids=named)
def test_programs_are_python(block: Block) -> None:
    compile(block.text, block.name, "exec")


def test_the_procedure_of_the_page_does_what_the_page_says(place: Place) -> None:
    page = "docs/writing-a-procedure.md"
    [scenario] = [block.text for block in of("yaml") if block.page == page and "stages:" in block.text]
    for name, text in own_procedures(page).items():
        place.write(name, text)
    first = "      - {name: notes, builtins.write_file: {path: notes.txt, content: one two three}}\n"
    [whole] = scenarios_of(scenario.replace("    jobs:\n", "    jobs:\n" + first))
    place.write("s.yml", whole)
    done = place.run("s.yml", "--headless", "--events", "e.jsonl")
    assert done.returncode == 0, done.stdout
    assert '"words","value":3' in (place.home / "e.jsonl").read_text().replace(" ", "")


@pytest.mark.parametrize(
    "command",
    [
        "octogram-tui scenario.yml --hedless",
        "octogram-tui chek scenario.yml",
        "octogram-tui check --format xml scenario.yml",
        "octogram-tui ask last reruns",
        "octogram-tui ask last rerun a b c",
        "octogram-tui scenario.yml --break-if 'x >'",
        "make coffee",
        "pip install '.[nothing]'",
        "pip install octogram-tui",
        "python -m tools.nothing",
        "some-program-of-ours",
        "true | octogram-tui scenario.yml --hedless",
    ],
)
def test_a_command_that_is_wrong_is_found(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("test_doc_blocks.ELSEWHERE", {"true"}, raising=False)
    *good, bad = [words for parts in commands_of(command) for words in parts]
    for words in good:
        understand(words, tmp_path, monkeypatch)
    with pytest.raises((AssertionError, OctogramError, ModuleNotFoundError)):
        understand(bad, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "text",
    [
        "with_itemz: 1..5\n",
        "- {name: try, builtins.comand: x}\n",
        "agents:\n  - {name: 'a_{1..', adress: x}\n",
        "with_items: 1..2\nwith_items: '{{ vars. }}'\n",
        "builtins.http: {ulr: x}\n",
    ],
)
def test_a_part_of_a_scenario_that_is_wrong_is_found(text: str, tmp_path: Path) -> None:
    assert any(check(scenario, "", tmp_path) for scenario in scenarios_of(text))


def test_blocks_are_read_with_their_remarks() -> None:
    page = "text\n\n<!-- untested: it is a synopsis -->\n```sh\na\n```\n\n1. item\n\n   ```yaml\n   a: 1\n   ```\n"
    page += "<!-- exit 3 -->\n```sh\nb > /dev/null 2>&1 | c  # d\n```\n"
    first, second, third = blocks_of(page, "p.md")
    assert (first.excuse, first.line) == ("it is a synopsis", 4)
    assert yaml.safe_load(second.text) == {"a": 1}
    assert (third.exit_code, third.excuse) == (3, "")
    assert list(commands_of(third.text)) == [[["b"], ["c"]]]
