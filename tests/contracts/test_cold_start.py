"""What is imported late is imported late: seen in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import octogram_tui

ROOT = Path(__file__).resolve().parents[2]


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
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return ended.stdout, set(ended.stderr.split())


def test_the_version_imports_neither_the_console_nor_ssh() -> None:
    printed, modules = modules_after(["--version"])
    assert octogram_tui.__version__ in printed
    assert not modules & {"textual", "rich", "asyncssh", "cryptography", "jinja2", "yaml", "ruamel", "watchfiles"}
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
