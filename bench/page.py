#!/usr/bin/env python3
"""Runs every benchmark, one after the other, and writes docs/performance.md. `make bench` prepares what it needs.

python bench/page.py            # all of them, some 20 minutes on a quiet machine
python bench/page.py jobs logs  # some of them: the rest of the page stays as it is
python bench/page.py --print engine   # to the terminal only
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"
LIBRARIES = ("asyncssh", "cryptography", "textual", "jinja2", "pyyaml", "pyinfra", "fabric", "parallel-ssh")
TARGET = "target: "
BEGIN = "<!-- {name}: {command} -->"


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark. why: what its figures mean for a user, in a sentence or two."""

    name: str
    title: str
    arguments: tuple[str, ...]
    why: str

    @property
    def command(self) -> str:
        """What repeats it."""
        return " ".join(("python", f"bench/{self.name}.py", *self.arguments))


SECTIONS = (
    Section("start", "Start", (), "What passes before anything can be seen or done."),
    Section(
        "peers", "A whole run over SSH, beside other tools", (), "The same work, done by what one would take instead."
    ),
    Section("jobs", "One more job", (), "What the next trivial job costs, where everything is up already."),
    Section("host", "One more job, here", (), "The part of it that the orchestrator takes: engine, journal, reports."),
    Section(
        "daemon", "One more job, there", (), "The part of it that the agent's daemon takes, and what its start takes."
    ),
    Section("boots", "Agents coming up", (), "How long until all agents are ready."),
    Section("engine", "The engine at any size", (), "What an instance costs, from few agents and jobs to very many."),
    Section("codec", "Events as lines", (), "What it costs to write an event to the journal and to read it back."),
    Section("back", "Going back in time", (), "What a step back costs after a long run."),
    Section("console", "The console", (), "A screen that is drawn while very much happens."),
    Section("files", "Files", (), "Bytes that travel, beside the tools that do nothing else."),
    Section("logs", "Log lines", (), "How many of the lines that are printed arrive, and at what cost."),
)


def run(section: Section) -> str:
    """Run a benchmark; gives what it printed. Raises RuntimeError when it fails."""
    command = [sys.executable, str(HERE / f"{section.name}.py"), *section.arguments]
    # Where nothing may be compiled to files, every start of ours compiles everything again.
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"{section.command} ended with {done.returncode}:\n{done.stdout[-2000:]}")
    return done.stdout.strip()


def machine() -> str:
    """Say on what, and with what, the figures were taken."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr.strip() or "no ssh"
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    gib = int(memory[1]) / 2**20 if memory else 0.0
    cores = f"{len(os.sched_getaffinity(0))} cores ({model[1] if model else platform.machine()})"
    system = f"Linux {platform.release().split('-')[0]}; Python {platform.python_version()}; {ssh}"
    return f"{date.today().isoformat()}; {cores}, {gib:.0f} GiB, {system}; " + ", ".join(found)


def kept(name: str) -> str | None:
    """Give what a section of the present page says."""
    if not PAGE.exists():
        return None
    found = re.search(rf"<!-- {name}: .*? -->\n(.*?)(?=\n## |\Z)", PAGE.read_text(), re.DOTALL)
    return found[1].strip() if found else None


def targets(text: str) -> list[str]:
    """Give the figures beside what they should be."""
    return [line.removeprefix(TARGET) for line in text.splitlines() if line.startswith(TARGET)]


def page(parts: dict[str, str]) -> str:
    """Put the page together."""
    rows = [f"| {line} |" for text in parts.values() for line in targets(text)]
    lines = [
        "# How fast it is",
        "",
        "Written by `make bench`, on one machine, which runs the orchestrator and all agents: compare figures of one",
        "table only, and ratios rather than times. Each table was taken in turns: ours, what it is compared with, ours",
        "again. A row is repeated by the command that stands above its table, by the Python that `make bench` installs",
        "(`build/bench/bin/python`). [How to see where time goes](profiling.md) tells how to look further.",
        "",
        f"Taken {machine()}.",
        "",
        "| what | figure | wanted | |",
        "|---|---|---|---|",
        *rows,
    ]
    for section in SECTIONS:
        text = parts.get(section.name)
        if text is None:
            continue
        shown = "\n".join(line for line in text.splitlines() if not line.startswith(TARGET)).strip()
        hidden = "\n".join(f"<!-- {TARGET}{line} -->" for line in targets(text))
        lines += ["", f"## {section.title}", "", f"{section.why} `{section.command}`", ""]
        lines += [BEGIN.format(name=section.name, command=section.command), shown, hidden]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Run what was asked for."""
    names = [name for name in sys.argv[1:] if not name.startswith("-")]
    unknown = set(names) - {section.name for section in SECTIONS}
    if unknown:
        sys.exit(f"no benchmark is called {', '.join(sorted(unknown))}")
    parts: dict[str, str] = {}
    failed = []
    for section in SECTIONS:
        if names and section.name not in names:
            if (before := kept(section.name)) is not None:
                parts[section.name] = re.sub(rf"<!-- ({TARGET}.*) -->", r"\1", before)
            continue
        started_s = time.monotonic()
        print(f"{section.command} ...", file=sys.stderr, flush=True)
        try:
            parts[section.name] = run(section)
        except RuntimeError as error:
            failed.append(str(error))
            continue
        print(f"  {time.monotonic() - started_s:.0f} s", file=sys.stderr)
        if "--print" in sys.argv:
            print(parts[section.name], flush=True)
    if "--print" not in sys.argv:
        PAGE.write_text(page(parts))
    for error in failed:
        print(error, file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
