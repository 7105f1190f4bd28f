"""What is imported late is imported late: seen in an interpreter of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

import octogram_tui

ROOT = Path(__file__).resolve().parents[2]

CONSOLE = "textual rich watchfiles pygments markdown_it"
PAGES = "aiohttp textual_serve"
METRICS = "prometheus_client wsgiref http.server"
SSH = "asyncssh cryptography typing_extensions email"
CERTIFICATES = "" if find_spec("OpenSSL") else "cryptography.x509"
WRITING = "ruamel"
RARE = "tomllib difflib zipfile platform html ctypes.wintypes pickle"
"""What one run in many needs: a configuration file, a mistake to guess at, a program of the user's to look into."""


class Start(NamedTuple):
    """What a start may load. ours, all: so many modules at most, ours alone and of everybody, the interpreter's too."""

    ours: int
    all: int
    never: str


STARTS = {
    "--version": Start(4, 70, f"{CONSOLE} {PAGES} {METRICS} {SSH} {WRITING} {RARE} yaml jinja2 typing dataclasses"),
    "check, no templates": Start(88, 250, f"{CONSOLE} {PAGES} {METRICS} {SSH} {WRITING} {RARE} jinja2 asyncio"),
    "run, here": Start(260, 500, f"{CONSOLE} {PAGES} {METRICS} {SSH} {WRITING} {RARE} jinja2"),
    "run, over SSH": Start(
        278, 651, f"{CONSOLE} {PAGES} {METRICS} {WRITING} {CERTIFICATES} tomllib difflib pickle zipfile jinja2"
    ),
}
"""Who needs more says why here: each module is a file to read, a third of a millisecond for the smallest.

The latest: what agents are given ahead (`engine/ahead.py`), which nearly every job of a run asks for.
"""


BEFORE_CONNECTING = Start(130, 485, f"jinja2 {CERTIFICATES} octogram_tui.journal octogram_tui.report")
"""The rest of a run over SSH is loaded while its machines answer."""


def modules_after(arguments: list[str]) -> tuple[str, set[str]]:
    """Run the program in a new interpreter; give what it printed, and all modules that it imported."""
    program = (
        "import sys\n"
        "from octogram_tui.cli import main\n"
        f"sys.argv = ['octogram-tui', *{arguments!r}]\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    pass\n"
        "print('\\n'.join(['the modules:', *sys.modules]), file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "COV" not in name},  # which imports much by itself
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ended.stdout, set(ended.stderr.partition("the modules:\n")[2].split("\n"))


def arguments_of(start: str, folder: Path) -> list[str]:
    """Give the command line of a start."""
    if start == "--version":
        return ["--version"]
    where = "address: 127.0.0.1, port: 1" if start == "run, over SSH" else "transport: local"
    scenario = folder / "s.yml"
    scenario.write_text(
        f"agents: [{{name: a, {where}}}]\nstages: [{{name: s, jobs: [{{name: j, builtins.command: 'true'}}]}}]\n"
    )
    if start.startswith("check"):
        return ["check", str(scenario)]
    (folder / "ssh_config").write_text(f"Host *\n  UserKnownHostsFile {folder / 'known_hosts'}\n")
    config = ["--ssh-config", str(folder / "ssh_config")]
    return [str(scenario), "--headless", "--run-dir", str(folder / "run"), *config]


@pytest.mark.parametrize("start", STARTS)
def test_a_start_loads_what_it_needs(start: str, tmp_path: Path) -> None:
    _, found = modules_after(arguments_of(start, tmp_path))
    bound = STARTS[start]
    assert not {name for name in found if any(f"{name}.".startswith(f"{other}.") for other in bound.never.split())}
    ours = {name for name in found if name.startswith(("octogram_tui", "octogram_agentd"))}
    assert len(ours) <= bound.ours, sorted(ours)
    assert len(found) <= bound.all, sorted(found - ours)
    assert ("asyncssh" in found) == (start == "run, over SSH")


def modules_at_the_first_connection(arguments: list[str]) -> set[str]:
    """Run the program in a new interpreter; give what it had imported when it first connected; {""} if it did not."""
    program = (
        "import sys\n"
        "from octogram_tui.cli import main\n"
        "def hear(event, arguments):\n"
        "    if event == 'socket.connect' and isinstance(arguments[1], tuple) and not found:\n"
        "        found.extend(sys.modules)\n"
        "found = []\n"
        "sys.addaudithook(hear)\n"
        f"sys.argv = ['octogram-tui', *{arguments!r}]\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    pass\n"
        "print('\\n'.join(['the modules:', *found]), file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "COV" not in name},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(ended.stderr.partition("the modules:\n")[2].strip().split("\n"))


def test_machines_are_connected_to_before_the_rest_is_loaded(tmp_path: Path) -> None:
    found = modules_at_the_first_connection(arguments_of("run, over SSH", tmp_path))
    assert "asyncssh" in found
    never = BEFORE_CONNECTING.never.split()
    assert not {name for name in found if any(f"{name}.".startswith(f"{other}.") for other in never)}
    ours = {name for name in found if name.startswith(("octogram_tui", "octogram_agentd"))}
    assert len(ours) <= BEFORE_CONNECTING.ours, sorted(ours)
    assert len(found) <= BEFORE_CONNECTING.all, sorted(found - ours)


def test_who_runs_nothing_connects_to_nobody(tmp_path: Path) -> None:
    arguments = arguments_of("run, over SSH", tmp_path)
    assert modules_at_the_first_connection([*arguments, "--dry-run"]) == {""}


def test_the_version_imports_neither_the_console_nor_ssh() -> None:
    printed, modules = modules_after(["--version"])
    assert octogram_tui.__version__ in printed
    assert not modules & {"octogram_tui.errors", "contextlib"}  # what every start loads is next to nothing


def test_the_help_names_what_others_script_against() -> None:
    printed, modules = modules_after(["--help"])
    for option in (
        "--headless",
        "--local",
        "--var",
        "-e",
        "--variables",
        "--agents",
        "--limit",
        "--from",
        "--until",
        "--stage",
        "--tags",
        "--dry-run",
        "--confirm",
        "--keep-alive",
        "--no-keep-alive",
        "--events",
        "--junit",
        "--run-dir",
        "--ssh-config",
        "--timeout",
        "--metrics",
        "--metrics-port",
    ):
        assert option in printed, option
    for command in ("check", "plan", "runs", "replay", "attach", "schema", "doctor", "init", "demo", "help"):
        assert command in printed, command
    assert not modules & {"textual", "asyncssh"}


def test_a_run_that_serves_no_metrics_does_not_pay_for_them(tmp_path: Path) -> None:
    scenario = tmp_path / "s.yml"
    scenario.write_text(
        "agents: [{name: a, transport: local}]\nstages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]\n"
    )
    arguments = [str(scenario), "--headless", "--run-dir", str(tmp_path / "run")]
    printed, modules = modules_after(arguments)
    assert "OK after" in printed
    assert not modules & {"prometheus_client", "wsgiref", "http.server", "asyncssh"}
    _, modules = modules_after([*arguments[:2], "--run-dir", str(tmp_path / "again"), "--metrics", str(tmp_path / "m")])
    assert "prometheus_client" in modules
    assert "octogram_run_exit_code 0.0" in (tmp_path / "m").read_text()
