"""Host keys: known, unknown, changed, revoked, certified; what is accepted as new, and what never is."""

from __future__ import annotations

import asyncio
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

import asyncssh
import pytest
from fixtures_ssh import Recorder, ServerFactory, SshServer, new_key, public_line

from octogram_tui.errors import ExitCode, HostKeyRefused, TransportError
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.preflight import examine, machines_of


async def echo(server: SshServer, *, accept_new: bool = False, address: str = "127.0.0.1") -> str:
    """Connect anew, run a command, and give its output."""
    transports = Transports(ssh_config=str(server.ssh_config), accept_new=accept_new)
    try:
        recorder = Recorder()
        await transports.transport_for(server.spec(address=address)).open(["echo", "hello"], recorder)
        await recorder.end()
        return recorder.out.decode()
    finally:
        await transports.close()


async def refusal(server: SshServer, *, accept_new: bool = False) -> HostKeyRefused:
    with pytest.raises(HostKeyRefused) as refused:
        await echo(server, accept_new=accept_new)
    assert refused.value.exit_code is ExitCode.NOT_TRUSTED
    assert not refused.value.is_retryable
    assert "agent one" in refused.value.message
    return refused.value


def fingerprint(key: Path) -> str:
    return asyncssh.read_public_key(f"{key}.pub").get_fingerprint()


@pytest.mark.fault(19)
async def test_unknown_key_is_refused_with_its_fingerprint_and_a_way_out(asyncssh_server: SshServer) -> None:
    asyncssh_server.write_client(known="")
    error = await refusal(asyncssh_server)
    assert error.code == "trust.unknown"
    assert fingerprint(asyncssh_server.host_key) in error.message
    assert f"root@127.0.0.1:{asyncssh_server.port}".replace("root", asyncssh_server.user) in error.message
    assert f"ssh-keyscan -p {asyncssh_server.port} 127.0.0.1 >> {asyncssh_server.known_hosts}" in error.hint
    assert "--accept-new" in error.hint


@pytest.mark.fault(18)
async def test_changed_key_is_refused_with_both_fingerprints_and_the_line(
    asyncssh_server: SshServer, tmp_path: Path
) -> None:
    other = new_key(tmp_path / "other")
    name = f"[127.0.0.1]:{asyncssh_server.port}"
    asyncssh_server.write_client(known=f"# a comment\n{name} {public_line(other)}\n")
    for accept_new in (False, True):
        error = await refusal(asyncssh_server, accept_new=accept_new)
        assert error.code == "trust.changed"
        assert fingerprint(asyncssh_server.host_key) in error.message
        assert fingerprint(other) in error.message
        assert f"{asyncssh_server.known_hosts}:2" in error.message
    assert len(asyncssh_server.known_hosts.read_text().splitlines()) == 2


async def test_a_key_of_another_type_on_file_is_a_changed_key(asyncssh_server: SshServer, tmp_path: Path) -> None:
    other = new_key(tmp_path / "other", "ecdsa-sha2-nistp256")
    asyncssh_server.write_client(known=f"[127.0.0.1]:{asyncssh_server.port} {public_line(other)}\n")
    error = await refusal(asyncssh_server, accept_new=True)
    assert error.code == "trust.changed"
    assert fingerprint(other) in error.message


@pytest.mark.fault(18)
async def test_nothing_is_sent_to_a_server_whose_key_changed(asyncssh_server: SshServer, tmp_path: Path) -> None:
    asyncssh_server.write_client(known=f"[127.0.0.1]:{asyncssh_server.port} {public_line(new_key(tmp_path / 'o'))}\n")
    asyncssh_server.logins.clear()
    await refusal(asyncssh_server)
    assert asyncssh_server.logins == []


@pytest.mark.fault(19)
async def test_accept_new_records_once_for_many_agents(asyncssh_server: SshServer) -> None:
    asyncssh_server.write_client(known="")
    asyncssh_server.known_hosts.unlink()
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config), accept_new=True)

    async def one(number: int) -> None:
        recorder = Recorder()
        await transports.transport_for(asyncssh_server.spec(f"n{number}")).open(["true"], recorder)
        await recorder.end()

    await asyncio.gather(*(one(number) for number in range(20)))
    await transports.close()
    assert transports.notes == []
    line = f"[127.0.0.1]:{asyncssh_server.port} {public_line(asyncssh_server.host_key)}\n"
    assert asyncssh_server.known_hosts.read_text() == line
    assert stat.S_IMODE(asyncssh_server.known_hosts.stat().st_mode) == 0o600
    assert await echo(asyncssh_server) == "hello\n"


async def test_accept_new_goes_on_when_nothing_can_be_written(asyncssh_server: SshServer) -> None:
    asyncssh_server.write_client(known="")
    asyncssh_server.known_hosts.unlink()
    asyncssh_server.known_hosts.mkdir()
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config), accept_new=True)
    recorder = Recorder()
    await transports.transport_for(asyncssh_server.spec()).open(["true"], recorder)
    await recorder.end()
    await transports.close()
    assert "was not recorded" in transports.notes[0]


@pytest.mark.fault(26)
async def test_malformed_lines_are_skipped_and_reported(asyncssh_server: SshServer) -> None:
    good = asyncssh_server.known_hosts.read_text()
    asyncssh_server.write_client(known=f"this is no entry\nweb ssh-ed25519 %%%\n{good}")
    assert await echo(asyncssh_server) == "hello\n"
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    machines = machines_of([asyncssh_server.spec()], transports).values()
    rows = await examine([*machines], transports, ssh_config=str(asyncssh_server.ssh_config))
    await transports.close()
    details = [row.detail for row in rows if row.check == "known hosts"]
    assert [detail.split(": ")[0] for detail in details] == [
        f"{asyncssh_server.known_hosts}:1",
        f"{asyncssh_server.known_hosts}:2",
    ]


@pytest.mark.parametrize("file", ["none", "/dev/null"])
@pytest.mark.fault(26)
async def test_checking_cannot_be_switched_off(asyncssh_server: SshServer, file: str) -> None:
    asyncssh_server.write_client(f"UserKnownHostsFile {file}\nStrictHostKeyChecking no", known="")
    assert (await refusal(asyncssh_server)).code == "trust.unknown"
    assert await echo(asyncssh_server, accept_new=True) == "hello\n"


async def test_revoked_key(asyncssh_server: SshServer) -> None:
    key = public_line(asyncssh_server.host_key)
    asyncssh_server.write_client(known=f"[127.0.0.1]:{asyncssh_server.port} {key}\n@revoked * {key}\n")
    for accept_new in (False, True):
        assert (await refusal(asyncssh_server, accept_new=accept_new)).code == "trust.revoked"


async def test_key_under_an_alias(asyncssh_server: SshServer) -> None:
    key = public_line(asyncssh_server.host_key)
    asyncssh_server.write_client("Host box\n  HostName 127.0.0.1\n  HostKeyAlias the-box\n", known=f"the-box {key}\n")
    assert await echo(asyncssh_server, address="box") == "hello\n"
    assert (await refusal(asyncssh_server)).code == "trust.unknown"


@pytest.mark.sshd
async def test_real_server_with_hashed_and_several_keys(openssh_servers: ServerFactory, tmp_path: Path) -> None:
    rsa = new_key(tmp_path / "rsa", "ssh-rsa")
    server = openssh_servers(extra_host_keys=[rsa])
    # Only the RSA key is on file: that is the one to ask for.
    server.write_client(known=f"[127.0.0.1]:{server.port} {public_line(rsa)}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(server.known_hosts)], check=True, capture_output=True)
    assert server.known_hosts.read_text().startswith("|1|")
    assert await echo(server) == "hello\n"


@pytest.mark.sshd
async def test_real_server_with_a_certificate(openssh_servers: ServerFactory, tmp_path: Path) -> None:
    authority, host = new_key(tmp_path / "authority"), new_key(tmp_path / "host")
    sign(authority, host, ["127.0.0.1"])
    server = openssh_servers({"HostCertificate": f"{host}-cert.pub"}, host_key=host)
    server.write_client(known=f"@cert-authority [127.0.*.*]:{server.port} {public_line(authority)}\n")
    assert await echo(server) == "hello\n"
    with pytest.raises(TransportError) as wrong_name:
        await echo(server, address="127.0.0.2")
    assert wrong_name.value.exit_code is ExitCode.NOT_TRUSTED
    # Without the authority on file the certificate counts for nothing, and the plain key does.
    server.write_client()
    assert await echo(server, address="127.0.0.2") == "hello\n"


def sign(authority: Path, host: Path, names: Sequence[str]) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-s", str(authority), "-I", "host", "-h", "-n", ",".join(names), f"{host}.pub"],
        check=True,
        capture_output=True,
    )
