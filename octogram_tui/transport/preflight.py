"""What `doctor` looks at before a run: whether every machine can be reached, trusted and used, and reaches the others.

Agents of one machine count once, and a jump machine is a machine of its own.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Literal, NamedTuple

from octogram_tui.dataclass import dataclass
from octogram_tui.errors import NewKey, TransportError
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport.answer import Answer
from octogram_tui.transport.base import Transport
from octogram_tui.transport.bundle import BOOT_HINTS
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.sshconfig import config_files, ignored_directives

AT_ONCE = 32
ANSWER_S = 20.0
OLDEST_PYTHON = (3, 8)
_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}", re.ASCII)
PYTHONS = ("python3", *(f"python3.{minor}" for minor in range(14, 7, -1)))
LOW_DISK_KIB = 200 * 1024
NO_DISK_KIB = 10 * 1024
SKEW_S = 5.0  # clocks are read to the second
CHECKS_OF_CODE = (("net.dns", "name"), ("net.", "connection"), ("trust.", "host key"), ("auth.", "login"))
SSH_CHECKS = ("name", "connection", "host key", "login", "start")

# One line, for any login shell; each answer is marked, so that what the shell's own files print does not matter.
SCRIPT = (
    'n=$1; shift; for p in "$@"; do command -v "$p" >/dev/null 2>&1 && "$p" -c '
    '\'import sys; a = sys.argv; print(a[1], "python", ".".join(map(str, sys.version_info[:3])), a[2])\' '
    '"$n" "$p" 2>/dev/null; done; '
    'command -v prometheus >/dev/null && echo "$n prometheus $(command -v prometheus)"; '
    'd=${HOME:-/}/.cache; mkdir -p "$d" 2>/dev/null; '
    'if [ -d "$d" ] && [ -w "$d" ]; then echo "$n cache ok $d"; else echo "$n cache bad $d"; d=/; fi; '
    'echo "$n disk $(df -Pk "$d" 2>/dev/null | tail -n 1)"; '
    'k=$(grep -hs "^KillUserProcesses=" /etc/systemd/logind.conf /etc/systemd/logind.conf.d/*.conf | tail -n 1); '
    'case "$k" in *=yes | *=true | *=on | *=1) echo "$n logind $(id -u)";; esac; '
    'echo "$n clock $(date +%s)"; echo "$n end"'
)

State = Literal["ok", "warn", "fail"]


class Check(NamedTuple):
    """One row of the report. `machine` is empty for what concerns this machine's own configuration."""

    machine: str
    agents: tuple[str, ...]
    check: str
    state: State
    detail: str
    hint: str = ""


@dataclass
class Machine:
    """One machine as a user, with one Python: what all of its agents share."""

    spec: AgentSpec  # of the first of them
    transport: Transport
    agents: list[str] = field(default_factory=list)
    data_address: dict[str, str] = field(default_factory=dict)  # of each agent, as the scenario says; may be empty
    needs_prometheus: bool = False
    rows: list[Check] = field(default_factory=list)
    python: str = ""  # the program to start there; empty when the machine cannot be used
    new_key: NewKey | None = None  # its own, or that of a machine on the way

    @property
    def place(self) -> str:
        """Where it is, as the configuration has it."""
        return self.transport.description

    def note(self, check: str, state: State, detail: str, hint: str = "") -> None:
        """Add a row."""
        self.rows.append(Check(self.place, tuple(self.agents), check, state, detail, hint))


def machines_of(specs: Sequence[AgentSpec], transports: Transports, prometheus: str = "") -> dict[str, Machine]:
    """Find the machine of each agent, by the agent's name."""
    found: dict[tuple[object, ...], Machine] = {}
    by_agent: dict[str, Machine] = {}
    for spec in specs:
        key = (transports.machine_of(spec), spec.identity, spec.python)
        if key not in found:
            found[key] = Machine(spec, transports.transport_for(spec))
        by_agent[spec.name] = found[key]
        found[key].agents.append(spec.name)
        found[key].data_address[spec.name] = spec.data_address
        found[key].needs_prometheus |= spec.name == prometheus
    return by_agent


async def examine(
    machines: Sequence[Machine],
    transports: Transports,
    *,
    ssh_config: str | None = None,
    on_seen: Callable[[Machine], None] | None = None,
) -> list[Check]:
    """Look at every machine at once, within the limits of a run; rows come in the order of the machines.

    on_seen: called for each machine once its own rows are there. A machine may be looked at again.
    """
    limit = asyncio.Semaphore(AT_ONCE)
    jumps: dict[tuple[str, str], Check] = {}  # what is wrong with machines on the way, by place and check

    async def limited(machine: Machine) -> None:
        async with limit:
            machine.rows, machine.python, machine.new_key = [], "", None
            try:
                await _examine(machine, transports)
            except TransportError as error:
                _failed(machine, transports, error, jumps)
            if on_seen is not None:
                on_seen(machine)

    await asyncio.gather(*(limited(machine) for machine in machines))
    rows: list[Check] = []
    if any(transports.kind_of(machine.spec) == "ssh" for machine in machines):
        rows += _examine_configuration(ssh_config)
        rows += [
            Check("", (), "known hosts", "warn", problem, "correct or remove the line")
            for problem in transports.known_hosts_problems
        ]
    own = [row for machine in machines for row in machine.rows]
    told = {(row.machine, row.check) for row in own}  # a jump machine may have agents too
    rows += [row for place, row in jumps.items() if place not in told]
    rows += own
    return rows + [Check("", (), "note", "warn", note) for note in transports.notes]


def _examine_configuration(ssh_config: str | None) -> list[Check]:
    try:
        files = config_files(ssh_config)
    except TransportError as error:
        return [Check("", (), "ssh configuration", "fail", error.message, error.hint)]
    rows = [Check("", (), "ssh configuration", "ok", ", ".join(files) or "none")]
    return rows + [
        Check(
            "",
            (),
            "ssh configuration",
            "warn",
            f"{found.file}:{found.line}: `{found.directive} {found.value}` is not honoured",
            found.instead,
        )
        for found in ignored_directives(files)
    ]


async def _examine(machine: Machine, transports: Transports) -> None:
    if transports.kind_of(machine.spec) == "slurm":
        await _examine_slurm(machine, transports)
        return
    spec, transport = machine.spec, machine.transport
    answer = Answer()
    pythons = (spec.python,) if spec.python else PYTHONS
    asked_at = time.time()
    channel = await transport.open(["sh", "-c", SCRIPT, "sh", answer.nonce, *pythons], answer)
    try:
        async with asyncio.timeout(ANSWER_S):
            await answer.ended.wait()
    except TimeoutError:
        channel.abort()
    is_answered = answer.error is None and bool(answer.facts("end"))
    for step in SSH_CHECKS if transports.kind_of(spec) == "ssh" else ("start",):
        if step != "start" or is_answered:
            machine.note(step, "ok", transport.description if step == "connection" else "")
    if not is_answered:
        _unanswered(machine, answer)
        return
    _judge(machine, answer, asked_at, time.time())


async def _examine_slurm(machine: Machine, transports: Transports) -> None:
    """Ask the scheduler; what its nodes are like is known once it has given them."""
    from octogram_tui.transport.slurm.checkup import examine as look_at

    for check, detail, problem, hint in await look_at(*transports.slurm_asked()):
        machine.note(check, "fail" if problem else "ok", problem or detail, hint)


def _check_of(error: TransportError) -> str:
    return next((check for prefix, check in CHECKS_OF_CODE if error.code.startswith(prefix)), "start")


def _failed(
    machine: Machine, transports: Transports, error: TransportError, jumps: dict[tuple[str, str], Check]
) -> None:
    """Say which step failed; those before it went well, those after it were not come to."""
    machine.new_key = error.new_key
    message = error.message.removeprefix(f"agent {machine.spec.name}: ")
    if error.jump:
        message = message.replace(f"the jump machine {error.jump}", error.jump)  # the row is its own
        row = Check(error.jump, (), _check_of(error), "fail", message, error.hint)
        behind = (*jumps.get((row.machine, row.check), row).agents, *machine.agents)
        jumps[row.machine, row.check] = row._replace(agents=behind)
        machine.note("jump machine", "fail", f"{error.jump} lets nobody through: see there")
        return
    steps = SSH_CHECKS if transports.kind_of(machine.spec) == "ssh" else ("start",)
    failed = _check_of(error)
    if failed not in steps:
        failed = steps[-1]
    for step in steps[: steps.index(failed)]:
        machine.note(step, "ok", "")
    machine.note(failed, "fail", message, error.hint)


def _unanswered(machine: Machine, answer: Answer) -> None:
    if answer.error is not None:
        reason = answer.error.message.removeprefix(f"agent {machine.spec.name}: ")
    else:
        reason = f"no answer from sh: {answer.said or 'it printed nothing'}"
    hint = "see the user's login shell there, and ForceCommand in its sshd_config"
    if machine.spec.transport == "command":  # a container, mostly: nobody logs in there
        hint = f"try it by hand: {machine.place} python3 --version"
    machine.note("start", "fail", f"{machine.place}: {reason}", hint)


def _judge(machine: Machine, answer: Answer, asked_at: float, answered_at: float) -> None:
    _judge_python(machine, answer)
    _judge_cache(machine, answer)
    _judge_disk(machine, answer)
    _judge_clock(machine, answer, asked_at, answered_at)
    if any(user != "0" for user in answer.facts("logind")):  # root's processes are spared unless somebody says else
        machine.note(
            "logind",
            "warn",
            "KillUserProcesses=yes: the agent and all that it runs end with the login that started it, so also with a"
            " connection that is cut",
            "set KillUserProcesses=no in /etc/systemd/logind.conf, or name the user in its KillExcludeUsers=",
        )
    if answer.noise_bytes:
        machine.note(
            "shell",
            "warn",
            f"the login shell prints {answer.noise_bytes} bytes of its own",
            "let it print only to terminals",
        )
    if machine.needs_prometheus:
        _judge_prometheus(machine, answer)


def _judge_python(machine: Machine, answer: Answer) -> None:
    found = {name: version for version, _, name in (fact.partition(" ") for fact in answer.facts("python"))}
    for name, version in found.items():
        if _VERSION.match(version) and tuple(int(part) for part in version.split(".")[:2]) >= OLDEST_PYTHON:
            machine.python = name
            machine.note("python", "ok", f"{name} is {version}")
            return
    seen = ", ".join(f"{name} {version}" for name, version in found.items()) or "none"
    machine.note(
        "python",
        "fail",
        f"no {machine.spec.python or 'Python'} of 3.8 or later; found: {seen}",
        BOOT_HINTS["boot.python"],
    )


def _judge_cache(machine: Machine, answer: Answer) -> None:
    state, _, path = (answer.facts("cache") or ["bad ?"])[0].partition(" ")
    if state == "ok":
        machine.note("cache", "ok", path)
    else:
        machine.note("cache", "warn", f"{path} cannot be written", "another directory will be tried")


def _judge_prometheus(machine: Machine, answer: Answer) -> None:
    found = answer.facts("prometheus")
    if found:
        machine.note("prometheus", "ok", found[0])
        return
    machine.note(
        "prometheus",
        "fail",
        "there is no program prometheus on the PATH there",
        "install Prometheus there (on Debian: apt-get install prometheus), or leave `prometheus_agent` out",
    )


def _judge_disk(machine: Machine, answer: Answer) -> None:
    words = (answer.facts("disk") or [""])[0].split()
    try:
        free_kib, where = int(words[3]), words[5]
    except (IndexError, ValueError):
        machine.note("disk", "warn", "how much is free could not be told")
        return
    state: State = "fail" if free_kib < NO_DISK_KIB else "warn" if free_kib < LOW_DISK_KIB else "ok"
    machine.note("disk", state, f"{free_kib // 1024} MiB free on {where}", "" if state == "ok" else "make room")


def _judge_clock(machine: Machine, answer: Answer, asked_at: float, answered_at: float) -> None:
    try:
        there = float(answer.facts("clock")[0])
        if not math.isfinite(there):
            raise ValueError(there)
    except (IndexError, ValueError):
        machine.note("clock", "warn", "its time could not be told")
        return
    skew_s = there - answered_at if there > answered_at else min(0.0, there - asked_at + 1.0)
    if abs(skew_s) <= SKEW_S:
        machine.note("clock", "ok", "")
        return
    side = "ahead of" if skew_s > 0 else "behind"
    machine.note(
        "clock",
        "warn",
        f"{abs(skew_s):.0f} s {side} this machine's",
        "times in its logs will not agree; set up NTP there",
    )
