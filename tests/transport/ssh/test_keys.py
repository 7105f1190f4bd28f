"""Keys: refused ones, unreadable ones, too many of them; each is offered once, and the words say what to do."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from fixtures_ssh import Recorder, ServerFactory, SshServer, new_key
from test_faults import failure

from octogram_tui.errors import AuthFailed, ExitCode
from octogram_tui.transport.pool import Transports


@pytest.mark.fault(20)
async def test_wrong_key_is_offered_once_however_many_agents(asyncssh_server: SshServer) -> None:
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    identity = str(asyncssh_server.keys.stranger)
    openings = [
        transports.transport_for(asyncssh_server.spec(f"n{number}", identity=identity)).open(["true"], Recorder())
        for number in range(20)
    ]
    errors = await asyncio.gather(*openings, return_exceptions=True)
    await transports.close()
    for number, error in enumerate(errors):
        assert isinstance(error, AuthFailed)
        assert (error.code, error.exit_code, error.is_retryable) == ("auth.refused", ExitCode.NOT_TRUSTED, False)
        assert error.message.startswith(f"agent n{number}: ")
        assert "authorized_keys" in error.hint
    assert asyncssh_server.logins == [asyncssh_server.user]


@pytest.mark.fault(20)
async def test_keys_that_cannot_be_used(
    asyncssh_server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("no key")
    for identity, code, words in (
        (str(asyncssh_server.keys.locked), "auth.passphrase", "passphrase"),
        (str(nonsense), "auth.key_unreadable", "cannot be used"),
        (str(tmp_path / "missing"), "auth.key_unreadable", "No such file"),
        (str(tmp_path), "auth.key_unreadable", "directory"),
        ("~nobody-of-that-name/key", "auth.key_unreadable", "No such file"),
    ):
        error = await failure(asyncssh_server.spec(identity=identity), asyncssh_server.ssh_config)
        assert isinstance(error, AuthFailed)
        assert error.code == code
        assert identity in error.message
        assert words in error.message
        assert error.hint
    assert asyncssh_server.logins == []


@pytest.mark.sshd
async def test_real_server_refuses_the_key(openssh_server: SshServer) -> None:
    error = await failure(openssh_server.spec(identity=str(openssh_server.keys.stranger)), openssh_server.ssh_config)
    assert isinstance(error, AuthFailed)
    assert error.code == "auth.refused"


@pytest.mark.sshd
async def test_real_server_that_takes_no_further_key(openssh_servers: ServerFactory) -> None:
    server = openssh_servers({"MaxAuthTries": "1"})
    server.write_client(f"IdentityFile {server.keys.stranger}\n")
    error = await failure(server.spec(), server.ssh_config)
    assert isinstance(error, AuthFailed)
    assert error.code == "auth.too_many"
    assert "IdentitiesOnly" in error.hint


@pytest.mark.sshd
async def test_only_the_keys_of_the_configuration_are_tried(
    openssh_server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in ssh: where `IdentityFile` names a file that is not there, the usual keys do not take its place."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / ".ssh").mkdir(mode=0o700)
    shutil.copy(openssh_server.keys.user, tmp_path / ".ssh/id_ed25519")
    openssh_server.write_client()
    written = openssh_server.ssh_config.read_text()
    openssh_server.ssh_config.write_text(written.replace(str(openssh_server.keys.user), f"{tmp_path}/nokey"))
    error = await failure(openssh_server.spec(), openssh_server.ssh_config)
    assert error.code == "auth.refused"
    assert f"there is no {tmp_path}/nokey" in error.hint


@pytest.mark.sshd
@pytest.mark.fault(20)
async def test_keys_of_an_agent(openssh_server: SshServer, tmp_path: Path) -> None:
    """With twenty keys in the agent, only the one that `identity` names is asked for."""
    started = subprocess.run(
        ["ssh-agent", "-s", "-a", str(tmp_path / "agent")], check=True, capture_output=True, text=True
    ).stdout
    found = re.search(r"SSH_AGENT_PID=(\d+)", started)
    assert found is not None
    try:
        environment = {**os.environ, "SSH_AUTH_SOCK": str(tmp_path / "agent")}
        keys = [str(new_key(tmp_path / f"key{number}")) for number in range(19)]
        subprocess.run(["ssh-add", "-q", *keys, str(openssh_server.keys.user)], check=True, env=environment)
        only_public = tmp_path / "only.pub"
        only_public.write_text(openssh_server.keys.user_public)
        for identity in (f"IdentityFile {only_public}\nIdentitiesOnly yes\n", "IdentitiesOnly no\n"):
            openssh_server.ssh_config.write_text(
                f"IdentityAgent {tmp_path}/agent\n{identity}Port {openssh_server.port}\n"
                f"UserKnownHostsFile {openssh_server.known_hosts}\n"
            )
            spec = openssh_server.spec()
            if identity.startswith("IdentityFile"):
                transports = Transports(ssh_config=str(openssh_server.ssh_config))
                recorder = Recorder()
                await transports.transport_for(spec).open(["true"], recorder)
                await recorder.end()
                await transports.close()
            else:
                error = await failure(spec, openssh_server.ssh_config)
                assert error.code == "auth.too_many"
    finally:
        os.kill(int(found[1]), signal.SIGTERM)
