"""What `doctor` looks at before a run: whether every agent's machine can be reached, trusted and used."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from typing import Literal, NamedTuple

from octogram_tui.errors import TransportError
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport.base import Transport
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.sshconfig import config_files, ignored_directives

AT_ONCE = 32
ANSWER_S = 20.0
MAX_ANSWER_BYTES = 1024 * 1024
OLDEST_PYTHON = (3, 8)
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
    "grep -qs '^KillUserProcesses=yes' /etc/systemd/logind.conf && echo \"$n logind kills\"; "
    'echo "$n clock $(date +%s)"; echo "$n end"'
)

State = Literal["ok", "warn", "fail"]


class Check(NamedTuple):
    """One row of the report. `agent` is empty for what concerns this machine's own configuration."""

    agent: str
    check: str
    state: State
    detail: str
    hint: str = ""


async def examine(
    specs: Sequence[AgentSpec], transports: Transports, *, ssh_config: str | None = None, prometheus: str = ""
) -> list[Check]:
    """Look at every agent at once, within the limits of a run; rows come in the order of the agents.

    prometheus: the agent whose machine has to have Prometheus; empty when none has.
    """
    limit = asyncio.Semaphore(AT_ONCE)

    async def limited(spec: AgentSpec) -> list[Check]:
        async with limit:
            return await _examine_agent(spec, transports, needs_prometheus=spec.name == prometheus)

    per_agent = await asyncio.gather(*(limited(spec) for spec in specs))
    rows: list[Check] = []
    if any(transports.kind_of(spec) == "ssh" for spec in specs):
        rows += _examine_configuration(ssh_config)
        rows += [
            Check("", "known hosts", "warn", problem, "correct or remove the line")
            for problem in transports.known_hosts_problems
        ]
    rows += [row for of_agent in per_agent for row in of_agent]
    return rows + [Check("", "note", "warn", note) for note in transports.notes]


def _examine_configuration(ssh_config: str | None) -> list[Check]:
    try:
        files = config_files(ssh_config)
    except TransportError as error:
        return [Check("", "ssh configuration", "fail", error.message, error.hint)]
    rows = [Check("", "ssh configuration", "ok", ", ".join(files) or "none")]
    return rows + [
        Check(
            "",
            "ssh configuration",
            "warn",
            f"{found.file}:{found.line}: `{found.directive} {found.value}` is not honoured",
            found.instead,
        )
        for found in ignored_directives(files)
    ]


async def _examine_agent(spec: AgentSpec, transports: Transports, *, needs_prometheus: bool) -> list[Check]:
    transport = transports.transport_for(spec)
    steps = SSH_CHECKS if transports.kind_of(spec) == "ssh" else ("start",)
    answer = _Answer(secrets.token_hex(8))
    pythons = (spec.python,) if spec.python else PYTHONS
    asked_at = time.time()
    try:
        channel = await transport.open(["sh", "-c", SCRIPT, "sh", answer.nonce, *pythons], answer)
        try:
            async with asyncio.timeout(ANSWER_S):
                await answer.ended.wait()
        except TimeoutError:
            channel.abort()
    except TransportError as error:
        await transport.close()
        return _failed(spec.name, steps, error)
    await transport.close()
    rows = [Check(spec.name, step, "ok", transport.description if step == "connection" else "") for step in steps]
    if answer.error is not None or not answer.facts("end"):
        return [*rows[:-1], _unanswered(spec.name, transport, answer)]
    rows += _judge(spec, answer, asked_at, time.time())
    return [*rows, _judge_prometheus(spec.name, answer)] if needs_prometheus else rows


def _failed(agent: str, steps: Sequence[str], error: TransportError) -> list[Check]:
    """Say which step failed; those before it went well, those after it were not come to."""
    failed = next((check for prefix, check in CHECKS_OF_CODE if error.code.startswith(prefix)), "start")
    if failed not in steps:
        failed = steps[-1]
    rows = [Check(agent, step, "ok", "") for step in steps[: steps.index(failed)]]
    return [*rows, Check(agent, failed, "fail", error.message, error.hint)]


def _unanswered(agent: str, transport: Transport, answer: _Answer) -> Check:
    said = " ".join(bytes(answer.stderr[-300:] or answer.data[-300:]).decode("utf-8", "replace").split())
    said = "".join(letter for letter in said if letter.isprintable())
    reason = answer.error.message if answer.error is not None else f"no answer from sh: {said or 'it printed nothing'}"
    return Check(
        agent,
        "start",
        "fail",
        f"{transport.description}: {reason}",
        "see the user's login shell there, and ForceCommand in its sshd_config",
    )


def _judge(spec: AgentSpec, answer: _Answer, asked_at: float, answered_at: float) -> list[Check]:
    rows = [
        _judge_python(spec, answer),
        _judge_cache(spec.name, answer),
        _judge_disk(spec.name, answer),
        _judge_clock(spec.name, answer, asked_at, answered_at),
    ]
    if answer.facts("logind"):
        rows.append(
            Check(
                spec.name,
                "logind",
                "warn",
                "KillUserProcesses=yes: daemons end with their login",
                "set KillUserProcesses=no, or `loginctl enable-linger` for the user",
            )
        )
    if answer.noise_bytes:
        rows.append(
            Check(
                spec.name,
                "shell",
                "warn",
                f"the login shell prints {answer.noise_bytes} bytes of its own",
                "let it print only to terminals",
            )
        )
    return rows


def _judge_python(spec: AgentSpec, answer: _Answer) -> Check:
    found = {name: version for version, name in (fact.split(" ", 1) for fact in answer.facts("python"))}
    for name, version in found.items():
        if tuple(int(part) for part in version.split(".")[:2]) >= OLDEST_PYTHON:
            return Check(spec.name, "python", "ok", f"{name} is {version}")
    seen = ", ".join(f"{name} {version}" for name, version in found.items()) or "none"
    wanted = spec.python or "Python"
    return Check(
        spec.name,
        "python",
        "fail",
        f"no {wanted} of 3.8 or later; found: {seen}",
        "install python3, or name it with the agent's `python`",
    )


def _judge_cache(agent: str, answer: _Answer) -> Check:
    state, _, path = (answer.facts("cache") or ["bad ?"])[0].partition(" ")
    if state == "ok":
        return Check(agent, "cache", "ok", path)
    return Check(agent, "cache", "warn", f"{path} cannot be written", "another directory will be tried")


def _judge_prometheus(agent: str, answer: _Answer) -> Check:
    found = answer.facts("prometheus")
    if found:
        return Check(agent, "prometheus", "ok", found[0])
    return Check(
        agent,
        "prometheus",
        "fail",
        "there is no program prometheus on the PATH there",
        "install Prometheus there (on Debian: apt-get install prometheus), or leave `prometheus_agent` out",
    )


def _judge_disk(agent: str, answer: _Answer) -> Check:
    words = (answer.facts("disk") or [""])[0].split()
    try:
        free_kib, where = int(words[3]), words[5]
    except (IndexError, ValueError):
        return Check(agent, "disk", "warn", "how much is free could not be told")
    state: State = "fail" if free_kib < NO_DISK_KIB else "warn" if free_kib < LOW_DISK_KIB else "ok"
    return Check(agent, "disk", state, f"{free_kib // 1024} MiB free on {where}", "" if state == "ok" else "make room")


def _judge_clock(agent: str, answer: _Answer, asked_at: float, answered_at: float) -> Check:
    try:
        there = float(answer.facts("clock")[0])
    except (IndexError, ValueError):
        return Check(agent, "clock", "warn", "its time could not be told")
    skew_s = there - answered_at if there > answered_at else min(0.0, there - asked_at + 1.0)
    if abs(skew_s) > SKEW_S:
        side = "ahead of" if skew_s > 0 else "behind"
        return Check(
            agent,
            "clock",
            "warn",
            f"{abs(skew_s):.0f} s {side} this machine's",
            "times in its logs will not agree; set up NTP there",
        )
    return Check(agent, "clock", "ok", "")


class _Answer:
    """Takes what the script prints, a bounded amount of it."""

    def __init__(self, nonce: str) -> None:
        self.nonce = nonce
        self.data = bytearray()
        self.stderr = bytearray()
        self.error: TransportError | None = None
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.data += data
        if len(self.data) > MAX_ANSWER_BYTES * 2:
            del self.data[:-MAX_ANSWER_BYTES]

    def stderr_received(self, data: bytes) -> None:
        self.stderr = (self.stderr + data)[-4096:]

    def channel_closed(self, error: TransportError | None) -> None:
        self.error = error
        self.ended.set()

    def facts(self, kind: str) -> list[str]:
        """Give the answers of one kind, without their marks."""
        mark = f"{self.nonce} {kind}"
        lines = self.data.decode("utf-8", "replace").splitlines()
        return [line[line.index(mark) + len(mark) :].strip() or "yes" for line in lines if mark in line]

    @property
    def noise_bytes(self) -> int:
        """How much was printed that is not an answer."""
        lines = self.data.splitlines(keepends=True)
        return sum(len(line) for line in lines if not line.startswith(self.nonce.encode()))
