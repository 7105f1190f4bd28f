"""The same runs over SSH: the same events everywhere, a hundred agents, strict keys, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from fixtures_program import PROGRAM, ROOT, Place, events_of, plain, wait_for
from fixtures_ssh import ServerFactory, SshServer

QUICKSTART = (ROOT / "sample_scenarios" / "quickstart.yml").read_text()


def over_ssh(place: Place) -> str:
    """Write the quickstart with its agents behind SSH."""
    assert QUICKSTART.count("transport: local") >= 2
    return str(place.write("remote.yml", QUICKSTART.replace("transport: local", "address: 127.0.0.1")))


def local_events(place: Place) -> list[str]:
    """Run the quickstart here."""
    path = str(place.write("remote.yml", QUICKSTART))
    done = place.run(path, "--events", "local.jsonl")
    assert done.returncode == 0, done.stdout
    return plain(events_of((place.home / "local.jsonl").read_text()))


async def run_beside(place: Place, *arguments: str) -> tuple[int, str]:
    """Run the program while this process goes on serving."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        env=place.environment,
        cwd=place.home,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_the_quickstart_gives_the_same_events_over_an_asyncssh_server(
    place: Place, asyncssh_server: SshServer
) -> None:
    code, out = await run_beside(
        place, over_ssh(place), "--ssh-config", str(asyncssh_server.ssh_config), "--events", "e.jsonl"
    )
    assert code == 0, out
    assert plain(events_of((place.home / "e.jsonl").read_text())) == local_events(place)


@pytest.mark.sshd
def test_the_quickstart_gives_the_same_events_over_openssh(place: Place, openssh_server: SshServer) -> None:
    done = place.run(over_ssh(place), "--ssh-config", str(openssh_server.ssh_config), "--events", "e.jsonl")
    assert done.returncode == 0, done.stdout
    assert plain(events_of((place.home / "e.jsonl").read_text())) == local_events(place)
    assert not list(openssh_server.home.glob(".octogram/runs/*"))


@pytest.mark.sshd
def test_a_scenario_of_the_original_runs_unchanged(place: Place, openssh_server: SshServer) -> None:
    classic = ROOT / "sample_scenarios" / "classic.yml"
    text = classic.read_text()
    where = {"port": openssh_server.port, "user": openssh_server.user, "identity": str(openssh_server.keys.user)}
    agents = [{"name": f"peer_{n}", "address": f"127.0.0.{n}", **where} for n in (1, 2, 3)]
    done = place.run(
        str(classic), "--ssh-config", str(openssh_server.ssh_config), "--limit", "nobody", cwd=classic.parent
    )
    assert done.returncode == 2, "the limit is checked before anything is connected"
    start, end = text.index("agents:"), text.index("\nvars:") if "\nvars:" in text else text.index("\nstages:")
    names = [a["name"] for a in __import__("yaml").safe_load(text)["agents"]]
    written = [{**agent, "name": name} for agent, name in zip(agents, names, strict=False)]
    path = classic.parent / "classic.yml"
    copy = place.write("classic.yml", text[:start] + "agents: " + json.dumps(written) + "\n" + text[end:])
    done = place.run(str(copy), "--ssh-config", str(openssh_server.ssh_config), cwd=path.parent)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.sshd
@pytest.mark.fault(98)
def test_a_hundred_agents_do_ten_jobs_each_and_leave_nothing(place: Place, openssh_server: SshServer) -> None:
    agents = "\n".join(f"  - {{name: a{n}, address: 127.0.{n // 50 + 1}.{n % 50 + 1}}}" for n in range(100))
    jobs = "\n".join(f"      - {{name: job {n}, builtins.command: [/bin/true]}}" for n in range(10))
    path = place.write("many.yml", f"agents:\n{agents}\nstages:\n  - name: all\n    jobs:\n{jobs}\n")
    done = place.run(str(path), "--ssh-config", str(openssh_server.ssh_config), "--events", "e.jsonl")
    assert done.returncode == 0, done.stdout[-3000:]
    last = events_of((place.home / "e.jsonl").read_text())[-1]
    assert last["counts"] == {"ok": 1000}
    place.wait_clean()
    assert subprocess.run(["pgrep", "-f", str(openssh_server.home)], capture_output=True, check=False).stdout == b""
    assert not list(openssh_server.home.glob(".octogram/runs/*"))


@pytest.mark.sshd
@pytest.mark.fault(14)
def test_a_server_that_allows_one_session_a_connection_is_told_of_once(
    place: Place, openssh_servers: ServerFactory
) -> None:
    server = openssh_servers({"MaxSessions": "1"})
    agents = "agents: [{name: 'a_{1..2}', address: 127.0.0.1}]\n"
    path = place.write("s.yml", agents + "stages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]\n")
    done = place.run(str(path), "--ssh-config", str(server.ssh_config), "--events", "e.jsonl")
    assert done.returncode == 0, done.stdout
    warnings = [e["message"] for e in events_of((place.home / "e.jsonl").read_text()) if e["type"] == "warning"]
    assert len([message for message in warnings if "MaxSessions" in message]) == 1


@pytest.mark.sshd
@pytest.mark.fault(19)
def test_an_unknown_host_key_is_refused_and_accepted_on_request(place: Place, openssh_server: SshServer) -> None:
    openssh_server.write_client(known="")
    path = over_ssh(place)
    refused = place.run(path, "--ssh-config", str(openssh_server.ssh_config))
    assert refused.returncode == 5
    assert "SHA256:" in refused.stdout
    assert "--accept-new" in refused.stdout
    accepted = place.run(path, "--ssh-config", str(openssh_server.ssh_config), "--accept-new")
    assert accepted.returncode == 0, accepted.stdout
    assert place.run(path, "--ssh-config", str(openssh_server.ssh_config)).returncode == 0


@pytest.mark.sshd
@pytest.mark.fault(18)
def test_a_changed_host_key_is_refused_in_any_case(
    place: Place, openssh_server: SshServer, openssh_servers: ServerFactory, tmp_path: Path
) -> None:
    other = openssh_servers()
    known = other.known_hosts.read_text().replace(f":{other.port}", f":{openssh_server.port}")
    openssh_server.write_client(known=known)
    done = place.run(over_ssh(place), "--ssh-config", str(openssh_server.ssh_config), "--accept-new")
    assert done.returncode == 5
    assert done.stdout.count("SHA256:") >= 2


@pytest.mark.sshd
def test_doctor_looks_at_every_machine(place: Place, openssh_server: SshServer) -> None:
    done = place.run("doctor", over_ssh(place), "--ssh-config", str(openssh_server.ssh_config), "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stdout + done.stderr
    assert {agent for row in rows for agent in row["agents"]} >= {"library", "reader_1", "reader_2"}


@pytest.mark.sshd
def test_what_stays_on_a_machine_is_shown_and_removed(place: Place, openssh_server: SshServer) -> None:
    path, config = over_ssh(place), ("--ssh-config", str(openssh_server.ssh_config))
    nothing = place.run("clean", path, *config, "--yes")
    assert nothing.returncode == 0, nothing.stderr
    assert nothing.stdout.endswith("there is nothing to remove\n")
    assert place.run(path, *config, "--keep-homes").returncode == 0
    (program,) = openssh_server.home.glob(".cache/octogram/agentd-*")
    (run,) = openssh_server.home.glob(".octogram/runs/*")
    shown = place.run("clean", path, *config)
    assert shown.returncode == 0
    assert f"    {program}  (the daemon's program, " in shown.stdout
    assert f"    {run}  (files of a run, " in shown.stdout
    assert shown.stdout.endswith("give --yes to have it removed\nnothing was removed\n")
    assert program.is_dir()
    assert run.is_dir()
    removed = place.run("clean", path, *config, "--yes")
    assert removed.returncode == 0, removed.stdout
    assert removed.stdout.endswith("removed 2 of 2\n")
    assert not (openssh_server.home / ".octogram").exists()
    assert [p.name for p in (openssh_server.home / ".cache").iterdir()] == []
    assert place.run(path, *config).returncode == 0, "the next run sends its program again"


@pytest.mark.sshd
def test_what_a_crashed_run_left_on_a_machine_is_found_also_when_its_files_are_gone(
    place: Place, openssh_server: SshServer
) -> None:
    text = """agents: [{name: a, address: 127.0.0.1}]
stages: [{name: s, jobs: [{name: j, builtins.shell: "touch up; exec sleep 600"}]}]
"""
    config = ("--ssh-config", str(openssh_server.ssh_config))
    process = place.start(str(place.write("s.yml", text)), *config)
    wait_for(lambda: list(openssh_server.home.glob(".octogram/runs/*/a/home/up")))
    process.kill()
    process.communicate()
    (run,) = openssh_server.home.glob(".octogram/runs/*")
    shutil.rmtree(run)
    asked = place.run("clean", "last", *config)
    assert asked.returncode == 10
    assert asked.stdout.count("(octogram-guard, of agent a, whose files are gone)") == 1
    assert "(python" in asked.stdout  # its daemon
    assert asked.stdout.count("(sleep, of agent a, whose files are gone)") == 1
    done = place.run("clean", "last", *config, "--yes")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"nothing is left of run {run.name}"), done
    again = place.run("clean", "last", *config)
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "a: nothing")
