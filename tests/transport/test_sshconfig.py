"""The ssh configuration: what of it decides, what the agent overrides, what is told to be ignored; and jump hosts."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from fixtures_ssh import DEADLINE_S, Recorder, ServerFactory, SshServer, new_key, public_line

from octogram_tui.errors import ConnectFailed, HostKeyRefused, LinkLost, TransportError
from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport import sshconfig
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.ssh import dial
from octogram_tui.transport.ssh.channel import remote_command
from octogram_tui.transport.ssh.profile import Profile, Request, resolve
from octogram_tui.transport.sshconfig import config_files, ignored_directives


def profile(tmp_path: Path, text: str, address: str = "box", **request: Any) -> Profile:
    path = tmp_path / "config"
    path.write_text(text)
    return resolve(Request(address, **request), [str(path)])


async def echo(server: SshServer, spec: AgentSpec) -> str:
    transports = Transports(ssh_config=str(server.ssh_config))
    try:
        recorder = Recorder()
        async with asyncio.timeout(DEADLINE_S):
            await transports.transport_for(spec).open(["echo", "hello"], recorder)
        await recorder.end()
        return recorder.out.decode()
    finally:
        await transports.close()


def test_hosts_and_overrides(tmp_path: Path) -> None:
    text = "Host box\n  HostName 10.0.0.7\n  Port 2200\n  User them\n  ConnectTimeout 3\nHost *\n  Port 9\n"
    found = profile(tmp_path, text)
    assert (found.host, found.port, found.user, found.connect_timeout_s) == ("10.0.0.7", 2200, "them", 3.0)
    found = profile(tmp_path, text, port=7, user="me")
    assert (found.host, found.port, found.user) == ("10.0.0.7", 7, "me")
    assert profile(tmp_path, text, "other").port == 9
    assert profile(tmp_path, "", "other").port == 22


def test_match_and_final(tmp_path: Path) -> None:
    text = (
        "Match user root\n  Port 1\nMatch originalhost b?x !exec false\n  Port 2\n"
        "Match final host 10.*\n  Port 3\nHost named\n  HostName 10.1.1.1\n"
    )
    assert profile(tmp_path, text, user="root").port == 1
    assert profile(tmp_path, text, user="me").port == 2
    assert profile(tmp_path, text, "named", user="me").host == "10.1.1.1"
    assert profile(tmp_path, f"{text}Match final\n  Port 4\n", "named", user="me").port in (3, 4)


def test_settings_of_a_connection(tmp_path: Path) -> None:
    options = profile(tmp_path, "").options
    assert options.encryption_algs[0] == b"aes128-gcm@openssh.com"
    assert options.compression_algs == [b"none"]
    assert (options.keepalive_interval, options.keepalive_count_max) == (5, 2)
    assert options.agent_forward_path is None
    assert not options.x11_forwarding
    assert not options.password_auth
    closer = profile(tmp_path, "ServerAliveInterval 2\nServerAliveCountMax 1\nCiphers aes256-ctr\nForwardAgent /a\n")
    assert (closer.options.keepalive_interval, closer.options.keepalive_count_max) == (2, 1)
    assert closer.options.encryption_algs == [b"aes256-ctr"]
    assert closer.options.agent_forward_path == "/a"
    wider = profile(tmp_path, "ServerAliveInterval 60\nServerAliveCountMax 30\n").options
    assert (wider.keepalive_interval, wider.keepalive_count_max) == (5, 2)


def test_keys_of_the_configuration_that_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    files = [new_key(tmp_path / name) for name in ("one", "two")]
    blobs = [asyncssh.read_public_key(f"{path}.pub").public_data for path in files]

    def tried(text: str, **request: Any) -> tuple[list[bytes], Any]:
        options = profile(tmp_path, text, **request).options
        assert options.client_keys is not None
        return [pair.public_data for pair in options.client_keys], options.agent_identities

    text = "IdentityFile ~/one\nIdentityFile ~/missing\nIdentityFile ~/two\nIdentityFile ~/two.pub\n"
    assert tried(text) == (blobs, None)
    keys, of_agent = tried(f"{text}IdentitiesOnly yes\n")
    assert keys == blobs
    assert set(of_agent) == set(blobs)
    assert tried(text, identity="~/two") == ([blobs[1]], [blobs[1]])
    assert tried("IdentityFile ~/missing\n")[0] == []


def test_known_hosts_files_with_tokens(tmp_path: Path) -> None:
    found = profile(tmp_path, "UserKnownHostsFile %d/.ssh/known.%h ~/.ssh/more\nGlobalKnownHostsFile /g\n")
    home = Path.home()
    assert found.known_hosts.files == (f"{home}/.ssh/known.box", f"{home}/.ssh/more", "/g")
    files = profile(tmp_path, "").known_hosts.files
    assert files[0] == f"{home}/.ssh/known_hosts"
    assert "/etc/ssh/ssh_known_hosts" in files


@pytest.mark.parametrize(
    ("text", "jumps"),
    [
        ("gate", [Request("gate")]),
        ("me@gate:2222", [Request("gate", 2222, "me")]),
        ("ssh://me@gate:2222", [Request("gate", 2222, "me")]),
        ("[::1]:2222,a@b", [Request("::1", 2222), Request("b", None, "a")]),
    ],
)
def test_jumps(tmp_path: Path, text: str, jumps: list[Request]) -> None:
    found = profile(tmp_path, f"Host box\n  ProxyJump {text}\n")
    assert list(found.jumps) == jumps
    assert not found.is_direct
    assert profile(tmp_path, "Host box\n  ProxyJump none\n").jumps == ()


def test_directives_that_are_not_honoured(tmp_path: Path) -> None:
    included = tmp_path / "included"
    included.write_text("VerifyHostKeyDNS yes\n")
    config = tmp_path / "config"
    config.write_text(
        f"# StrictHostKeyChecking no\nHost *\n  stricthostkeychecking=no\n  StrictHostKeyChecking yes\n"
        f"\tControlPath ~/.ssh/%C\nControlPath none\nInclude {included}\nUser me\nInclude {config}\n"
    )
    found = ignored_directives((str(config),))
    assert found[0] == (str(config), 3, "stricthostkeychecking", "no", sshconfig.UNSUPPORTED["stricthostkeychecking"])
    assert {(Path(row.file).name, row.line, row.directive.lower()) for row in found} == {
        ("config", 3, "stricthostkeychecking"),
        ("config", 5, "controlpath"),
        ("included", 1, "verifyhostkeydns"),
    }


def test_an_included_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    included = tmp_path / "included"
    included.write_text("Port 3\n")
    read_text = Path.read_text

    def refuse(path: Path, *arguments: Any, **more: Any) -> str:
        if path == included:
            raise PermissionError(13, "Permission denied")
        return read_text(path, *arguments, **more)

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(asyncssh.ConfigParseError, match=f"config line 2: {included} cannot be read: Permission denied"):
        profile(tmp_path, f"User me\nInclude {included}\n")


def test_which_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sshconfig, "SYSTEM_FILE", str(tmp_path / "system"))
    assert config_files(None) == ()
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("")
    (tmp_path / "system").write_text("")
    assert config_files(None) == (str(tmp_path / ".ssh" / "config"), str(tmp_path / "system"))
    assert config_files(str(tmp_path / "system")) == (str(tmp_path / "system"),)
    assert config_files("none") == ()
    for bad in ("missing", ".ssh"):
        with pytest.raises(ConnectFailed, match="cannot be read") as failed:
            config_files(str(tmp_path / bad))
        assert (failed.value.code, failed.value.is_retryable) == ("net.config", False)


@pytest.mark.parametrize("text", ["Port abc\n", "Match nonsense x\n", "Host\nUser\n", "Host *\n  ProxyJump a:b:c\n"])
async def test_a_wrong_configuration_is_told_and_can_be_mended(asyncssh_server: SshServer, text: str) -> None:
    good = asyncssh_server.ssh_config.read_text()
    asyncssh_server.ssh_config.write_text(text)
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    transport = transports.transport_for(asyncssh_server.spec())
    with pytest.raises(TransportError, match="agent one: the ssh configuration is wrong") as failed:
        await transport.open(["true"], Recorder())
    assert failed.value.code == "net.config"
    asyncssh_server.ssh_config.write_text(good)
    recorder = Recorder()
    await transport.open(["true"], recorder)
    await recorder.end()
    await transports.close()


async def test_a_missing_configuration_file(tmp_path: Path) -> None:
    transports = Transports(ssh_config=str(tmp_path / "missing"))
    with pytest.raises(ConnectFailed, match=r"agent one: the ssh configuration .*missing cannot be read"):
        await transports.transport_for(AgentSpec(AgentName("one"), "127.0.0.1")).open(["true"], Recorder())
    await transports.close()


async def test_proxy_command(asyncssh_server: SshServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "RETRY_FOR_S", 0.2)
    relay = (
        "import os,socket,sys,threading\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n"
        "def up():\n while d:=os.read(0,65536): s.sendall(d)\n s.shutdown(1)\n"
        "threading.Thread(target=up,daemon=True).start()\n"
        "while d:=s.recv(65536): os.write(1,d)\n"
    )
    script = asyncssh_server.directory / "relay.py"
    script.write_text(relay)
    # With a complaint on its standard error, shell syntax, and another name than the address that it leads to.
    asyncssh_server.write_client(
        "Host far\n  HostKeyAlias 127.0.0.1\n"
        f"  ProxyCommand sh -c 'echo careful >&2; exec \"$@\"' - python3 {script} 127.0.0.1 %p\n"
    )
    asyncssh_server.known_hosts.write_text(f"127.0.0.1 {public_line(asyncssh_server.host_key)}\n")
    assert await echo(asyncssh_server, asyncssh_server.spec(address="far")) == "hello\n"
    asyncssh_server.write_client("Host far\n  HostKeyAlias 127.0.0.1\n  ProxyCommand sh -c 'echo no way >&2'\n")
    with pytest.raises(ConnectFailed, match="through its proxy command") as failed:
        await echo(asyncssh_server, asyncssh_server.spec(address="far"))
    assert failed.value.hint == "the proxy command says: no way"


@pytest.mark.sshd
async def test_a_jump_host(openssh_servers: ServerFactory) -> None:
    gate, target = openssh_servers(), openssh_servers()
    blocks = (
        f"Host target\n  HostName 127.0.0.9\n  Port {target.port}\n  ProxyJump gate\n"
        f"Host gate\n  HostName 127.0.0.8\n  Port {gate.port}\n"
    )
    known_gate = f"[127.0.0.8]:{gate.port} {public_line(gate.host_key)}\n"
    known_target = f"[127.0.0.9]:{target.port} {public_line(target.host_key)}\n"
    gate.write_client(blocks, known=known_gate + known_target)
    transports = Transports(ssh_config=str(gate.ssh_config))

    async def one(number: int) -> bytes:
        recorder = Recorder()
        await transports.transport_for(gate.spec(f"n{number}", "target")).open(["echo", str(number)], recorder)
        await recorder.end()
        return bytes(recorder.out)

    async with asyncio.timeout(DEADLINE_S):
        assert await asyncio.gather(*(one(number) for number in range(40))) == [b"%d\n" % n for n in range(40)]
    assert len(gate.sessions()) == 1
    assert len(target.sessions()) == 5
    kept = Recorder()
    await transports.transport_for(gate.spec("kept", "target")).open(["cat"], kept)
    await transports.close()
    await kept.end()

    # Both keys are checked, each for itself.
    gate.write_client(blocks, known=known_target)
    with pytest.raises(HostKeyRefused, match=r"127\.0\.0\.8") as unknown:
        await echo(gate, gate.spec(address="target"))
    assert unknown.value.jump == f"{gate.user}@127.0.0.8:{gate.port}"
    gate.write_client(blocks, known=known_gate)
    with pytest.raises(HostKeyRefused, match=r"127\.0\.0\.9.* through gate") as unknown:
        await echo(gate, gate.spec(address="target"))
    assert unknown.value.jump == ""
    # What is on file for the jump host's address says nothing of what lies behind it.
    gate.write_client(blocks, known=known_gate + known_gate.replace(str(gate.port), str(target.port)))
    with pytest.raises(HostKeyRefused) as refused:
        await echo(gate, gate.spec(address="target"))
    assert refused.value.code == "trust.unknown"


@pytest.mark.sshd
@pytest.mark.fault(23)
async def test_two_jump_hosts_and_one_that_dies(openssh_servers: ServerFactory) -> None:
    near, far, target = openssh_servers(), openssh_servers(), openssh_servers()
    servers = {"near": near, "far": far, "target": target}
    blocks = "".join(f"Host {name}\n  HostName 127.0.0.1\n  Port {server.port}\n" for name, server in servers.items())
    known = "".join(f"[127.0.0.1]:{server.port} {public_line(server.host_key)}\n" for server in servers.values())
    near.write_client(f"Host target\n  ProxyJump near,far\n{blocks}", known=known)
    transports = Transports(ssh_config=str(near.ssh_config))
    transport = transports.transport_for(near.spec(address="target"))
    recorder = Recorder()
    await transport.open(["cat"], recorder)
    for pid in near.sessions():
        os.kill(pid, signal.SIGKILL)
    await recorder.end()
    assert isinstance(recorder.error, LinkLost)
    again = Recorder()
    await transport.open(["echo", "again"], again)
    await again.end()
    assert again.out == b"again\n"
    await transports.close()


@pytest.mark.sshd
async def test_a_jump_host_that_cannot_go_on(openssh_servers: ServerFactory) -> None:
    gate = openssh_servers({"AllowTcpForwarding": "no"})
    gate.write_client("Host target\n  HostName 127.0.0.9\n  ProxyJump 127.0.0.1\n")
    with pytest.raises(ConnectFailed, match=r"127\.0\.0\.1 lets nobody through to 127\.0\.0\.9:\d+") as failed:
        await echo(gate, gate.spec(address="target"))
    assert (failed.value.code, failed.value.jump) == ("net.forwarding", f"{gate.user}@127.0.0.1:{gate.port}")


@pytest.mark.sshd
async def test_where_a_way_leads_is_told_once_it_is_known(openssh_server: SshServer) -> None:
    openssh_server.write_client("Host lab\n  HostName 127.0.0.9\nHost elsewhere\n  HostName 127.0.0.10\n  Port 1\n")
    transports = Transports(ssh_config=str(openssh_server.ssh_config))
    way = transports.transport_for(openssh_server.spec(address="lab"))
    assert way.host == ""
    recorder = Recorder()
    await way.open(["true"], recorder)
    await recorder.end()
    assert way.host == "127.0.0.9"
    other = transports.transport_for(openssh_server.spec(address="elsewhere"))
    with pytest.raises(ConnectFailed):
        await other.open(["true"], Recorder())
    assert other.host == "127.0.0.10", "also when nobody is there"
    await transports.close()


async def test_jump_hosts_in_a_circle(asyncssh_server: SshServer) -> None:
    asyncssh_server.write_client("Host *\n  ProxyJump gate\n")
    with pytest.raises(ConnectFailed, match="leads round in a circle"):
        await echo(asyncssh_server, asyncssh_server.spec())


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["python3", "-IS", "/a/b.pyz"], "python3 -IS /a/b.pyz"),
        (["echo", "a b", ""], "echo 'a b' ''"),
        (["it's"], r"'it'\''s'"),
        (["a!b"], r"'a'\!'b'"),
        (["a\\b"], r"'a'\\'b'"),
        (["$HOME;`x`"], "'$HOME;`x`'"),
    ],
)
def test_quoting_that_sh_csh_and_fish_read_alike(argv: list[str], command: str) -> None:
    assert remote_command(argv) == command
