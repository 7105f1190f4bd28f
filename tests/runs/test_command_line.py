"""The command line as scripts and strangers use it: what is refused, what is suggested, what the pages promise."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
from fixtures_program import ROOT, Place, wait_for

from octogram_tui.commands import COMMANDS

STAGES = """
agents: [{name: a, transport: local}]
stages:
  - name: first
    tags: [quick]
    jobs: [{name: j, builtins.command: echo 5, register: r, vars_updates: {'p_{{ agent.name }}': here}}]
  - {name: second, jobs: [{name: j, builtins.command: 'echo {{ vars.r.stdout }} {{ vars.p_a }}'}]}
  - {name: third, jobs: [{name: j, builtins.command: 'echo {{ vars.q | default(1) }}'}]}
"""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("chek s.yml", 2, "did you mean 'check'"),
        ("s", 2, "did you mean 's.yml'"),
        ("nothing", 2, "neither a command nor a file"),
        ("nothing.yml", 3, "no such file"),
        (".", 3, "directory"),
        ("--nope", 2, "no option --nope"),
        ("s.yml --stag first", 2, "did you mean --stage"),
        ("check s.yml --fromat json", 2, "did you mean --format"),
        ("s.yml --stage frist", 2, "did you mean 'first'"),
        ("s.yml --tags quik", 2, "did you mean 'quick'"),
        ("s.yml --from third --until first", 2, "comes after"),
        ("s.yml --limit z", 2, "leaves no agent"),
        ("s.yml --limit group=web", 2, "no agent has the label `group`"),
        ("s.yml --limit group=!web", 2, "no agent has the label `group`"),
        ("s.yml --limit (", 2, "not a regular expression"),
        ("s.yml -e x", 2, "NAME=VALUE"),
        ("s.yml --timeout 0", 2, "duration"),
        ("s.yml --confirm maybe", 2, "maybe"),
        ("s.yml --ssh-config nope", 2, "nope"),
        ("s.yml --variables nope.yml", 3, "nope.yml"),
        ("s.yml --agents s.yml", 3, "must be a list"),
        ("s.yml --junit nope/j.xml", 74, "no such directory"),
        ("s.yml --events nope/e.jsonl", 74, "nope/e.jsonl"),
        ("help nope", 2, "topics"),
        ("replay nope", 9, "no runs"),
        ("attach", 9, "no runs"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_with_a_hint(place: Place, arguments: str, code: int, said: str) -> None:
    place.write("s.yml", STAGES)
    done = place.run(*shlex.split(arguments))
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_every_command_explains_itself(place: Place) -> None:
    assert place.run().stdout == place.run("help").stdout == place.run("help", "--help").stdout
    for command in COMMANDS:
        done = place.run("help", command)
        assert done.returncode == 0
        assert done.stdout.startswith("usage: octogram-tui")


def test_what_left_out_stages_would_have_set_is_warned_of_before_the_run(place: Place) -> None:
    place.write("s.yml", STAGES)
    done = place.run("s.yml", "--from", "second")
    assert done.returncode == 3
    assert "needs the variable `r`; stage `first`, which sets it, is left out" in done.stderr
    assert "needs the variable `p_a`" in done.stderr
    assert "--var r=VALUE" in done.stderr
    assert "needs the variable" in place.run("plan", "s.yml", "--from", "second").stderr
    given = place.run("s.yml", "--from", "second", "-e", "r={stdout: x}", "-e", "p_a=1")
    assert given.returncode == 0, given.stdout
    assert "needs the variable" not in given.stderr
    assert "needs the variable" not in place.run("s.yml", "--stage", "third").stderr
    assert "needs the variable" not in place.run("s.yml", "--until", "second").stderr


def test_a_headless_run_that_a_job_holds_ends_when_nobody_comes(place: Place) -> None:
    place.write("s.yml", "agents: [{name: a, transport: local}]\nstages: [{name: s, jobs: [{name: j,"
                         " builtins.command: ['false'], on_failure: pause}]}]\n")  # fmt: skip
    done = place.run("s.yml", "--headless", "--linger", "0.1")
    assert done.returncode == 11, done.stdout


def test_stages_may_be_named_more_than_once(place: Place) -> None:
    place.write("s.yml", STAGES)
    done = place.run("s.yml", "--stage", "second", "--stage", "first")
    assert done.returncode == 0, done.stdout
    assert "stage third is skipped" in done.stdout


def test_a_run_kept_alive_says_how_to_go_on_and_ends_by_ctrl_c(place: Place) -> None:
    place.write("s.yml", STAGES)
    log = place.home / "log"
    with log.open("w") as stream:
        child = subprocess.Popen(
            ["sh", "-c", 'exec "$0" "$@"', *place_command("s.yml", "--keep-alive")],
            env=place.environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            cwd=place.home,
            start_new_session=True,
        )
    wait_for(lambda: "octogram-tui attach" in log.read_text(), describe=log.read_text)
    child.send_signal(signal.SIGINT)
    assert child.wait(60) == 0, log.read_text()
    place.wait_clean()


def place_command(*arguments: str) -> list[str]:
    """Give the argv of the program."""
    from fixtures_program import PROGRAM

    return [*PROGRAM, *arguments]


def test_what_init_writes_is_right_and_runs(place: Place) -> None:
    assert place.run("init").returncode == 0
    assert place.run("check", "scenario.yml").stdout.strip() == "scenario.yml: 3 stages, 2 agents, no errors"
    assert place.run("scenario.yml").returncode == 0
    assert place.run("init").returncode == 2


def test_formats_of_check_and_plan(place: Place) -> None:
    place.write("s.yml", "agnets: []\nstages: []\n")
    problems = json.loads(place.run("check", "s.yml", "--format", "json").stdout)
    assert "agents" in json.dumps(problems)
    assert place.run("check", "s.yml", "--format", "github").stdout.startswith("::error file=s.yml,line=1,col=1::")
    assert json.loads(place.run("check", "s.yml", "--format", "sarif").stdout)["version"] == "2.1.0"
    place.write("s.yml", STAGES)
    plan = json.loads(place.run("plan", "s.yml", "--json").stdout)
    assert [i["key"] for i in plan["instances"]] == ["first/j@a", "second/j@a", "third/j@a"]


def test_several_scenarios_are_checked_at_once(place: Place) -> None:
    place.write("well.yml", STAGES)
    place.write("odd.yml", STAGES + "  - {name: last, always: yes, jobs: []}\n")
    place.write("wrong.yml", "agnets: []\nstages: []\n")
    done = place.run("check", "well.yml", "odd.yml")
    assert done.returncode == 0
    lines = done.stdout.split("\n")
    assert lines[0] == "well.yml: 3 stages, 1 agent, no errors"
    assert lines[-2] == "odd.yml: 4 stages, 1 agent, no errors, 1 warning"
    done = place.run("check", "wrong.yml", "gone.yml", "well.yml")
    assert done.returncode == 3
    assert "wrong.yml:1:1: error: unknown key" in done.stdout
    assert "gone.yml: error: there is no such file" in done.stdout
    assert "well.yml: 3 stages, 1 agent, no errors\n" in done.stdout
    place.write("v.yml", "x: 1.10\n")
    several = place.run("check", "well.yml", "odd.yml", "--variables", "v.yml", "--format", "json")
    files = [problem["file"] for problem in json.loads(several.stdout)["problems"]]
    assert sorted(files) == ["odd.yml", "v.yml"], "what scenarios share is told once"


def test_the_schema_is_written_beside_scenarios(place: Place) -> None:
    printed = place.run("schema").stdout
    done = place.run("schema", "--write")
    assert done.returncode == 0
    assert "# yaml-language-server: $schema=octogram-tui.schema.json" in done.stdout
    assert (place.home / "octogram-tui.schema.json").read_text() == printed
    assert place.run("schema", "--write", "gone/x.json").returncode == 74
    assert place.run("init", "--no-schema", "plain.yml").returncode == 0
    assert "yaml-language-server" not in (place.home / "plain.yml").read_text()
    assert "yaml-language-server" not in place.run("init", "-").stdout
    (place.home / "new").mkdir()
    assert place.run("init", "new/scenario.yml").returncode == 0
    assert (place.home / "new" / "octogram-tui.schema.json").read_text() == printed


def test_a_fifo_or_a_loop_is_no_scenario(place: Place) -> None:
    import os

    os.mkfifo(place.home / "fifo.yml")
    (place.home / "loop.yml").symlink_to("loop.yml")
    for name in ("fifo.yml", "loop.yml"):
        done = place.run("check", name)
        assert done.returncode == 3
        assert name in done.stdout + done.stderr


def pages() -> list[Path]:
    """List the pages that strangers read."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


HELPS: list[str] = []
"""What the commands say of themselves, asked for once."""


def all_helps(place: Place) -> str:
    if not HELPS:
        HELPS[:] = [place.run("help").stdout, *(place.run("help", command).stdout for command in COMMANDS)]
    return "".join(HELPS)


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_options_of_a_page_exist(place: Place, page: Path) -> None:
    text = page.read_text()
    for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
        assert (page.parent / link).exists(), link
    helps = all_helps(place)
    for line in re.findall(r"octogram-tui [^`\n|]*", text):
        for option in re.findall(r"(?<=\s)--[a-z-]+", line):
            assert option in helps, (option, line)


def test_the_scenarios_of_the_readme_are_right_and_run(place: Place) -> None:
    text = (ROOT / "README.md").read_text()
    found = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "stages:" in block]
    assert found
    for block in found:
        place.write("data.bin", "x")
        done = place.run("check", str(place.write("readme.yml", block)))
        assert done.returncode == 0, done.stdout
        assert "warning" not in done.stdout
        ran = place.run("--local", "readme.yml")
        assert ran.returncode == 0, ran.stdout


def test_the_commands_of_the_readme_work_as_printed(place: Place) -> None:
    """Those that need no terminal, no other machine and no installation: marked by what they begin with."""
    text = (ROOT / "README.md").read_text()
    commands = [
        line.split("  #")[0].strip()
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("octogram-tui ")
    ]
    assert commands
    (place.home / "sample_scenarios").symlink_to(ROOT / "sample_scenarios")
    for command in commands:
        if " attach" in command or "ssh.yml" in command or "/octez/" in command:  # tests/samples runs those
            continue
        done = place.run(*shlex.split(command)[1:])
        expected = 1 if "failing.yml" in command else 0  # nobody is there to repair it
        assert done.returncode == expected, (command, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("agent", "code", "said"),
    [
        ("{transport: local}", 0, "ok    this machine  a"),
        ("{transport: local, python: python9}", 6, "python9"),
        ("{address: 127.0.0.1, port: 1}", 4, "connection"),
        ("{transport: command, command: [no-such-command]}", 6, "no-such-command"),
    ],
)
def test_doctor_tells_by_its_exit_code_what_is_missing(place: Place, agent: str, code: int, said: str) -> None:
    place.write("s.yml", f"agents: [{{name: a, {agent[1:]}]\n" + STAGES.split("\n", 2)[2])
    done = place.run("doctor", "s.yml")
    assert done.returncode == code, done.stdout
    assert said in done.stdout


def test_too_many_agents_for_the_limit_of_open_files(place: Place) -> None:
    place.write(
        "s.yml",
        """
agents: [{name: 'a_{1..60}', transport: local}]
stages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]
""",
    )
    done = subprocess.run(
        ["sh", "-c", 'ulimit -n 64 && exec "$0" "$@"', *place_command("s.yml")],
        env=place.environment,
        cwd=place.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 6, done.stdout + done.stderr
    assert "ulimit -n" in done.stdout
    place.wait_clean()


def test_events_that_cannot_be_written_do_not_end_the_run_and_are_not_forgotten(place: Place) -> None:
    place.write("s.yml", STAGES)
    done = place.run("s.yml", "--events", "/dev/full")
    assert done.returncode == 74
    assert "cannot write events to /dev/full: No space left on device" in done.stderr
    assert "JournalError" not in done.stderr
    assert "3 ok" in done.stdout


def test_the_demo_without_a_terminal_goes_well(place: Place) -> None:
    done = place.run("demo", "--headless", "--var", "pace=0")
    assert done.returncode == 0, done.stdout
    assert "OK after" in done.stdout
    assert place.run("demo", "--headless", "--dry-run").returncode == 0
    assert "exit code 0" in place.run("demo", "--help").stdout


def test_the_version_is_for_people_and_for_programs(place: Place) -> None:
    told = json.loads(place.run("--version", "--json").stdout)
    assert place.run("--version").stdout == f"octogram-tui {told['version']}\n"
    assert told["python"].startswith("3.")


def test_alone_and_without_a_terminal_the_program_explains_itself(place: Place) -> None:
    done = place.run()
    assert done.returncode == 0
    assert "usage: octogram-tui SCENARIO" in done.stdout
    assert "other commands:" in done.stdout
