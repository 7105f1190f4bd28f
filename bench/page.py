#!/usr/bin/env python3
"""Runs every benchmark, one after the other, and writes docs/performance.md. `make bench` prepares what it needs.

python bench/page.py            # all of them, a quarter of an hour on a quiet machine with two cores
python bench/page.py jobs logs  # some of them: the rest of the page stays as it is
python bench/page.py --print engine   # to the terminal only
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"
LIBRARIES = ("asyncssh", "cryptography", "textual", "jinja2", "pyyaml")
PEERS = ("pyinfra", "fabric", "parallel-ssh", "ansible-core", "mitogen", "msgspec")
TARGET = "target: "
BEGIN = "<!-- {name}: {command} -->"
LONGEST_S = 1200.0  # of one script: it hangs, or the machine is no place to measure on
BUSY = 0.5  # a load above which figures say little
MISSING = "**Not all of it was measured:**"
HEAD = """\
# How fast it is

Written by `make bench`, on one machine, which runs the orchestrator and all agents, servers and other tools at once.

**Reading it.** Compare ratios, of one table. Every table was taken in turns within one call: what it is compared with,
ours, and again, so that a slow spell of the machine hits both. Seconds of two tables, two days or two machines do not
compare. Where a script can, it gives time of the processor, of which a busy machine changes little. *bare* is what
ours would be without engine, journal, guard and secrets: Pythons that speak JSON lines over asyncssh. Targets in
milliseconds were set on a machine with two cores.

**Repeating it.** `make bench` makes `build/bench`, an environment with the program as it is installed and the tools
that it is compared with. Each table's command is above it, for that environment's Python: `build/bench/bin/python`.
`make bench BENCH="jobs logs"` measures some of them again. [How to see where time goes](profiling.md) looks further.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark. why: what its figures mean for a user, in a sentence or two."""

    name: str
    title: str
    arguments: tuple[str, ...]
    why: str

    @property
    def script(self) -> str:
        """Its file's name: what follows a dash tells sections of one script apart."""
        return self.name.partition("-")[0]

    @property
    def command(self) -> str:
        """What repeats it."""
        return " ".join(("python", f"bench/{self.script}.py", *self.arguments))

    @property
    def link(self) -> str:
        """What leads to its heading."""
        place = re.sub(r"[^\w -]", "", self.title.lower()).replace(" ", "-")
        return f"[`{self.script}`](#{place})"


SECTIONS = (
    Section("start", "Start", (), "What passes before anything can be seen or done."),
    Section("first", "The first job", (), "How soon something has been done, of a call and of agents that are ready."),
    Section("timeline", "Where a run's time goes", (), "When a run over SSH connects, is ready, ends and leaves."),
    Section("peers", "A whole run over SSH", (), "The same work, done by what one would take instead."),
    Section("jobs", "One more job", ("10", "3"), "What the next trivial job costs, where everything is up already."),
    Section("jobs-50", "One more job, fifty agents", ("50", "3"), "The same where the cores are shared by many."),
    Section("ahead", "Jobs given ahead", (), "What it saves that an agent holds its next job while it has one."),
    Section("latency", "One agent's answer", (), "How soon an agent has answered, and jobs that start no process."),
    Section("host", "One more job, here", ("3",), "The orchestrator's part: engine, journal, reports."),
    Section("daemon", "One more job, there", (), "The part of the agent's daemon, and what its start takes."),
    Section("boots", "Agents coming up", ("3",), "How long until all agents are ready."),
    Section("boots-slow", "Agents behind a slow login", ("slow", "200", "0.1"), "A login that runs pyenv, 200 times."),
    Section("logins", "Agents coming up, here", (), "What a connection costs here, alone and shared."),
    Section("fleet", "Thousands of agents, here", (), "What one more agent costs the orchestrator, and a job of it."),
    Section("memory", "Memory", (), "What stays free for what the jobs do."),
    Section("engine", "The engine at any size", ("1", "--whole"), "What an instance costs, from few to very many."),
    Section("codec", "Events as lines", ("5",), "What it costs to write an event to the journal and to read it back."),
    Section("back", "Going back in time", ("300000", "9"), "What a step back costs after a long run."),
    Section("console", "The console", (), "A screen that is drawn while very much happens."),
    Section("files", "Files", ("256", "3"), "Bytes that travel, beside the tools that do nothing else."),
    Section("copies", "A file to many machines", (), "The same file for eight machines at once."),
    Section("logs", "Log lines", (), "How many of the lines that are printed arrive, and at what cost."),
)


def run(section: Section) -> str:
    """Run a benchmark; gives what it printed, and where it fails a line that says so: the others go on."""
    command = [sys.executable, str(HERE / f"{section.script}.py"), *section.arguments]
    # Where nothing may be compiled to files, every start of ours compiles everything again.
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as told:
        settings["XDG_STATE_HOME"] = folder  # nobody's own runs are in its way, or it in theirs
        child = subprocess.Popen(
            command,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            start_new_session=True,
        )
        trouble = ""
        try:
            text, _ = child.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            text, _ = child.communicate()
            trouble = f"did not come to its end in {LONGEST_S:.0f} s"
        if child.returncode and not trouble:
            told.seek(0)
            words = told.read().decode(errors="replace").strip().splitlines()[-1:] or ["nothing was said"]
            trouble = f"ended with {child.returncode}: {words[0][:300]}"
    taken = f"Taken on {date.today().isoformat()}, in {time.monotonic() - began_s:.0f} s."
    parts = [taken, text.strip()]
    if trouble:
        parts.append(f"{MISSING} `{section.command}` {trouble}")
        parts.append(f"{TARGET}{section.title} | - | a figure | not measured: it failed")
    return "\n\n".join(filter(None, parts))


def machine() -> str:
    """Say on what, and with what, the figures were taken."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr.strip() or "no ssh"
    gib = int(memory[1]) / 2**20 if memory else 0.0
    cores = f"{len(os.sched_getaffinity(0))} cores ({model[1] if model else platform.machine()}), {gib:.0f} GiB"
    system = f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}, {ssh}"
    busy = os.getloadavg()[0]
    lines = [
        f"Taken on {date.today().isoformat()}: {cores}; {system}; {versions(LIBRARIES)}. Beside: {versions(PEERS)}.",
    ]
    if busy > BUSY:
        lines += ["", f"**The machine was busy (a load of {busy:.1f}) when this began: its figures say little.**"]
    return "\n".join(lines)


def versions(names: Sequence[str]) -> str:
    """Name libraries with their versions."""
    found = []
    for name in names:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


def kept(page: str, name: str) -> str | None:
    """Give what a section of a page says, as a benchmark prints it."""
    found = re.search(rf"<!-- {name}: [^\n]*? -->\n(.*?)(?=\n## |\Z)", page, re.DOTALL)
    return re.sub(rf"<!-- ({TARGET}.*) -->", r"\1", found[1]).strip() if found else None


def targets(text: str) -> list[str]:
    """Give the figures beside what they should be."""
    return [line.removeprefix(TARGET) for line in text.splitlines() if line.startswith(TARGET)]


def page(parts: dict[str, str], taken: str) -> str:
    """Put the page together. taken: on what machine."""
    there = [section for section in SECTIONS if section.name in parts]
    rows = [(target, section) for section in there for target in targets(parts[section.name])]
    met = sum(target.endswith("| met") for target, _ in rows)
    unmeasured = sum("| not measured" in target for target, _ in rows)
    lines = [HEAD, taken, "", "## Targets", ""]
    lines += [f"{met} of {len(rows)} are met; {unmeasured} could not be measured here.", ""]
    lines += ["| what | measured | wanted | | table |", "|---|---|---|---|---|"]
    for target, section in rows:
        what, figure, wanted, verdict = (cell.strip() for cell in target.split(" | "))
        shown = verdict if verdict == "met" else f"**{verdict}**"
        lines.append(f"| {what} | {figure} | {wanted} | {shown} | {section.link} |")
    for section in there:
        text = parts[section.name]
        shown = "\n".join(line for line in text.splitlines() if not line.startswith(TARGET)).strip()
        hidden = [f"<!-- {TARGET}{line} -->" for line in targets(text)]
        lines += ["", f"## {section.title}", "", section.why, "", f"    {section.command}", ""]
        lines += [BEGIN.format(name=section.name, command=section.command), shown, *([""] if hidden else []), *hidden]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).rstrip()) + "\n"


def main() -> None:
    """Run what was asked for."""
    names = {name for name in sys.argv[1:] if not name.startswith("-")}
    known = {word for section in SECTIONS for word in (section.name, section.script)}
    if names - known:
        sys.exit(f"no benchmark is called {', '.join(sorted(names - known))}: there are {', '.join(sorted(known))}")
    before = PAGE.read_text() if PAGE.exists() else ""
    taken = machine()
    parts = {section.name: old for section in SECTIONS if (old := kept(before, section.name)) is not None}
    failed = []
    for section in SECTIONS:
        if names and not names & {section.name, section.script}:
            continue
        started_s = time.monotonic()
        print(f"{section.command} ...", file=sys.stderr, flush=True)
        text = parts[section.name] = run(section)
        print(f"  {time.monotonic() - started_s:.0f} s", file=sys.stderr)
        if MISSING in text:
            failed.append(section.command)
        if "--print" in sys.argv:
            print(text, flush=True)
        else:
            PAGE.write_text(page(parts, taken))  # what there is, whatever comes next
    for command in failed:
        print(f"{command} failed: the page says why", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
