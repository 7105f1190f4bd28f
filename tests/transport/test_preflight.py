"""What doctor says of machines in order, and of each thing that can be wrong with one."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fixtures_ssh import DEADLINE_S, ServerFactory, SshServer
from ports import free_port

from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport import preflight
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.preflight import Check, examine, machines_of


async def report(
    *specs: AgentSpec, ssh_config: Path | str | None = None, prometheus: str = ""
) -> dict[tuple[str, str], Check]:
    given = str(ssh_config) if ssh_config is not None else None
    transports = Transports(ssh_config=given)
    async with asyncio.timeout(DEADLINE_S):
        machines = machines_of(specs, transports, prometheus)
        rows = await examine(list({id(m): m for m in machines.values()}.values()), transports, ssh_config=given)
        await transports.close()
    return {(agent, row.check): row for row in rows for agent in row.agents or ("",)}


def local(name: str = "one", **changes: Any) -> AgentSpec:
    return AgentSpec(AgentName(name), transport="local", **changes)


def command(tmp_path: Path, script: str) -> AgentSpec:
    """Reach this machine through a script that may put things in the way."""
    path = tmp_path / "wrapper"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return AgentSpec(AgentName("one"), transport="command", command=(str(path),))


async def test_this_machine() -> None:
    rows = await report(local())
    assert [row.state for row in rows.values()] == ["ok"] * len(rows)
    assert [check for _, check in rows] == ["start", "python", "cache", "disk", "clock"]
    assert rows["one", "python"].detail.startswith("python3")


@pytest.mark.parametrize(("is_there", "state"), [(True, "ok"), (False, "fail")])
async def test_prometheus_is_looked_for_where_it_is_to_run(is_there: bool, state: str, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    if is_there:
        (tools / "prometheus").write_text("#!/bin/sh\n")
        (tools / "prometheus").chmod(0o755)
    for tool in ("sh", "mkdir", "df", "tail", "date", "grep", "python3"):
        found = next(Path(place, tool) for place in os.environ["PATH"].split(":") if Path(place, tool).exists())
        (tools / tool).symlink_to(found)
    rows = await report(local("other"), command(tmp_path, f'PATH={tools} exec "$@"'), prometheus="one")
    assert rows["one", "prometheus"].state == state
    assert ("apt-get install prometheus" in rows["one", "prometheus"].hint) is not is_there
    assert ("other", "prometheus") not in rows


@pytest.mark.sshd
async def test_a_real_server(openssh_server: SshServer) -> None:
    rows = await report(openssh_server.spec("a"), openssh_server.spec("b"), ssh_config=openssh_server.ssh_config)
    checks = ["name", "connection", "host key", "login", "start", "python", "cache", "disk", "clock"]
    assert [check for agent, check in rows if agent == "b"] == checks
    assert {row.state for row in rows.values()} == {"ok"}
    assert f":{openssh_server.port}" in rows["a", "connection"].detail
    assert rows["a", "cache"].detail == f"{openssh_server.home}/.cache"


@pytest.mark.sshd
@pytest.mark.fault(25)
async def test_a_noisy_login_shell(openssh_server: SshServer) -> None:
    (openssh_server.home / ".bashrc").write_text("yes noise | head -c 1048576\n")
    rows = await report(openssh_server.spec(), ssh_config=openssh_server.ssh_config)
    assert rows["one", "python"].state == "ok"
    if ("one", "shell") in rows:  # whether bash reads the file for a command over SSH was decided when it was built
        assert rows["one", "shell"].state == "warn"


@pytest.mark.sshd
@pytest.mark.fault(24)
async def test_a_forced_command(openssh_servers: ServerFactory) -> None:
    server = openssh_servers({"ForceCommand": "echo 'This account is\\033[31m not available.'"})
    rows = await report(server.spec(), ssh_config=server.ssh_config)
    assert rows["one", "login"].state == "ok"
    assert rows["one", "start"].state == "fail"
    assert "not available" in rows["one", "start"].detail
    assert "\x1b" not in rows["one", "start"].detail


async def test_a_command_that_leads_nowhere(tmp_path: Path) -> None:
    spec = command(tmp_path, "echo no such container >&2; exit 125")
    row = (await report(spec))["one", "start"]
    assert row.state == "fail"
    assert "no such container" in row.detail
    assert row.hint == f"try it by hand: {spec.command[0]} python3 --version"


async def test_which_step_failed(asyncssh_server: SshServer) -> None:
    asyncssh_server.write_client("StrictHostKeyChecking no\n")
    rows = await report(
        asyncssh_server.spec("good"),
        asyncssh_server.spec("name", "no-such-machine.invalid"),
        asyncssh_server.spec("connection", port=free_port()),
        asyncssh_server.spec("login", identity=str(asyncssh_server.keys.stranger)),
        asyncssh_server.spec("host key", "localhost"),
        ssh_config=asyncssh_server.ssh_config,
    )
    for step in ("name", "connection", "login", "host key"):
        failed = [row for row in rows.values() if row.agents == (step,) and row.state != "ok"]
        assert [row.check for row in failed] == [step]
        assert failed[0].state == "fail"
        assert failed[0].hint
    assert rows["good", "python"].state == "ok"
    assert "`StrictHostKeyChecking no` is not honoured" in rows["", "ssh configuration"].detail


async def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    rows = await report(AgentSpec(AgentName("one"), "127.0.0.1"), ssh_config=tmp_path / "missing")
    assert rows["", "ssh configuration"].state == "fail"


@pytest.mark.fault(93)
async def test_no_python(tmp_path: Path) -> None:
    rows = await report(local(python="python9"))
    assert rows["one", "python"].state == "fail"
    assert "python9" in rows["one", "python"].detail
    old = tmp_path / "bin"
    old.mkdir()
    (old / "python3").write_text('#!/bin/sh\necho "$3 python 3.6.9 python3"\n')
    (old / "python3").chmod(0o755)
    for tool in ("sh", "mkdir", "df", "tail", "date", "grep"):
        found = next(Path(place, tool) for place in os.environ["PATH"].split(":") if Path(place, tool).exists())
        (old / tool).symlink_to(found)
    rows = await report(command(tmp_path, f'PATH={old} exec "$@"'))
    assert rows["one", "python"].state == "fail"
    assert "found: python3 3.6.9" in rows["one", "python"].detail


async def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    rows = await report(command(tmp_path, f'HOME={tmp_path}/file exec "$@"'))
    assert rows["one", "cache"].state == "warn"
    assert rows["one", "disk"].state == "ok"


async def test_clocks_and_disks(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "date").write_text("#!/bin/sh\necho 1000000000\n")
    (tools / "df").write_text("#!/bin/sh\necho 'x 1 1 4096 99% /small'\n")
    for tool in ("date", "df"):
        (tools / tool).chmod(0o755)
    rows = await report(command(tmp_path, f'PATH={tools}:$PATH exec "$@"'))
    assert rows["one", "clock"].state == "warn"
    assert "behind this machine" in rows["one", "clock"].detail
    assert (rows["one", "disk"].state, rows["one", "disk"].detail) == ("fail", "4 MiB free on /small")


@pytest.mark.fault(93)
@pytest.mark.parametrize("time", ["nan", "inf", "1e999"])
async def test_a_clock_that_gives_no_time(tmp_path: Path, time: str) -> None:
    (tmp_path / "date").write_text(f"#!/bin/sh\necho {time}\n")
    (tmp_path / "date").chmod(0o755)
    rows = await report(command(tmp_path, f'PATH={tmp_path}:$PATH exec "$@"'))
    assert (rows["one", "clock"].state, rows["one", "clock"].detail) == ("warn", "its time could not be told")


@pytest.mark.fault(93)
@pytest.mark.parametrize("said", ["3", "\u00b2.\u00b2 python3", "3.x python3", "9" * 5000 + ".1 python3"])
async def test_a_version_that_is_none(tmp_path: Path, said: str) -> None:
    (tmp_path / "python3").write_text(f'#!/bin/sh\necho "$3 python {said}"\n', "utf-8")
    (tmp_path / "python3").chmod(0o755)
    rows = await report(command(tmp_path, f'PATH={tmp_path}:$PATH exec "$@"'))
    assert rows["one", "python"].state in ("ok", "fail")


@pytest.mark.fault(40)
@pytest.mark.parametrize(
    ("written", "user", "is_told"),
    [("yes", 1000, True), ("true", 1000, True), ("no", 1000, False), ("yes", 0, False)],
)
async def test_a_login_manager_that_ends_what_a_login_started(
    written: str, user: int, is_told: bool, tmp_path: Path
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "grep").write_text(f"#!/bin/sh\necho KillUserProcesses=no\necho KillUserProcesses={written}\n")
    (tools / "id").write_text(f"#!/bin/sh\necho {user}\n")
    for tool in ("grep", "id"):
        (tools / tool).chmod(0o755)
    rows = await report(replace(command(tmp_path, f'PATH={tools}:$PATH exec "$@"'), python="python3"))
    assert (("one", "logind") in rows) is is_told
    if is_told:
        assert rows["one", "logind"].state == "warn"
        assert "connection that is cut" in rows["one", "logind"].detail
        assert "KillExcludeUsers" in rows["one", "logind"].hint


async def test_a_wrapper_that_says_too_much(tmp_path: Path) -> None:
    rows = await report(command(tmp_path, 'yes noise | head -c 5000000; exec "$@"'))
    assert rows["one", "shell"].state == "warn"
    assert rows["one", "python"].state == "ok"


async def test_a_wrapper_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "ANSWER_S", 0.3)
    rows = await report(command(tmp_path, "exec sleep 1000"))
    assert rows["one", "start"].state == "fail"
