"""Logging in before anybody asks: once for each machine, told to whoever asks, and left again when nobody does."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import asyncssh
import pytest
from fixtures_ssh import DEADLINE_S, Recorder, SshServer

from octogram_tui.errors import AuthFailed
from octogram_tui.runtime import logins
from octogram_tui.runtime.logins import Logins
from octogram_tui.scenario.load import load_scenario
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.ssh.profile import Request
from octogram_tui.transport.ssh.transport import Machines


async def until_logged_in(server: SshServer, times: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while len(server.logins) < times:
            await asyncio.sleep(0.01)


async def test_each_machine_is_logged_in_to_once_and_its_first_agent_goes_on_there(asyncssh_server: SshServer) -> None:
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    specs = [asyncssh_server.spec(name) for name in ("a", "b", "c")]
    await transports.reach_ahead(specs)
    await until_logged_in(asyncssh_server, 1)
    for spec in specs:
        recorder = Recorder()
        transport = transports.transport_for(spec)
        await transport.reach()
        await transport.open(["echo", "x"], recorder)
        await recorder.end()
    assert len(asyncssh_server.logins) == 1
    await transports.close()


async def test_a_login_that_fails_ahead_is_told_to_whoever_asks_and_not_tried_again(
    asyncssh_server: SshServer,
) -> None:
    asyncssh_server.ssh_config.write_text(
        asyncssh_server.ssh_config.read_text().replace(
            str(asyncssh_server.keys.user), str(asyncssh_server.keys.stranger)
        )
    )
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    spec = asyncssh_server.spec("a")
    await transports.reach_ahead([spec])
    await until_logged_in(asyncssh_server, 1)
    with pytest.raises(AuthFailed, match="agent a: "):
        await transports.transport_for(spec).reach()
    assert len(asyncssh_server.logins) == 1
    await transports.close()


async def test_an_agent_that_is_another_by_then_is_reached_anew(asyncssh_server: SshServer) -> None:
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    await transports.reach_ahead([asyncssh_server.spec("a")])
    await transports.transport_for(asyncssh_server.spec("a", user="someone")).reach()
    assert "someone" in asyncssh_server.logins
    await transports.close()


async def test_what_was_logged_in_to_for_nothing_is_left_again(asyncssh_server: SshServer) -> None:
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    await transports.reach_ahead([asyncssh_server.spec("a"), asyncssh_server.spec("b", user="someone")])
    await until_logged_in(asyncssh_server, 2)
    async with asyncio.timeout(DEADLINE_S):
        await transports.close()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("ahead")]


async def test_notes_from_before_anybody_listens_are_told(asyncssh_server: SshServer) -> None:
    asyncssh_server.known_hosts.unlink()
    asyncssh_server.known_hosts.mkdir()  # so that nothing can be recorded, which is worth a note
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config), accept_new=True)
    spec = asyncssh_server.spec("a")
    await transports.reach_ahead([spec])
    await transports.transport_for(spec).reach()
    told: list[str] = []
    transports.tell_to(told.append)
    assert len(told) == 1
    assert "was not recorded" in told[0]
    await transports.close()


def test_it_loads_what_a_run_needs_and_leaves_what_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = tmp_path / "s.yml"
    scenario.write_text(
        "agents: [{name: a, address: 127.0.0.1, port: 1}]\n"
        "stages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]\n"
    )
    loaded: list[str] = []
    monkeypatch.setattr(logins, "import_module", loaded.append)
    ahead = Logins(Transports(ssh_config="none"))

    def refused() -> None:
        with ahead:
            ahead.load(load_scenario(str(scenario)).scenario)
            raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        refused()
    assert tuple(loaded) == logins.LATER
    with pytest.raises(RuntimeError, match="closed"):
        ahead.runner.get_loop()


async def test_options_are_made_once_for_all_of_which_the_configuration_says_the_same(
    asyncssh_server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncssh_server.write_client("Host other\n  HostName 127.0.0.9\n  User somebody\n")
    made: list[object] = []
    make = asyncssh.SSHClientConnectionOptions.__init__

    def count(self: object, *arguments: object, **settings: object) -> None:
        made.append(self)
        make(self, *arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncssh.SSHClientConnectionOptions, "__init__", count)
    machines = Machines(ssh_config=str(asyncssh_server.ssh_config))
    profiles = await asyncio.gather(*(machines.profile(Request(f"127.0.1.{n}")) for n in range(40)))
    assert len(made) == 2
    assert len({id(profile.options) for profile in profiles}) == 1
    assert len({profile.place for profile in profiles}) == 40
    other = await machines.profile(Request("other"))
    assert other.options is not profiles[0].options
    assert (other.host, other.user) == ("127.0.0.9", "somebody")


async def test_connections_have_keys_of_their_own(asyncssh_server: SshServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server takes of a key is noted in it, and the next one may take something else."""
    seen: list[asyncssh.SSHKeyPair] = []
    create = asyncssh.SSHClientConnection.__init__

    def note(self: asyncssh.SSHClientConnection, loop: object, options: object, **settings: object) -> None:
        create(self, loop, options, **settings)  # type: ignore[arg-type]
        seen.extend(self._client_keys)

    monkeypatch.setattr(asyncssh.SSHClientConnection, "__init__", note)
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    for name in ("a", "b"):
        await transports.transport_for(asyncssh_server.spec(name, user=name)).reach()
    assert len(seen) == 2
    assert len({id(key) for key in seen}) == 2
    await transports.close()


async def test_commands_of_the_configuration_are_not_waited_for_one_after_the_other(tmp_path: Path) -> None:
    """All but the first, which shows that there are any, wait until all of them run."""
    wait = tmp_path / "wait.py"
    wait.write_text(
        "import pathlib, sys, time\n"
        f"here = pathlib.Path({os.fspath(tmp_path)!r})\n"
        "(here / f'{sys.argv[1]}.there').touch()\n"
        "end = time.monotonic() + 60\n"
        "while sys.argv[1] != 'h0' and len(list(here.glob('*.there'))) < 4:\n"
        "    if time.monotonic() > end: sys.exit(1)\n"
        "    time.sleep(0.01)\n"
    )
    config = tmp_path / "config"
    config.write_text(f'Match exec "{sys.executable} -IS {wait} %n"\n  User met\n')
    machines = Machines(ssh_config=str(config))
    profiles = await asyncio.gather(*(machines.profile(Request(f"h{n}")) for n in range(4)))
    assert [profile.user for profile in profiles] == ["met"] * 4
