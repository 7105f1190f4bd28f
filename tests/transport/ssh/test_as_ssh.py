"""The ssh configuration and known_hosts, held to what the real ssh makes of them."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import asyncssh
import pytest
from fixtures_ssh import DEADLINE_S, Recorder, ServerFactory, SshServer, new_key, public_line

from octogram_tui.errors import HostKeyRefused, TransportError
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.ssh.profile import Profile, Request, resolve

pytestmark = pytest.mark.sshd
needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh on this machine")


@pytest.fixture(autouse=True)
def _home_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both mean the same home by `~`: the real ssh asks the system for it, and no variable."""
    monkeypatch.setenv("HOME", pwd.getpwuid(os.getuid()).pw_dir)


CONFIGURATIONS = {
    "comments": "Host box # the box\n  HostName 10.0.0.7 # its address\n  Port 2200 # not 22\n  User me#1\n",
    "units of time": "Host *\n  ConnectTimeout 1m30s\n",
    "no time": "Host *\n  ConnectTimeout none\n",
    "a command before a jump": "Host *\n  ProxyCommand nc %h %p\n  ProxyJump gate\n",
    "a jump before a command": "Host *\n  ProxyJump gate\n  ProxyCommand nc %h %p\n",
    "no command rules a jump out": "Host box\n  ProxyCommand none\nHost *\n  ProxyJump gate\n",
    "no jump rules no command out": "Host box\n  ProxyJump none\nHost *\n  ProxyCommand nc %h %p\n  ProxyJump gate\n",
    "no jump rules a jump out": "Host box\n  ProxyJump none\nHost *\n  ProxyJump gate\n",
    "jumps": "Host *\n  ProxyJump me@gate:2222,you@other:33,[::1]:44\n",
    "files of known hosts": "Host *\n  UserKnownHostsFile ~/a ${HOME}/b %d/c_%h '/d e' /f\\ g\n",
    "no files of known hosts": "Host *\n  UserKnownHostsFile none\n  GlobalKnownHostsFile none\n",
    "a negated pattern": "Host * !box\n  Port 99\nHost b?x\n  Port 98\n",
    "letters of a pattern": "Host BOX\n  Port 5\n",
    "signs of equality": "Host=box\nPort=77\nUser = them\nHostName =10.1.1.1\n",
    "quotes": 'Host "box"\n  HostName "10.1.1.1"\n  User "a b"\n',
    "a backslash": "Host box\n  User CORP\\me\n",
    "Match exec with tokens": 'Match exec "test %h = box"\n  Port 6\n',
    "Match exec that fails": 'Match exec "test %n = other"\n  Port 6\n',
    "Match with a list": "Match host box,other !user nobody\n  Port 8\n",
    "Match as an equation": "Match host=box # here\n  Port 4\n",
    "Match final": "Host box\n  HostName 10.9.9.9\nMatch final host 10.9.9.9\n  Port 9\n",
    "Match canonical": "Match canonical all\n  Port 9\n",
    "a name of a name": "Host box\n  HostName %h.example.org\n  HostKeyAlias the-box\n",
    "the name of a port": "Host *\n  Port https\n",
    "the first of two": "Host *\n  Port 1\n  Port 2\n",
    "tabs and line ends": "\tHost\tbox\r\n\t\tPort\t4\r\n",
    "what is not for us": "Host *\n  RemoteCommand tmux # x\n  RequestTTY yes\n  ControlMaster auto\n  Port 4\n",
    "public keys unbound": "Host *\n  PubkeyAuthentication unbound\n  Port 4\n",
    "verdicts": "Host *\n  StrictHostKeyChecking accept-new\n  HashKnownHosts yes\n  CheckHostIP yes\n",
    "included": "Host box\n  Include DIR/*.conf\n  User last\nHost *\n  Port 7\n",
}


def as_ssh_says(path: Path) -> dict[str, object]:
    done = subprocess.run(["ssh", "-G", "-F", str(path), "box"], check=True, capture_output=True, text=True)
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    time = told["connecttimeout"]
    return {
        "host": told["hostname"],
        "port": int(told["port"]),
        "user": told["user"],
        "jumps": told.get("proxyjump", ""),
        "command": told.get("proxycommand", "").replace("%h", told["hostname"]).replace("%p", told["port"]),
        "known hosts": [told[name] for name in ("userknownhostsfile", "globalknownhostsfile") if told[name] != "none"],
        "timeout": 12.0 if time == "none" else float(time),
        "alias": told.get("hostkeyalias"),
        "accepts new": told["stricthostkeychecking"] == "accept-new",
        "hashes": told["hashknownhosts"] == "yes",
        "checks address": told["checkhostip"] == "yes",
    }


def as_we_say(profile: Profile, default: list[str]) -> dict[str, object]:
    users = [file for file in profile.known_hosts.files if file not in default]
    systems = [file for file in profile.known_hosts.files if file in default]
    return {
        "host": profile.host,
        "port": profile.port,
        "user": profile.user,
        "jumps": ",".join(_jump(hop) for hop in profile.jumps),
        "command": profile.proxy_command,
        "known hosts": [" ".join(files) for files in (users, systems) if files],
        "timeout": profile.connect_timeout_s,
        "alias": profile.alias,
        "accepts new": profile.accepts_new,
        "hashes": profile.known_hosts.hashes,
        "checks address": profile.checks_address,
    }


def _jump(hop: Request) -> str:
    host = f"[{hop.address}]" if ":" in hop.address else hop.address
    return (f"{hop.user}@" if hop.user else "") + host + (f":{hop.port}" if hop.port else "")


@needs_ssh
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_means_what_it_means_to_ssh(tmp_path: Path, name: str) -> None:
    (tmp_path / "b.conf").write_text("Port 5\nUser second\n")
    (tmp_path / "a.conf").write_text("Port 6\nHost other\n  User nobody\n")
    path = tmp_path / "config"
    path.write_bytes(CONFIGURATIONS[name].replace("DIR", str(tmp_path)).encode())
    profile = resolve(Request("box"), [str(path)])
    assert as_we_say(profile, ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]) == as_ssh_says(path)


@needs_ssh
@pytest.mark.parametrize(
    "text",
    ["Port 70000\n", "ConnectTimeout 1x\n", "Host\n  Port 3\n", "User 'a\n", "Match nonsense x\n", "Include CONFIG\n"],
)
def test_what_ssh_refuses_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text.replace("CONFIG", str(path)))
    assert subprocess.run(["ssh", "-G", "-F", str(path), "box"], check=False, capture_output=True).returncode
    with pytest.raises(asyncssh.ConfigParseError, match=f"{path} line 1: "):
        resolve(Request("box"), [str(path)])


async def by_us(server: SshServer, address: str, *, accept_new: bool = False) -> str:
    """Connect, and give what came of it: `hello`, or the code of the refusal."""
    transports = Transports(ssh_config=str(server.ssh_config), accept_new=accept_new)
    recorder = Recorder()
    try:
        async with asyncio.timeout(DEADLINE_S):
            await transports.transport_for(server.spec(address=address)).open(["echo", "hello"], recorder)
            await recorder.end()
        return recorder.out.decode().strip()
    except TransportError as error:
        return error.code
    finally:
        await transports.close()


def by_ssh(server: SshServer, address: str, *options: str) -> bool:
    command = ["ssh", "-F", str(server.ssh_config), "-o", "BatchMode=yes", *options, address, "echo", "hello"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=DEADLINE_S)
    return done.stdout == "hello\n"


def sign(authority: Path, host: Path, names: Sequence[str], *options: str) -> None:
    command = ["ssh-keygen", "-q", "-s", str(authority), "-I", "host", "-h", "-n", ",".join(names), *options]
    subprocess.run([*command, f"{host}.pub"], check=True, capture_output=True)


# What is on file for 127.0.0.1 on the server's port: KEY is its key, CA the authority that signed it, OTHER another.
ON_FILE = {
    "its key": ("[127.0.0.1]:PORT KEY", "hello"),
    "its key by a pattern": ("[127.0.0.?]:PORT,!nobody KEY", "hello"),
    "its key, but not for this name": ("[127.0.0.*]:PORT,![127.0.0.1]:PORT KEY", "trust.unknown"),
    "its key for the bare name": ("127.0.0.1 KEY", "hello"),
    "another key for the bare name": ("127.0.0.1 OTHER", "trust.unknown"),
    "its key for another port": ("[127.0.0.1]:1 KEY", "trust.unknown"),
    "another key": ("[127.0.0.1]:PORT OTHER", "trust.changed"),
    "both": ("[127.0.0.1]:PORT OTHER\n[127.0.0.1]:PORT KEY", "hello"),
    "its key, revoked": ("[127.0.0.1]:PORT KEY\n@revoked * KEY", "trust.revoked"),
    "another key, revoked": ("[127.0.0.1]:PORT KEY\n@revoked * OTHER", "hello"),
    "only another key, revoked": ("@revoked * OTHER", "trust.unknown"),
    "its authority": ("@cert-authority [127.0.0.1]:PORT CA", "hello"),
    "its authority for all": ("@cert-authority * CA", "hello"),
    "its authority for the bare name": ("@cert-authority 127.0.0.1 CA", "hello"),
    "its authority, revoked": ("@cert-authority * CA\n@revoked * CA", "trust.revoked"),
    "another authority": ("@cert-authority * OTHER", "trust.unknown"),
    "another authority, and its key": ("@cert-authority * OTHER\n[127.0.0.1]:PORT KEY", "hello"),
    "another authority, and another key": ("@cert-authority * OTHER\n[127.0.0.1]:PORT OTHER", "trust.changed"),
    "its key as an authority": ("@cert-authority * KEY", "trust.unknown"),
    "nothing": ("", "trust.unknown"),
}


HASHED = ("its key", "its key for the bare name", "another key")


@needs_ssh
async def test_known_hosts_mean_what_they_mean_to_ssh(openssh_servers: ServerFactory, tmp_path: Path) -> None:
    authority, other, host = (new_key(tmp_path / name) for name in ("authority", "other", "host"))
    sign(authority, host, ["127.0.0.1"])
    server = openssh_servers({"HostCertificate": f"{host}-cert.pub"}, host_key=host)
    words = {
        "PORT": str(server.port),
        "KEY": public_line(host),
        "CA": public_line(authority),
        "OTHER": public_line(other),
    }
    differ = {}
    for name, (pattern, expected) in ON_FILE.items():
        text = re.sub("PORT|KEY|CA|OTHER", lambda found: words[found[0]], pattern)  # at once: keys are random letters
        for is_hashed in (False, True) if name in HASHED else (False,):
            server.write_client(known=f"{text}\n")
            if is_hashed:
                subprocess.run(
                    ["ssh-keygen", "-q", "-H", "-f", str(server.known_hosts)], check=False, capture_output=True
                )
            outcome, is_in = await asyncio.gather(
                by_us(server, "127.0.0.1"), asyncio.to_thread(by_ssh, server, "127.0.0.1")
            )
            if outcome != expected or is_in is not (outcome == "hello"):
                differ[name, is_hashed] = outcome
    assert differ == {}


@needs_ssh
@pytest.mark.parametrize(
    ("names", "options"), [(["elsewhere"], ()), (["127.0.0.1"], ("-V", "20200101:20200102"))], ids=["name", "expired"]
)
async def test_behind_a_certificate_that_does_not_hold_the_plain_key_counts(
    openssh_servers: ServerFactory, tmp_path: Path, names: list[str], options: tuple[str, ...]
) -> None:
    authority, host = new_key(tmp_path / "authority"), new_key(tmp_path / "host")
    sign(authority, host, names, *options)
    server = openssh_servers({"HostCertificate": f"{host}-cert.pub"}, host_key=host)
    line = f"@cert-authority * {public_line(authority)}\n"
    server.write_client(known=line)
    transports = Transports(ssh_config=str(server.ssh_config))
    with pytest.raises(
        HostKeyRefused, match=r"is not known: it is SHA256:.* and its certificate is refused: "
    ) as refused:
        await transports.transport_for(server.spec()).reach()
    assert "on file is an authority, SHA256:" in refused.value.message
    assert not by_ssh(server, "127.0.0.1")
    server.write_client(known=f"{line}[127.0.0.1]:{server.port} {public_line(host)}\n")
    assert await by_us(server, "127.0.0.1") == "hello"
    assert by_ssh(server, "127.0.0.1")


@needs_ssh
@pytest.mark.parametrize(
    ("extra", "address"),
    [
        ("HashKnownHosts yes", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("Host box\n  HostKeyAlias the-box\n  HostName 127.0.0.1", "box"),
    ],
    ids=["hashed", "plain", "alias"],
)
async def test_a_key_that_we_record_is_one_for_ssh_and_the_other_way_round(
    openssh_server: SshServer, extra: str, address: str
) -> None:
    openssh_server.write_client(extra, known="")
    assert await by_us(openssh_server, address, accept_new=True) == "hello"
    ours = openssh_server.known_hosts.read_text()
    assert ("127.0.0.1" in ours) is (extra == "")
    assert by_ssh(openssh_server, address)
    openssh_server.write_client(extra, known="")
    assert by_ssh(openssh_server, address, "-o", "StrictHostKeyChecking=accept-new")
    theirs = openssh_server.known_hosts.read_text()
    assert len(ours.split()[0]) == len(theirs.split()[0])
    assert await by_us(openssh_server, address) == "hello"


@needs_ssh
async def test_accepting_new_keys_by_the_configuration_is_for_its_machines(openssh_server: SshServer) -> None:
    openssh_server.write_client("Host 127.0.0.2\n  StrictHostKeyChecking accept-new", known="")
    assert await by_us(openssh_server, "127.0.0.1") == "trust.unknown"
    assert await by_us(openssh_server, "127.0.0.2") == "hello"
    assert by_ssh(openssh_server, "127.0.0.2")
    assert not by_ssh(openssh_server, "127.0.0.1")


async def test_what_one_alias_accepts_no_other_does(openssh_server: SshServer) -> None:
    openssh_server.write_client("Host lax\n  HostName 127.0.0.1\n  StrictHostKeyChecking accept-new", known="")
    openssh_server.known_hosts.unlink()
    openssh_server.known_hosts.mkdir()  # so that nothing can be recorded
    transports = Transports(ssh_config=str(openssh_server.ssh_config))
    await transports.transport_for(openssh_server.spec("a", "lax")).reach()
    with pytest.raises(HostKeyRefused, match="is not known"):
        await transports.transport_for(openssh_server.spec("b")).reach()
    await transports.close()


@needs_ssh
@pytest.mark.parametrize(("says", "outcome"), [("yes", "trust.changed"), ("no", "hello")])
async def test_the_address_counts_where_the_configuration_says_so(
    openssh_server: SshServer, tmp_path: Path, says: str, outcome: str
) -> None:
    other = public_line(new_key(tmp_path / "other"))
    openssh_server.write_client(
        f"CheckHostIP {says}\nAddressFamily inet\nHost localhost", known=f"[127.0.0.1]:{openssh_server.port} {other}\n"
    )
    assert await by_us(openssh_server, "localhost", accept_new=True) == outcome


USUAL = """
ForwardAgent yes
SendEnv LANG LC_*
SetEnv WORD=hello OTHER="two words"
RequestTTY force
ControlMaster auto
ControlPath ~/.ssh/cm-%C
ControlPersist 10m
Compression yes
PermitLocalCommand yes
LocalCommand touch DIR/local
LogLevel QUIET
BatchMode yes
TCPKeepAlive yes
ServerAliveInterval 1m
ServerAliveCountMax 3
AddKeysToAgent yes
VisualHostKey yes
GSSAPIAuthentication yes
PreferredAuthentications publickey,password
PasswordAuthentication yes
ForwardX11 yes
LocalForward 0 localhost:80
HostKeyAlgorithms +ssh-rsa
KexAlgorithms -diffie-hellman-group*
Ciphers ^aes256-ctr
IgnoreUnknown UseKeychain
UseKeychain yes
EscapeChar none
ConnectTimeout 20s
Host *
  RemoteCommand sleep 100
"""


async def test_all_that_people_write_leaves_a_command_that_runs(openssh_servers: ServerFactory, tmp_path: Path) -> None:
    server = openssh_servers({"AcceptEnv": "WORD OTHER", "AllowAgentForwarding": "yes"})
    server.write_client(USUAL.replace("DIR", str(tmp_path)))
    transports = Transports(ssh_config=str(server.ssh_config))
    recorder = Recorder()
    async with asyncio.timeout(DEADLINE_S):
        await transports.transport_for(server.spec()).open(["sh", "-c", "echo $WORD $OTHER; tty"], recorder)
        await recorder.end()
    assert recorder.out.decode() == "hello two words\nnot a tty\n"
    assert not (tmp_path / "local").exists()
    await transports.close()


KEEPS_NOTHING = [
    ("UserKnownHostsFile /dev/null\nStrictHostKeyChecking no", "/dev/null", True),
    ("UserKnownHostsFile none\nStrictHostKeyChecking off", "none", True),
    ("UserKnownHostsFile /dev/null", "/dev/null", False),
]


@pytest.mark.parametrize(("extra", "files", "is_lax"), KEEPS_NOTHING)
async def test_what_keeps_no_keys_and_what_asks_for_no_check_is_said(
    openssh_server: SshServer, extra: str, files: str, is_lax: bool
) -> None:
    openssh_server.write_client(extra, known="")
    config = openssh_server.ssh_config
    transports = Transports(ssh_config=str(config))
    with pytest.raises(HostKeyRefused) as refused:
        await transports.transport_for(openssh_server.spec()).reach()
    assert refused.value.code == "trust.unknown"
    lax = f"`StrictHostKeyChecking {extra.split()[-1]}` ({config}:2) is not honoured; " if is_lax else ""
    nothing = f"`UserKnownHostsFile {files}` ({config}:1) keeps no keys: run with --accept-new, or name a file there"
    assert refused.value.hint == lax + nothing
    before = os.stat(os.devnull).st_mode
    transports = Transports(ssh_config=str(config), accept_new=True)
    for name in ("one", "two"):
        await transports.transport_for(openssh_server.spec(name, user=None)).reach()
    assert transports.notes == [
        f"accepted host keys hold for this run only: `UserKnownHostsFile {files}` ({config}:1) keeps none"
    ]
    assert os.stat(os.devnull).st_mode == before
    await transports.close()


async def test_the_way_to_record_a_key_is_that_of_the_configuration(openssh_server: SshServer) -> None:
    openssh_server.write_client("HashKnownHosts yes\nStrictHostKeyChecking no", known="")
    transports = Transports(ssh_config=str(openssh_server.ssh_config))
    with pytest.raises(HostKeyRefused) as refused:
        await transports.transport_for(openssh_server.spec()).reach()
    assert f"`ssh-keyscan -H -p {openssh_server.port} 127.0.0.1 >> {openssh_server.known_hosts}`" in refused.value.hint
    assert refused.value.hint.startswith("`StrictHostKeyChecking no` (")
